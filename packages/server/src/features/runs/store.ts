import type { RunLog, RunStatus } from '@quayside/contracts';
import { join, named, type Sql, sql, type Tx } from '../../platform/db.ts';
import type { StoredRun } from './model.ts';

// The aliases are the field names, so a row is the object.
export const runColumns: Sql = sql`r.id, r.seq, r.action_id as "actionId", r.action_identifier as "actionIdentifier", r.blueprint, r.entity,
  r.status, r.status_label as "statusLabel", r.link, r.summary, r.external_run_id as "externalRunId", r.source,
  r.required_approval as "requiredApproval", r.is_private as "isPrivate", r.approval, r.raw_properties as "rawProperties", r.properties, r.payload, r.sealed_payload as "sealedPayload", r.response,
  r.installation_id as "installationId", r.created_by as "createdBy", r.impersonated_by as "impersonatedBy",
  r.updated_by as "updatedBy", r.created_at as "createdAt", r.updated_at as "updatedAt", r.ended_at as "endedAt",
  w.replay_id is not null as "isReplayed", coalesce(w.due_at < 'infinity', false) as "isPending", case when w.holder is not null then w.due_at end as "claimedUntil",
  a.id is null as "isActionDeleted", a.document ->> 'title' as "actionTitle", a.document ->> 'icon' as "actionIcon",
  bp.id is null as "isBlueprintDeleted", bp.document ->> 'title' as "blueprintTitle", bp.document ->> 'icon' as "blueprintIcon",
  en.id is null as "isEntityDeleted", en.title as "entityTitle", en.icon as "entityIcon"`;

/** A run refers by value to what it was about; titles and icons are those of today, each one index look-up. */
const besideRun: Sql = sql`
  left join work w on w.org_id = r.org_id and w.key = r.id and w.queue <> 'github'
  left join actions a on a.org_id = r.org_id and a.id = r.action_id
  left join blueprints bp on bp.org_id = r.org_id and bp.identifier = r.blueprint
  left join entities en on en.org_id = r.org_id and en.blueprint_id = bp.id and en.identifier = r.entity`;
export const fromRuns: Sql = sql`runs r ${besideRun}`;
/** `write` = an insert or update of one run: answers with the run as it is then. */
const written = (write: Sql): Sql => sql`with r as (${write} returning *) select ${runColumns} from r ${besideRun}`;

/** Where in a chain of automations (0013_automations.sql). */
export interface Cause {
  depth: number;
  /** The event that began the chain; null = this is its beginning. */
  root: number | null;
  /** The event that started the automation; null = no automation. */
  eventSeq: number | null;
}

export async function insertRun(
  tx: Tx,
  orgId: string,
  run: Pick<
    StoredRun,
    | 'id'
    | 'actionId'
    | 'actionIdentifier'
    | 'blueprint'
    | 'entity'
    | 'status'
    | 'source'
    | 'requiredApproval'
    | 'isPrivate'
    | 'rawProperties'
    | 'properties'
    | 'createdBy'
    | 'impersonatedBy'
  > &
    Cause,
): Promise<StoredRun> {
  return tx.one<StoredRun>(
    named(
      'run.insert',
      written(sql`
      insert into runs (org_id, id, action_id, action_identifier, blueprint, entity, status, source, required_approval, is_private,
        raw_properties, properties, created_by, impersonated_by, updated_by, depth, root, event_seq)
      values (${orgId}, ${run.id}, ${run.actionId}, ${run.actionIdentifier}, ${run.blueprint}, ${run.entity}, ${run.status},
        ${run.source}, ${JSON.stringify(run.requiredApproval)}, ${run.isPrivate}, ${JSON.stringify(run.rawProperties)}, ${JSON.stringify(run.properties)},
        ${run.createdBy}, ${run.impersonatedBy}, ${run.createdBy}, ${run.depth}, ${run.root}, ${run.eventSeq})`),
    ),
  );
}

export async function findCause(tx: Tx, orgId: string, id: string): Promise<{ depth: number; root: number | null }> {
  return tx.one(sql`select depth, root from runs where org_id = ${orgId} and id = ${id}`);
}

export async function findRun(tx: Tx, orgId: string, id: string): Promise<StoredRun | undefined> {
  return tx.find<StoredRun>(
    named('run.find', sql`select ${runColumns} from ${fromRuns} where r.org_id = ${orgId} and r.id = ${id}`),
  );
}

export async function findRuns(tx: Tx, orgId: string, ids: readonly string[]): Promise<StoredRun[]> {
  return tx.many<StoredRun>(
    named('run.findMany', sql`select ${runColumns} from ${fromRuns} where r.org_id = ${orgId} and r.id = any(${ids})`),
  );
}

/**
 * Locks the run until the transaction ends. Lock order is run before work, everywhere. NO KEY UPDATE lets other
 * transactions insert rows that refer to the run (a claim's delivery) meanwhile.
 */
export async function lockRun(tx: Tx, orgId: string, id: string): Promise<StoredRun | undefined> {
  // After a wait the run is as its last writer left it; titles and the rest beside it may be as old as the wait.
  return tx.find<StoredRun>(
    named(
      'run.lock',
      sql`select ${runColumns} from ${fromRuns} where r.org_id = ${orgId} and r.id = ${id} for no key update of r`,
    ),
  );
}

/** `lockRun` for those of them that nobody has locked. */
export async function lockFreeRuns(tx: Tx, orgId: string, ids: readonly string[]): Promise<StoredRun[]> {
  if (ids.length === 0) return [];
  return tx.many<StoredRun>(
    sql`select ${runColumns} from ${fromRuns} where r.org_id = ${orgId} and r.id = any(${ids})
      for no key update of r skip locked`,
  );
}

