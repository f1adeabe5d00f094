import {
  type Action,
  type Approver,
  agentConnectedWithinMs,
  type Entity,
  initialStatus,
  isApprovalByAll,
  isFinal,
  type Run,
  type RunEvent,
  type RunLog,
  type RunPatch,
  type RunPreview,
  transition,
} from '@quayside/contracts';
import { type Ctx, causeOf, type World } from '../../platform/ctx.ts';
import { newId } from '../../platform/ids.ts';
import { type Again, agentQueue, enqueue, hasWork, type Labels, park } from '../../platform/leases.ts';
import type { Metrics } from '../../platform/metrics.ts';
import { refuse, refuseMissing } from '../../platform/refusal.ts';
import type { Vault } from '../../platform/vault.ts';
import { type Ask, findActionIfAny, getAction, selfServiceTrigger } from '../actions/index.ts';
import { listDeliveriesOf, publicationQueue } from '../deliveries/index.ts';
import { findEntityOf, matchesQuery, toCaller } from '../entities/index.ts';
import {
  findPersonById,
  findUserOfOrganization,
  findUserOfOrganizationById,
  signingSecret,
} from '../identity/index.ts';
import { openSecrets } from '../secrets/index.ts';
import { needsApproval, type StoredRun, toRun } from './model.ts';
import { encryptSecretInputs, expandEntities, maskSecretInputs, secretInputNames } from './model-inputs.ts';
import { isOwnCall } from './model-own-call.ts';
import {
  hideSecrets,
  payloadOwner,
  payloadToSend,
  type Requester,
  type RunFacts,
  renderInvocation,
  triggerBy,
} from './model-payload.ts';
import { listAffectedEntities } from './reads.ts';
import {
  assertNotFrozen,
  assertWithinLimits,
  findRepeated,
  type Guardrails,
  guardrailSettings,
  maySee,
  type NotifyApprovers,
  requestKey,
} from './service-guards.ts';
import { settleInputs } from './service-inputs.ts';
import { previewCarrier, previewRequest } from './service-preview.ts';
import { streamerFor } from './service-streamer.ts';
import * as store from './store.ts';
import * as approvals from './store-approvals.ts';
import * as dispatchStore from './store-dispatch.ts';
import * as lists from './store-list.ts';

/**
 * Runs: execute, report, read. Everything a call changes (run, work, log lines, events) is one transaction, so a crash at
 * any point leaves either all of it or nothing. Every change of a run happens under its lock (store.lockRun).
 */
/** Work that the server delivers itself, for all organizations. */
export const serverQueue = 'server';
/** Work whose message is in the organization's topic, for all organizations; parked until a consumer claims it by its key. */
export const kafkaQueue = 'kafka';

/** Workflow runs of GitHub that are watched until they end. */
export const githubQueue = 'github';

/** Work that an integration claims by its name. */
export function integrationQueue(orgId: string, installationId: string): string {
  const isPlain = /^[A-Za-z0-9_.-]{1,80}$/.test(installationId);
  const name = isPlain ? installationId : Buffer.from(installationId).toString('base64url').slice(0, 80);
  return `integration:${orgId}:${name}`;
}

/** Readers of one run (live page) wait on this topic. */
export const runTopic = (orgId: string, runId: string): string => `run:${orgId}:${runId}`;

/** An automation that fires: its document, and the event that it listened to. */
export interface Firing extends store.Cause {
  action: Action;
  event: Record<string, unknown>;
  /** Whose change it was. */
  by: string;
  at: string;
  blueprint: string | null;
  entity: string | null;
  problem?: string;
}

/** So many runs may start each other by calls to the portal, as so many automations may stand in a row. */
const maxCalls = 25;

export interface ExecuteRequest {
  properties: Record<string, unknown>;
  entity?: string;
  runAs?: string | undefined;
  /** Repeating the request with the same key answers with the run of the first time. */
  idempotencyKey?: string | undefined;
}

