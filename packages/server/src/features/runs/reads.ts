import { type AffectedEntity, recordIdentifier } from '@quayside/contracts';
import { sql, type Tx } from '../../platform/db.ts';

interface ChangeRow {
  seq: number;
  name: string;
  blueprint: string;
  entity: string;
  at: Date;
  origin: string;
  actor: { userId: string; user?: { email?: string } };
  status: string;
  message: string | null;
  method: string | null;
}

const operations: Readonly<Record<string, AffectedEntity['operation']>> = {
  'entity.created': 'CREATE',
  'entity.updated': 'UPDATE',
  'entity.deleted': 'DELETE',
};

const tried: Readonly<Record<string, AffectedEntity['operation']>> = { POST: 'CREATE', DELETE: 'DELETE' };

/** Catalog changes that carry the run's id, those that were refused too, from the one record of what happened. */
export async function listAffectedEntities(tx: Tx, orgId: string, runId: string): Promise<AffectedEntity[]> {
  const rows = await tx.many<ChangeRow>(sql`
    select seq, name, blueprint, entity, at, origin, actor, status, message, case when name = 'entity.refused' then after->>'method' end as method
    from events
    where org_id = ${orgId} and run_id = ${runId} and resource = 'entity' and entity is not null order by seq limit 1000`);
  return rows.map((row) => ({
    record: recordIdentifier(row.seq),
    blueprint: row.blueprint,
    entity: row.entity,
    operation: operations[row.name] ?? tried[row.method ?? ''] ?? 'UPDATE',
    at: row.at.toISOString(),
    by: row.actor.user?.email ?? row.actor.userId,
    origin: row.origin,
    ...(row.status === 'FAILURE' ? { error: row.message ?? '' } : {}),
  }));
}
