import {
  type DeliveryOutcome,
  type DeliveryRequest,
  describeOutcome,
  isDelivered,
  type MessageKind,
  type MessageSettings,
  messageRetryAfterMs,
  type Settlement,
} from '@quayside/contracts';
import type { Ctx, World } from '../../platform/ctx.ts';
import type { Tx } from '../../platform/db.ts';
import { newId } from '../../platform/ids.ts';
import {
  type Again,
  agentQueue,
  claim,
  enqueue,
  hasWork,
  type LeasedWork,
  lockLease,
  queueTopic,
  releaseWork,
  retryWork,
  settleWork,
} from '../../platform/leases.ts';
import { refuse, refuseMissing } from '../../platform/refusal.ts';
import { closeDelivery, findDeliveryState, openDeliveries } from '../deliveries/index.ts';
import { organizationSettings } from '../identity/index.ts';
import type { Message, MessagePayload } from './model.ts';
import * as store from './store.ts';

/**
 * Messages: posted in the transaction of what they tell, delivered like runs (claim, attempt on record, settle), tried again
 * for some three hours, and a dead letter after that.
 */
export const messageQueue = 'message';

/** Messages that the organization's agents carry. */
export const agentMessageQueue = (orgId: string): string => `agent-message:${orgId}`;

export interface Post {
  kind: MessageKind;
  payload: MessagePayload;
  runId?: string;
  blueprint?: string | null;
  entity?: string | null;
}

/** Exactly if the transaction commits, the message will be sent (at least once, always under the same key). */
export async function post(ctx: Ctx, message: Post): Promise<string> {
  const id = newId('m');
  const { kind, payload, runId = null, blueprint = null, entity = null } = message;
  await store.insertMessage(ctx.db, ctx.orgId, { id, kind, payload, runId, blueprint, entity });
  await hand(ctx, { id, payload });
  return id;
}

/** Sends it once more, under the same key and on the same way. */
export async function replayMessage(ctx: Ctx, id: string, again: Again): Promise<'handed_over' | 'under_way' | 'gone'> {
  const message = await store.lockMessage(ctx.db, ctx.orgId, id);
  if (!message || message.payload.type === 'REMOVED') return 'gone';
  if (await hasWork(ctx.db, ctx.orgId, id)) return 'under_way';
  await hand(ctx, message, again);
  return 'handed_over';
}

async function hand(ctx: Ctx, { id, payload }: Pick<Message, 'id' | 'payload'>, again?: Again): Promise<void> {
  const isForAgents = payload.type === 'CHANGE';
  const queue = isForAgents ? agentMessageQueue(ctx.orgId) : messageQueue;
  await enqueue(ctx.db, { orgId: ctx.orgId, queue, key: id, ...(again ? { again } : {}) });
  // Agents wait for runs and messages in one place.
  if (isForAgents) ctx.db.wake(queueTopic(agentQueue(ctx.orgId)));
}

export interface LeasedMessage {
  message: Message;
  work: LeasedWork;
}

/** Lease and record of the attempt in one transaction, as with runs. */
export async function claimMessages(
  tx: Tx,
  request: { queue: string; holder: string; limit: number; leaseMs: number },
): Promise<LeasedMessage[]> {
  const taken = await claim(tx, request);
  await openDeliveries(tx, request.holder, taken);
  const messages = new Map((await store.findMessages(tx, taken)).map((message) => [message.id, message]));
  return taken.map((work) => {
    const message = messages.get(work.key);
    if (!message) throw new Error(`The work ${work.key} has no message.`);
    return { message, work };
  });
}

/** Gives it back unused. */
export async function releaseMessage(world: World, id: string, token: number, delayMs: number): Promise<void> {
  await world.transaction(async (ctx) => {
    if (!(await store.lockMessage(ctx.db, ctx.orgId, id))) refuseMissing('Message', id);
    const lease = (await lockLease(ctx.db, { orgId: ctx.orgId, key: id, token })) ?? refuseLost(id);
    await closeDelivery(ctx.db, { orgId: ctx.orgId, subject: id, attempt: token }, { state: 'returned' });
    await releaseWork(ctx.db, lease.id, lease.queue, delayMs);
  });
}

function refuseLost(id: string): never {
  return refuse('lease_lost', `The lease of the message ${id} ran out or was taken over. Nothing was recorded.`);
}

export async function settleMessage(
  world: World,
  id: string,
  reported: Pick<Settlement, 'outcome' | 'request'> & { token: number },
): Promise<'recorded' | 'will_retry'> {
  const { outcome, request, token } = reported;
  return world.transaction(async (ctx) => {
    const message = (await store.lockMessage(ctx.db, ctx.orgId, id)) ?? refuseMissing('Message', id);
    const lease = await lockLease(ctx.db, { orgId: ctx.orgId, key: id, token });
    if (!lease) {
      // The same settle once more, because its answer was lost on the way.
      if ((await findDeliveryState(ctx.db, ctx.orgId, id, token)) === 'settled') return 'recorded';
      return refuseLost(id);
    }
    const delayMs = messageRetryAfterMs(outcome, lease.tries + 1, Math.random());
    const isDead = delayMs === undefined && !isDelivered(outcome);
    await closeDelivery(
      ctx.db,
      { orgId: ctx.orgId, subject: id, attempt: token },
      { state: 'settled', outcome, isDead, ...(request ? { request } : {}) },
    );
    if (delayMs !== undefined) {
      await retryWork(ctx.db, lease.id, lease.queue, delayMs);
      return 'will_retry';
    }
    await settleWork(ctx.db, lease.id);
    await store.endMessage(ctx.db, ctx.orgId, id, isDead ? 'FAILED' : 'DELIVERED');
    if (isDead && message.kind !== 'dead_letter' && lease.replayId === null)
      await alertDeadLetter(ctx, {
        subject: id,
        kind: message.kind,
        runId: message.runId,
        outcome,
        ...(request ? { request } : {}),
      });
    return 'recorded';
  });
}

/** Tells the organization's URL for dead letters, if it has one. An alert that can not be delivered makes no further alert. */
export async function alertDeadLetter(
  ctx: Ctx,
  letter: {
    subject: string;
    kind: MessageKind | 'run';
    runId: string | null;
    outcome: DeliveryOutcome;
    request?: DeliveryRequest;
  },
): Promise<void> {
  const { deadLetterUrl } = (await organizationSettings(ctx)) as MessageSettings;
  if (!deadLetterUrl) return;
  const { outcome, request, ...facts } = letter;
  const body = {
    event: 'dead_letter',
    at: ctx.now().toISOString(),
    organization: ctx.orgId,
    ...facts,
    ...(request ? { request: { method: request.method, url: request.url } } : {}),
    reason: `The target ${describeOutcome(outcome)}.`,
  };
  await post(ctx, {
    kind: 'dead_letter',
    payload: { type: 'WEBHOOK', url: deadLetterUrl, body },
    ...(letter.runId === null ? {} : { runId: letter.runId }),
  });
}
