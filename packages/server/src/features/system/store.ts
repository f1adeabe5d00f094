import type { SystemStatus } from '@quayside/contracts';
import { sql, type Tx } from '../../platform/db.ts';

const shownTables = 8;

/** Rows of `work` that are readers of events (`readerPrefix`) show up as readers, not as queues. */
export async function listQueues(
  tx: Tx,
  orgId: string,
  { readerPrefix, shownHolders }: { readerPrefix: string; shownHolders: number },
): Promise<SystemStatus['queues']> {
  return tx.many(sql`
    select queue,
           count(*) filter (where due_at <= clock_timestamp())::int as due,
           count(*) filter (where due_at > clock_timestamp() and holder is not null)::int as leased,
           count(*) filter (where due_at > clock_timestamp() and holder is null)::int as later,
           greatest(0, extract(epoch from clock_timestamp() - min(due_at) filter (where due_at <= clock_timestamp())))::float8 as "oldestDueSeconds",
           coalesce((
             select json_agg(h) from (
               select held.holder, count(*)::int as leases from work held
               where held.org_id = ${orgId} and held.queue = work.queue and held.due_at > clock_timestamp() and held.holder is not null
               group by held.holder order by leases desc, held.holder limit ${shownHolders}
             ) h
           ), '[]') as holders
    from work where org_id = ${orgId} and not starts_with(queue, ${readerPrefix})
    group by queue order by queue`);
}

/** Only of the readers that this portal has: one without Kafka leaves its cursor where it was. */
export async function listReaders(
  tx: Tx,
  orgId: string,
  names: readonly string[],
  { maxBehind, readerPrefix }: { maxBehind: number; readerPrefix: string },
): Promise<SystemStatus['readers']> {
  const rows = await tx.many<Omit<SystemStatus['readers'][number], 'movedAt'> & { movedAt: Date }>(sql`
    select c.reader,
           coalesce(greatest(0, extract(epoch from clock_timestamp() - ahead.since)), 0)::float8 as "lagSeconds",
           ahead.count::int as behind,
           (select w.holder from work w
            where w.org_id = c.org_id and w.queue = ${readerPrefix} || c.reader and w.due_at > clock_timestamp() limit 1) as holder,
           c.updated_at as "movedAt"
    from event_cursors c cross join lateral (
      select count(*) as count, min(next.at) as since from (
        select e.at from events e where e.org_id = c.org_id and (e.xid, e.seq) > (c.xid, c.seq) order by e.xid, e.seq limit ${maxBehind}
      ) next
    ) ahead
    where c.org_id = ${orgId} and c.reader = any(${names}) order by c.reader`);
  return rows.map((row) => ({ ...row, movedAt: row.movedAt.toISOString() }));
}

export async function countAgents(tx: Tx, orgId: string, connectedWithinMs: number): Promise<SystemStatus['agents']> {
  return tx.one(sql`
    select count(*)::int as known,
           count(*) filter (where last_seen_at > clock_timestamp() - ${connectedWithinMs} * interval '1 millisecond')::int as connected
    from agents where org_id = ${orgId}`);
}

/** Agents of all organizations. */
export async function countConnected(tx: Tx, connectedWithinMs: number): Promise<number> {
  const { count } = await tx.one<{ count: number }>(sql`
    select count(*)::int as count from agents
    where last_seen_at > clock_timestamp() - ${connectedWithinMs} * interval '1 millisecond'`);
  return count;
}

export async function readDatabaseBytes(tx: Tx): Promise<number> {
  const { bytes } = await tx.one<{ bytes: number }>(sql`select pg_database_size(current_database())::float8 as bytes`);
  return bytes;
}

export async function countDeadLetters(tx: Tx, orgId: string): Promise<SystemStatus['deadLetters']> {
  return tx.one(sql`
    select count(*)::int as all,
           count(*) filter (where started_at > clock_timestamp() - interval '1 day')::int as "lastDay"
    from deliveries where org_id = ${orgId} and is_dead`);
}

export async function findNewestSeal(tx: Tx, orgId: string): Promise<SystemStatus['audit']> {
  const row = await tx.find<{ checkpoint: number; records: number; sealedAt: Date }>(sql`
    select number as checkpoint, total as records, sealed_at as "sealedAt" from audit_checkpoints
    where org_id = ${orgId} order by number desc limit 1`);
  return row ? { ...row, sealedAt: row.sealedAt.toISOString() } : null;
}

export async function describeDatabase(tx: Tx): Promise<SystemStatus['database']> {
  const tables = await tx.many<SystemStatus['database']['tables'][number]>(sql`
    select relname as "table", pg_total_relation_size(oid) as bytes, greatest(reltuples, 0)::bigint as rows
    from pg_class where relkind = 'r' and relnamespace = 'public'::regnamespace
    order by bytes desc limit ${shownTables}`);
  const facts = await tx.one<Omit<SystemStatus['database'], 'tables'>>(sql`
    select current_setting('server_version') as version, pg_database_size(current_database()) as bytes,
           (select count(*)::int from pg_stat_activity where datname = current_database()) as connections,
           current_setting('max_connections')::int as "maxConnections"`);
  return { ...facts, tables };
}
