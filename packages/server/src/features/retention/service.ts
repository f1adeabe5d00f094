import { defaultRetention, type Retention, type RetentionSettings } from '@quayside/contracts';
import type { World } from '../../platform/ctx.ts';
import type { Database, Tx } from '../../platform/db.ts';
import {
  claim,
  ensureWorkOfEach,
  extendLease,
  type LeasedWork,
  lockLease,
  releaseWork,
} from '../../platform/leases.ts';
import { organizationSettings } from '../identity/index.ts';
import * as store from './store.ts';

/**
 * Retention (docs/adr/0034): once an hour, by one server per organization under a lease, in batches that are transactions of
 * their own, so that nobody waits for it and a crash loses nothing. Events go with the audit log, which lets go of a sealed
 * beginning only (features/audit/service-pruning.ts).
 */
export const retentionQueue = 'retention';

const leaseMs = 60_000;
const pauseMs = 60 * 60_000;
const rowsPerBatch = 1_000;
const runsPerBatch = 100;
const dayMs = 24 * 60 * 60_000;

export function createRetention(dependencies: {
  database: Database;
  holder: string;
  worldOf(orgId: string): World;
  /** Given by app.ts: audit records go with their checkpoints. True = there may be more. */
  pruneAuditLog(world: World, until: Date): Promise<boolean>;
}) {
  const { database, holder, worldOf, pruneAuditLog } = dependencies;

  /** True = there may be more. */
  async function removeLogs(tx: Tx, batch: store.Batch, days: number): Promise<boolean> {
    const runIds = await store.listRunsWithLog(tx, { ...batch, limit: runsPerBatch });
    let room = batch.limit;
    for (const runId of runIds) {
      room -= await store.removeLogLines(tx, batch.orgId, runId, room);
      // The rest of this log goes with the next batch.
      if (room === 0) return true;
      const message = `The log of this run was removed: logs are kept for ${days} days after the end (retention of the organization).`;
      await store.noteRemovedLog(tx, batch.orgId, runId, message);
    }
    return runIds.length === runsPerBatch;
  }

  /** One batch of each kind, in a transaction each; true = there may be more. */
  async function removeSome(orgId: string, settings: Retention, now: Date): Promise<boolean> {
    const kept = { ...defaultRetention, ...settings };
    let hasMore = false;
    const remove = async (days: number | null, work: (tx: Tx, batch: store.Batch) => Promise<number | boolean>) => {
      if (days === null) return;
      const batch = { orgId, until: new Date(now.getTime() - days * dayMs), limit: rowsPerBatch };
      const removed = await database.system((tx) => work(tx, batch));
      if (removed === true || removed === rowsPerBatch) hasMore = true;
    };
    await remove(kept.messageBodiesDays, store.removeMessageBodies);
    await remove(kept.deliveriesDays, store.removeDeliveries);
    await remove(kept.deliveriesDays, store.removeEmptied);
    if (
      kept.auditDays !== null &&
      (await pruneAuditLog(worldOf(orgId), new Date(now.getTime() - kept.auditDays * dayMs)))
    )
      hasMore = true;
    await remove(kept.runLogsDays, (tx, batch) => removeLogs(tx, batch, kept.runLogsDays ?? 0));
    return hasMore;
  }

  return {
    claim: (limit: number) =>
      database.system(async (tx) => {
        await ensureWorkOfEach(tx, retentionQueue);
        return claim(tx, { queue: retentionQueue, holder, limit, leaseMs });
      }),
    async carryOut({ orgId, key, token }: LeasedWork): Promise<void> {
      const world = worldOf(orgId);
      const lease = { orgId, key, token };
      const { retention = {} } = (await world.transaction(organizationSettings)) as RetentionSettings;
      while (await removeSome(orgId, retention, world.now()))
        // Lost: another server goes on.
        if (!(await world.transaction((ctx) => extendLease(ctx.db, lease, leaseMs)))) return;
      await world.transaction(async (ctx) => {
        const held = await lockLease(ctx.db, lease);
        if (held) await releaseWork(ctx.db, held.id, held.queue, pauseMs);
      });
    },
  };
}
export type RetentionJob = ReturnType<typeof createRetention>;
