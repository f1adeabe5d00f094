import { inTransaction, type World } from '../../platform/ctx.ts';
import type { Database } from '../../platform/db.ts';
import { listPrunable, pruneRecords } from './store-chain.ts';

/** At most so many records, or one checkpoint, in a transaction. */
const recordsAtOnce = 2_000;

/**
 * Lets go of the oldest records, whole checkpoints at a time, that were sealed before `until` and that every reader of events
 * has read. The checkpoints stay without their records, so the chain stays whole; that it was retention is a record
 * itself (`audit.pruned`), committed with it. True = there may be more.
 */
export async function pruneAuditLog(
  { database, readers }: { database: Database; readers: readonly string[] },
  world: World,
  until: Date,
): Promise<boolean> {
  return database.system(async (tx) => {
    const prunable = await listPrunable(tx, world.orgId, until, readers);
    let records = 0;
    const taken = prunable.filter((one, index) => {
      records += one.count;
      return index === 0 || records <= recordsAtOnce;
    });
    const last = taken.at(-1);
    if (!last) return false;
    const removed = await pruneRecords(tx, world.orgId, last);
    await inTransaction(world, tx).emit({
      name: 'audit.pruned',
      subject: `checkpoint ${last.number}`,
      message: `${removed} records until ${last.sealedAt.toISOString()} were removed: retention of the organization.`,
      after: { throughCheckpoint: last.number, records: removed },
    });
    return taken.length < prunable.length;
  });
}
