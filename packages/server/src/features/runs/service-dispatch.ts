import { hostname } from 'node:os';
import {
  type Agent,
  type AgentIdentity,
  agentConnectedWithinMs,
  agentInstallationId,
  agentLeaseMs,
  type ClaimedMessage,
  type ClaimedRun,
  type DeliveryOutcome,
  type DeliveryRequest,
  defaultVisibilityTimeoutMs,
  describeOutcome,
  isDelivered,
  isFinal,
  type Lease,
  maxDeliveryAttempts,
  type NamedSettlement,
  type Run,
  retryAfterMs,
  type SettledOne,
  type Settlement,
} from '@quayside/contracts';
import { recordBody } from '@quayside/delivery';
import { SECRET_MASK } from '@quayside/expressions';
import type { Ctx, World } from '../../platform/ctx.ts';
import { isDatabaseAway, type Tx } from '../../platform/db.ts';
import {
  agentQueue,
  type ClaimWaits,
  claim,
  claimByKey,
  endLease,
  enqueue,
  extendLease,
  type Labels,
  type LeasedWork,
  lockLease,
  releaseWork,
  retryWork,
  settleWork,
} from '../../platform/leases.ts';
import type { Metrics } from '../../platform/metrics.ts';
import { Refusal, refuse, refuseMissing } from '../../platform/refusal.ts';
import { closeDelivery, findDeliveryState, openDeliveries } from '../deliveries/index.ts';
import { maxLostLeases, type StoredRun, toRun } from './model.ts';
import { integrationQueue, kafkaQueue, mustLock, type RunService, runTopic } from './service.ts';
import { findRun, findRuns, insertLogs } from './store.ts';
import * as store from './store-dispatch.ts';

/**
 * Dispatch: who carries a run out. One protocol for agents of all dialects and for the server's own deliveries:
 *
 *   claim   lease + record of the attempt, one transaction; nothing can be sent that has no record
 *   extend  while the work goes on
 *   settle  outcome + log lines + response + report + end of the lease (or its return for a retry), one transaction
 *
 * A settle whose answer was lost may be sent again: the record says it was settled, and the answer is the same. A settle
 * under an old token is refused (lease_lost), and nothing of it is written.
 */
export interface ClaimRequest {
  installationId: string;
  limit?: number;
  visibilityTimeoutMs?: number;
  waitMs?: number;
  agent?: AgentIdentity;
  /** Actions whose runs the caller does not want now. */
  exclude?: readonly string[];
  /** Only these: the caller has their messages from Kafka. */
  runIds?: readonly string[];
}

export interface ClaimResult {
  runs: ClaimedRun[];
  /** Only for agents of ours that poll. */
  messages: ClaimedMessage[];
  /** Gives everything back, for an answer that could not be delivered. */
  giveBack(): Promise<void>;
}

const defaultLimit = 10;

/** What agents carry besides runs: changes of the catalog. Given by app.ts. */
export interface AgentMessages {
  claim(
    tx: Tx,
    orgId: string,
    request: { holder: string; limit: number; leaseMs: number },
  ): Promise<{ id: string; message: Record<string, unknown>; work: LeasedWork }[]>;
  release(world: World, id: string, token: number, delayMs: number): Promise<void>;
  settle(world: World, id: string, token: number, settlement: Settlement): Promise<'recorded' | 'will_retry'>;
}
const isMessage = (id: string): boolean => id.startsWith('m_');

