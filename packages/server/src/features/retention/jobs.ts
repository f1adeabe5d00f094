import { startWorkLoop, type WorkLoop } from '../../platform/jobs.ts';
import type { ClaimWaits } from '../../platform/leases.ts';
import type { Logger } from '../../platform/log.ts';
import { type RetentionJob, retentionQueue } from './service.ts';

export const startRetention = (retention: RetentionJob, waits: ClaimWaits, log: Logger): WorkLoop =>
  startWorkLoop({
    queue: retentionQueue,
    maxConcurrent: 1,
    claim: retention.claim,
    carryOut: retention.carryOut,
    describe: ({ orgId }) => ({ organization: orgId }),
    waits,
    log,
  });
