import {
  type DeliveryOutcome,
  describeOutcome,
  isDelivered,
  type MessageKind,
  type MessageSettings,
  messageRetryAfterMs,
  type Settlement,
} from '@quayside/contracts';
import type { Ctx, World } from '../../platform/ctx.ts';
import { newId } from '../../platform/ids.ts';
import { enqueue, lockLease, retryWork, settleWork } from '../../platform/leases.ts';
import { refuse, refuseMissing } from '../../platform/refusal.ts';
import { closeDelivery, findDeliveryState } from '../deliveries/index.ts';
import { organizationSettings } from '../identity/index.ts';
import type { MessagePayload } from './model.ts';
import * as store from './store.ts';

/**
 * Messages: posted in the transaction of what they tell, delivered like runs (claim, attempt on record, settle), tried again
 * for some three hours, and a dead letter after that.
 */
export const messageQueue = 'message';

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
  await enqueue(ctx.db, { orgId: ctx.orgId, queue: messageQueue, key: id });
  return id;
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
      return refuse('lease_lost', `The lease of the message ${id} ran out or was taken over. Nothing was recorded.`);
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
    if (isDead && message.kind !== 'dead_letter')
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
    request?: { method: string; url: string };
  },
): Promise<void> {
  const { deadLetterUrl } = (await organizationSettings(ctx)) as MessageSettings;
  if (!deadLetterUrl) return;
  const { outcome, ...facts } = letter;
  const body = {
    event: 'dead_letter',
    at: ctx.now().toISOString(),
    organization: ctx.orgId,
    ...facts,
    reason: `The target ${describeOutcome(outcome)}.`,
  };
  await post(ctx, {
    kind: 'dead_letter',
    payload: { type: 'WEBHOOK', url: deadLetterUrl, body },
    ...(letter.runId === null ? {} : { runId: letter.runId }),
  });
}