export function createDispatch(dependencies: {
  runs: RunService;
  waits: ClaimWaits;
  metrics: Metrics;
  messages: AgentMessages;
  /** Somebody may want to be told of what was given up; given by app.ts. */
  alertDeadLetter(
    ctx: Ctx,
    letter: {
      subject: string;
      kind: 'run';
      runId: string;
      outcome: DeliveryOutcome;
      request?: DeliveryRequest;
    },
  ): Promise<void>;
}) {
  const { runs, waits, metrics, messages, alertDeadLetter } = dependencies;

  async function claimRuns(world: World, request: ClaimRequest, signal: AbortSignal): Promise<ClaimResult> {
    const { agent } = request;
    const isOurs = agent !== undefined;
    const queue =
      request.installationId === agentInstallationId
        ? agentQueue(world.orgId)
        : integrationQueue(world.orgId, request.installationId);
    const holder = agent?.id ?? (world.userAgent || 'unnamed client');
    const leaseMs = isOurs ? agentLeaseMs : (request.visibilityTimeoutMs ?? defaultVisibilityTimeoutMs);
    if (agent) await world.transaction((ctx) => store.touchAgent(ctx.db, ctx.orgId, agent));
    const { runIds } = request;
    // Who speaks another dialect has none.
    const labels = agent?.labels;
    const limit = request.limit ?? defaultLimit;
    const attempt = () =>
      world.transaction(async (ctx): Promise<(RunTaken | MessageTaken)[]> => {
        if (runIds === undefined) {
          const taken = await take(ctx.db, ctx.orgId, { queue, holder, limit, leaseMs, labels });
          if (!isOurs || queue !== agentQueue(ctx.orgId) || taken.length >= limit) return taken;
          return [
            ...taken,
            ...(await messages.claim(ctx.db, ctx.orgId, { holder, limit: limit - taken.length, leaseMs })),
          ];
        }
        const queues = [kafkaQueue, queue];
        return record(
          ctx.db,
          ctx.orgId,
          holder,
          await claimByKey(ctx.db, { orgId: ctx.orgId, queues, keys: runIds, holder, leaseMs, labels }),
        );
      });
    const taken =
      request.waitMs && runIds === undefined
        ? await waits.wait(queue, attempt, {
            waitMs: request.waitMs,
            signal,
            labels,
            hasLabelled: () => world.transaction((ctx) => store.hasLabelledWork(ctx.db, ctx.orgId, queue)),
          })
        : await attempt();
    const carried = taken.filter((one): one is MessageTaken => 'message' in one);
    const { usable: all, unusable } = sortOut(taken.filter((one): one is RunTaken => 'run' in one));
    for (const { work } of unusable) await discard(world, work);
    const isExcluded = ({ run }: { run: StoredRun }) => request.exclude?.includes(run.actionIdentifier) ?? false;
    for (const { work } of all.filter(isExcluded)) await release(world, work.key, String(work.token));
    const usable = all.filter((one) => !isExcluded(one));
    if (usable.length > 0) metrics.claims.inc({ queue: isOurs ? 'agent' : 'client' }, usable.length);
    return {
      runs: usable.map(({ run, work }) => ({
        ...toClaimable(run, runs.payloadToSend(run)),
        ...(isOurs ? { lease: toLease(work) } : {}),
      })),
      messages: carried.map(({ id, message, work }) => ({ id, message, lease: toLease(work) })),
      giveBack: async () => {
        for (const { id, work } of carried) await messages.release(world, id, work.token, 0).catch(() => undefined);
        for (const { work } of usable) await release(world, work.key, String(work.token)).catch(() => undefined);
      },
    };
  }

  /** Claims in the given transaction, writes the records of the attempts, reads the runs. */
  async function take(
    tx: Tx,
    orgId: string | undefined,
    request: { queue: string; holder: string; limit: number; leaseMs: number; labels?: Labels | undefined },
  ): Promise<{ run: StoredRun; work: LeasedWork }[]> {
    return record(tx, orgId, request.holder, await claim(tx, request));
  }

  async function record(
    tx: Tx,
    orgId: string | undefined,
    holder: string,
    taken: readonly LeasedWork[],
  ): Promise<{ run: StoredRun; work: LeasedWork }[]> {
    if (taken.length === 0) return [];
    await openDeliveries(tx, holder, taken);
    const pairs: { run: StoredRun; work: LeasedWork }[] = [];
    for (const owner of new Set(taken.map((work) => work.orgId))) {
      if (orgId !== undefined && owner !== orgId) throw new Error('A queue handed out work of another organization.');
      const works = taken.filter((work) => work.orgId === owner);
      const found = new Map(
        (
          await findRuns(
            tx,
            owner,
            works.map((work) => work.key),
          )
        ).map((run) => [run.id, run]),
      );
      for (const work of works) {
        const run = found.get(work.key);
        if (!run) throw new Error(`The work ${work.key} has no run.`);
        pairs.push({ run, work });
        tx.wake(runTopic(owner, run.id));
      }
    }
    return pairs;
  }

  /** Work of a run that has ended meanwhile, or that took down too many holders, is not handed out. */
  async function discard(world: World, work: LeasedWork): Promise<void> {
    await world.transaction(async (ctx) => {
      const run = await mustLock(ctx, work.key);
      const lease = await lockLease(ctx.db, { orgId: ctx.orgId, key: work.key, token: work.token });
      if (!lease) return;
      await closeDelivery(ctx.db, { orgId: ctx.orgId, subject: work.key, attempt: work.token }, { state: 'returned' });
      await settleWork(ctx.db, lease.id);
      const message = `Given up: ${maxLostLeases} holders in a row were lost while they carried this run out.`;
      if (isFinal(run.status) && work.replayId === null) return;
      await insertLogs(ctx.db, ctx.orgId, work.key, 'quayside', [message]);
      if (work.replayId === null) await runs.move(ctx, run, 'fail', { summary: message });
    });
  }

  async function acknowledge(world: World, runIds: readonly string[], isSingle: boolean): Promise<number> {
    let count = 0;
    for (const runId of runIds)
      await world.transaction(async (ctx) => {
        const run = await findRun(ctx.db, ctx.orgId, runId);
        if (!run) {
          if (isSingle) refuseMissing('Run', runId);
          return;
        }
        await mustLock(ctx, runId);
        const held = await store.lockHeldWork(ctx.db, ctx.orgId, runId);
        if (!held) {
          if (isSingle)
            refuse('already_acknowledged', `The run ${runId} was acknowledged already, or nobody holds it.`);
          return;
        }
        await closeDelivery(
          ctx.db,
          { orgId: ctx.orgId, subject: runId, attempt: held.fence },
          { state: 'acknowledged' },
        );
        await settleWork(ctx.db, held.id);
        ctx.db.wake(runTopic(ctx.orgId, runId));
        count++;
      });
    return count;
  }

  async function extend(world: World, runId: string, token: string): Promise<Lease> {
    return world.transaction(async (ctx) => {
      const lease = { orgId: ctx.orgId, key: runId, token: parseToken(token) };
      const expiresAt = (await extendLease(ctx.db, lease, agentLeaseMs)) ?? (await refuseLost(ctx, runId));
      return { token, attempt: lease.token, expiresAt: expiresAt.toISOString() };
    });
  }

  async function release(world: World, runId: string, token: string, delayMs = 0): Promise<void> {
    if (isMessage(runId)) return messages.release(world, runId, parseToken(token), delayMs);
    await world.transaction(async (ctx) => {
      const key = { orgId: ctx.orgId, key: runId, token: parseToken(token) };
      await mustLock(ctx, runId);
      const lease = (await lockLease(ctx.db, key)) ?? (await refuseLost(ctx, runId));
      await closeDelivery(ctx.db, { orgId: ctx.orgId, subject: runId, attempt: key.token }, { state: 'returned' });
      await releaseWork(ctx.db, lease.id, lease.queue, delayMs);
      ctx.db.wake(runTopic(ctx.orgId, runId));
    });
  }

  async function settle(
    world: World,
    runId: string,
    reported: Settlement,
    /** Work that follows a delivery of a run that goes on. */
    next?: { queue: string; delayMs: number },
  ): Promise<{ result: 'recorded' | 'will_retry'; run?: Run }> {
    if (isMessage(runId)) return { result: await messages.settle(world, runId, parseToken(reported.token), reported) };
    return world.transaction((ctx) => settleIn(ctx, runId, reported, next));
  }

  /**
   * Each as `settle` would. In one transaction where all of them can be recorded; else each in its own, because nothing of
   * what is refused may be written, and the others are to be.
   */
  async function settleMany(world: World, settlements: readonly NamedSettlement[]): Promise<SettledOne[]> {
    const ofRuns = settlements.filter(({ runId }) => !isMessage(runId));
    // Whoever locks several runs locks them in this order.
    ofRuns.sort((a, b) => (a.runId < b.runId ? -1 : 1));
    let together = new Map<string, SettledOne>();
    try {
      together = await world.transaction(async (ctx) => {
        const results = new Map<string, SettledOne>();
        for (const { runId, ...reported } of ofRuns)
          results.set(runId, { runId, result: (await settleIn(ctx, runId, reported)).result });
        return results;
      });
    } catch (error) {
      if (isDatabaseAway(error)) throw error;
      world.log.debug({ error: (error as Error).message }, 'outcomes are recorded one by one');
    }
    const results: SettledOne[] = [];
    for (const settlement of settlements)
      results.push(together.get(settlement.runId) ?? (await settleAlone(world, settlement)));
    return results;
  }

  async function settleAlone(world: World, { runId, ...reported }: NamedSettlement): Promise<SettledOne> {
    try {
      return { runId, result: (await settle(world, runId, reported)).result };
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      return { runId, status: error.status, error: error.error, message: error.message };
    }
  }

  async function settleIn(
    ctx: Ctx,
    runId: string,
    reported: Settlement,
    next?: { queue: string; delayMs: number },
  ): Promise<{ result: 'recorded' | 'will_retry'; run?: Run }> {
    const { outcome } = reported;
    const token = parseToken(reported.token);
    const run = await mustLock(ctx, runId);
    const settlement = maskRequest(run, await runs.withoutSecrets(ctx, run, reported));
    // Of what is delivered nothing is left to do; of the rest the number of tries decides that.
    const isOver = isDelivered(outcome);
    const key = { orgId: ctx.orgId, key: runId, token };
    const open = isOver ? undefined : await lockLease(ctx.db, key);
    const lease = open ?? (isOver ? await endLease(ctx.db, key) : undefined);
    if (!lease) {
      // The same settle once more, because its answer was lost on the way.
      if ((await findDeliveryState(ctx.db, ctx.orgId, runId, token)) === 'settled')
        return { result: 'recorded' as const, run: toRun(run) };
      return refuseLost(ctx, runId);
    }
    const by = ctx.actor.kind === 'system' ? 'server' : 'agent';
    ctx.db.afterCommit(() => metrics.deliveries.inc({ by, outcome: outcome.kind }));
    const attempt = lease.tries + 1;
    const isSynchronized = run.payload?.synchronized === true;
    // GitHub drops no duplicates: a dispatch that it may have taken is not sent again.
    const mayHaveActed = outcome.kind === 'timed_out' || outcome.kind === 'broken';
    const isOnce = isSynchronized || (run.payload?.type === 'GITHUB' && mayHaveActed);
    const isReplay = lease.replayId !== null;
    const isWanted = isReplay || !isFinal(run.status);
    const delayMs = isWanted ? retryAfterMs(outcome, attempt, isOnce, Math.random()) : undefined;
    const isDead = delayMs === undefined && !isDelivered(outcome) && isWanted;
    await closeDelivery(
      ctx.db,
      { orgId: ctx.orgId, subject: runId, attempt: token },
      {
        state: 'settled',
        outcome: settlement.outcome,
        isDead,
        ...(settlement.request ? { request: settlement.request } : {}),
      },
    );
    // Who asked for a replay looks at what comes of it.
    if (isDead && !isReplay)
      await alertDeadLetter(ctx, {
        subject: runId,
        kind: 'run',
        runId,
        outcome: settlement.outcome,
        ...(settlement.request ? { request: settlement.request } : {}),
      });
    const lines = [...(settlement.logs ?? [])];
    if (delayMs !== undefined && open) {
      lines.push(`Attempt ${attempt} of ${maxDeliveryAttempts}; the next follows in ${(delayMs / 1000).toFixed(1)} s.`);
      await insertLogs(ctx.db, ctx.orgId, runId, holderName(ctx), lines);
      await retryWork(ctx.db, open.id, open.queue, delayMs);
      ctx.db.wake(runTopic(ctx.orgId, runId));
      return { result: 'will_retry' as const, run: toRun(run) };
    }
    if (open) await settleWork(ctx.db, open.id);
    await insertLogs(ctx.db, ctx.orgId, runId, holderName(ctx), lines);
    if (isReplay) {
      ctx.db.wake(runTopic(ctx.orgId, runId));
      return { result: 'recorded' as const, run: toRun({ ...run, isPending: false, claimedUntil: null }) };
    }
    const concluded = await conclude(ctx, run, settlement, isSynchronized);
    if (next && isDelivered(outcome) && !isFinal(concluded.status))
      await enqueue(ctx.db, { orgId: ctx.orgId, key: runId, ...next });
    return { result: 'recorded' as const, run: toRun(concluded) };
  }

  /**
   * What the outcome means for the run (spec/actions.md §3.5 step 7): a synchronous answer closes it, a failed delivery
   * fails it, an asynchronous delivery leaves it to the target. What the mapping reports wins. Response first or with the
   * status: automations read it from the event of the status (§9.1).
   */
  async function conclude(
    ctx: Ctx,
    run: StoredRun,
    settlement: Settlement,
    isSynchronized: boolean,
  ): Promise<StoredRun> {
    const { outcome, report } = settlement;
    const look = (): StoredRun => {
      ctx.db.wake(runTopic(ctx.orgId, run.id));
      return { ...run, isPending: false, claimedUntil: null };
    };
    const change = {
      ...(settlement.response === undefined ? {} : { response: settlement.response }),
      ...(report?.link === undefined ? {} : { link: report.link }),
      ...(report?.summary === undefined ? {} : { summary: report.summary }),
      ...(report?.statusLabel === undefined ? {} : { statusLabel: report.statusLabel }),
      ...(report?.externalRunId === undefined ? {} : { externalRunId: report.externalRunId }),
    };
    if (isFinal(run.status)) {
      // The target was faster and closed the run; its word stands, only the response is kept.
      const isKept = settlement.response !== undefined && run.response === null;
      return isKept ? runs.update(ctx, run, { response: settlement.response }) : look();
    }
    const status = report?.status ?? (isDelivered(outcome) ? (isSynchronized ? 'SUCCESS' : undefined) : 'FAILURE');
    if (status === 'SUCCESS') return runs.move(ctx, run, 'succeed', change);
    if (status === 'FAILURE') return runs.move(ctx, run, 'fail', { summary: failureSummary(outcome), ...change });
    return Object.keys(change).length > 0 ? runs.update(ctx, run, change) : look();
  }

  async function agents(world: World): Promise<{ agents: Agent[]; pendingRuns: number; oldestPendingAt?: string }> {
    return world.transaction(async (ctx) => {
      const queue = await store.describeQueue(ctx.db, ctx.orgId, agentQueue(ctx.orgId));
      return {
        agents: await store.listAgents(ctx.db, ctx.orgId, agentConnectedWithinMs),
        pendingRuns: queue.count,
        ...(queue.oldest === null ? {} : { oldestPendingAt: queue.oldest.toISOString() }),
      };
    });
  }

  return { claimRuns, take, discard, sortOut, acknowledge, extend, release, settle, settleMany, agents };
}
export type Dispatch = ReturnType<typeof createDispatch>;