export function createRunService(dependencies: {
  vault: Vault;
  metrics: Metrics;
  guardrails: Guardrails;
  notifyApprovers: NotifyApprovers;
  /** Does this portal have brokers? */
  hasKafka: boolean;
  /** Where the portal itself is reached. */
  ownUrl(): string;
}) {
  const { vault, metrics, guardrails, notifyApprovers, hasKafka, ownUrl } = dependencies;

  async function execute(world: World, actionIdentifier: string, request: ExecuteRequest): Promise<Run> {
    return world.transaction(async (ctx) => toRun(await executeIn(ctx, actionIdentifier, request)));
  }

  /** Everything that executing does, up to the send, and then none of it: the transaction is rolled back. */
  async function preview(world: World, actionIdentifier: string, request: ExecuteRequest): Promise<RunPreview> {
    let seen: RunPreview | undefined;
    const rollBack = new Error('A preview leaves nothing behind.');
    await world
      .transaction(async (ctx) => {
        const run = await executeIn(ctx, actionIdentifier, request);
        const approvers = await approvals.listApprovers(ctx.db, ctx.orgId, run.id);
        const logs = await store.listLogs(ctx.db, ctx.orgId, run.id, { after: 0, limit: 10 });
        const { payload, status, summary } =
          run.status === 'WAITING_FOR_APPROVAL'
            ? // What comes after the approval, of the facts of now.
              await dispatch(ctx, await move(ctx, run, 'approve'), await factsOf(ctx, run))
            : run;
        seen = {
          run: toRun(run),
          logs: logs.map((log) => log.message),
          approvers: approvers.map((approver) => approver.email),
          ...(payload === null ? {} : { request: previewRequest(run.id, payload) }),
          ...(payload === null
            ? {}
            : {
                carrier: previewCarrier(
                  payload,
                  await dispatchStore.listAgents(ctx.db, ctx.orgId, agentConnectedWithinMs),
                ),
              }),
          ...(status === 'FAILURE' ? { problem: summary ?? 'The run would fail.' } : {}),
        };
        throw rollBack;
      })
      .catch((error: unknown) => {
        if (error !== rollBack) throw error;
      });
    if (!seen) throw rollBack;
    return seen;
  }

  async function executeIn(ctx: Ctx, actionIdentifier: string, request: ExecuteRequest): Promise<StoredRun> {
    const { idempotencyKey, ...asked } = request;
    const key =
      idempotencyKey === undefined
        ? undefined
        : requestKey(idempotencyKey, [ctx.actor.id, actionIdentifier, { ...asked }]);
    const repeated = key && (await findRepeated(ctx, key));
    if (repeated !== undefined) return mustFind(ctx, repeated);
    const action = await getAction(ctx, actionIdentifier);
    const trigger = selfServiceTrigger(action);
    if (!trigger)
      refuse('invalid_request', `"${actionIdentifier}" is an automation; it is started by its event, not by a call.`);
    if (causeOf(ctx.actor).depth > maxCalls)
      refuse(
        'limit_reached',
        `${maxCalls} runs have started each other by calls to the portal; "${actionIdentifier}" is not started again. Look for a circle.`,
      );
    const { requester, createdBy, impersonatedBy } = await findRequester(ctx, request.runAs);
    const entity = await findTarget(ctx, trigger, request.entity);
    const person = await findPersonById(ctx, createdBy);
    const ask: Ask = { action, entity, inputs: request.properties, at: ctx.now() };
    const verdict = await guardrails.judgeExecute(ctx, ask, person);
    if (!verdict.isAllowed) {
      const remedy = verdict.remedy === undefined ? '' : ` ${verdict.remedy}`;
      refuse('forbidden', `"${actionIdentifier}" may not be executed: ${verdict.because}.${remedy}`);
    }
    const settings = await guardrailSettings(ctx);
    assertNotFrozen(settings, actionIdentifier, ask.at);
    if (
      entity &&
      trigger.condition &&
      !(await matchesQuery(ctx, entity, trigger.condition, await toCaller(ctx, person)))
    )
      refuse(
        'invalid_request',
        `body.entity: "${entity.identifier}" does not satisfy the condition of "${actionIdentifier}".`,
        [{ path: 'body.entity', message: 'does not satisfy the condition of the action.' }],
      );

    const { values, entities } = await settleInputs(ctx, trigger.userInputs, request.properties, { entity, person });
    const secretInputs = secretInputNames(trigger.userInputs);
    const secret = secretInputs.length > 0 ? await signingSecret(ctx, vault) : '';
    const rawProperties = encryptSecretInputs(trigger.userInputs, values, () => secret);
    const properties = expandEntities(trigger.userInputs, rawProperties, entities);

    await assertWithinLimits(ctx, guardrails, action, entity?.identifier ?? null);
    const runId = newId('r');
    const status = initialStatus(needsApproval(action.requiredApproval));
    const created = await store.insertRun(ctx.db, ctx.orgId, {
      id: runId,
      actionId: action.id,
      actionIdentifier,
      blueprint: trigger.blueprintIdentifier ?? null,
      entity: entity?.identifier ?? null,
      status,
      source: ctx.origin === 'UI' ? 'UI' : 'API',
      requiredApproval: action.requiredApproval ?? false,
      isPrivate: action.allowAnyoneToViewRuns === false,
      rawProperties,
      properties,
      createdBy,
      impersonatedBy,
      ...causeOf(ctx.actor),
      eventSeq: null,
    });
    if (key) await approvals.insertKey(ctx.db, ctx.orgId, { ...key, runId });
    await ctx.emit({ name: 'run.created', subject: runId, runId, ...about(created), after: toRun(created) });
    if (status === 'WAITING_FOR_APPROVAL') {
      const approvers = await guardrails.findApprovers(ctx, ask, person);
      const asked = approvers.filter((one) => !(settings.fourEyes && one.id === createdBy));
      await approvals.insertApprovers(
        ctx.db,
        ctx.orgId,
        runId,
        asked.map((one) => one.id),
      );
      const line = await notifyApprovers(
        ctx,
        {
          run: toRun(created),
          action,
          inputs: maskSecretInputs(rawProperties, secretInputs),
          requester: { by: triggerBy(requester), name: person?.email ?? nameOf(ctx.actor) },
        },
        asked,
        await guardrails.hasApproverPolicy(ctx, action.id),
      );
      await store.insertLogs(ctx.db, ctx.orgId, runId, 'quayside', [line]);
    }
    ctx.db.afterCommit(() => metrics.runs.inc({ status }));
    if (status !== 'IN_PROGRESS') return created;
    return dispatch(ctx, created, {
      runId,
      action,
      trigger,
      event: null,
      requester,
      origin: created.source,
      at: created.createdAt.toISOString(),
      entity,
      rawProperties,
      properties,
      secretInputs,
    });
  }

  /**
   * The run of an automation, in the caller's transaction: no inputs, no approval, no permission. `problem` = it must not be
   * carried out, and ends at once with that sentence.
   */
  async function startAutomation(ctx: Ctx, firing: Firing): Promise<string> {
    const { action, event, by, at, blueprint, entity, depth, root, eventSeq, problem } = firing;
    const runId = newId('r');
    const created = await store.insertRun(ctx.db, ctx.orgId, {
      id: runId,
      actionId: action.id,
      actionIdentifier: action.identifier,
      blueprint,
      entity,
      status: 'IN_PROGRESS',
      source: 'AUTOMATION',
      requiredApproval: false,
      isPrivate: action.allowAnyoneToViewRuns === false,
      rawProperties: {},
      properties: {},
      createdBy: by,
      impersonatedBy: null,
      depth,
      root,
      eventSeq,
    });
    await ctx.emit({ name: 'run.created', subject: runId, runId, ...about(created), after: toRun(created) });
    ctx.db.afterCommit(() => metrics.runs.inc({ status: created.status }));
    if (problem !== undefined) {
      await store.insertLogs(ctx.db, ctx.orgId, runId, 'quayside', [problem]);
      await move(ctx, created, 'fail', { summary: problem });
      return runId;
    }
    const user = await findUserById(ctx, by);
    await dispatch(ctx, created, {
      runId,
      action,
      trigger: undefined,
      event,
      requester: { orgId: ctx.orgId, userId: by, ...(user ? { user } : {}) },
      origin: 'AUTOMATION',
      at,
      entity: null,
      rawProperties: {},
      properties: {},
      secretInputs: [],
    });
    return runId;
  }

  /** Renders the invocation and hands it to a queue; what can not be rendered ends the run with the reason. */
  async function dispatch(ctx: Ctx, run: StoredRun, facts: RunFacts): Promise<StoredRun> {
    let rendering = isTargetGone(run, facts)
      ? {
          kind: 'failed' as const,
          message: `The entity "${run.entity}" was deleted before the run was approved, so there is nothing to act on.`,
        }
      : renderInvocation(facts, await openSecrets(ctx, vault));
    if (rendering.kind === 'rendered' && rendering.payload.type === 'KAFKA' && !hasKafka)
      rendering = {
        kind: 'failed',
        message: 'This portal has no Kafka: set KAFKA_BROKERS (docs/operations.md), or give the action another type.',
      };
    if (rendering.kind === 'failed') {
      await store.insertLogs(ctx.db, ctx.orgId, run.id, 'quayside', [rendering.message]);
      return move(ctx, run, 'fail', { summary: rendering.message });
    }
    const { payload, secretPayload } = rendering;
    const isOwn = isOwnCall(ownUrl(), facts.action.invocationMethod, payload);
    // A publication is nobody's work: the publisher's cursor sees to it.
    if (payload.type === 'KAFKA') await publish(ctx, run);
    else await hand(ctx, run, payload);
    return write(ctx, run, {
      payload: { ...payload, ...(isOwn ? { asOrganization: true } : {}) },
      ...(secretPayload ? { sealedPayload: vault.seal(JSON.stringify(secretPayload), payloadOwner(run)) } : {}),
      ...(payload.type === 'INTEGRATION_ACTION' ? { installationId: payload.installationId } : {}),
    });
  }

  /** Onto its way. One way per run, chosen here: a run that polling agents find is in no topic (docs/adr/0020). */
  async function hand(ctx: Ctx, run: StoredRun, payload: object, again?: Again): Promise<void> {
    const { type, agent, installationId, agentLabels } = payload as {
      type: string;
      agent: boolean;
      installationId?: string;
      agentLabels?: Labels;
    };
    const work = {
      orgId: ctx.orgId,
      key: run.id,
      ...(agentLabels && { labels: agentLabels }),
      ...(again && { again }),
    };
    if (type === 'INTEGRATION_ACTION')
      return enqueue(ctx.db, { ...work, queue: integrationQueue(ctx.orgId, String(installationId)) });
    if (!agent && type !== 'KAFKA') return enqueue(ctx.db, { ...work, queue: serverQueue });
    if (agent && (!hasKafka || (await streamerFor(ctx, agentLabels)) === 'POLLING'))
      return enqueue(ctx.db, { ...work, queue: agentQueue(ctx.orgId) });
    await park(ctx.db, { ...work, queue: type === 'KAFKA' ? publicationQueue : kafkaQueue });
    await publish(ctx, run);
  }

  /**
   * Hands a run over once more, under the same key, whatever has become of it. Its status is left alone: the settlement of
   * a replay concludes nothing (service-dispatch.ts).
   */
  async function replay(
    ctx: Ctx,
    runId: string,
    again: Again,
    by: string,
  ): Promise<'handed_over' | 'under_way' | 'gone'> {
    const run = await store.lockRun(ctx.db, ctx.orgId, runId);
    if (!run || run.payload === null) return 'gone';
    if (await hasWork(ctx.db, ctx.orgId, runId)) return 'under_way';
    await ctx.emit({
      name: 'run.replayed',
      subject: runId,
      runId,
      ...about(run),
      after: { replay: again.replayId, by },
    });
    await hand(ctx, run, run.payload, again);
    await store.insertLogs(ctx.db, ctx.orgId, runId, 'quayside', [
      `Replayed for ${by}: the same request, under the same key. The status of the run stays as it is.`,
    ]);
    ctx.db.wake(runTopic(ctx.orgId, runId));
    return 'handed_over';
  }

  /** A run that can not be handed over ends, and says why; one that has ended stays as it is. */
  async function failDispatch(world: World, runId: string, message: string): Promise<void> {
    await world.transaction(async (ctx) => {
      const run = await mustLock(ctx, runId);
      if (isFinal(run.status)) return;
      await store.insertLogs(ctx.db, ctx.orgId, runId, 'quayside', [message]);
      await move(ctx, run, 'fail', { summary: message });
    });
  }

  /** The publisher of events puts the run's message into the organization's topic. */
  async function publish(ctx: Ctx, run: StoredRun): Promise<void> {
    await ctx.emit({ name: 'run.published', subject: run.id, runId: run.id, ...about(run) });
  }

  /**
   * The one function that changes a run's status. The run must be locked by this transaction. Refuses what the status
   * machine refuses; writes, emits, wakes.
   */
  async function move(
    ctx: Ctx,
    run: StoredRun,
    event: RunEvent,
    change: Omit<store.RunChange, 'status'> = {},
  ): Promise<StoredRun> {
    const step = assertPossible(run, event);
    const status = { from: step.from, to: step.to, isFinal: isFinal(step.to) };
    if (status.isFinal) {
      await dispatchStore.dropUnheldWork(ctx.db, ctx.orgId, run.id);
      ctx.db.afterCommit(() => metrics.runs.inc({ status: step.to }));
    }
    return update(ctx, run, { ...change, status });
  }

  /** A change that others hear of: the event with before and after, and a wake-up for whoever watches the run. */
  async function update(ctx: Ctx, before: StoredRun, change: store.RunChange): Promise<StoredRun> {
    const after = await write(ctx, before, change);
    await ctx.emit({
      name: 'run.updated',
      subject: before.id,
      runId: before.id,
      ...about(before),
      before: toRun(before),
      after: toRun(after),
    });
    ctx.db.wake(runTopic(ctx.orgId, before.id));
    return after;
  }

  /** What a backend reports may repeat the secrets that it was sent; they are hidden before anything is stored. */
  async function withoutSecrets<T>(ctx: Ctx, run: StoredRun, reported: T): Promise<T> {
    return run.sealedPayload === null ? reported : hideSecrets(reported, await openSecrets(ctx, vault));
  }

  async function patch(world: World, runId: string, body: RunPatch): Promise<Run> {
    return world.transaction(async (ctx) => {
      const run = await mustLock(ctx, runId);
      assertMayReport(ctx, run, body);
      if (isFinal(run.status))
        refuse('run_finished', `The run ${runId} has ended with ${run.status}; it can not change any more.`);
      const { status, message, ...change } = await withoutSecrets(ctx, run, body);
      if (message)
        await store.insertLogs(ctx.db, ctx.orgId, runId, ctx.actor.id, [
          typeof message.text === 'string' ? message.text : JSON.stringify(message),
        ]);
      if (status) return toRun(await move(ctx, run, reportEvent(run, status), change));
      if (Object.keys(change).length === 0 && !message) return toRun(run);
      return toRun(await update(ctx, run, change));
    });
  }

  async function addLog(
    world: World,
    runId: string,
    line: { message: string; terminationStatus?: 'SUCCESS' | 'FAILURE'; statusLabel?: string },
  ): Promise<RunLog> {
    return world.transaction(async (ctx) => {
      const run = await mustLock(ctx, runId);
      assertMayReport(ctx, run, {});
      const message = await withoutSecrets(ctx, run, line.message);
      const [log] = await store.insertLogs(ctx.db, ctx.orgId, runId, ctx.actor.id, [message]);
      if (!log) throw new Error('A log line vanished while it was written.');
      const label = line.statusLabel === undefined ? {} : { statusLabel: line.statusLabel };
      if (line.terminationStatus) await move(ctx, run, reportEvent(run, line.terminationStatus), label);
      else if (line.statusLabel !== undefined && !isFinal(run.status)) await update(ctx, run, label);
      else ctx.db.wake(runTopic(ctx.orgId, runId));
      return log;
    });
  }

  /** Many lines at once, for what prints faster than it can call. */
  async function addLogs(world: World, runId: string, messages: readonly string[]): Promise<number> {
    return world.transaction(async (ctx) => {
      const run = await mustLock(ctx, runId);
      assertMayReport(ctx, run, {});
      const logs = await store.insertLogs(
        ctx.db,
        ctx.orgId,
        runId,
        ctx.actor.id,
        await withoutSecrets(ctx, run, messages),
      );
      ctx.db.wake(runTopic(ctx.orgId, runId));
      return logs.at(-1)?.line ?? 0;
    });
  }

  async function setResponse(world: World, runId: string, response: unknown): Promise<Run> {
    return world.transaction(async (ctx) => {
      const run = await mustLock(ctx, runId);
      assertMayReport(ctx, run, {});
      return toRun(await update(ctx, run, { response: await withoutSecrets(ctx, run, response) }));
    });
  }

  async function approve(
    world: World,
    runId: string,
    decision: { status: 'APPROVE' | 'DECLINE'; description?: string },
  ): Promise<Run> {
    return world.transaction(async (ctx) => {
      const run = await mustLock(ctx, runId);
      const isApproval = decision.status === 'APPROVE';
      assertPossible(run, isApproval ? 'approve' : 'decline');
      const settings = await guardrailSettings(ctx);
      if (isApproval) {
        assertNotFrozen(settings, run.actionIdentifier, ctx.now());
        if (settings.fourEyes && run.createdBy === ctx.actor.id)
          refuse(
            'forbidden',
            'You asked for this run, and this organization wants four eyes: somebody else approves it.',
          );
      }
      await assertApprover(ctx, run);
      const state = isApproval ? ('APPROVED' as const) : ('DECLINED' as const);
      const description = decision.description ?? null;
      await approvals.decide(ctx.db, ctx.orgId, runId, { userId: ctx.actor.id, state, description });
      const approval = { state, userId: ctx.actor.id, description };
      if (isApproval && ctx.actor.kind === 'user' && isApprovalByAll(run.requiredApproval)) {
        const all = await approvals.listApprovers(ctx.db, ctx.orgId, runId);
        if (all.some((one) => one.state === 'PENDING' && one.canAct))
          return toRun(await update(ctx, run, { approval }));
      }
      const moved = await move(ctx, run, isApproval ? 'approve' : 'decline', { approval });
      if (moved.status !== 'IN_PROGRESS') return toRun(moved);
      ctx.db.wake(runTopic(ctx.orgId, runId));
      return toRun(await dispatch(ctx, moved, await factsOf(ctx, moved)));
    });
  }

  /** Those who were asked, and those whom the rules name by now; a credential of the organization decides for automation. */
  async function assertApprover(ctx: Ctx, run: StoredRun): Promise<void> {
    const { actor } = ctx;
    if (actor.kind !== 'user') return;
    const asked = await approvals.listApprovers(ctx.db, ctx.orgId, run.id);
    const mine = asked.find((approver) => approver.userId === actor.id);
    if (mine && mine.state !== 'PENDING')
      refuse('invalid_transition', `You have ${mine.state === 'APPROVED' ? 'approved' : 'declined'} this run already.`);
    if (mine) return;
    const facts = await factsOf(ctx, run);
    const ask: Ask = { action: facts.action, entity: facts.entity, inputs: run.rawProperties, at: run.createdAt };
    const now = await guardrails.findApprovers(ctx, ask, await findPersonById(ctx, run.createdBy));
    if (now.some((person) => person.id === actor.id)) return;
    const names = asked.filter((approver) => approver.canAct).map((approver) => approver.email);
    refuse(
      'forbidden',
      `You are not an approver of this run. ${names.length > 0 ? `Asked: ${names.slice(0, 10).join(', ')}${names.length > 10 ? ' …' : ''}.` : 'Nobody is; an administrator can change the permissions of the action.'}`,
    );
  }

  /** What a run's templates see when they are filled in later than at execution: the action and entity of now (§9.1). */
  async function factsOf(ctx: Ctx, run: StoredRun): Promise<RunFacts> {
    const action =
      (await findActionIfAny(ctx, run.actionIdentifier)) ??
      refuse('invalid_transition', `The action "${run.actionIdentifier}" was deleted; decline the run.`);
    const trigger = selfServiceTrigger(action);
    if (!trigger)
      refuse(
        'invalid_transition',
        `The action "${run.actionIdentifier}" has become an automation; decline the run and start it anew.`,
      );
    const user = await findUserById(ctx, run.createdBy);
    return {
      runId: run.id,
      action,
      trigger,
      event: null,
      requester: { orgId: ctx.orgId, userId: run.createdBy, ...(user ? { user } : {}) },
      origin: run.source,
      at: run.createdAt.toISOString(),
      entity:
        run.entity !== null && run.blueprint !== null && !run.isEntityDeleted
          ? ((await findEntityOf(ctx, run.blueprint, run.entity)) ?? null)
          : null,
      rawProperties: run.rawProperties,
      properties: run.properties,
      secretInputs: secretInputNames(trigger.userInputs),
    };
  }

  return {
    execute,
    preview,
    startAutomation,
    patch,
    addLog,
    addLogs,
    setResponse,
    approve,
    move,
    update,
    publish,
    replay,
    failDispatch,
    payloadToSend: (run: StoredRun) => payloadToSend(run, vault.open),
    withoutSecrets,
  };
}
export type RunService = ReturnType<typeof createRunService>;

