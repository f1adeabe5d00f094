import { type AuditRecord, recordIdentifier } from '@quayside/contracts';
import { join, type Sql, sql, type Tx } from '../../platform/db.ts';

export interface AuditFilter {
  identifier?: string;
  entity?: string;
  blueprint?: string;
  runId?: string;
  action?: string;
  status?: string;
  origins?: readonly string[];
  resources?: readonly string[];
  /** E-mail, name of a credential, or id of either. */
  by?: string;
  actionType?: 'automation' | 'self-service';
  from?: Date;
  to?: Date;
  /** Leaves out private runs that this user neither asked for nor approves. */
  visibleTo?: string;
  limit: number;
}

interface EventRow {
  seq: number;
  name: string;
  at: Date;
  actor: Record<string, unknown>;
  origin: string;
  resource: string;
  subject: string;
  blueprint: string | null;
  entity: string | null;
  property: string | null;
  run_id: string | null;
  status: 'SUCCESS' | 'FAILURE';
  message: string | null;
  before: unknown;
  after: unknown;
}

/** Verbs of event names → the three actions of the contract. */
const actionOf: Readonly<Record<string, AuditRecord['action']>> = {
  created: 'CREATE',
  deleted: 'DELETE',
  ended: 'DELETE',
  timer_expired: 'TIMER_EXPIRED',
};
/** Of a refused write, by its method. */
const triedOf: Readonly<Record<string, AuditRecord['action']>> = { POST: 'CREATE', DELETE: 'DELETE' };
const isTried = (method: string): Sql => sql`(name like '%.refused' and after->>'method' = ${method})`;

export async function listEvents(tx: Tx, orgId: string, filter: AuditFilter): Promise<AuditRecord[]> {
  const where: Sql[] = [sql`org_id = ${orgId}`];
  if (filter.identifier !== undefined) where.push(sql`subject = ${filter.identifier}`);
  if (filter.entity !== undefined) where.push(sql`entity = ${filter.entity}`);
  if (filter.blueprint !== undefined) where.push(sql`blueprint = ${filter.blueprint}`);
  if (filter.runId !== undefined) where.push(sql`run_id = ${filter.runId}`);
  if (filter.status !== undefined) where.push(sql`status = ${filter.status}`);
  if (filter.origins !== undefined) where.push(sql`origin = any(${filter.origins})`);
  if (filter.resources !== undefined) where.push(sql`resource = any(${filter.resources})`);
  if (filter.by !== undefined)
    where.push(
      sql`${filter.by} in (actor->>'userId', actor->'user'->>'email', actor->'user'->>'name', actor->'machine'->>'name')`,
    );
  if (filter.actionType !== undefined)
    where.push(sql`exists (select from runs r where r.org_id = events.org_id and r.id = events.run_id
      and (r.source = 'AUTOMATION') = ${filter.actionType === 'automation'})`);
  if (filter.from !== undefined) where.push(sql`at >= ${filter.from}`);
  if (filter.to !== undefined) where.push(sql`at <= ${filter.to}`);
  if (filter.action === 'CREATE') where.push(sql`(name like '%.created' or ${isTried('POST')})`);
  else if (filter.action === 'DELETE')
    where.push(sql`(name like '%.deleted' or name like '%.ended' or ${isTried('DELETE')})`);
  else if (filter.action === 'TIMER_EXPIRED') where.push(sql`name = 'entity.timer_expired'`);
  else if (filter.action === 'UPDATE')
    where.push(
      sql`name not like '%.created' and name not like '%.deleted' and name not like '%.ended' and name <> 'entity.timer_expired'
        and not ${isTried('POST')} and not ${isTried('DELETE')}`,
    );
  if (filter.visibleTo !== undefined)
    where.push(sql`(run_id is null or not exists (
      select from runs r where r.org_id = events.org_id and r.id = events.run_id and r.is_private and r.created_by <> ${filter.visibleTo}
        and not exists (select from run_approvers p where p.org_id = r.org_id and p.run_id = r.id and p.user_id = ${filter.visibleTo})))`);
  const rows = await tx.many<EventRow>(
    sql`select * from events where ${join(where, ' and ')} order by seq desc limit ${filter.limit}`,
  );
  return rows.map(toRecord);
}

function toRecord(row: EventRow): AuditRecord {
  const verb = row.name.split('.')[1] ?? '';
  const tried = verb === 'refused' ? (row.after as { method: string; path: string; error: string }) : undefined;
  return {
    identifier: recordIdentifier(row.seq),
    action: (tried ? triedOf[tried.method] : actionOf[verb]) ?? 'UPDATE',
    resourceType: row.resource,
    status: row.status,
    ...(row.message ? { message: row.message } : {}),
    trigger: { by: row.actor, origin: row.origin, at: row.at.toISOString() },
    context: {
      ...(row.blueprint ? { blueprint: row.blueprint } : {}),
      ...(row.entity ? { entity: row.entity } : {}),
      ...(row.property ? { property: row.property } : {}),
      ...(row.run_id ? { runId: row.run_id } : {}),
      [row.resource]: row.subject,
    },
    diff: { before: row.before ?? null, after: (tried ? null : row.after) ?? null },
    ...(tried ? { additionalData: tried } : {}),
  };
}