interface RunTaken {
  run: StoredRun;
  work: LeasedWork;
}
type MessageTaken = Awaited<ReturnType<AgentMessages['claim']>>[number];

/** What a claimer may work on, and what must not be carried out any more. */
function sortOut(taken: { run: StoredRun; work: LeasedWork }[]) {
  const isUsable = ({ run, work }: { run: StoredRun; work: LeasedWork }) =>
    (run.status === 'IN_PROGRESS' || work.replayId !== null) &&
    !(work.lostHolder !== null && work.leases - work.tries > maxLostLeases);
  return { usable: taken.filter(isUsable), unusable: taken.filter((pair) => !isUsable(pair)) };
}

/** Agents of the published dialect copy `body` as an object (spec/actions.md §2.9); other shapes go under payload.body. */
function toClaimable(stored: StoredRun, payload: Record<string, unknown>): Run {
  const { body } = payload;
  const isObject = typeof body === 'object' && body !== null && !Array.isArray(body);
  const asObject = body === undefined || body === null ? {} : { payload: { body } };
  return { ...toRun(stored), payload: { ...payload, body: isObject ? body : asObject } };
}

function toLease(work: LeasedWork): Lease {
  return { token: String(work.token), attempt: work.token, expiresAt: work.expiresAt.toISOString() };
}

