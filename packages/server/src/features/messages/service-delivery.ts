import type { DeliveryOutcome, DeliveryRequest } from '@quayside/contracts';
import { type DeliveryAgent, prepare, recordBody, recordRequest, send, signRequest } from '@quayside/delivery';
import type { World } from '../../platform/ctx.ts';
import type { Database } from '../../platform/db.ts';
import type { LeasedWork } from '../../platform/leases.ts';
import type { Mailer } from '../../platform/mail.ts';
import type { Vault } from '../../platform/vault.ts';
import { signingSecret } from '../identity/index.ts';
import type { MessagePayload } from './model.ts';
import { claimMessages, type LeasedMessage, messageQueue, settleMessage } from './service.ts';

/** The server's side of messages: claim, attempt on record, send, settle. A server that dies leaves a lease that runs out. */
export interface MessageDelivery {
  claim(limit: number): Promise<LeasedMessage[]>;
  deliver(claimed: LeasedMessage): Promise<void>;
}

interface Sent {
  outcome: DeliveryOutcome;
  request?: DeliveryRequest;
}

export function createMessageDelivery(dependencies: {
  database: Database;
  vault: Vault;
  holder: string;
  timeoutMs: number;
  dispatcher: DeliveryAgent;
  /** Undefined = no mail server is set. */
  mailer: Mailer | undefined;
  worldOf(orgId: string): World;
}): MessageDelivery {
  const { database, vault, holder, timeoutMs, dispatcher, mailer, worldOf } = dependencies;
  // Longer than any delivery may take, so that no heartbeat is needed.
  const leaseMs = timeoutMs + 15_000;

  async function sendWebhook(
    world: World,
    work: LeasedWork,
    { url, body }: Extract<MessagePayload, { type: 'WEBHOOK' }>,
  ): Promise<Sent> {
    const prepared = prepare({ url, body }, { runId: work.key, attempt: work.token, userAgent: 'quayside' });
    if (prepared.kind !== 'prepared') return { outcome: prepared };
    const secret = await world.transaction((ctx) => signingSecret(ctx, vault));
    const signed = signRequest(prepared.request, secret, Math.floor(Date.now() / 1000));
    return { outcome: await send(signed, { dispatcher, timeoutMs }), request: recordRequest(signed) };
  }

  async function sendMail(
    { to, subject, text }: Extract<MessagePayload, { type: 'EMAIL' }>,
    id: string,
  ): Promise<Sent> {
    const message = 'this portal has no mail server any more; set QUAYSIDE_SMTP_URL';
    return {
      outcome: mailer ? await mailer.send({ to, subject, text, id }) : { kind: 'refused', message },
      request: { method: 'MAIL', url: `mailto:${to.join(',')}`, headers: { Subject: subject }, ...recordBody(text) },
    };
  }

  return {
    async claim(limit) {
      return database.system((tx) => claimMessages(tx, { queue: messageQueue, holder, limit, leaseMs }));
    },
    async deliver({ message, work }) {
      const world = worldOf(work.orgId);
      const { payload } = message;
      if (payload.type === 'CHANGE' || payload.type === 'REMOVED')
        throw new Error(`A message of the type ${payload.type} is in the queue of the server.`);
      const sent =
        payload.type === 'EMAIL' ? await sendMail(payload, message.id) : await sendWebhook(world, work, payload);
      await settleMessage(world, message.id, { token: work.token, ...sent });
    },
  };
}