export interface RunChange {
  status?: { from: RunStatus; to: RunStatus; isFinal: boolean };
  statusLabel?: string | null;
  link?: string | string[];
  summary?: string;
  externalRunId?: string;
  approval?: Record<string, unknown>;
  payload?: Record<string, unknown>;
  sealedPayload?: Buffer;
  installationId?: string;
  response?: unknown;
}

/** Which columns an update writes, as a short name: a prepared statement's is cut off after 63 characters. */
const columnsOfUpdate = [
  'statusLabel',
  'link',
  'summary',
  'externalRunId',
  'approval',
  'payload',
  'installationId',
  'sealedPayload',
  'response',
] as const;
function shapeOf(change: RunChange): string {
  const flags = columnsOfUpdate.map((name) => (change[name] === undefined ? '0' : '1')).join('');
  return `${flags}${change.status ? (change.status.isFinal ? 'f' : 's') : ''}`;
}

/**
 * Writes what changed. With a status, the row must still be where the transition started; undefined = somebody was faster
 * (impossible while the run is locked, and guarded all the same).
 */
export async function updateRun(
  tx: Tx,
  orgId: string,
  id: string,
  by: string,
  change: RunChange,
): Promise<StoredRun | undefined> {
  const set: Sql[] = [sql`updated_at = now()`, sql`updated_by = ${by}`];
  if (change.status) {
    set.push(sql`status = ${change.status.to}`);
    if (change.status.isFinal) set.push(sql`ended_at = now()`);
  }
  if (change.statusLabel !== undefined) set.push(sql`status_label = ${change.statusLabel}`);
  if (change.link !== undefined) set.push(sql`link = ${JSON.stringify(change.link)}`);
  if (change.summary !== undefined) set.push(sql`summary = ${change.summary}`);
  if (change.externalRunId !== undefined) set.push(sql`external_run_id = ${change.externalRunId}`);
  if (change.approval !== undefined) set.push(sql`approval = ${JSON.stringify(change.approval)}`);
  if (change.payload !== undefined) set.push(sql`payload = ${JSON.stringify(change.payload)}`);
  if (change.installationId !== undefined) set.push(sql`installation_id = ${change.installationId}`);
  if (change.sealedPayload !== undefined) set.push(sql`sealed_payload = ${change.sealedPayload}`);
  if (change.response !== undefined) set.push(sql`response = ${JSON.stringify(change.response)}`);
  const guard = change.status ? sql` and status = ${change.status.from}` : sql``;
  const write = sql`update runs set ${join(set)} where org_id = ${orgId} and id = ${id}${guard}`;
  return tx.find<StoredRun>(named(`run.update.${shapeOf(change)}`, written(write)));
}

interface LogRow {
  line: number;
  run_id: string;
  message: string;
  created_by: string;
  created_at: Date;
}

const toLog = (row: LogRow): RunLog => ({
  id: `${row.run_id}:${row.line}`,
  line: row.line,
  runId: row.run_id,
  message: row.message,
  createdBy: row.created_by,
  createdAt: row.created_at.toISOString(),
});

/** The run must be locked by this transaction (or created in it), so that its lines have numbers without gaps. */
export async function insertLogs(
  tx: Tx,
  orgId: string,
  runId: string,
  by: string,
  messages: readonly string[],
): Promise<RunLog[]> {
  if (messages.length === 0) return [];
  // NUL can not be stored in PostgreSQL text; real pipelines send it now and then.
  const texts = messages.map((message) => message.replaceAll('\0', '\uFFFD'));
  const inserted = await tx.many<LogRow>(
    named(
      'run.addLogs',
      sql`
      insert into run_logs (org_id, run_id, line, message, created_by)
      select ${orgId}, ${runId},
        (coalesce((select max(line) from run_logs where org_id = ${orgId} and run_id = ${runId}), 0) + added.position)::int,
        added.message, ${by}
      from unnest(${texts}::text[]) with ordinality as added (message, position)
      order by added.position
      returning line, run_id, message, created_by, created_at`,
    ),
  );
  return inserted.map(toLog);
}

/** Lines after the `after`th, oldest first. Costs what it returns, wherever in the log that is. */
export async function listLogs(
  tx: Tx,
  orgId: string,
  runId: string,
  page: { after: number; limit: number },
): Promise<RunLog[]> {
  const rows = await tx.many<LogRow>(
    named(
      'run.logs',
      sql`
      select line, run_id, message, created_by, created_at from run_logs
      where org_id = ${orgId} and run_id = ${runId} and line > ${page.after} order by line limit ${page.limit}`,
    ),
  );
  return rows.map(toLog);
}

export async function countLogs(tx: Tx, orgId: string, runId: string): Promise<number> {
  const { count } = await tx.one<{ count: number }>(
    sql`select coalesce(max(line), 0)::int as count from run_logs where org_id = ${orgId} and run_id = ${runId}`,
  );
  return count;
}

/** How many lines contain the text (in any case), and the numbers of the first of them after `after`. Reads the whole log. */
export async function searchLogs(
  tx: Tx,
  orgId: string,
  runId: string,
  search: { text: string; after: number; limit: number },
): Promise<{ count: number; lines: number[] }> {
  const pattern = `%${search.text.replace(/[\\%_]/g, '\\$&')}%`;
  return tx.one(sql`
    with found as materialized (
      select line from run_logs where org_id = ${orgId} and run_id = ${runId} and message ilike ${pattern}
    )
    select (select count(*) from found)::int as count,
      coalesce((
        select json_agg(line order by line)
        from (select line from found where line > ${search.after} order by line limit ${search.limit}) first
      ), '[]') as lines`);
}
