import { startWorkLoop, type WorkLoop } from '../../platform/jobs.ts';
import type { ClaimWaits } from '../../platform/leases.ts';
import type { Logger } from '../../platform/log.ts';
import { messageQueue } from './service.ts';
import type { MessageDelivery } from './service-delivery.ts';

const maxConcurrent = 16;

export function startMessages(delivery: MessageDelivery, waits: ClaimWaits, log: Logger): WorkLoop {
  return startWorkLoop({
    queue: messageQueue,
    maxConcurrent,
    claim: (limit) => delivery.claim(limit),
    carryOut: (claimed) => delivery.deliver(claimed),
    describe: ({ message }) => ({ messageId: message.id }),
    waits,
    log,
  });
}
