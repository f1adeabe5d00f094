import { join, sql, type Tx } from '../../platform/db.ts';
import type { Message } from './model.ts';

export async function insertMessage(tx: Tx, orgId: string, message: Omit<Message, 'status'>): Promise<void> {
  await tx.run(sql`
    insert into messages (org_id, id, kind, run_id, blueprint, entity, payload)
    values (${orgId}, ${message.id}, ${message.kind}, ${message.runId}, ${message.blueprint}, ${message.entity},
      ${JSON.stringify(message.payload)})`);
}

const columns = sql`id, kind, run_id as "runId", blueprint, entity, payload, status`;

/** Of several organizations; ids are unique across them, and each is looked up in its own. */
export async function findMessages(tx: Tx, wanted: readonly { orgId: string; key: string }[]): Promise<Message[]> {
  if (wanted.length === 0) return [];
  return tx.many(sql`
    select ${columns} from messages
    where (org_id, id) in (${join(wanted.map(({ orgId, key }) => sql`(${orgId}, ${key})`))})`);
}

export async function lockMessage(tx: Tx, orgId: string, id: string): Promise<Message | undefined> {
  return tx.find(sql`select ${columns} from messages where org_id = ${orgId} and id = ${id} for update`);
}

/** A message that was delivered stays delivered, whatever a repetition comes to. */
export async function endMessage(tx: Tx, orgId: string, id: string, status: 'DELIVERED' | 'FAILED'): Promise<void> {
  await tx.run(sql`
    update messages set status = ${status}, ended_at = clock_timestamp()
    where org_id = ${orgId} and id = ${id} and status <> 'DELIVERED'`);
}
