import { startAttempts, startWorkLoop, type WorkLoop } from '../../platform/jobs.ts';
import type { ClaimWaits } from '../../platform/leases.ts';
import type { Logger } from '../../platform/log.ts';
import { githubQueue, kafkaQueue, serverQueue } from './service.ts';
import type { ServerDelivery } from './service-delivery.ts';
import type { Github } from './service-github.ts';
import type { Republishing } from './service-kafka.ts';

const maxConcurrent = 32;

/** The runs that the server delivers itself. One that can not be recorded is delivered again, with the same idempotency key. */
export function startServerDeliveries(delivery: ServerDelivery, waits: ClaimWaits, log: Logger): WorkLoop {
  return startWorkLoop({
    queue: serverQueue,
    maxConcurrent,
    claim: (limit) => delivery.claim(limit),
    carryOut: ({ run, work }) => delivery.deliver(run, work),
    describe: ({ run }) => ({ runId: run.id }),
    waits,
    log,
  });
}

/** Waits for work of the Kafka queue to become due, and has its messages published again. */
export const startRepublishing = (republishing: Republishing, waits: ClaimWaits, log: Logger): WorkLoop =>
  startAttempts({
    queue: kafkaQueue,
    attempt: () => republishing.republish(),
    trouble: 'runs could not be published again',
    waits,
    log,
  });

/** Waits for workflow runs of GitHub that are to be looked after. */
export const startWatching = (github: Github, waits: ClaimWaits, log: Logger): WorkLoop =>
  startAttempts({
    queue: githubQueue,
    attempt: () => github.watch(maxConcurrent),
    trouble: 'workflow runs could not be looked after',
    waits,
    log,
  });