function parseToken(token: string): number {
  const number = Number(token);
  return Number.isInteger(number) && number > 0 && number < 2 ** 31
    ? number
    : refuse('invalid_request', 'body.token is not a token of a lease.');
}

async function refuseLost(ctx: Ctx, runId: string): Promise<never> {
  if (!isMessage(runId) && !(await findRun(ctx.db, ctx.orgId, runId))) refuseMissing('Run', runId);
  return refuse(
    'lease_lost',
    `The lease of the run ${runId} ran out or was taken over. Nothing of this call was recorded.`,
  );
}

function failureSummary(outcome: DeliveryOutcome): string {
  return `The target ${describeOutcome(outcome)}.`;
}

function holderName(ctx: Ctx): string {
  return ctx.actor.kind === 'system' ? 'quayside' : ctx.actor.id;
}

/** How the server names itself as the holder of a lease. */
export function serverHolder(pid: number): string {
  return `server ${hostname()} ${pid}`;
}

/**
 * A template may have encoded or cut a secret, and no search finds it then. So of a run with secrets the record keeps the body and
 * the headers as they were rendered with every secret masked, instead of those that were sent.
 */
function maskRequest<T extends { request?: DeliveryRequest | undefined }>(run: StoredRun, settlement: T): T {
  const { request } = settlement;
  if (run.sealedPayload === null || !request) return settlement;
  const { body: _, isBodyTruncated: __, ...rest } = request;
  const { body, mapping, headers } = run.payload as { body?: unknown; mapping?: unknown; headers?: object };
  const rendered = new Map(Object.entries(headers ?? {}).map(([name, value]) => [name.toLowerCase(), String(value)]));
  const shown = Object.entries(rest.headers ?? {}).map(([name, value]) => [
    name,
    value === SECRET_MASK ? value : (rendered.get(name.toLowerCase()) ?? value),
  ]);
  return {
    ...settlement,
    request: {
      ...rest,
      ...(rest.headers ? { headers: Object.fromEntries(shown) as Record<string, string> } : {}),
      ...recordBody(JSON.stringify(body ?? mapping)),
    },
  };
}
