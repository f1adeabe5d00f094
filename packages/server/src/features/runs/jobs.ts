import type { ClaimWaits } from '../../platform/leases.ts';
import type { Logger } from '../../platform/log.ts';
import { githubQueue, kafkaQueue, serverQueue } from './service.ts';
import type { ServerDelivery } from './service-delivery.ts';
import type { Github } from './service-github.ts';
import type { Republishing } from './service-kafka.ts';

/**
 * Loop of the server's deliveries: wait for work → claim what there is room for → send each → settle. At most
 * `maxConcurrent` at once; claims wait while all slots are taken. Drain: no further claims, what is under way is finished.
 */
const maxConcurrent = 32;
const claimWaitMs = 30_000;
const pauseAfterFaultMs = 1_000;

export interface ServerDeliveries {
  stop(): Promise<void>;
}

export function startServerDeliveries(delivery: ServerDelivery, waits: ClaimWaits, log: Logger): ServerDeliveries {
  const stopping = new AbortController();
  const running = new Set<Promise<void>>();

  async function loop(): Promise<void> {
    while (!stopping.signal.aborted) {
      if (running.size >= maxConcurrent) {
        await Promise.race(running);
        continue;
      }
      try {
        const limit = maxConcurrent - running.size;
        const claimed = await waits.wait(serverQueue, () => delivery.claim(limit), {
          waitMs: claimWaitMs,
          signal: stopping.signal,
        });
        for (const { run, work } of claimed) {
          const sending = delivery
            .deliver(run, work)
            // The lease runs out and the run is delivered again, with the same idempotency key.
            .catch((error: Error) =>
              log.error({ runId: run.id, error: error.message }, 'a delivery could not be recorded'),
            )
            .finally(() => running.delete(sending));
          running.add(sending);
        }
      } catch (error) {
        log.warn({ error: (error as Error).message }, 'claiming deliveries failed; trying again shortly');
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
      await delivery.close();
    },
  };
}

/** Waits for work of the Kafka queue to become due, and has its messages published again. */
export const startRepublishing = (republishing: Republishing, waits: ClaimWaits, log: Logger) =>
  startLoop(kafkaQueue, () => republishing.republish(), waits, log, 'runs could not be published again');

/** Waits for workflow runs of GitHub that are to be looked after. */
export const startWatching = (github: Github, waits: ClaimWaits, log: Logger) =>
  startLoop(githubQueue, () => github.watch(maxConcurrent), waits, log, 'workflow runs could not be looked after');

function startLoop<T>(
  queue: string,
  attempt: () => Promise<T[]>,
  waits: ClaimWaits,
  log: Logger,
  fault: string,
): { stop(): Promise<void> } {
  const stopping = new AbortController();
  const { signal } = stopping;

  async function loop(): Promise<void> {
    while (!signal.aborted)
      try {
        await waits.wait(queue, attempt, { waitMs: claimWaitMs, signal });
      } catch (error) {
        log.warn({ error: (error as Error).message }, `${fault}; trying again shortly`);
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
