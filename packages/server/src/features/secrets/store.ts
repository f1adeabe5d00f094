import type { Secret } from '@quayside/contracts';
import { named, sql, type Tx } from '../../platform/db.ts';

interface SecretRow {
  name: string;
  sealed: Buffer;
  description: string;
  created_at: Date;
  updated_at: Date;
}

const toSecret = (row: SecretRow): Secret => ({
  secretName: row.name,
  description: row.description,
  createdAt: row.created_at.toISOString(),
  updatedAt: row.updated_at.toISOString(),
});

export async function findSecret(tx: Tx, orgId: string, name: string): Promise<Secret | undefined> {
  const row = await tx.find<SecretRow>(sql`select * from secrets where org_id = ${orgId} and name = ${name}`);
  return row && toSecret(row);
}

export async function listSecrets(tx: Tx, orgId: string): Promise<Secret[]> {
  return (await tx.many<SecretRow>(sql`select * from secrets where org_id = ${orgId} order by name`)).map(toSecret);
}

export async function listSealed(tx: Tx, orgId: string): Promise<{ name: string; sealed: Buffer }[]> {
  return tx.many(named('secret.listSealed', sql`select name, sealed from secrets where org_id = ${orgId}`));
}

/** `false` = the name is taken. */
export async function insertSecret(
  tx: Tx,
  orgId: string,
  secret: { name: string; sealed: Buffer; description: string },
): Promise<boolean> {
  const count = await tx.run(sql`
    insert into secrets (org_id, name, sealed, description)
    values (${orgId}, ${secret.name}, ${secret.sealed}, ${secret.description}) on conflict do nothing`);
  return count > 0;
}

export async function updateSecret(
  tx: Tx,
  orgId: string,
  name: string,
  change: { sealed?: Buffer; description?: string },
): Promise<void> {
  await tx.run(sql`
    update secrets set sealed = coalesce(${change.sealed ?? null}, sealed),
      description = coalesce(${change.description ?? null}, description), updated_at = now()
    where org_id = ${orgId} and name = ${name}`);
}

export async function deleteSecret(tx: Tx, orgId: string, name: string): Promise<void> {
  await tx.run(sql`delete from secrets where org_id = ${orgId} and name = ${name}`);
}
