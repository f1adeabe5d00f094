import { maxRunsArranged, type RunGroup, type RunSort, type RunStatus, runStatuses } from '@quayside/contracts';
import { join, type Sql, sql, type Tx } from '../../platform/db.ts';
import type { StoredRun } from './model.ts';
import { findRuns, fromRuns, runColumns } from './store.ts';

export interface RunFilter {
  entity?: string;
  blueprint?: string;
  active?: boolean;
  createdBy?: string;
  externalRunId?: string;
  action?: string;
  statuses?: readonly RunStatus[];
  sources?: readonly string[];
  exclude?: readonly string[];
  before?: Date;
  /** By its place in the list: instants are no order, many runs may share one. */
  beforeRun?: string;
  /** Leaves out private runs that this user neither asked for nor approves. */
  visibleTo?: string;
  /** Only runs that wait for this user's decision. */
  awaiting?: string;
  arrangement?: Arrangement;
  limit: number;
}

/** An order that no index has. What is absent counts as it does in a plain list: everything, the newest first. */
export interface Arrangement {
  text?: string;
  group?: RunGroup;
  sort: RunSort;
  isDescending: boolean;
  offset: number;
}

export async function listRuns(tx: Tx, orgId: string, filter: RunFilter): Promise<StoredRun[]> {
  const where = conditionsOf(orgId, filter);
  if (filter.arrangement) return listArranged(tx, orgId, where, filter.arrangement, filter.limit);
  return tx.many<StoredRun>(
    sql`select ${runColumns} from ${fromRuns} where ${where} order by r.seq desc limit ${filter.limit}`,
  );
}

function conditionsOf(orgId: string, filter: RunFilter): Sql {
  const where: Sql[] = [sql`r.org_id = ${orgId}`];
  if (filter.entity !== undefined) where.push(sql`r.entity = ${filter.entity}`);
  if (filter.blueprint !== undefined) where.push(sql`r.blueprint = ${filter.blueprint}`);
  if (filter.active === true) where.push(sql`r.status in ('WAITING_FOR_APPROVAL', 'IN_PROGRESS')`);
  if (filter.active === false) where.push(sql`r.status not in ('WAITING_FOR_APPROVAL', 'IN_PROGRESS')`);
  if (filter.createdBy !== undefined) where.push(sql`r.created_by = ${filter.createdBy}`);
  if (filter.externalRunId !== undefined) where.push(sql`r.external_run_id = ${filter.externalRunId}`);
  if (filter.action !== undefined) where.push(sql`r.action_identifier = ${filter.action}`);
  if (filter.statuses !== undefined) where.push(sql`r.status = any(${filter.statuses})`);
  if (filter.sources !== undefined) where.push(sql`r.source = any(${filter.sources})`);
  if (filter.exclude !== undefined) where.push(sql`r.id <> all(${filter.exclude})`);
  if (filter.before !== undefined) where.push(sql`r.created_at < ${filter.before}`);
  if (filter.beforeRun !== undefined)
    where.push(sql`r.seq < (select seq from runs where org_id = ${orgId} and id = ${filter.beforeRun})`);
  if (filter.visibleTo !== undefined)
    where.push(sql`(not r.is_private or r.created_by = ${filter.visibleTo} or exists (
      select from run_approvers p where p.org_id = r.org_id and p.run_id = r.id and p.user_id = ${filter.visibleTo}))`);
  if (filter.awaiting !== undefined)
    where.push(sql`r.status = 'WAITING_FOR_APPROVAL' and exists (select from run_approvers p
      where p.org_id = r.org_id and p.run_id = r.id and p.user_id = ${filter.awaiting} and p.state = 'PENDING')`);
  return join(where, ' and ');
}

/**
 * Looks at the newest runs that the filters leave, at most `maxRunsArranged`: an index for each order would cost every
 * execute, and this costs only who asks. Titles are read once for each action, not once for each run.
 */
async function listArranged(
  tx: Tx,
  orgId: string,
  where: Sql,
  { text, group, sort, isDescending, offset }: Arrangement,
  limit: number,
): Promise<StoredRun[]> {
  const direction = isDescending ? sql`desc nulls last` : sql`asc nulls last`;
  const order = [
    ...(group ? [...groupOrders[group]] : []),
    sql`${sortOrders[sort]} ${direction}`,
    sql`newest.seq desc`,
  ];
  const pattern = `%${(text ?? '').replace(/[\\%_]/g, '\\$&')}%`;
  const found = text === undefined ? sql`true` : sql`concat_ws(chr(10), ${join(searched)}) ilike ${pattern}`;
  const rows = await tx.many<{ id: string }>(sql`
    with titles as materialized (
      select id, coalesce(document ->> 'title', identifier) as title from actions where org_id = ${orgId}
    ), newest as (
      select r.* from runs r where ${where} order by r.seq desc limit ${maxRunsArranged}
    )
    select newest.id from newest
      left join titles on titles.id = newest.action_id
      left join users u on u.org_id = newest.org_id and u.id = newest.created_by
      left join credentials c on c.org_id = newest.org_id and c.id = newest.created_by
      left join blueprints b on b.org_id = newest.org_id and b.identifier = newest.blueprint
      left join entities e on e.org_id = newest.org_id and e.blueprint_id = b.id and e.identifier = newest.entity
    where ${found} order by ${join(order)} limit ${limit} offset ${offset}`);
  const runs = await findRuns(
    tx,
    orgId,
    rows.map(({ id }) => id),
  );
  const byId = new Map(runs.map((run) => [run.id, run]));
  return rows.flatMap(({ id }) => byId.get(id) ?? []);
}

const actionTitle = sql`lower(coalesce(titles.title, newest.action_identifier))`;
const entityTitle = sql`lower(coalesce(e.title, newest.entity))`;
const requester = sql`lower(coalesce(u.email, c.name, newest.created_by))`;
const status = sql`array_position(${runStatuses}::text[], newest.status)`;

/** What a run is found by: everything that its row in a table may say. */
const searched: readonly Sql[] = [
  sql`newest.id`,
  sql`newest.action_identifier`,
  sql`titles.title`,
  sql`newest.entity`,
  sql`e.title`,
  sql`newest.status_label`,
  sql`newest.summary`,
  sql`newest.external_run_id`,
  sql`u.email`,
  sql`u.first_name || ' ' || u.last_name`,
  sql`c.name`,
  sql`newest.raw_properties::text`,
];

const sortOrders: Readonly<Record<RunSort, Sql>> = {
  started: sql`newest.seq`,
  ended: sql`newest.ended_at`,
  duration: sql`coalesce(newest.ended_at, now()) - newest.created_at`,
  action: actionTitle,
  entity: entityTitle,
  status,
};

/** The last of each tells apart what is called the same, so that a group is in one piece. */
const groupOrders: Readonly<Record<RunGroup, readonly Sql[]>> = {
  action: [actionTitle, sql`newest.action_identifier`],
  entity: [sql`${entityTitle} nulls last`, sql`newest.blueprint`, sql`newest.entity`],
  status: [status],
  requester: [requester, sql`newest.created_by`],
  source: [sql`newest.source`],
};
