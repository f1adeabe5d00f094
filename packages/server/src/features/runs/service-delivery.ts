import {
  type DeliveryOutcome,
  type DeliveryRequest,
  describeOutcome,
  type Entity,
  isDelivered,
} from '@quayside/contracts';
import {
  answerOf,
  createAddressGuard,
  createDeliveryAgent,
  type DeliveryAgent,
  prepare,
  recordBody,
  recordRequest,
  send,
  signForAzure,
  signRequest,
} from '@quayside/delivery';
import type { Cause, World } from '../../platform/ctx.ts';
import type { Database } from '../../platform/db.ts';
import type { LeasedWork } from '../../platform/leases.ts';
import { Refusal } from '../../platform/refusal.ts';
import type { Vault } from '../../platform/vault.ts';
import { signingSecret } from '../identity/index.ts';
import type { StoredRun } from './model.ts';
import { type GithubPayload, toEntityBody, type UpsertPayload } from './model-payload.ts';
import { githubQueue, type RunService, serverQueue } from './service.ts';
import type { Dispatch } from './service-dispatch.ts';
import type { Github } from './service-github.ts';
import { findCause } from './store.ts';

/**
 * The server's own deliveries: actions without `agent`. The same claim, send and settle as an agent, against the same
 * table; only the address guard is stricter, because the server stands where everybody can point it somewhere.
 */
export interface ServerDelivery {
  /** Claims up to `limit` runs of any organization; what must not be carried out any more is sorted out. */
  claim(limit: number): Promise<{ run: StoredRun; work: LeasedWork }[]>;
  /** Sends one and settles it. */
  deliver(run: StoredRun, work: LeasedWork): Promise<void>;
}

/** What came of it, for the settlement. */
interface Carried {
  outcome: DeliveryOutcome;
  logs: string[];
  request?: DeliveryRequest;
  report?: { link?: string; externalRunId?: string };
  next?: { queue: string; delayMs: number };
}

/**
 * The portal itself as a target (model-own-call.ts): called with a token of the organization, wherever it listens (spec
 * §1.11.1). Given by app.ts.
 */
export interface OwnApi {
  token(orgId: string, cause: Cause): Promise<string>;
  /** Reaches the portal's own address, which may be a private one. */
  dispatcher: DeliveryAgent;
}

/** Creates the entity, or merges into it, tied to the run and for whoever it is of. Given by app.ts. */
export type UpsertEntity = (
  orgId: string,
  run: StoredRun,
  blueprint: string,
  body: Record<string, unknown>,
) => Promise<Entity>;

/** Every request that the portal makes to the outside goes through it, past the address guard. */
export function createOutbound({ allowPrivateTargets }: { allowPrivateTargets: boolean }): DeliveryAgent {
  const guard = createAddressGuard({ allowPrivateAddresses: allowPrivateTargets });
  return createDeliveryAgent({ guard, freshConnections: true });
}

