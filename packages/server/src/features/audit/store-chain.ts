import type { Checkpoint, ExportedCheckpoint } from '@quayside/contracts/audit-chain';
import { type Sql, sql, type Tx } from '../../platform/db.ts';

/**
 * The text of a record, as it is hashed when it is sealed and written into exports. What is JSON in the table goes in as it
 * stands there. Changing anything here makes every sealed record look changed: a new form needs a version of its own.
 */
const orNull = (column: Sql): Sql => sql`coalesce(to_json(${column})::text, 'null')`;
const recordText = sql`'{"seq":' || e.seq
  || ',"at":"' || to_char(e.at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')
  || '","name":' || to_json(e.name)::text
  || ',"organization":' || to_json(e.org_id)::text
  || ',"resource":' || to_json(e.resource)::text
  || ',"subject":' || to_json(e.subject)::text
  || ',"status":' || to_json(e.status)::text
  || ',"origin":' || to_json(e.origin)::text
  || ',"actor":' || e.actor::text
  || ',"blueprint":' || ${orNull(sql`e.blueprint`)}
  || ',"entity":' || ${orNull(sql`e.entity`)}
  || ',"property":' || ${orNull(sql`e.property`)}
  || ',"runId":' || ${orNull(sql`e.run_id`)}
  || ',"message":' || ${orNull(sql`e.message`)}
  || ',"traceId":' || ${orNull(sql`e.trace_id`)}
  || ',"depth":' || e.depth
  || ',"root":' || ${orNull(sql`e.root`)}
  || ',"before":' || coalesce(e.before::text, 'null')
  || ',"after":' || coalesce(e.after::text, 'null')
  || '}'`;

/** What the sealer reads of an event: where it stands and its hash, which PostgreSQL makes, so that no record travels. */
export const sealColumns = sql`e.xid::text as xid, e.seq, sha256(convert_to(${recordText}, 'UTF8')) as hash`;

interface CheckpointRow {
  org_id: string;
  number: number;
  sealed_at: Date;
  count: number;
  total: number;
  records_hash: Buffer;
  previous: Buffer;
  hash: Buffer;
  signature: Buffer;
  key_id: string;
  xid: string;
  seq: number;
}

/** A checkpoint, and how far in the order of readers it reaches. */
export interface PlacedCheckpoint {
  checkpoint: Checkpoint;
  xid: string;
  seq: number;
}

const columns = sql`org_id, number, sealed_at, count, total, records_hash, previous, hash, signature, key_id, xid::text as xid, seq`;

function toPlaced(row: CheckpointRow): PlacedCheckpoint {
  return {
    checkpoint: {
      organization: row.org_id,
      number: row.number,
      sealedAt: row.sealed_at.toISOString(),
      count: row.count,
      total: row.total,
      records: row.records_hash.toString('hex'),
      previous: row.previous.toString('hex'),
      hash: row.hash.toString('hex'),
      signature: row.signature.toString('base64'),
      key: row.key_id,
    },
    xid: row.xid,
    seq: row.seq,
  };
}

export async function insertCheckpoint(
  tx: Tx,
  placed: PlacedCheckpoint,
  sealed: { seqs: readonly number[]; hashes: Buffer },
): Promise<void> {
  const { checkpoint, xid, seq } = placed;
  await tx.run(sql`
    insert into audit_checkpoints (org_id, number, sealed_at, count, total, records_hash, previous, hash, signature, key_id, xid, seq, seqs, hashes)
    values (
      ${checkpoint.organization}, ${checkpoint.number}, ${checkpoint.sealedAt}, ${checkpoint.count}, ${checkpoint.total},
      ${Buffer.from(checkpoint.records, 'hex')}, ${Buffer.from(checkpoint.previous, 'hex')}, ${Buffer.from(checkpoint.hash, 'hex')},
      ${Buffer.from(checkpoint.signature, 'base64')}, ${checkpoint.key}, ${xid}::xid8, ${seq}, ${sealed.seqs}, ${sealed.hashes}
    )`);
}

/** Newest first. */
export async function listCheckpoints(
  tx: Tx,
  orgId: string,
  page: { before: number | undefined; limit: number },
): Promise<Checkpoint[]> {
  const before = page.before === undefined ? sql`` : sql`and number < ${page.before}`;
  const rows = await tx.many<CheckpointRow>(
    sql`select ${columns} from audit_checkpoints where org_id = ${orgId} ${before} order by number desc limit ${page.limit}`,
  );
  return rows.map((row) => toPlaced(row).checkpoint);
}

