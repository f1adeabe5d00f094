import { maxReplayCount } from '@quayside/contracts';
import { type Sql, sql, type Tx } from '../../platform/db.ts';
import { conditions, fromLedger, type LedgerCursor, type LedgerFilter } from './store.ts';

export interface ReplayRow {
  id: string;
  requested_by: Record<string, unknown>;
  filter: Record<string, unknown>;
  total: number | null;
  state: 'running' | 'handed_over' | 'cancelled';
  replayed: number;
  skipped: number;
  created_at: Date;
  ended_at: Date | null;
  /** Still to be delivered, and delivered. */
  open: number;
  delivered: number;
  /** As text, because a Date has no microseconds. */
  created_text: string;
  cursor: LedgerCursor;
}

// What came of it is counted in the ledger and in the work, where it is written once, and not beside them.
const replayColumns: Sql = sql`p.id, p.requested_by, p.filter, p.total, p.state, p.replayed, p.skipped, p.created_at, p.ended_at,
  (select count(*)::int from work w where w.org_id = p.org_id and w.replay_id = p.id) as open,
  (select count(*)::int from deliveries d where d.org_id = p.org_id and d.replay_id = p.id and d.is_delivered) as delivered,
  p.created_at::text as created_text,
  json_build_object('startedAt', p.cursor_at::text, 'subject', p.cursor_subject, 'attempt', p.cursor_attempt) as cursor`;

export async function insertReplay(
  tx: Tx,
  orgId: string,
  replay: { id: string; requestedBy: object; filter: object; total: number | null; isOne: boolean },
): Promise<void> {
  await tx.run(sql`
    insert into replays (org_id, id, requested_by, filter, total, state, replayed)
    values (${orgId}, ${replay.id}, ${JSON.stringify(replay.requestedBy)}, ${JSON.stringify(replay.filter)}, ${replay.total},
      ${replay.isOne ? 'handed_over' : 'running'}, ${replay.isOne ? 1 : 0})`);
}

export async function findReplay(tx: Tx, orgId: string, id: string): Promise<ReplayRow | undefined> {
  return tx.find(sql`select ${replayColumns} from replays p where p.org_id = ${orgId} and p.id = ${id}`);
}

export async function listReplays(tx: Tx, orgId: string, limit: number): Promise<ReplayRow[]> {
  return tx.many(
    sql`select ${replayColumns} from replays p where p.org_id = ${orgId} order by p.seq desc limit ${limit}`,
  );
}

export async function findRunningReplay(tx: Tx, orgId: string): Promise<string | undefined> {
  // Two at a time would each take the other's subjects for under way.
  await tx.run(sql`select pg_advisory_xact_lock(hashtextextended(${`replay ${orgId}`}, 0))`);
  return (
    await tx.find<{ id: string }>(sql`select id from replays where org_id = ${orgId} and state = 'running' limit 1`)
  )?.id;
}

/** The last attempt of each subject as of an instant, of those that match: what is replayed meanwhile does not count again. */
function lastAttempts(orgId: string, filter: LedgerFilter, asOf: Sql): Sql {
  return sql`${fromLedger} where ${conditions(orgId, filter)} and d.started_at <= ${asOf} and not exists (
    select from deliveries later
    where later.org_id = d.org_id and later.subject = d.subject and later.attempt > d.attempt and later.started_at <= ${asOf}
  )`;
}

/** Stops at `maxReplayCount`. */
export async function countReplay(tx: Tx, orgId: string, filter: LedgerFilter): Promise<number> {
  const { count } = await tx.one<{ count: number }>(sql`
    select count(*)::int as count from (
      select from ${lastAttempts(orgId, filter, sql`clock_timestamp()`)} limit ${maxReplayCount + 1}
    ) found`);
  return count;
}

export interface Candidate {
  subject: string;
  attempt: number;
  startedAt: string;
}

/**
 * The next stretch of the ledger behind the cursor, oldest attempt first, and which of it is to be replayed. The stretch is
 * one range of an index before anything is joined, so a step costs the same however large the ledger is.
 */
export async function listCandidates(
  tx: Tx,
  orgId: string,
  filter: LedgerFilter,
  replay: Pick<ReplayRow, 'created_text' | 'cursor'>,
  stretch: number,
): Promise<(Candidate & { isMatch: boolean })[]> {
  const { startedAt, subject, attempt } = replay.cursor;
  return tx.many(sql`
    with stretch as materialized (
      select s.org_id, s.subject, s.attempt, s.started_at from deliveries s
      where s.org_id = ${orgId} and s.started_at <= ${replay.created_text}::timestamptz
        and (s.started_at, s.subject, s.attempt) > (${startedAt}::timestamptz, ${subject}, ${attempt}::int)
        ${filter.dead === true ? sql`and s.is_dead` : sql``}
      order by s.started_at, s.subject, s.attempt limit ${stretch}
    )
    select s.subject, s.attempt, s.started_at::text as "startedAt", exists (
      select from ${lastAttempts(orgId, filter, sql`${replay.created_text}::timestamptz`)}
        and d.subject = s.subject and d.attempt = s.attempt
    ) as "isMatch"
    from stretch s order by s.started_at, s.subject, s.attempt`);
}

/** False = it was cancelled meanwhile. */
export async function advanceReplay(
  tx: Tx,
  orgId: string,
  id: string,
  step: { replayed: number; skipped: number; last: Candidate | undefined; isOver: boolean },
): Promise<boolean> {
  const cursor = step.last
    ? sql`cursor_at = ${step.last.startedAt}::timestamptz, cursor_subject = ${step.last.subject}, cursor_attempt = ${step.last.attempt},`
    : sql``;
  const changed = await tx.run(sql`
    update replays set ${cursor} replayed = replayed + ${step.replayed}, skipped = skipped + ${step.skipped},
      state = ${step.isOver ? 'handed_over' : 'running'}, ended_at = ${step.isOver ? sql`clock_timestamp()` : null}
    where org_id = ${orgId} and id = ${id} and state = 'running'`);
  return changed > 0;
}

/** Takes back what nobody holds. Work before replay, as settling does it. */
export async function cancelReplay(tx: Tx, orgId: string, id: string): Promise<void> {
  const taken = await tx.run(sql`
    delete from work where org_id = ${orgId} and replay_id = ${id} and holder is null and queue <> 'publication'`);
  await tx.run(sql`
    update replays set state = 'cancelled', ended_at = clock_timestamp(), replayed = replayed - ${taken}, skipped = skipped + ${taken}
    where org_id = ${orgId} and id = ${id}`);
}

export async function findLastAttempt(tx: Tx, orgId: string, subject: string): Promise<number | undefined> {
  const row = await tx.one<{ last: number | null }>(
    sql`select max(attempt) as last from deliveries where org_id = ${orgId} and subject = ${subject}`,
  );
  return row.last ?? undefined;
}
