import type { Agent, AgentIdentity, AgentStreamer } from '@quayside/contracts';
import { named, sql, type Tx } from '../../platform/db.ts';
import type { Labels } from './model.ts';
import type { FleetPart } from './model-streamer.ts';

/**
 * Organizations with work that may have to go into Kafka: due in its queue, or still waiting for polling agents (`agentQueue`
 * of platform/leases.ts).
 */
export async function listOrganizationsToPublish(tx: Tx, kafkaQueue: string): Promise<string[]> {
  const rows = await tx.many<{ org_id: string }>(sql`
    select distinct org_id from work
    where due_at <= clock_timestamp() and (queue = ${kafkaQueue} or queue = 'agent:' || org_id)`);
  return rows.map((row) => row.org_id);
}

/** What the due work of a queue asks of its holders; null = nothing. */
export async function listWantedLabels(tx: Tx, orgId: string, queue: string): Promise<(Labels | null)[]> {
  const rows = await tx.many<{ labels: Labels | null }>(sql`
    select distinct labels from work where org_id = ${orgId} and queue = ${queue} and due_at <= clock_timestamp()`);
  return rows.map((row) => row.labels);
}

/** Due work whose holders were lost more often than `most`. */
export async function listWornWork(tx: Tx, orgId: string, queues: readonly string[], most: number): Promise<string[]> {
  const rows = await tx.many<{ key: string }>(sql`
    select key from work
    where org_id = ${orgId} and queue = any(${queues}) and due_at <= clock_timestamp() and holder is not null
      and fence - first_fence - tries > ${most}`);
  return rows.map((row) => row.key);
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

export async function hasLabelledWork(tx: Tx, orgId: string, queue: string): Promise<boolean> {
  const { found } = await tx.one<{ found: boolean }>(sql`
    select exists (
      select 1 from work
      where org_id = ${orgId} and queue = ${queue} and due_at <= clock_timestamp() and labels is not null
    ) as found`);
  return found;
}

/** What is open for a run, whoever holds it. `dueAt` null = parked. */
export async function findOpenWork(
  tx: Tx,
  orgId: string,
  runId: string,
): Promise<{ queue: string; holder: string | null; dueAt: Date | null } | undefined> {
  return tx.find(sql`
    select queue, case when due_at > clock_timestamp() then holder end as holder,
      case when due_at <> 'infinity' then due_at end as "dueAt"
    from work where org_id = ${orgId} and key = ${runId} and queue <> 'github'`);
}

/** Drops the work of an ended run unless somebody is at it: their outcome is still to be recorded. */
export async function dropUnheldWork(tx: Tx, orgId: string, runId: string): Promise<void> {
  await tx.run(
    sql`delete from work where org_id = ${orgId} and key = ${runId} and holder is null and replay_id is null`,
  );
}

export async function touchAgent(tx: Tx, orgId: string, agent: AgentIdentity): Promise<void> {
  await tx.run(
    named(
      'agent.touch',
      sql`
      insert into agents (org_id, id, version, labels, streamer, in_flight, capacity)
      values (${orgId}, ${agent.id}, ${agent.version}, ${JSON.stringify(agent.labels ?? {})}, ${agent.streamer ?? null},
        ${agent.inFlight}, ${agent.capacity})
      on conflict (org_id, id) do update set version = excluded.version, labels = excluded.labels,
        streamer = excluded.streamer, in_flight = excluded.in_flight, capacity = excluded.capacity, last_seen_at = now()`,
    ),
  );
}

interface AgentRow {
  id: string;
  version: string;
  labels: Record<string, string>;
  streamer: AgentStreamer | null;
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
    ...(row.streamer !== null && { streamer: row.streamer }),
    inFlight: row.in_flight,
    capacity: row.capacity,
    firstSeenAt: row.first_seen_at.toISOString(),
    lastSeenAt: row.last_seen_at.toISOString(),
    isConnected: row.is_connected,
  }));
}

/** By streamer, of agents that name theirs and were seen within a week: is one connected that has these labels? */
export async function describeFleet(
  tx: Tx,
  orgId: string,
  labels: Labels,
  connectedWithinMs: number,
): Promise<FleetPart[]> {
  return tx.many<FleetPart>(sql`
    select streamer, bool_or(
      last_seen_at > now() - ${connectedWithinMs} * interval '1 millisecond'
      and labels::jsonb @> ${JSON.stringify(labels)}::jsonb
    ) as "canTake"
    from agents where org_id = ${orgId} and streamer is not null and last_seen_at > now() - interval '7 days'
    group by streamer`);
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