export async function findLastCheckpoint(tx: Tx, orgId: string): Promise<Checkpoint | undefined> {
  return (await listCheckpoints(tx, orgId, { before: undefined, limit: 1 }))[0];
}

/** Numbers of the first and last checkpoint that hold the records sealed within the range; undefined = there are none. */
export async function findRange(
  tx: Tx,
  orgId: string,
  range: { from: Date | undefined; to: Date | undefined },
): Promise<{ first: number; last: number } | undefined> {
  // What happened until `to` may have been sealed a moment later, hence one checkpoint more.
  const row = await tx.one<{ first: number | null; last: number | null }>(sql`
    select
      ${range.from === undefined ? sql`min(number)` : sql`min(number) filter (where sealed_at >= ${range.from})`} as first,
      ${range.to === undefined ? sql`max(number)` : sql`least(max(number), coalesce(max(number) filter (where sealed_at <= ${range.to}), 0) + 1)`} as last
    from audit_checkpoints where org_id = ${orgId}`);
  return row.first === null || row.last === null || row.last < row.first
    ? undefined
    : { first: row.first, last: row.last };
}

export async function listSealed(
  tx: Tx,
  orgId: string,
  numbers: { from: number; to: number; limit: number },
): Promise<(PlacedCheckpoint & { exported: ExportedCheckpoint })[]> {
  const rows = await tx.many<CheckpointRow & { seqs: string[] | null; hashes: Buffer | null }>(sql`
    select ${columns}, seqs, hashes from audit_checkpoints
    where org_id = ${orgId} and number between ${numbers.from} and ${numbers.to} order by number limit ${numbers.limit}`);
  return rows.map((row) => {
    const placed = toPlaced(row);
    return {
      ...placed,
      exported: {
        ...placed.checkpoint,
        ...(row.seqs && row.hashes ? { seqs: row.seqs.map(Number), hashes: row.hashes.toString('base64') } : {}),
      },
    };
  });
}

/**
 * What stands in the table between two places, whether it was sealed or not: that is how an inserted record comes to light.
 * In pages, by the place after which to go on.
 */
export async function listRecordTexts(
  tx: Tx,
  orgId: string,
  range: { after: { xid: string; seq: number }; upTo: { xid: string; seq: number }; limit: number },
): Promise<{ xid: string; seq: number; text: string }[]> {
  const { after, upTo, limit } = range;
  return tx.many(sql`
    select e.xid::text as xid, e.seq, ${recordText} as text from events e
    where e.org_id = ${orgId} and (e.xid, e.seq) > (${after.xid}::xid8, ${after.seq}) and (e.xid, e.seq) <= (${upTo.xid}::xid8, ${upTo.seq})
    order by e.xid, e.seq limit ${limit}`);
}

export interface Prunable {
  number: number;
  count: number;
  sealedAt: Date;
  xid: string;
  seq: number;
}

const checkpointsAtOnce = 1_000;

/** The oldest checkpoints that still have their records, that were sealed before `until`, and that all `readers` have read. */
export async function listPrunable(
  tx: Tx,
  orgId: string,
  until: Date,
  readers: readonly string[],
): Promise<Prunable[]> {
  return tx.many(sql`
    select number, count, sealed_at as "sealedAt", xid::text as xid, seq from audit_checkpoints c
    where org_id = ${orgId} and seqs is not null and sealed_at < ${until}
      and not exists (select from event_cursors r where r.org_id = c.org_id and r.reader = any(${readers}) and (r.xid, r.seq) < (c.xid, c.seq))
    order by number limit ${checkpointsAtOnce} for update`);
}

/** Removes the records up to this checkpoint; the checkpoints stay. Returns how many records there were. */
export async function pruneRecords(tx: Tx, orgId: string, through: Prunable): Promise<number> {
  const removed = await tx.run(
    sql`delete from events where org_id = ${orgId} and (xid, seq) <= (${through.xid}::xid8, ${through.seq})`,
  );
  await tx.run(sql`
    update audit_checkpoints set seqs = null, hashes = null
    where org_id = ${orgId} and number <= ${through.number} and seqs is not null`);
  return removed;
}