function assertPossible(run: StoredRun, event: RunEvent): Extract<ReturnType<typeof transition>, { kind: 'moves' }> {
  const step = transition(run.status, event);
  if (step.kind === 'final')
    refuse('run_finished', `The run ${run.id} has ended with ${run.status}; it can not change any more.`);
  if (step.kind === 'impossible')
    refuse('invalid_transition', `The run ${run.id} is ${run.status}; "${event}" is not possible there.`);
  return step;
}

/** A run may wait for its approval longer than its entity lives; without it the templates would mean something else. */
function isTargetGone(run: StoredRun, { trigger, entity }: RunFacts): boolean {
  return trigger !== undefined && run.entity !== null && entity === null;
}

const about = (run: StoredRun) => ({
  ...(run.blueprint ? { blueprint: run.blueprint } : {}),
  ...(run.entity ? { entity: run.entity } : {}),
});

async function write(ctx: Ctx, run: StoredRun, change: store.RunChange): Promise<StoredRun> {
  return (
    (await store.updateRun(ctx.db, ctx.orgId, run.id, ctx.actor.id, change)) ??
    refuse('run_finished', `The run ${run.id} was changed by somebody else at this moment.`)
  );
}

async function mustFind(ctx: Ctx, runId: string): Promise<StoredRun> {
  return (await store.findRun(ctx.db, ctx.orgId, runId)) ?? refuseMissing('Run', runId);
}

