import {
  type Delivery,
  type DeliveryOutcome,
  type DeliveryRequest,
  isDelivered,
  maxSearched,
  type SubjectKind,
} from '@quayside/contracts';
import { join, named, type Sql, sql, type Tx } from '../../platform/db.ts';
import { nameOf, type OpenWork } from './model.ts';

/**
 * The ledger: one row per lease, written in the transaction of the claim, before anything can be sent. `subject` is the id of
 * what is delivered, a run or a message; it is also the key of its work.
 */

/** A lease just claimed: its subject, its fencing token, and who was lost with the lease before. */
export interface Attempt {
  orgId: string;
  key: string;
  token: number;
  lostHolder: string | null;
  replayId: string | null;
}

/** Opens the record of each new attempt and closes those whose holder was lost; in the transaction of the claim. */
export async function openDeliveries(tx: Tx, holder: string, taken: readonly Attempt[]): Promise<void> {
  if (taken.length === 0) return;
  const isLost = taken.filter((work) => work.lostHolder !== null);
  if (isLost.length > 0)
    await tx.run(sql`
      update deliveries set state = 'lost', ended_at = clock_timestamp()
      where state = 'open' and (org_id, subject) in (${join(isLost.map((work) => sql`(${work.orgId}, ${work.key})`))})`);
  const rows = taken.map((work) => sql`(${work.orgId}, ${work.key}, ${work.token}::int, ${holder}, ${work.replayId})`);
  await tx.run(sql`insert into deliveries (org_id, subject, attempt, holder, replay_id) values ${join(rows)}`);
}

/** Closes the open records of subjects whose holder was lost and that nobody has taken since. */
export async function loseDeliveries(tx: Tx, orgId: string, subjects: readonly string[]): Promise<void> {
  await tx.run(sql`
    update deliveries set state = 'lost', ended_at = clock_timestamp()
    where org_id = ${orgId} and subject = any(${subjects}) and state = 'open'`);
}

/**
 * Publications: what goes to consumers of Kafka has no lease, and one record of each message, opened before the brokers are
 * asked and closed when they have it. What is open is asked for again, so it is not opened twice. One that is replayed has work
 * in a queue that nobody claims from, as long as it is not closed.
 */
export const publicationQueue = 'publication';

export async function openPublications(
  tx: Tx,
  orgId: string,
  holder: string,
  subjects: readonly string[],
): Promise<void> {
  if (subjects.length === 0) return;
  await tx.run(sql`
    insert into deliveries (org_id, subject, attempt, holder, replay_id)
    select ${orgId}, wanted.subject,
      coalesce((select max(attempt) from deliveries d where d.org_id = ${orgId} and d.subject = wanted.subject), 0) + 1, ${holder},
      (select replay_id from work w where w.org_id = ${orgId} and w.queue = ${publicationQueue} and w.key = wanted.subject)
    from unnest(${subjects}::text[]) as wanted (subject)
    where not exists (
      select from deliveries d where d.org_id = ${orgId} and d.subject = wanted.subject and d.state = 'open'
    )`);
}

export interface Publication {
  subject: string;
  request: DeliveryRequest;
  outcome: DeliveryOutcome;
}

export async function closePublications(tx: Tx, orgId: string, published: readonly Publication[]): Promise<void> {
  if (published.length === 0) return;
  await tx.run(sql`
    update deliveries d set state = 'settled', ended_at = clock_timestamp(), request = closed.request::json,
      outcome = closed.outcome::json, is_delivered = closed.is_delivered, is_dead = not closed.is_delivered
    from unnest(
      ${published.map((one) => one.subject)}::text[],
      ${published.map((one) => JSON.stringify(one.request))}::text[],
      ${published.map((one) => JSON.stringify(one.outcome))}::text[],
      ${published.map((one) => isDelivered(one.outcome))}::boolean[]
    ) as closed (subject, request, outcome, is_delivered)
    where d.org_id = ${orgId} and d.subject = closed.subject and d.state = 'open'`);
  await tx.run(sql`
    delete from work
    where org_id = ${orgId} and queue = ${publicationQueue} and key = any(${published.map((one) => one.subject)})`);
}

