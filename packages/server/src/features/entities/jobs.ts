import { startWorkLoop, type WorkLoop } from '../../platform/jobs.ts';
import type { ClaimWaits } from '../../platform/leases.ts';
import type { Logger } from '../../platform/log.ts';
import { type Timers, timerQueue } from './service-timers.ts';

/** Waits for timers to become due. */
export const startTimers = (timers: Timers, waits: ClaimWaits, log: Logger): WorkLoop =>
  startWorkLoop({
    queue: timerQueue,
    maxConcurrent: 8,
    claim: timers.claim,
    carryOut: timers.expire,
    describe: ({ key }) => ({ timer: key }),
    waits,
    log,
  });
