import type { Action, ActionBody } from '@quayside/contracts';
import { sql, type Tx } from '../../platform/db.ts';

interface ActionRow {
  id: string;
  document: ActionBody;
  created_at: Date;
  created_by: string;
  updated_at: Date;
  updated_by: string;
}

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
    sql`select * from actions where org_id = ${orgId} and identifier = ${identifier}`,
  );
  return row && toAction(row);
}

export async function lockAction(tx: Tx, orgId: string, identifier: string): Promise<Action | undefined> {
  const row = await tx.find<ActionRow>(
    sql`select * from actions where org_id = ${orgId} and identifier = ${identifier} for update`,
  );
  return row && toAction(row);
}

export async function listActions(tx: Tx, orgId: string): Promise<Action[]> {
  return (
    await tx.many<ActionRow>(sql`select * from actions where org_id = ${orgId} order by created_at, identifier`)
  ).map(toAction);
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
