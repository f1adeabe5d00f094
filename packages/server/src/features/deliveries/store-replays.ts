import { maxSearched } from '@quayside/contracts';
import { type Sql, sql, type Tx } from '../../platform/db.ts';
import { conditions, type LedgerCursor, type LedgerFilter, type LedgerStop, ledgerOf, reach } from './store.ts';

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
  /** Which part of the time between the ledger's first attempt and the replay is looked through. */
  searched: number;
  /** As text, because a Date has no microseconds. */
  created_text: string;
  cursor: LedgerCursor;
}

// What came of it is counted in the ledger and in the work, where it is written once, and not beside them.
const replayColumns: Sql = sql`p.id, p.requested_by, p.filter, p.total, p.state, p.replayed, p.skipped, p.created_at, p.ended_at,
  (select count(*)::int from work w where w.org_id = p.org_id and w.replay_id = p.id) as open,
  (select count(*)::int from deliveries d where d.org_id = p.org_id and d.replay_id = p.id and d.is_delivered) as delivered,
  case when p.state = 'running' then coalesce((
    select least(1, greatest(0, extract(epoch from p.cursor_at - first.at) / nullif(extract(epoch from p.created_at - first.at), 0)))
    from (select started_at as at from deliveries d where d.org_id = p.org_id order by started_at limit 1) first
    where p.cursor_at > first.at
  ), 0) else 1 end::float8 as searched,
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

export interface Candidate {
  subject: string;
  attempt: number;
  startedAt: string;
}

/**
 * `judged`: the next `size` attempts behind the cursor, oldest first, and which of them are to be replayed: those that match and were
 * the last of their subject as of an instant, so that what is replayed meanwhile does not count again. The stretch is one
 * range of an index before anything is joined, so it costs the same however large the ledger is.
 */
function judged(orgId: string, filter: LedgerFilter, stretch: { asOf: Sql; after: LedgerCursor; size: number }): Sql {
  const { asOf, after, size } = stretch;
  return sql`
    stretch as materialized (
      select d.org_id, d.subject, d.attempt, d.started_at, d.state, d.holder, d.is_dead, d.replay_id from deliveries d
      where ${reach(orgId, filter)} and d.started_at <= ${asOf}
        and (d.started_at, d.subject, d.attempt) > (${after.startedAt}::timestamptz, ${after.subject}, ${after.attempt}::int)
      order by d.started_at, d.subject, d.attempt limit ${size}
    ),
    judged as (
      select d.subject, d.attempt, d.started_at, coalesce(${conditions(orgId, filter)} and not exists (
        select from deliveries later
        where later.org_id = d.org_id and later.subject = d.subject and later.attempt > d.attempt and later.started_at <= ${asOf}
      ), false) as is_match
      from ${ledgerOf(sql`stretch`)}
    )`;
}

/** Before every attempt. */
const beginning: LedgerCursor = { startedAt: '-infinity', subject: '', attempt: 0 };

/** Of `maxSearched` attempts; `stop` = the last of them, if there may be more. */
export async function countReplay(
  tx: Tx,
  orgId: string,
  filter: LedgerFilter,
  after: LedgerCursor | undefined,
): Promise<{ count: number; stop: LedgerStop | undefined }> {
  const asOf = sql`clock_timestamp()`;
  const { count, looked, stop } = await tx.one<{ count: number; looked: number; stop: LedgerStop }>(sql`
    with ${judged(orgId, filter, { asOf, after: after ?? beginning, size: maxSearched })}
    select count(*)::int as looked, count(*) filter (where is_match)::int as count, (
      select json_build_object('subject', subject, 'attempt', attempt,
        'cursor_at', to_char(started_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'))
      from stretch order by started_at desc, subject desc, attempt desc limit 1
    ) as stop
    from judged`);
  return { count, stop: looked < maxSearched ? undefined : stop };
}

/** What of the next `size` attempts is to be replayed, and where they end; `isEnd` = none are left behind them. */
export async function listCandidates(
  tx: Tx,
  orgId: string,
  filter: LedgerFilter,
  stretch: { asOf: string; after: LedgerCursor; size: number },
): Promise<{ candidates: Candidate[]; last: Candidate | undefined; isEnd: boolean }> {
  const asOf = sql`${stretch.asOf}::timestamptz`;
  const rows = await tx.many<Candidate & { isMatch: boolean; looked: number }>(sql`
    with ${judged(orgId, filter, { ...stretch, asOf })}
    select * from (
      select subject, attempt, started_at::text as "startedAt", is_match as "isMatch", count(*) over ()::int as looked,
        row_number() over (order by started_at, subject, attempt) as place
      from judged
    ) placed where "isMatch" or place = looked order by place`);
  const last = rows.at(-1);
  return { candidates: rows.filter((one) => one.isMatch), last, isEnd: (last?.looked ?? 0) < stretch.size };
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