export function createServerDelivery(dependencies: {
  database: Database;
  dispatch: Dispatch;
  vault: Vault;
  holder: string;
  timeoutMs: number;
  dispatcher: DeliveryAgent;
  azureUrl: string;
  ownApi: OwnApi;
  payloadToSend: RunService['payloadToSend'];
  github: Github;
  upsertEntity: UpsertEntity;
  worldOf(orgId: string): World;
}): ServerDelivery {
  const {
    database,
    dispatch,
    vault,
    holder,
    timeoutMs,
    dispatcher,
    azureUrl,
    ownApi,
    payloadToSend,
    github,
    upsertEntity,
    worldOf,
  } = dependencies;
  // Longer than any delivery may take, so that no heartbeat is needed.
  const leaseMs = timeoutMs + 15_000;

  async function sendWebhook(
    world: World,
    run: StoredRun,
    work: LeasedWork,
    payload: Record<string, unknown>,
  ): Promise<Carried> {
    const isAzure = payload.type === 'AZURE_DEVOPS';
    const isOwn = run.payload?.asOrganization === true;
    const invocation = isAzure
      ? { ...payload, url: `${azureUrl}${String(payload.url)}` }
      : isOwn
        ? { ...payload, headers: await withToken(world, run.id, payload.headers) }
        : payload;
    const prepared = prepare(invocation as unknown as Parameters<typeof prepare>[0], {
      runId: run.id,
      attempt: work.token,
      userAgent: 'quayside',
    });
    if (prepared.kind !== 'prepared') return { outcome: prepared, logs: [`The target ${describeOutcome(prepared)}.`] };
    const secret = await world.transaction((ctx) => signingSecret(ctx, vault));
    const signed = isAzure
      ? signForAzure(prepared.request, secret)
      : signRequest(prepared.request, secret, Math.floor(Date.now() / 1000));
    const request = recordRequest(signed);
    const outcome = await send(signed, { dispatcher: isOwn ? ownApi.dispatcher : dispatcher, timeoutMs });
    return {
      outcome,
      request,
      logs: [`Sending ${request.method} ${request.url}`, `The target ${describeOutcome(outcome)}.`],
    };
  }

  /** One that the action sets itself stays. */
  async function withToken(world: World, runId: string, headers: unknown): Promise<Record<string, unknown>> {
    const given = (headers ?? {}) as Record<string, unknown>;
    if (Object.keys(given).some((name) => name.toLowerCase() === 'authorization')) return given;
    const { depth, root } = await world.transaction((ctx) => findCause(ctx.db, ctx.orgId, runId));
    return { ...given, Authorization: `Bearer ${await ownApi.token(world.orgId, { depth: depth + 1, root })}` };
  }

  async function startWorkflow(world: World, payload: GithubPayload): Promise<Carried> {
    const { outcome, request, id, link } = await github.dispatch(world, payload);
    const said = outcome.kind === 'answered' && !isDelivered(outcome) ? messageOf(outcome.body) : '';
    const logs = [`Starting the workflow ${payload.workflow} of ${payload.org}/${payload.repo}`];
    logs.push(`GitHub ${describeOutcome(outcome)}${said}.`);
    if (isDelivered(outcome) && payload.reportWorkflowStatus && id === undefined)
      logs.push('GitHub did not say which workflow run it started, so it is not followed; the workflow has to report.');
    return {
      outcome,
      request,
      logs,
      report: { ...(link === undefined ? {} : { link }), ...(id === undefined ? {} : { externalRunId: id }) },
      ...(payload.reportWorkflowStatus && id !== undefined ? { next: { queue: githubQueue, delayMs: 2_000 } } : {}),
    };
  }

  /** Done again after a crash it writes the same: an upsert that merges. */
  async function writeEntity(orgId: string, run: StoredRun, payload: UpsertPayload): Promise<Carried> {
    const startedAt = performance.now();
    const request = {
      method: 'UPSERT',
      url: `catalog:${payload.blueprintIdentifier}`,
      ...recordBody(JSON.stringify(payload.mapping)),
    };
    const refused = (message: string): Carried => {
      const outcome = { kind: 'refused' as const, message };
      return { outcome, request, logs: [`The catalog ${describeOutcome(outcome)}`] };
    };
    const body = toEntityBody(payload.mapping);
    if (typeof body === 'string') return refused(body);
    try {
      const entity = await upsertEntity(orgId, run, payload.blueprintIdentifier, body);
      const durationMs = performance.now() - startedAt;
      const outcome = { kind: 'written' as const, blueprint: entity.blueprint, entity: entity.identifier, durationMs };
      return { outcome, request, logs: [`The catalog ${describeOutcome(outcome)}.`] };
    } catch (error) {
      if (error instanceof Refusal) return refused(error.message);
      throw error;
    }
  }

  return {
    async claim(limit) {
      const taken = await database.system((tx) =>
        dispatch.take(tx, undefined, { queue: serverQueue, holder, limit, leaseMs }),
      );
      const { usable, unusable } = dispatch.sortOut(taken);
      for (const { work } of unusable) await dispatch.discard(worldOf(work.orgId), work);
      return usable;
    },
    async deliver(run, work) {
      const world = worldOf(work.orgId);
      const payload = payloadToSend(run);
      const carried =
        payload.type === 'UPSERT_ENTITY'
          ? await writeEntity(work.orgId, run, payload as unknown as UpsertPayload)
          : payload.type === 'GITHUB'
            ? await startWorkflow(world, payload as unknown as GithubPayload)
            : await sendWebhook(world, run, work, payload);
      const response = run.payload?.synchronized === true ? answerOf(carried.outcome) : undefined;
      const { next, ...settlement } = carried;
      await dispatch.settle(
        world,
        run.id,
        { token: String(work.token), ...settlement, ...(response === undefined ? {} : { response }) },
        next,
      );
    },
  };
}

/** GitHub's own sentence about a refusal. */
function messageOf(body: string): string {
  try {
    const { message } = JSON.parse(body) as { message?: unknown };
    return typeof message === 'string' ? ` (${message.slice(0, 300)})` : '';
  } catch {
    return '';
  }
}
