import type { Settlement } from '@quayside/contracts';
import type { World } from '../../platform/ctx.ts';
import type { Tx } from '../../platform/db.ts';
import type { LeasedWork } from '../../platform/leases.ts';
import { agentMessageQueue, claimMessages, releaseMessage, settleMessage } from './service.ts';

/** Messages as dispatch hands them to agents. What an agent says about a change has no run to be kept in: its outcome is. */
export function createAgentMessages() {
  return {
    async claim(
      tx: Tx,
      orgId: string,
      request: { holder: string; limit: number; leaseMs: number },
    ): Promise<{ id: string; message: Record<string, unknown>; work: LeasedWork }[]> {
      const leased = await claimMessages(tx, { queue: agentMessageQueue(orgId), ...request });
      return leased.map(({ message, work }) => {
        if (message.payload.type !== 'CHANGE') throw new Error(`The message ${message.id} is not for agents.`);
        return { id: message.id, message: message.payload.message, work };
      });
    },
    release: (world: World, id: string, token: number, delayMs: number) => releaseMessage(world, id, token, delayMs),
    settle: (world: World, id: string, token: number, { outcome, request }: Settlement) =>
      settleMessage(world, id, { token, outcome, ...(request ? { request } : {}) }),
  };
}