export async function mustLock(ctx: Ctx, runId: string): Promise<StoredRun> {
  return (await store.lockRun(ctx.db, ctx.orgId, runId)) ?? refuseMissing('Run', runId);
}

/** A FAILURE of a waiting run is its withdrawal. */
function reportEvent(run: StoredRun, status: 'SUCCESS' | 'FAILURE'): RunEvent {
  if (status === 'SUCCESS') return 'succeed';
  return run.status === 'WAITING_FOR_APPROVAL' ? 'cancel' : 'fail';
}

/** Backends report with a credential, administrators may correct; others may only withdraw their own waiting run. */
function assertMayReport(ctx: Ctx, run: StoredRun, body: RunPatch): void {
  if (ctx.actor.kind !== 'user' || ctx.actor.role === 'Admin') return;
  const isWithdrawal =
    run.status === 'WAITING_FOR_APPROVAL' && body.status === 'FAILURE' && run.createdBy === ctx.actor.id;
  if (!isWithdrawal)
    refuse(
      'forbidden',
      'Only the backend of a run and administrators report on it; you may withdraw your own run while it waits for approval.',
    );
}

async function findRequester(
  ctx: Ctx,
  runAs: string | undefined,
): Promise<{ requester: Requester; createdBy: string; impersonatedBy: string | null }> {
  if (runAs !== undefined) {
    if (ctx.actor.kind !== 'machine') refuse('forbidden', 'run_as needs an access token of the organization.');
    const user = (await findUserOfOrganization(ctx, runAs.toLowerCase())) ?? refuseMissing('User', runAs);
    return {
      requester: { orgId: ctx.orgId, userId: user.id, user: shownUser(user) },
      createdBy: user.id,
      impersonatedBy: ctx.actor.id,
    };
  }
  const user = ctx.actor.kind === 'user' ? await findUserById(ctx, ctx.actor.id) : undefined;
  return {
    requester: { orgId: ctx.orgId, userId: ctx.actor.id, ...(user ? { user } : {}) },
    createdBy: ctx.actor.id,
    impersonatedBy: null,
  };
}

