import type { Approver } from '@quayside/contracts';
import { join, sql, type Tx } from '../../platform/db.ts';

export async function insertApprovers(tx: Tx, orgId: string, runId: string, userIds: readonly string[]): Promise<void> {
  if (userIds.length === 0) return;
  const rows = userIds.map((userId) => sql`(${orgId}, ${runId}, ${userId})`);
  await tx.run(sql`insert into run_approvers (org_id, run_id, user_id) values ${join(rows)} on conflict do nothing`);
}

interface ApproverRow {
  user_id: string;
  email: string | null;
  state: Approver['state'];
  description: string | null;
  decided_at: Date | null;
  can_act: boolean;
}

export interface StoredApprover extends Approver {
  /** `false`: deleted or disabled since, and not waited for. */
  canAct: boolean;
}

export async function listApprovers(tx: Tx, orgId: string, runId: string): Promise<StoredApprover[]> {
  const rows = await tx.many<ApproverRow>(sql`
    select approver.user_id, users.email, approver.state, approver.description, approver.decided_at,
      coalesce(users.status = 'ACTIVE', false) as can_act
    from run_approvers approver
    left join users on users.org_id = approver.org_id and users.id = approver.user_id
    where approver.org_id = ${orgId} and approver.run_id = ${runId}
    order by approver.decided_at nulls last, users.email`);
  return rows.map((row) => ({
    userId: row.user_id,
    email: row.email ?? '',
    state: row.state,
    description: row.description,
    ...(row.decided_at ? { decidedAt: row.decided_at.toISOString() } : {}),
    canAct: row.can_act,
  }));
}

export async function decide(
  tx: Tx,
  orgId: string,
  runId: string,
  decision: { userId: string; state: 'APPROVED' | 'DECLINED'; description: string | null },
): Promise<void> {
  await tx.run(sql`
    insert into run_approvers (org_id, run_id, user_id, state, description, decided_at)
    values (${orgId}, ${runId}, ${decision.userId}, ${decision.state}, ${decision.description}, now())
    on conflict (org_id, run_id, user_id) do update
      set state = excluded.state, description = excluded.description, decided_at = excluded.decided_at`);
}

/** Serialises what names the same thing until the transaction ends: executes of one action, of one Idempotency-Key. */
export async function lockFor(tx: Tx, orgId: string, what: string): Promise<void> {
  await tx.run(sql`select pg_advisory_xact_lock(hashtextextended(${`${orgId} ${what}`}, 0))`);
}

export interface Active {
  all: number;
  ofEntity: number;
}

/** Runs of each action that have not ended; waiting for approval counts, or many could be approved past the limit. */
export async function countActive(
  tx: Tx,
  orgId: string,
  actionIds: readonly string[],
  entity: string | null,
): Promise<ReadonlyMap<string, Active>> {
  const rows = await tx.many<Active & { actionId: string }>(sql`
    select action_id as "actionId", count(*) as "all", count(*) filter (where entity = ${entity}) as "ofEntity" from runs
    where org_id = ${orgId} and action_id = any(${actionIds}) and status in ('WAITING_FOR_APPROVAL', 'IN_PROGRESS')
    group by action_id`);
  return new Map(rows.map((row) => [row.actionId, row]));
}

export async function insertKey(
  tx: Tx,
  orgId: string,
  key: { key: string; runId: string; request: Buffer },
): Promise<void> {
  await tx.run(
    sql`insert into run_keys (org_id, key, run_id, request) values (${orgId}, ${key.key}, ${key.runId}, ${key.request})`,
  );
}

export async function findKey(
  tx: Tx,
  orgId: string,
  key: { key: string; request: Buffer },
): Promise<{ runId: string; isSameRequest: boolean } | undefined> {
  const row = await tx.find<{ run_id: string; request: Buffer }>(
    sql`select run_id, request from run_keys where org_id = ${orgId} and key = ${key.key}`,
  );
  return row && { runId: row.run_id, isSameRequest: row.request.equals(key.request) };
}
