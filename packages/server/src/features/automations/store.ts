import type { Evaluation, EvaluationCounts, EvaluationOutcome } from '@quayside/contracts';
import { join, named, sql, type Tx } from '../../platform/db.ts';
import type { Counts, EvaluationRecord } from './model.ts';

/** Runs that the chain has caused so far; stops counting at `limit`. */
export async function countChainRuns(tx: Tx, orgId: string, root: number, limit: number): Promise<number> {
  const row = await tx.one<{ count: number }>(sql`
    select count(*)::int as count
    from (select from runs where org_id = ${orgId} and root = ${root} limit ${limit}) counted`);
  return row.count;
}

/** Undone by `undoTo`, without the rest of the transaction. */
export async function savepoint(tx: Tx): Promise<void> {
  await tx.run(sql`savepoint firing`);
}

export async function undoToSavepoint(tx: Tx): Promise<void> {
  await tx.run(sql`rollback to savepoint firing`);
}

export async function insertEvaluations(tx: Tx, orgId: string, records: readonly EvaluationRecord[]): Promise<void> {
  if (records.length === 0) return;
  const rows = records.map(
    ({ actionId, outcome, because, conditions, eventSeq, event, runId }) => sql`(${orgId}, ${actionId}, ${outcome},
      ${because}, ${JSON.stringify(conditions)}, ${eventSeq}, ${JSON.stringify(event)}, ${runId})`,
  );
  await tx.run(sql`
    insert into automation_evaluations (org_id, action_id, outcome, because, conditions, event_seq, event, run_id)
    values ${join(rows)}`);
}

/** Leaves the newest of each automation: of those that did nothing, and of the others, so that neither pushes the other out. */
export async function trimEvaluations(
  tx: Tx,
  orgId: string,
  actionIds: readonly string[],
  kept: number,
): Promise<void> {
  await tx.run(
    named(
      'automation.trim',
      sql`
      delete from automation_evaluations e using (
        select ids.id as action_id, kinds.is_quiet, (
          select n.id from automation_evaluations n
          where n.org_id = ${orgId} and n.action_id = ids.id and (n.outcome = 'not_fired') = kinds.is_quiet
          order by n.id desc offset ${kept} limit 1
        ) as newest_id
        from unnest(${actionIds}::text[]) as ids (id) cross join (values (true), (false)) as kinds (is_quiet)
      ) old
      where e.org_id = ${orgId} and e.action_id = old.action_id and (e.outcome = 'not_fired') = old.is_quiet and e.id <= old.newest_id`,
    ),
  );
}

/** By the automation's id. */
export async function addCounts(tx: Tx, orgId: string, counts: ReadonlyMap<string, Counts>): Promise<void> {
  const rows = [...counts].map(([actionId, count]) => ({ action_id: actionId, ...count }));
  await tx.run(
    named(
      'automation.count',
      sql`
      insert into automation_counts as c (org_id, action_id, fired, not_fired, failed, blocked)
      select ${orgId}, n.* from json_to_recordset(${JSON.stringify(rows)})
        as n (action_id text, fired bigint, not_fired bigint, failed bigint, blocked bigint)
      on conflict (org_id, action_id) do update set
        fired = c.fired + excluded.fired, not_fired = c.not_fired + excluded.not_fired,
        failed = c.failed + excluded.failed, blocked = c.blocked + excluded.blocked`,
    ),
  );
}

export async function readCounts(tx: Tx, orgId: string, actionId: string): Promise<EvaluationCounts> {
  const row = await tx.find<EvaluationCounts>(sql`
    select fired, not_fired as "notFired", failed, blocked from automation_counts
    where org_id = ${orgId} and action_id = ${actionId}`);
  return row ?? { fired: 0, notFired: 0, failed: 0, blocked: 0 };
}

/** Newest first. */
export async function listEvaluations(
  tx: Tx,
  orgId: string,
  actionId: string,
  filter: { outcome?: EvaluationOutcome | undefined; limit: number },
): Promise<Evaluation[]> {
  const only = filter.outcome === undefined ? sql`` : sql`and outcome = ${filter.outcome}`;
  const rows = await tx.many<
    Omit<Evaluation, 'id' | 'at' | 'runId'> & { id: number; at: Date; runId: string | null }
  >(sql`
    select id, at, outcome, because, conditions, event, run_id as "runId" from automation_evaluations
    where org_id = ${orgId} and action_id = ${actionId} ${only}
    order by id desc limit ${filter.limit}`);
  return rows.map(({ id, at, runId, ...rest }) => ({
    id: String(id),
    at: at.toISOString(),
    ...rest,
    ...(runId === null ? {} : { runId }),
  }));
}
