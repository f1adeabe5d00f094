import type { Action, ActionBody, ActionLimits, ActionPermissions } from '@quayside/contracts';
import { named, sql, type Tx } from '../../platform/db.ts';

interface ActionRow {
  id: string;
  document: ActionBody;
  created_at: Date;
  created_by: string;
  updated_at: Date;
  updated_by: string;
}

const columns = sql`id, document, created_at, created_by, updated_at, updated_by`;

const toAction = (row: ActionRow): Action => ({
  id: row.id,
  ...row.document,
  createdAt: row.created_at.toISOString(),
  createdBy: row.created_by,
  updatedAt: row.updated_at.toISOString(),
  updatedBy: row.updated_by,
});

export async function findAction(tx: Tx, orgId: string, identifier: string): Promise<Action | undefined> {
  const row = await tx.find<ActionRow>(
    named('action.find', sql`select ${columns} from actions where org_id = ${orgId} and identifier = ${identifier}`),
  );
  return row && toAction(row);
}

export async function lockAction(tx: Tx, orgId: string, identifier: string): Promise<Action | undefined> {
  const row = await tx.find<ActionRow>(
    sql`select ${columns} from actions where org_id = ${orgId} and identifier = ${identifier} for update`,
  );
  return row && toAction(row);
}

export async function listActions(tx: Tx, orgId: string): Promise<Action[]> {
  return (
    await tx.many<ActionRow>(
      sql`select ${columns} from actions where org_id = ${orgId} order by created_at, identifier`,
    )
  ).map(toAction);
}

/** Those that are switched on. */
export async function listAutomations(tx: Tx, orgId: string): Promise<Action[]> {
  const rows = await tx.many<ActionRow>(
    named(
      'action.listAutomations',
      sql`
      select ${columns} from actions
      where org_id = ${orgId} and document #>> '{trigger,type}' = 'automation' and document ->> 'publish' is distinct from 'false'
      order by created_at, identifier`,
    ),
  );
  return rows.map(toAction);
}

export async function insertAction(tx: Tx, orgId: string, id: string, body: ActionBody, by: string): Promise<void> {
  await tx.run(sql`
    insert into actions (org_id, id, identifier, document, created_by, updated_by)
    values (${orgId}, ${id}, ${body.identifier}, ${JSON.stringify(body)}, ${by}, ${by})`);
}

export async function updateAction(tx: Tx, orgId: string, id: string, body: ActionBody, by: string): Promise<void> {
  await tx.run(sql`
    update actions set identifier = ${body.identifier}, document = ${JSON.stringify(body)}, updated_at = now(), updated_by = ${by}
    where org_id = ${orgId} and id = ${id}`);
}

export async function deleteAction(tx: Tx, orgId: string, id: string): Promise<void> {
  await tx.run(sql`delete from actions where org_id = ${orgId} and id = ${id}`);
}

export async function findPermissions(tx: Tx, orgId: string, id: string): Promise<ActionPermissions | undefined> {
  const row = await tx.find<{ permissions: ActionPermissions | null }>(
    named('action.permissions', sql`select permissions from actions where org_id = ${orgId} and id = ${id}`),
  );
  return row?.permissions ?? undefined;
}

/** Of the actions that have some, by id. */
export async function listPermissions(tx: Tx, orgId: string): Promise<ReadonlyMap<string, ActionPermissions>> {
  const rows = await tx.many<{ id: string; permissions: ActionPermissions }>(
    sql`select id, permissions from actions where org_id = ${orgId} and permissions is not null`,
  );
  return new Map(rows.map((row) => [row.id, row.permissions]));
}

export async function updatePermissions(
  tx: Tx,
  orgId: string,
  id: string,
  permissions: ActionPermissions,
): Promise<void> {
  await tx.run(
    sql`update actions set permissions = ${JSON.stringify(permissions)} where org_id = ${orgId} and id = ${id}`,
  );
}

export async function findLimits(tx: Tx, orgId: string, id: string): Promise<ActionLimits | undefined> {
  const row = await tx.find<{ limits: ActionLimits | null }>(
    named('action.limits', sql`select limits from actions where org_id = ${orgId} and id = ${id}`),
  );
  return row?.limits ?? undefined;
}

/** Of the actions that have some, by id. */
export async function listLimits(tx: Tx, orgId: string): Promise<ReadonlyMap<string, ActionLimits>> {
  const rows = await tx.many<{ id: string; limits: ActionLimits }>(
    sql`select id, limits from actions where org_id = ${orgId} and limits is not null`,
  );
  return new Map(rows.map((row) => [row.id, row.limits]));
}

export async function updateLimits(tx: Tx, orgId: string, id: string, limits: ActionLimits): Promise<void> {
  await tx.run(sql`update actions set limits = ${JSON.stringify(limits)} where org_id = ${orgId} and id = ${id}`);
}
