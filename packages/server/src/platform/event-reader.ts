import type { EventName } from '@quayside/contracts';
import { type Database, named, type Sql, sql, type Tx } from './db.ts';

/**
 * Readers of events (0001_platform.sql, docs/adr/0008): each has a cursor per organization, reads what lies behind it, deals
 * with it, and only then moves the cursor, so that a crash makes it deal with some events again and with none never.
 * Cost: one index range scan of `events_cursor` per read; an idle reader touches no event.
 */
export interface Cursor {
  xid: string;
  seq: number;
}

export interface ReadEvent {
  cursor: Cursor;
  name: EventName;
  at: Date;
  actor: Record<string, unknown>;
  origin: string;
  resource: string;
  subject: string;
  blueprint: string | null;
  entity: string | null;
  property: string | null;
  runId: string | null;
  status: string;
  /** How many automations stand between this and what somebody did, and the event that began the chain. */
  depth: number;
  root: number | null;
  before: unknown;
  after: unknown;
}

/** An event without what it says: enough to see whether it concerns the reader. */
export type EventHead = Omit<ReadEvent, 'before' | 'after'>;

const headColumns = sql`e.xid::text as xid, e.seq, e.name, e.at, e.actor, e.origin, e.resource, e.subject, e.blueprint, e.entity, e.property,
  e.run_id as "runId", e.status, e.depth, e.root`;

/**
 * A reader without a cursor stands before the organization's first event. Each value is a subquery as a whole: row-level
 * security lets a condition into the index only if it can not leak, and PostgreSQL does not know that of COALESCE. With
 * that inside, every event of the organization is read and thrown away.
 */
const cursorOf = (orgId: string, reader: string): Sql => sql`(
  (select coalesce((select c.xid from event_cursors c where c.org_id = ${orgId} and c.reader = ${reader}), '0'::xid8)),
  (select coalesce((select c.seq from event_cursors c where c.org_id = ${orgId} and c.reader = ${reader}), 0))
)`;

/** The next events of the organization, oldest first. A reader without a cursor starts with the organization's first. */
export async function readEvents(tx: Tx, orgId: string, reader: string, limit: number): Promise<ReadEvent[]> {
  return readColumns<ReadEvent>(tx, orgId, reader, limit, 'whole', sql`${headColumns}, e.before, e.after`);
}

export async function readHeads(tx: Tx, orgId: string, reader: string, limit: number): Promise<EventHead[]> {
  return readColumns<EventHead>(tx, orgId, reader, limit, 'heads', headColumns);
}

/** For a reader that wants something else of each event; `columns` are of `events e`, among them `e.xid::text as xid, e.seq`. */
export async function readColumns<Event extends { cursor: Cursor }>(
  tx: Tx,
  orgId: string,
  reader: string,
  limit: number,
  /** Of the prepared statement. */
  name: string,
  columns: Sql,
): Promise<Event[]> {
  const rows = await tx.many<Omit<Event, 'cursor'> & Cursor>(
    named(
      `event.read.${name}`,
      sql`
    select ${columns}
    from events e
    where e.org_id = ${orgId} and e.xid < pg_snapshot_xmin(pg_current_snapshot())
      and (e.xid, e.seq) > ${cursorOf(orgId, reader)}
    order by e.xid, e.seq limit ${limit}`,
    ),
  );
  return rows.map(({ xid, seq, ...event }) => ({ ...event, cursor: { xid, seq } }) as unknown as Event);
}

export async function readEventsBySeq(tx: Tx, orgId: string, seqs: readonly number[]): Promise<ReadEvent[]> {
  const rows = await tx.many<Omit<ReadEvent, 'cursor'> & Cursor>(
    sql`select ${headColumns}, e.before, e.after from events e where e.org_id = ${orgId} and e.seq = any(${seqs})`,
  );
  return rows.map(({ xid, seq, ...event }) => ({ ...event, cursor: { xid, seq } }));
}

/** What these events say, by sequence number. */
export async function readBodies(
  tx: Tx,
  orgId: string,
  seqs: readonly number[],
): Promise<ReadonlyMap<number, { before: unknown; after: unknown }>> {
  const rows = await tx.many<{ seq: number; before: unknown; after: unknown }>(
    named('event.bodies', sql`select seq, before, after from events where org_id = ${orgId} and seq = any(${seqs})`),
  );
  return new Map(rows.map(({ seq, before, after }) => [seq, { before, after }]));
}

export async function moveCursor(tx: Tx, orgId: string, reader: string, to: Cursor): Promise<void> {
  await tx.run(
    named(
      'event.moveCursor',
      sql`
      insert into event_cursors (org_id, reader, xid, seq) values (${orgId}, ${reader}, ${to.xid}::xid8, ${to.seq})
      on conflict (org_id, reader) do update set xid = excluded.xid, seq = excluded.seq, updated_at = now()`,
    ),
  );
}

/** Whether anything lies behind the cursor, also what can not be read yet because an older transaction still runs. */
export async function isAnythingAhead(tx: Tx, orgId: string, reader: string): Promise<boolean> {
  const { is } = await tx.one<{ is: boolean }>(
    named(
      'event.isAhead',
      sql`
      select exists (
        select from events e where e.org_id = ${orgId} and (e.xid, e.seq) > ${cursorOf(orgId, reader)}
      ) as is`,
    ),
  );
  return is;
}

/** For a reader that is new to this installation: what happened before is none of its business. */
export async function startAtEnd(database: Database, reader: string): Promise<void> {
  await database.system((tx) =>
    // Whatever is being written at this moment has a transaction that is not older than the snapshot's oldest.
    tx.run(sql`
      insert into event_cursors (org_id, reader, xid, seq)
      select org_id, ${reader}, pg_snapshot_xmin(pg_current_snapshot()), 0 from organizations
      -- An organization that came while the reader was known is read from its first event.
      where not exists (select from event_cursors where reader = ${reader})
      on conflict do nothing`),
  );
}

/** Seconds since the oldest event, of any organization, that the reader has not dealt with; 0 when there is none. */
export async function readerLagSeconds(database: Database, reader: string): Promise<number> {
  const row = await database.system((tx) =>
    tx.one<{ lag: number | null }>(sql`
      select max(extract(epoch from clock_timestamp() - next.at))::float8 as lag
      from event_cursors c cross join lateral (
        select e.at from events e where e.org_id = c.org_id and (e.xid, e.seq) > (c.xid, c.seq) order by e.xid, e.seq limit 1
      ) next
      where c.reader = ${reader}`),
  );
  return row.lag ?? 0;
}
