import { Client } from 'pg';
import type { Logger } from './log.ts';

/**
 * Readers of events go by transaction numbers (docs/adr/0008), which belong to a PostgreSQL cluster. A dump that was restored
 * into another cluster brings numbers that are still to come there: what happens next would stand behind the cursors, and
 * nobody would read it. So before anything is served, numbers are used up until the cluster is past every one that is stored.
 * A database that was never moved, or was copied file by file, has none of them.
 *
 * Cost: one index look-up per organization at each start; after such a restore a transaction per number that is missing, once.
 */
const numbersAtOnce = 50_000;
/** What takes longer than some minutes is for a person to decide. */
const mostNumbers = 20_000_000;

/** Returns how many numbers were used up. */
export async function catchUpTransactionIds(url: string, log: Logger): Promise<number> {
  const client = new Client({ connectionString: url, application_name: 'quayside start' });
  // Whoever waits for an answer is told; without a listener a connection that breaks would end the process.
  client.on('error', () => undefined);
  await client.connect();
  try {
    const missing = await countMissing(client);
    if (missing === 0) return 0;
    if (missing > mostNumbers)
      throw new Error(
        `This database was restored from a dump into another PostgreSQL cluster, whose transaction numbers are ${missing} behind those in it. Restore a physical backup instead, or advance the cluster (pg_resetwal --next-transaction-id): docs/operations.md, Backup and restore.`,
      );
    log.warn({ missing }, 'the database comes from another cluster: using up transaction numbers before the start');
    for (let left = missing; left > 0; left = await countMissing(client))
      await client.query(
        `do $$ begin for i in 1..${Math.min(left, numbersAtOnce)} loop perform pg_current_xact_id(); commit; end loop; end $$`,
      );
    return missing;
  } finally {
    await client.end();
  }
}

/** How far the cluster's next number is behind the largest that is stored. */
async function countMissing(client: Client): Promise<number> {
  // Tables of tenants show nothing to their owner, only to the roles.
  await client.query('begin; set local role quayside_system');
  const { rows } = await client.query<{ missing: string }>(`
    select greatest(0, 1 + greatest(
      (select max(xid)::text::numeric from event_cursors),
      (select max(newest.xid)::text::numeric from organizations o cross join lateral (
        select e.xid from events e where e.org_id = o.org_id order by e.xid desc, e.seq desc limit 1) newest)
    ) - pg_snapshot_xmax(pg_current_snapshot())::text::numeric) as missing`);
  await client.query('commit');
  return Number(rows[0]?.missing ?? 0);
}
