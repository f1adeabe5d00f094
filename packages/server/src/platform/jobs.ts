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

/** The simplest: `attempt` claims what is due, does it, and returns it. */
export function startAttempts(options: {
  queue: string;
  attempt(): Promise<unknown[]>;
  /** What does not happen after a fault, for the log. */
  trouble: string;
  waits: ClaimWaits;
  log: Logger;
}): WorkLoop {
  const { queue, attempt, trouble, waits, log } = options;
  return keepGoing({ queue, trouble, log }, (signal) => waits.wait(queue, attempt, { waitMs: claimWaitMs, signal }));
}

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
  const running = new Set<Promise<unknown>>();
  const loop = keepGoing({ queue, trouble: 'work could not be claimed', log }, async (signal) => {
    if (running.size >= maxConcurrent) await Promise.race(running);
    const limit = maxConcurrent - running.size;
    if (limit <= 0) return;
    for (const work of await waits.wait(queue, () => options.claim(limit), { waitMs: claimWaitMs, signal })) {
      const doing = options
        .carryOut(work)
        .catch((error: Error) =>
          log.error({ ...options.describe(work), queue, error: error.message }, 'work could not be recorded'),
        )
        .finally(() => running.delete(doing));
      running.add(doing);
    }
  });
  return {
    async stop() {
      await loop.stop();
      await Promise.allSettled(running);
    },
  };
}

/** One step after the other until stopped; after a fault a pause. */
function keepGoing(
  about: { queue: string; trouble: string; log: Logger },
  step: (signal: AbortSignal) => Promise<unknown>,
): WorkLoop {
  const stopping = new AbortController();
  const { signal } = stopping;

  async function loop(): Promise<void> {
    while (!signal.aborted)
      try {
        await step(signal);
      } catch (error) {
        about.log.warn(
          { queue: about.queue, error: (error as Error).message },
          `${about.trouble}; trying again shortly`,
        );
        await new Promise((resolve) => setTimeout(resolve, pauseAfterFaultMs));
      }
  }
  const looping = loop();

  return {
    async stop() {
      stopping.abort();
      await looping;
    },
  };
}
