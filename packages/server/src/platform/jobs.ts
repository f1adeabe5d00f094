import type { ClaimWaits } from './leases.ts';
import type { Logger } from './log.ts';

/**
 * The loop of a queue that this server works on: wait for work → claim what there is room for → carry each out. Claims wait
 * while all slots are taken. Drain: no further claims, what is under way is finished. What fails to be recorded is found
 * again when its lease runs out.
 */
export interface WorkLoop {
  stop(): Promise<void>;
}

const claimWaitMs = 30_000;
const pauseAfterFaultMs = 1_000;

export function startWorkLoop<T>(options: {
  queue: string;
  maxConcurrent: number;
  claim(limit: number): Promise<T[]>;
  carryOut(work: T): Promise<unknown>;
  /** For the log: what it was about. */
  describe(work: T): object;
  waits: ClaimWaits;
  log: Logger;
}): WorkLoop {
  const { queue, maxConcurrent, waits, log } = options;
  const stopping = new AbortController();
  const { signal } = stopping;
  const running = new Set<Promise<unknown>>();

  async function loop(): Promise<void> {
    while (!signal.aborted) {
      if (running.size >= maxConcurrent) {
        await Promise.race(running);
        continue;
      }
      try {
        const limit = maxConcurrent - running.size;
        for (const work of await waits.wait(queue, () => options.claim(limit), { waitMs: claimWaitMs, signal })) {
          const doing = options
            .carryOut(work)
            .catch((error: Error) =>
              log.error({ ...options.describe(work), queue, error: error.message }, 'work could not be recorded'),
            )
            .finally(() => running.delete(doing));
          running.add(doing);
        }
      } catch (error) {
        log.warn({ queue, error: (error as Error).message }, 'work could not be claimed; trying again shortly');
        await new Promise((resolve) => setTimeout(resolve, pauseAfterFaultMs));
      }
    }
  }
  const looping = loop();

  return {
    async stop() {
      stopping.abort();
      await looping;
      await Promise.allSettled(running);
    },
  };
}