export interface DeliveryEnd {
  state: 'settled' | 'acknowledged' | 'returned';
  outcome?: DeliveryOutcome;
  request?: Delivery['request'];
  /** Nothing was delivered, and no further attempt follows. */
  isDead?: boolean;
}

function isTaken({ state, outcome }: DeliveryEnd): boolean | null {
  return outcome ? isDelivered(outcome) : state === 'acknowledged' ? true : null;
}

export async function closeDelivery(
  tx: Tx,
  delivery: { orgId: string; subject: string; attempt: number },
  end: DeliveryEnd,
): Promise<void> {
  await tx.run(
    named(
      'delivery.close',
      sql`
      update deliveries set state = ${end.state}, ended_at = clock_timestamp(), is_dead = ${end.isDead ?? false}, is_delivered = ${isTaken(end)},
        outcome = ${end.outcome ? JSON.stringify(end.outcome) : null}, request = ${end.request ? JSON.stringify(end.request) : null}
      where org_id = ${delivery.orgId} and subject = ${delivery.subject} and attempt = ${delivery.attempt}`,
    ),
  );
  // Delivered after all, or given up once more: of one subject at most the last attempt is a dead letter.
  if (delivery.attempt > 1 && (end.isDead || isTaken(end)))
    await tx.run(sql`
      update deliveries set is_dead = false
      where org_id = ${delivery.orgId} and subject = ${delivery.subject} and attempt <> ${delivery.attempt} and is_dead`);
}

export interface DeliveryRow {
  subject: string;
  attempt: number;
  holder: string;
  state: Delivery['state'];
  request: NonNullable<Delivery['request']> | null;
  outcome: DeliveryOutcome | null;
  is_dead: boolean;
  started_at: Date;
  ended_at: Date | null;
  replay_id: string | null;
  requested_by: Record<string, unknown> | null;
}

function toDelivery(row: DeliveryRow): Delivery {
  return {
    attempt: row.attempt,
    holder: row.holder,
    state: row.state,
    startedAt: row.started_at.toISOString(),
    ...(row.ended_at ? { endedAt: row.ended_at.toISOString() } : {}),
    ...(row.request ? { request: row.request } : {}),
    ...(row.outcome ? { outcome: row.outcome } : {}),
    ...(row.is_dead ? { isDead: true } : {}),
    ...(row.replay_id ? { replay: { id: row.replay_id, by: nameOf(row.requested_by) } } : {}),
  };
}

/** How many dead letters there are, of all organizations. One range of a partial index. */
export async function countDeadLetters(tx: Tx): Promise<{ runs: number; messages: number }> {
  return tx.one(sql`
    select (count(*) filter (where subject like 'r\\_%'))::int as runs,
      (count(*) filter (where subject not like 'r\\_%'))::int as messages
    from deliveries where is_dead`);
}

/** All attempts of one subject, oldest first. */
export async function listDeliveriesOf(tx: Tx, orgId: string, subject: string): Promise<Delivery[]> {
  const rows = await tx.many<DeliveryRow>(
    sql`
      select d.*, r.requested_by from deliveries d left join replays r on r.org_id = d.org_id and r.id = d.replay_id
      where d.org_id = ${orgId} and d.subject = ${subject} order by d.attempt`,
  );
  return rows.map(toDelivery);
}

export async function findDeliveryState(
  tx: Tx,
  orgId: string,
  subject: string,
  attempt: number,
): Promise<Delivery['state'] | undefined> {
  const row = await tx.find<{ state: Delivery['state'] }>(
    sql`select state from deliveries where org_id = ${orgId} and subject = ${subject} and attempt = ${attempt}`,
  );
  return row?.state;
}

/** Which attempts: the filter of a page of the ledger. */
export interface LedgerFilter {
  kind?: SubjectKind;
  runId?: string;
  action?: string;
  holder?: string;
  state?: Delivery['state'];
  dead?: boolean;
  replay?: string;
  from?: Date;
  to?: Date;
  /** Leaves out messages, and private runs that this user neither asked for nor approves. */
  visibleTo?: string;
}

