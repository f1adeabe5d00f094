import type { Workflow, WorkflowBody } from '@quayside/contracts';
import { sql, type Tx } from '../../platform/db.ts';

interface WorkflowRow {
  document: WorkflowBody;
  created_at: Date;
  created_by: string;
  updated_at: Date;
  updated_by: string;
}

const toWorkflow = (row: WorkflowRow): Workflow => ({
  ...row.document,
  createdAt: row.created_at.toISOString(),
  createdBy: row.created_by,
  updatedAt: row.updated_at.toISOString(),
  updatedBy: row.updated_by,
});

export async function findWorkflow(tx: Tx, orgId: string, identifier: string): Promise<Workflow | undefined> {
  const row = await tx.find<WorkflowRow>(
    sql`select * from workflows where org_id = ${orgId} and identifier = ${identifier}`,
  );
  return row && toWorkflow(row);
}

export async function lockWorkflow(tx: Tx, orgId: string, identifier: string): Promise<Workflow | undefined> {
  const row = await tx.find<WorkflowRow>(
    sql`select * from workflows where org_id = ${orgId} and identifier = ${identifier} for update`,
  );
  return row && toWorkflow(row);
}

export async function listWorkflows(tx: Tx, orgId: string): Promise<Workflow[]> {
  return (await tx.many<WorkflowRow>(sql`select * from workflows where org_id = ${orgId} order by identifier`)).map(
    toWorkflow,
  );
}

export async function insertWorkflow(tx: Tx, orgId: string, body: WorkflowBody, by: string): Promise<void> {
  await tx.run(sql`
    insert into workflows (org_id, identifier, document, created_by, updated_by)
    values (${orgId}, ${body.identifier}, ${JSON.stringify(body)}, ${by}, ${by})`);
}

export async function updateWorkflow(
  tx: Tx,
  orgId: string,
  identifier: string,
  body: WorkflowBody,
  by: string,
): Promise<void> {
  await tx.run(sql`
    update workflows set identifier = ${body.identifier}, document = ${JSON.stringify(body)}, updated_at = now(), updated_by = ${by}
    where org_id = ${orgId} and identifier = ${identifier}`);
}

export async function deleteWorkflow(tx: Tx, orgId: string, identifier: string): Promise<void> {
  await tx.run(sql`delete from workflows where org_id = ${orgId} and identifier = ${identifier}`);
}
