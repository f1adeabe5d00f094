import { type Sql, sql, type Tx } from '../../platform/db.ts';

/**
 * Each statement removes at most `limit` of what ended before `until`, oldest first, and nothing that lives: no run or
 * message that has not ended, nothing under way, nothing that a running replay is still to look at. What somebody else has
 * locked is left for the next time.
 */
export interface Batch {
  orgId: string;
  until: Date;
  limit: number;
}

/** Under way by itself or by a replay. */
const isOpen = (subject: Sql): Sql => sql`exists (select from work w where w.org_id = d.org_id and w.key = ${subject})`;

export async function removeDeliveries(tx: Tx, { orgId, until, limit }: Batch): Promise<number> {
  return tx.run(sql`
    with old as (
      select d.org_id, d.subject, d.attempt from deliveries d
      where d.org_id = ${orgId} and d.started_at < ${until} and d.state <> 'open' and not ${isOpen(sql`d.subject`)}
        -- A run that waits for its report is explained by its deliveries.
        and not exists (select from runs r where r.org_id = d.org_id and r.id = d.subject and r.ended_at is null)
        and not exists (select from replays p where p.org_id = d.org_id and p.state = 'running')
      order by d.started_at limit ${limit}
      for update of d skip locked
    )
    delete from deliveries d using old
    where d.org_id = old.org_id and d.subject = old.subject and d.attempt = old.attempt`);
}

/** Messages without deliveries, and replays that are over. */
export async function removeEmptied(tx: Tx, { orgId, until, limit }: Batch): Promise<number> {
  const messages = await tx.run(sql`
    delete from messages where org_id = ${orgId} and id in (
      select d.id from messages d
      where d.org_id = ${orgId} and d.ended_at < ${until} and d.body_removed_at is not null and not ${isOpen(sql`d.id`)}
        and not exists (select from deliveries l where l.org_id = d.org_id and l.subject = d.id)
      limit ${limit} for update skip locked
    )`);
  const replays = await tx.run(sql`
    delete from replays where org_id = ${orgId} and id in (
      select id from replays p where p.org_id = ${orgId} and p.created_at < ${until} and p.state <> 'running'
        and not exists (select from deliveries l where l.org_id = p.org_id and l.replay_id = p.id)
        and not exists (select from work w where w.org_id = p.org_id and w.replay_id = p.id)
      limit ${limit} for update skip locked
    )`);
  return Math.max(messages, replays);
}

/** The message stays, without what it said. */
export async function removeMessageBodies(tx: Tx, { orgId, until, limit }: Batch): Promise<number> {
  return tx.run(sql`
    update messages set payload = '{"type":"REMOVED"}', body_removed_at = clock_timestamp()
    where org_id = ${orgId} and id in (
      select d.id from messages d
      where d.org_id = ${orgId} and d.ended_at < ${until} and d.body_removed_at is null and not ${isOpen(sql`d.id`)}
      order by d.ended_at limit ${limit} for update skip locked
    )`);
}

/** Runs whose log is to go, oldest end first. */
export async function listRunsWithLog(tx: Tx, { orgId, until, limit }: Batch): Promise<string[]> {
  const rows = await tx.many<{ id: string }>(sql`
    select d.id from runs d
    where d.org_id = ${orgId} and d.ended_at < ${until} and d.log_removed_at is null and not ${isOpen(sql`d.id`)}
    order by d.ended_at limit ${limit} for no key update skip locked`);
  return rows.map((row) => row.id);
}

/** Returns how many lines went; fewer than `limit` = the log is empty. */
export async function removeLogLines(tx: Tx, orgId: string, runId: string, limit: number): Promise<number> {
  return tx.run(sql`
    delete from run_logs where org_id = ${orgId} and run_id = ${runId} and line in (
      select line from run_logs where org_id = ${orgId} and run_id = ${runId} order by line limit ${limit}
    )`);
}

/** Says so in the log itself, so that nobody takes it for a run that said nothing. */
export async function noteRemovedLog(tx: Tx, orgId: string, runId: string, message: string): Promise<void> {
  await tx.run(sql`
    insert into run_logs (org_id, run_id, line, message, created_by) values (${orgId}, ${runId}, 1, ${message}, 'quayside')`);
  await tx.run(sql`update runs set log_removed_at = clock_timestamp() where org_id = ${orgId} and id = ${runId}`);
}