/** Where a page begins: behind this attempt. Instants as text, because a Date has no microseconds. */
export interface LedgerCursor {
  startedAt: string;
  subject: string;
  attempt: number;
}

export type LedgerRow = Omit<DeliveryRow, 'request' | 'requested_by'> & {
  request: { method: string; url: string } | null;
  kind: SubjectKind;
  run_id: string | null;
  action: string | null;
  blueprint: string | null;
  entity: string | null;
  cursor_at: string;
};

/** Where one call of `listLedger` stopped looking. */
export type LedgerStop = Pick<LedgerRow, 'subject' | 'attempt' | 'cursor_at'>;

// A run by its id, a message by its own, and what a message is about; each one index look-up.
export const ledgerOf = (attempts: Sql): Sql => sql`${attempts} d
  left join messages m on m.org_id = d.org_id and m.id = d.subject
  left join runs r on r.org_id = d.org_id and r.id = coalesce(m.run_id, d.subject)
  left join events e on e.org_id = d.org_id and e.seq = case left(d.subject, 2) when 'e_' then substr(d.subject, 3)::bigint end`;
const aboutSubject: Sql = sql`coalesce(m.kind, case left(d.subject, 2) when 'r_' then 'run' else 'change' end) as kind,
  r.id as run_id, r.action_identifier as action, coalesce(m.blueprint, e.blueprint, r.blueprint) as blueprint,
  coalesce(m.entity, e.entity, r.entity) as entity`;

// Not by way of jsonb, which takes no \u0000, and answers have them.
const outcomeWithoutBody: Sql = sql`case when d.outcome is not null then json_build_object(
  'kind', d.outcome -> 'kind', 'statusCode', d.outcome -> 'statusCode', 'durationMs', d.outcome -> 'durationMs',
  'code', d.outcome -> 'code', 'message', d.outcome -> 'message', 'timeoutMs', d.outcome -> 'timeoutMs',
  'recipients', d.outcome -> 'recipients', 'rejected', d.outcome -> 'rejected', 'blueprint', d.outcome -> 'blueprint',
  'entity', d.outcome -> 'entity', 'topic', d.outcome -> 'topic', 'isBodyTruncated', d.outcome -> 'isBodyTruncated',
  'headers', json_build_object('location', d.outcome #> '{headers,location}')) end`;

export function conditions(orgId: string, filter: LedgerFilter): Sql {
  const where: Sql[] = [sql`d.org_id = ${orgId}`];
  if (filter.kind === 'run') where.push(sql`d.subject like 'r\\_%'`);
  else if (filter.kind === 'change') where.push(sql`(m.kind = 'change' or d.subject like 'e\\_%')`);
  else if (filter.kind !== undefined) where.push(sql`m.kind = ${filter.kind}`);
  if (filter.runId !== undefined) where.push(sql`r.id = ${filter.runId}`);
  if (filter.action !== undefined) where.push(sql`r.action_identifier = ${filter.action}`);
  if (filter.holder?.endsWith('*')) where.push(sql`starts_with(d.holder, ${filter.holder.slice(0, -1)})`);
  else if (filter.holder !== undefined) where.push(sql`d.holder = ${filter.holder}`);
  if (filter.state !== undefined) where.push(sql`d.state = ${filter.state}`);
  if (filter.dead === true) where.push(sql`d.is_dead`);
  else if (filter.dead === false) where.push(sql`not d.is_dead`);
  if (filter.replay !== undefined) where.push(sql`d.replay_id = ${filter.replay}`);
  if (filter.from !== undefined) where.push(sql`d.started_at >= ${filter.from}`);
  if (filter.to !== undefined) where.push(sql`d.started_at < ${filter.to}`);
  if (filter.visibleTo !== undefined)
    where.push(sql`d.subject like 'r\\_%' and r.id is not null and (not r.is_private or r.created_by = ${filter.visibleTo} or exists (
      select from run_approvers p where p.org_id = r.org_id and p.run_id = r.id and p.user_id = ${filter.visibleTo}))`);
  return join(where, ' and ');
}

