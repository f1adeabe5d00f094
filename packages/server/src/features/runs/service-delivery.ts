import { type DeliveryOutcome, describeOutcome } from '@quayside/contracts';
import {
  answerOf,
  createAddressGuard,
  createDeliveryAgent,
  displayUrl,
  prepare,
  send,
  signRequest,
} from '@quayside/delivery';
import type { World } from '../../platform/ctx.ts';
import type { Database } from '../../platform/db.ts';
import type { LeasedWork } from '../../platform/leases.ts';
import type { Vault } from '../../platform/vault.ts';
import { signingSecret } from '../identity/index.ts';
import type { StoredRun } from './model.ts';
import { type RunService, serverQueue } from './service.ts';
import type { Dispatch } from './service-dispatch.ts';

/**
 * The server's own deliveries: actions without `agent`. The same claim, send and settle as an agent, against the same
 * table; only the address guard is stricter, because the server stands where everybody can point it somewhere.
 */
export interface ServerDelivery {
  /** Claims up to `limit` runs of any organization; what must not be carried out any more is sorted out. */
  claim(limit: number): Promise<{ run: StoredRun; work: LeasedWork }[]>;
  /** Sends one and settles it. */
  deliver(run: StoredRun, work: LeasedWork): Promise<void>;
  close(): Promise<void>;
}

export function createServerDelivery(dependencies: {
  database: Database;
  dispatch: Dispatch;
  vault: Vault;
  holder: string;
  timeoutMs: number;
  allowPrivateTargets: boolean;
  payloadToSend: RunService['payloadToSend'];
  worldOf(orgId: string): World;
}): ServerDelivery {
  const { database, dispatch, vault, holder, timeoutMs, payloadToSend, worldOf } = dependencies;
  const guard = createAddressGuard({ allowPrivateAddresses: dependencies.allowPrivateTargets });
  const dispatcher = createDeliveryAgent({ guard, freshConnections: true });
  // Longer than any delivery may take, so that no heartbeat is needed.
  const leaseMs = timeoutMs + 15_000;

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
      const prepared = prepare(payloadToSend(run) as unknown as Parameters<typeof prepare>[0], {
        runId: run.id,
        attempt: work.token,
        userAgent: 'quayside',
      });
      let outcome: DeliveryOutcome;
      const logs: string[] = [];
      let request: { method: string; url: string } | undefined;
      if (prepared.kind === 'prepared') {
        request = { method: prepared.request.method, url: displayUrl(prepared.request.url) };
        logs.push(`Sending ${request.method} ${request.url}`);
        const secret = await world.transaction((ctx) => signingSecret(ctx, vault));
        outcome = await send(signRequest(prepared.request, secret, Math.floor(Date.now() / 1000)), {
          dispatcher,
          timeoutMs,
        });
      } else outcome = prepared;
      logs.push(`The target ${describeOutcome(outcome)}.`);
      const response = run.payload?.synchronized === true ? answerOf(outcome) : undefined;
      await dispatch.settle(world, run.id, {
        token: String(work.token),
        outcome,
        logs,
        ...(request ? { request } : {}),
        ...(response === undefined ? {} : { response }),
      });
    },
    close: () => dispatcher.close(),
  };
}