const nameOf = (actor: World['actor']): string => (actor.kind === 'machine' ? actor.name : 'The portal');

type ShownUser = NonNullable<Requester['user']>;

function shownUser(user: ShownUser): ShownUser {
  const { id, email, firstName, lastName, createdAt, updatedAt } = user;
  return { id, email, firstName, lastName, createdAt, updatedAt };
}

async function findUserById(ctx: Ctx, id: string): Promise<ShownUser | undefined> {
  const user = await findUserOfOrganizationById(ctx, id);
  return user && shownUser(user);
}

async function findTarget(
  ctx: Ctx,
  trigger: { operation: string; blueprintIdentifier?: string },
  identifier: string | undefined,
): Promise<Entity | null> {
  if (trigger.operation === 'CREATE') {
    if (identifier !== undefined)
      refuse('invalid_request', 'body.entity: an action of the operation CREATE has no target entity.');
    return null;
  }
  if (!trigger.blueprintIdentifier) return null;
  if (identifier === undefined)
    refuse(
      'invalid_request',
      `body.entity is required: ${trigger.operation} acts on one entity of the blueprint "${trigger.blueprintIdentifier}".`,
    );
  return (await findEntityOf(ctx, trigger.blueprintIdentifier, identifier)) ?? refuseMissing('Entity', identifier);
}

