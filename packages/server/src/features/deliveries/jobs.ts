import { startWorkLoop, type WorkLoop } from '../../platform/jobs.ts';
import type { ClaimWaits } from '../../platform/leases.ts';
import type { Logger } from '../../platform/log.ts';
import { type Replays, replayQueue } from './service-replays.ts';

/** Of several organizations; each has one replay at a time. */
const maxConcurrent = 4;

export function startReplays(replays: Replays, waits: ClaimWaits, log: Logger): WorkLoop {
  return startWorkLoop({
    queue: replayQueue,
    maxConcurrent,
    claim: (limit) => replays.claim(limit),
    carryOut: (work) => replays.step(work),
    describe: ({ key }) => ({ replay: key }),
    waits,
    log,
  });
}
