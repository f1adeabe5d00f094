import { setTimeout as sleep } from 'node:timers/promises';
import type { World } from '../../platform/ctx.ts';
import type { ClaimWaits, LeaseKey } from '../../platform/leases.ts';
import type { Logger } from '../../platform/log.ts';
import type { Wakes } from '../../platform/wake.ts';
import type { KafkaAccess } from './service.ts';
import { type Publisher, publisherQueue } from './service-publisher.ts';

/**
 * Keeps the publishers of this server going: one loop per organization that it holds, each until its lease is lost or the
 * server stops. Brokers that are away delay; every loop tries again, less and less often.
 */
const claimWaitMs = 30_000;
const keepEveryMs = 3_000;
/** Also without a wake-up. */
const pollMs = 1_000;
const firstPauseMs = 250;
const longestPauseMs = 5_000;

export function startPublishing(dependencies: {
  publisher: Publisher;
  access: KafkaAccess;
  waits: ClaimWaits;
  wakes: Wakes;
  /** What wakes a reader of events. */
  topic: string;
  worldOf(orgId: string): World;
  describe(error: unknown): string;
  log: Logger;
}): { stop(): Promise<void> } {
  const { publisher, access, waits, wakes, topic, worldOf, describe, log } = dependencies;
  const stopping = new AbortController();
  const running = new Set<Promise<void>>();

  async function publish(lease: LeaseKey): Promise<void> {
    const ending = new AbortController();
    const signal = AbortSignal.any([stopping.signal, ending.signal]);
    const keeping = setInterval(async () => {
      // Unreachable database: the lease may be lost, and the next move of the cursor finds out.
      if (!(await publisher.keep(lease).catch(() => true))) ending.abort();
    }, keepEveryMs);
    let wake = new AbortController();
    const off = wakes.on(topic, () => wake.abort());
    let isProvisioned = false;
    let pauseMs = firstPauseMs;
    while (!signal.aborted) {
      try {
        if (!isProvisioned) await access.provision(worldOf(lease.orgId));
        if (!isProvisioned && pauseMs > firstPauseMs)
          log.info({ organization: lease.orgId }, 'messages go into Kafka again');
        isProvisioned = true;
        wake = new AbortController();
        const count = await publisher.publishNext(lease);
        pauseMs = firstPauseMs;
        if (count === 0)
          await sleep(pollMs, undefined, { signal: AbortSignal.any([signal, wake.signal]) }).catch(() => undefined);
      } catch (error) {
        isProvisioned = false;
        log.warn(
          { organization: lease.orgId, problem: describe(error), retryInMs: pauseMs },
          'messages do not go into Kafka; they are kept and tried again. Check KAFKA_BROKERS and the settings beside it',
        );
        await sleep(pauseMs, undefined, { signal }).catch(() => undefined);
        pauseMs = Math.min(pauseMs * 2, longestPauseMs);
      }
    }
    off();
    clearInterval(keeping);
    await publisher.release(lease).catch(() => undefined);
  }

  async function loop(): Promise<void> {
    const { signal } = stopping;
    while (!signal.aborted)
      try {
        for (const lease of await waits.wait(publisherQueue, () => publisher.claim(), {
          waitMs: claimWaitMs,
          signal,
        })) {
          const publishing = publish(lease).finally(() => running.delete(publishing));
          running.add(publishing);
        }
      } catch (error) {
        log.warn({ error: (error as Error).message }, 'publishers could not be claimed; trying again shortly');
        await sleep(longestPauseMs, undefined, { signal }).catch(() => undefined);
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