/** One that the caller may not see does not exist for them. */
async function mustSee(ctx: Ctx, runId: string): Promise<StoredRun> {
  const run = await mustFind(ctx, runId);
  return (await maySee(ctx, run)) ? run : refuseMissing('Run', runId);
}

export async function readRun(world: World, runId: string): Promise<Run> {
  return world.transaction(async (ctx) => toRun(await mustSee(ctx, runId)));
}

export async function readApprovers(world: World, runId: string, isWithPending: boolean): Promise<Approver[]> {
  return world.transaction(async (ctx) => {
    await mustSee(ctx, runId);
    const approvers = await approvals.listApprovers(ctx.db, ctx.orgId, runId);
    return approvers
      .filter((approver) => approver.state !== 'PENDING' || (isWithPending && approver.canAct))
      .map(({ canAct: _canAct, ...approver }) => approver);
  });
}

export async function listRuns(
  world: World,
  filter: Omit<lists.RunFilter, 'createdBy'> & { userId?: string; userEmail?: string },
): Promise<Run[]> {
  return world.transaction(async (ctx) => {
    let createdBy = filter.userId;
    if (filter.userEmail !== undefined)
      createdBy = (await findUserOfOrganization(ctx, filter.userEmail.toLowerCase()))?.id ?? '';
    const runs = await lists.listRuns(ctx.db, ctx.orgId, {
      ...filter,
      ...(createdBy === undefined ? {} : { createdBy }),
      ...(ctx.actor.kind === 'user' && ctx.actor.role !== 'Admin' ? { visibleTo: ctx.actor.id } : {}),
    });
    return runs.map(toRun);
  });
}

