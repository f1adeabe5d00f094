import type { Agent, AgentIdentity, Delivery, DeliveryOutcome } from '@quayside/contracts';
import { join, named, sql, type Tx } from '../../platform/db.ts';
import type { Attempt } from './model.ts';

/** Opens the record of each new attempt and closes those whose holder was lost; in the transaction of the claim. */
export async function openDeliveries(tx: Tx, holder: string, taken: readonly Attempt[]): Promise<void> {
  if (taken.length === 0) return;
  const isLost = taken.filter((work) => work.lostHolder !== null);
  if (isLost.length > 0)
    await tx.run(sql`
      update deliveries set state = 'lost', ended_at = clock_timestamp()
      where state = 'open' and (org_id, run_id) in (${join(isLost.map((work) => sql`(${work.orgId}, ${work.key})`))})`);
  const rows = taken.map((work) => sql`(${work.orgId}, ${work.key}, ${work.token}::int, ${holder})`);
  await tx.run(sql`insert into deliveries (org_id, run_id, attempt, holder) values ${join(rows)}`);
}

/** Closes the open records of runs whose holder was lost and that nobody has taken since. */
export async function loseDeliveries(tx: Tx, orgId: string, runIds: readonly string[]): Promise<void> {
  await tx.run(sql`
    update deliveries set state = 'lost', ended_at = clock_timestamp()
    where org_id = ${orgId} and run_id = any(${runIds}) and state = 'open'`);
}

/** Organizations with work that is to go into Kafka: due in its queue, or due for polling agents although there are none. */
export async function listOrganizationsToPublish(tx: Tx, kafkaQueue: string): Promise<string[]> {
  const rows = await tx.many<{ org_id: string }>(sql`
    select distinct w.org_id from work w join organizations o on o.org_id = w.org_id
    where w.due_at <= clock_timestamp() and (
      w.queue = ${kafkaQueue}
      or (w.queue = 'agent:' || w.org_id and o.settings ->> 'portAgentStreamerName' = 'KAFKA')
    )`);
  return rows.map((row) => row.org_id);
}

/** Due work whose holders were lost more often than `most`. */
export async function listWornWork(tx: Tx, orgId: string, queues: readonly string[], most: number): Promise<string[]> {
  const rows = await tx.many<{ key: string }>(sql`
    select key from work
    where org_id = ${orgId} and queue = any(${queues}) and due_at <= clock_timestamp() and holder is not null
      and fence - tries > ${most}`);
  return rows.map((row) => row.key);
}

export async function closeDelivery(
  tx: Tx,
  delivery: { orgId: string; runId: string; attempt: number },
  end: {
    state: 'settled' | 'acknowledged' | 'returned';
    outcome?: DeliveryOutcome;
    request?: { method: string; url: string };
  },
): Promise<void> {
  await tx.run(
    named(
      'delivery.close',
      sql`
      update deliveries set state = ${end.state}, ended_at = clock_timestamp(),
        outcome = ${end.outcome ? JSON.stringify(end.outcome) : null}, request = ${end.request ? JSON.stringify(end.request) : null}
      where org_id = ${delivery.orgId} and run_id = ${delivery.runId} and attempt = ${delivery.attempt}`,
    ),
  );
}

interface DeliveryRow {
  attempt: number;
  holder: string;
  state: Delivery['state'];
  request: { method: string; url: string } | null;
  outcome: DeliveryOutcome | null;
  started_at: Date;
  ended_at: Date | null;
}

export async function listDeliveries(tx: Tx, orgId: string, runId: string): Promise<Delivery[]> {
  const rows = await tx.many<DeliveryRow>(
    sql`select * from deliveries where org_id = ${orgId} and run_id = ${runId} order by attempt`,
  );
  return rows.map((row) => ({
    attempt: row.attempt,
    holder: row.holder,
    state: row.state,
    startedAt: row.started_at.toISOString(),
    ...(row.ended_at ? { endedAt: row.ended_at.toISOString() } : {}),
    ...(row.request ? { request: row.request } : {}),
    ...(row.outcome ? { outcome: row.outcome } : {}),
  }));
}

export async function findDeliveryState(
  tx: Tx,
  orgId: string,
  runId: string,
  attempt: number,
): Promise<Delivery['state'] | undefined> {
  const row = await tx.find<{ state: Delivery['state'] }>(
    sql`select state from deliveries where org_id = ${orgId} and run_id = ${runId} and attempt = ${attempt}`,
  );
  return row?.state;
}

/** Present lease of a run's work, whoever holds it; for the dialects whose acknowledgement names no token. */
export async function lockHeldWork(
  tx: Tx,
  orgId: string,
  runId: string,
): Promise<{ id: number; fence: number } | undefined> {
  return tx.find(
    sql`select id, fence from work where org_id = ${orgId} and key = ${runId} and holder is not null for update`,
  );
}

/** Drops the work of an ended run unless somebody is at it: their outcome is still to be recorded. */
export async function dropUnheldWork(tx: Tx, orgId: string, runId: string): Promise<void> {
  await tx.run(sql`delete from work where org_id = ${orgId} and key = ${runId} and holder is null`);
}

export async function touchAgent(tx: Tx, orgId: string, agent: AgentIdentity): Promise<void> {
  await tx.run(
    named(
      'agent.touch',
      sql`
      insert into agents (org_id, id, version, labels, in_flight, capacity)
      values (${orgId}, ${agent.id}, ${agent.version}, ${JSON.stringify(agent.labels ?? {})}, ${agent.inFlight}, ${agent.capacity})
      on conflict (org_id, id) do update set version = excluded.version, labels = excluded.labels,
        in_flight = excluded.in_flight, capacity = excluded.capacity, last_seen_at = now()`,
    ),
  );
}

interface AgentRow {
  id: string;
  version: string;
  labels: Record<string, string>;
  in_flight: number;
  capacity: number;
  first_seen_at: Date;
  last_seen_at: Date;
  is_connected: boolean;
}

/** Seen within a held claim's length and some: connected. Seen within a week: listed. */
export async function listAgents(tx: Tx, orgId: string, connectedWithinMs: number): Promise<Agent[]> {
  const rows = await tx.many<AgentRow>(sql`
    select *, last_seen_at > now() - ${connectedWithinMs} * interval '1 millisecond' as is_connected
    from agents where org_id = ${orgId} and last_seen_at > now() - interval '7 days' order by last_seen_at desc limit 2000`);
  return rows.map((row) => ({
    id: row.id,
    version: row.version,
    labels: row.labels,
    inFlight: row.in_flight,
    capacity: row.capacity,
    firstSeenAt: row.first_seen_at.toISOString(),
    lastSeenAt: row.last_seen_at.toISOString(),
    isConnected: row.is_connected,
  }));
}

/** What could be claimed now: neither leased nor put off. */
export async function describeQueue(
  tx: Tx,
  orgId: string,
  queue: string,
): Promise<{ count: number; oldest: Date | null }> {
  return tx.one(
    sql`select count(*) as count, min(due_at) as oldest from work
        where org_id = ${orgId} and queue = ${queue} and due_at <= now()`,
  );
}
