import type { Delivery, DeliveryOutcome } from '@quayside/contracts';
import { join, named, sql, type Tx } from '../../platform/db.ts';

/**
 * The ledger: one row per lease, written in the transaction of the claim, before anything can be sent. `subject` is the id of
 * what is delivered, a run or a message; it is also the key of its work.
 */

/** A lease just claimed: its subject, its fencing token, and who was lost with the lease before. */
export interface Attempt {
  orgId: string;
  key: string;
  token: number;
  lostHolder: string | null;
}

/** Opens the record of each new attempt and closes those whose holder was lost; in the transaction of the claim. */
export async function openDeliveries(tx: Tx, holder: string, taken: readonly Attempt[]): Promise<void> {
  if (taken.length === 0) return;
  const isLost = taken.filter((work) => work.lostHolder !== null);
  if (isLost.length > 0)
    await tx.run(sql`
      update deliveries set state = 'lost', ended_at = clock_timestamp()
      where state = 'open' and (org_id, subject) in (${join(isLost.map((work) => sql`(${work.orgId}, ${work.key})`))})`);
  const rows = taken.map((work) => sql`(${work.orgId}, ${work.key}, ${work.token}::int, ${holder})`);
  await tx.run(sql`insert into deliveries (org_id, subject, attempt, holder) values ${join(rows)}`);
}

/** Closes the open records of subjects whose holder was lost and that nobody has taken since. */
export async function loseDeliveries(tx: Tx, orgId: string, subjects: readonly string[]): Promise<void> {
  await tx.run(sql`
    update deliveries set state = 'lost', ended_at = clock_timestamp()
    where org_id = ${orgId} and subject = any(${subjects}) and state = 'open'`);
}

export interface DeliveryEnd {
  state: 'settled' | 'acknowledged' | 'returned';
  outcome?: DeliveryOutcome;
  request?: Delivery['request'];
  /** Nothing was delivered, and no further attempt follows. */
  isDead?: boolean;
}

export async function closeDelivery(
  tx: Tx,
  delivery: { orgId: string; subject: string; attempt: number },
  end: DeliveryEnd,
): Promise<void> {
  await tx.run(
    named(
      'delivery.close',
      sql`
      update deliveries set state = ${end.state}, ended_at = clock_timestamp(), is_dead = ${end.isDead ?? false},
        outcome = ${end.outcome ? JSON.stringify(end.outcome) : null}, request = ${end.request ? JSON.stringify(end.request) : null}
      where org_id = ${delivery.orgId} and subject = ${delivery.subject} and attempt = ${delivery.attempt}`,
    ),
  );
}

export interface DeliveryRow {
  subject: string;
  attempt: number;
  holder: string;
  state: Delivery['state'];
  request: NonNullable<Delivery['request']> | null;
  outcome: DeliveryOutcome | null;
  is_dead: boolean;
  started_at: Date;
  ended_at: Date | null;
}

function toDelivery(row: DeliveryRow): Delivery {
  return {
    attempt: row.attempt,
    holder: row.holder,
    state: row.state,
    startedAt: row.started_at.toISOString(),
    ...(row.ended_at ? { endedAt: row.ended_at.toISOString() } : {}),
    ...(row.request ? { request: row.request } : {}),
    ...(row.outcome ? { outcome: row.outcome } : {}),
    ...(row.is_dead ? { isDead: true } : {}),
  };
}

/** All attempts of one subject, oldest first. */
export async function listDeliveriesOf(tx: Tx, orgId: string, subject: string): Promise<Delivery[]> {
  const rows = await tx.many<DeliveryRow>(
    sql`select * from deliveries where org_id = ${orgId} and subject = ${subject} order by attempt`,
  );
  return rows.map(toDelivery);
}

export async function findDeliveryState(
  tx: Tx,
  orgId: string,
  subject: string,
  attempt: number,
): Promise<Delivery['state'] | undefined> {
  const row = await tx.find<{ state: Delivery['state'] }>(
    sql`select state from deliveries where org_id = ${orgId} and subject = ${subject} and attempt = ${attempt}`,
  );
  return row?.state;
}