export async function listLogs(
  world: World,
  runId: string,
  page: { limit: number; after: number },
): Promise<{ runLogs: RunLog[] }> {
  return world.transaction(async (ctx) => {
    await mustSee(ctx, runId);
    return { runLogs: await store.listLogs(ctx.db, ctx.orgId, runId, page) };
  });
}

/** With how many there are in all. */
export async function readLogLines(
  world: World,
  runId: string,
  page: { limit: number; after: number } | { last: number },
): Promise<{ runLogs: RunLog[]; count: number }> {
  return world.transaction(async (ctx) => {
    await mustSee(ctx, runId);
    const count = await store.countLogs(ctx.db, ctx.orgId, runId);
    const wanted = 'last' in page ? { after: Math.max(0, count - page.last), limit: page.last } : page;
    const runLogs = await store.listLogs(ctx.db, ctx.orgId, runId, wanted);
    // Lines that were written in between count, too.
    return { runLogs, count: Math.max(count, runLogs.at(-1)?.line ?? 0) };
  });
}

export async function searchLogs(
  world: World,
  runId: string,
  search: { text: string; after: number; limit: number },
): Promise<{ count: number; lines: number[] }> {
  return world.transaction(async (ctx) => {
    await mustSee(ctx, runId);
    return store.searchLogs(ctx.db, ctx.orgId, runId, search);
  });
}

export async function readDeliveries(world: World, runId: string) {
  return world.transaction(async (ctx) => {
    await mustSee(ctx, runId);
    return listDeliveriesOf(ctx.db, ctx.orgId, runId);
  });
}

export async function readAffectedEntities(world: World, runId: string) {
  return world.transaction(async (ctx) => {
    await mustSee(ctx, runId);
    return listAffectedEntities(ctx.db, ctx.orgId, runId);
  });
}
