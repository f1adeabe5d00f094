import type { Blueprint, BlueprintStructure } from '@quayside/contracts';
import { sql, type Tx } from '../../platform/db.ts';
import type { BlueprintDocument } from './model.ts';

export interface StoredBlueprint extends Blueprint {
  /** Surrogate key: entities point at it. */
  rowId: number;
}

interface BlueprintRow {
  id: number;
  document: BlueprintDocument;
  created_at: Date;
  created_by: string;
  updated_at: Date;
  updated_by: string;
}

const toBlueprint = (row: BlueprintRow): StoredBlueprint => ({
  rowId: row.id,
  ...row.document,
  createdAt: row.created_at.toISOString(),
  createdBy: row.created_by,
  updatedAt: row.updated_at.toISOString(),
  updatedBy: row.updated_by,
});

export async function findBlueprint(tx: Tx, orgId: string, identifier: string): Promise<StoredBlueprint | undefined> {
  const row = await tx.find<BlueprintRow>(
    sql`select * from blueprints where org_id = ${orgId} and identifier = ${identifier}`,
  );
  return row && toBlueprint(row);
}

/** Locks it against a concurrent change of its schema until the transaction ends. */
export async function lockBlueprint(tx: Tx, orgId: string, identifier: string): Promise<StoredBlueprint | undefined> {
  const row = await tx.find<BlueprintRow>(
    sql`select * from blueprints where org_id = ${orgId} and identifier = ${identifier} for update`,
  );
  return row && toBlueprint(row);
}

export async function listBlueprints(tx: Tx, orgId: string): Promise<StoredBlueprint[]> {
  return (await tx.many<BlueprintRow>(sql`select * from blueprints where org_id = ${orgId} order by identifier`)).map(
    toBlueprint,
  );
}

/** Of the blueprints that every organization has; migration 0016 holds them. */
export async function findStructure(tx: Tx, identifier: string): Promise<BlueprintStructure | undefined> {
  const row = await tx.one<{ structure: BlueprintStructure | null }>(
    sql`select quayside_system_blueprint(${identifier}) as structure`,
  );
  return row.structure ?? undefined;
}

export async function insertBlueprint(tx: Tx, orgId: string, body: BlueprintDocument, by: string): Promise<void> {
  await tx.run(sql`
    insert into blueprints (org_id, identifier, document, created_by, updated_by)
    values (${orgId}, ${body.identifier}, ${JSON.stringify(body)}, ${by}, ${by})`);
}

export async function updateBlueprint(
  tx: Tx,
  orgId: string,
  rowId: number,
  body: BlueprintDocument,
  by: string,
): Promise<void> {
  await tx.run(sql`
    update blueprints set identifier = ${body.identifier}, document = ${JSON.stringify(body)}, updated_at = now(), updated_by = ${by}
    where org_id = ${orgId} and id = ${rowId}`);
}

export async function deleteBlueprint(tx: Tx, orgId: string, rowId: number): Promise<void> {
  await tx.run(sql`delete from blueprints where org_id = ${orgId} and id = ${rowId}`);
}
