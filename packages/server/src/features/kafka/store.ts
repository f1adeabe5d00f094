import { sql, type Tx } from '../../platform/db.ts';

interface KafkaUser {
  username: string;
  passwordSealed: Buffer;
  isProvisioned: boolean;
}

export async function findUser(tx: Tx, orgId: string): Promise<KafkaUser | undefined> {
  return tx.find<KafkaUser>(sql`
    select username, password_sealed as "passwordSealed", provisioned_at is not null as "isProvisioned"
    from kafka_users where org_id = ${orgId}`);
}

/** Whoever is first makes the password; the others find it. */
export async function insertUser(tx: Tx, orgId: string, username: string, passwordSealed: Buffer): Promise<void> {
  await tx.run(sql`
    insert into kafka_users (org_id, username, password_sealed) values (${orgId}, ${username}, ${passwordSealed})
    on conflict (org_id) do nothing`);
}

export async function markProvisioned(tx: Tx, orgId: string): Promise<void> {
  await tx.run(sql`update kafka_users set provisioned_at = now() where org_id = ${orgId}`);
}