/** What of a filter is a range of an index of `deliveries d`: the least that has to be looked through. */
export function reach(orgId: string, filter: LedgerFilter): Sql {
  const where: Sql[] = [sql`d.org_id = ${orgId}`];
  if (filter.dead === true) where.push(sql`d.is_dead`);
  if (filter.replay !== undefined) where.push(sql`d.replay_id = ${filter.replay}`);
  if (filter.from !== undefined) where.push(sql`d.started_at >= ${filter.from}`);
  if (filter.to !== undefined) where.push(sql`d.started_at < ${filter.to}`);
  if (filter.runId !== undefined)
    where.push(sql`d.subject = any(array(
      select ${filter.runId} union all select id from messages where org_id = ${orgId} and run_id = ${filter.runId}))`);
  return join(where, ' and ');
}

/**
 * A page of attempts, newest first. Costs what it walks over: rare matches of a filter are looked for among all, but not
 * among more than `maxSearched`; `stop` = where it gave up.
 */
export async function listLedger(
  tx: Tx,
  orgId: string,
  filter: LedgerFilter,
  page: { limit: number; after?: LedgerCursor | undefined },
): Promise<{ rows: LedgerRow[]; stop?: LedgerStop | undefined }> {
  const { after } = page;
  const behind = after
    ? sql` and (d.started_at, d.subject, d.attempt) < (${after.startedAt}::timestamptz, ${after.subject}, ${after.attempt}::int)`
    : sql``;
  const cursorAt = sql`to_char(d.started_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as cursor_at`;
  const newest = sql`order by d.started_at desc, d.subject desc, d.attempt desc`;
  const stretch = sql`deliveries d where ${reach(orgId, filter)}${behind} ${newest}`;
  const rows = await tx.many<LedgerRow>(sql`
    select d.subject, d.attempt, d.holder, d.state, d.is_dead, d.started_at, d.ended_at, d.replay_id,
      json_build_object('method', d.request -> 'method', 'url', d.request -> 'url') as request,
      ${outcomeWithoutBody} as outcome,
      ${cursorAt}, ${aboutSubject}
    from ${ledgerOf(sql`(select d.* from ${stretch} limit ${maxSearched})`)} where ${conditions(orgId, filter)}
    ${newest} limit ${page.limit}`);
  const stop =
    rows.length < page.limit
      ? await tx.find<LedgerStop>(
          sql`select d.subject, d.attempt, ${cursorAt} from ${stretch} offset ${maxSearched - 1} limit 1`,
        )
      : undefined;
  return { rows: rows.map((row) => ({ ...row, outcome: row.outcome && compact(row.outcome) })), stop };
}

/** Fields that its kind does not have are null in the row. */
function compact({ headers, ...fields }: Record<string, unknown> & { headers?: unknown }): DeliveryOutcome {
  const { location } = headers as { location: string | null };
  const known = Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== null));
  return { ...known, body: '', headers: location === null ? {} : { location } } as unknown as DeliveryOutcome;
}

export interface SubjectRow {
  kind: SubjectKind;
  run_id: string | null;
  action: string | null;
  blueprint: string | null;
  entity: string | null;
  isSynchronized: boolean;
}

export async function findSubject(
  tx: Tx,
  orgId: string,
  subject: string,
  filter: Pick<LedgerFilter, 'visibleTo'>,
): Promise<SubjectRow | undefined> {
  return tx.find(sql`
    select ${aboutSubject}, coalesce(left(d.subject, 2) = 'r_' and (r.payload ->> 'synchronized')::boolean, false) as "isSynchronized"
    from ${ledgerOf(sql`deliveries`)} where ${conditions(orgId, filter)} and d.subject = ${subject} limit 1`);
}

/** What is open for the subject; GitHub's workflow runs are watched, not delivered. */
export async function findOpenWork(tx: Tx, orgId: string, subject: string): Promise<OpenWork | undefined> {
  return tx.find(sql`
    select holder, case when due_at <> 'infinity' then due_at end as "dueAt", tries
    from work where org_id = ${orgId} and key = ${subject} and queue <> 'github'`);
}
