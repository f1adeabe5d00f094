import type { AffectedEntity } from '@quayside/contracts';
import { sql, type Tx } from '../../platform/db.ts';

interface ChangeRow {
  name: string;
  blueprint: string;
  entity: string;
  at: Date;
  origin: string;
  actor: { userId: string; user?: { email?: string } };
}

const operations: Readonly<Record<string, AffectedEntity['operation']>> = {
  'entity.created': 'CREATE',
  'entity.updated': 'UPDATE',
  'entity.deleted': 'DELETE',
};

/** Catalog changes that carry the run's id, from the one record of what happened. */
export async function listAffectedEntities(tx: Tx, orgId: string, runId: string): Promise<AffectedEntity[]> {
  const rows = await tx.many<ChangeRow>(sql`
    select name, blueprint, entity, at, origin, actor from events
    where org_id = ${orgId} and run_id = ${runId} and resource = 'entity' order by seq limit 1000`);
  return rows.map((row) => ({
    blueprint: row.blueprint,
    entity: row.entity,
    operation: operations[row.name] ?? 'UPDATE',
    at: row.at.toISOString(),
    by: row.actor.user?.email ?? row.actor.userId,
    origin: row.origin,
  }));
}
