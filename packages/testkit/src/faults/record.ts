import type { Delivery, DeliveryOutcome, RunStatus } from '@quayside/contracts';
import { Client } from 'pg';

/**
 * What is left after faults, from both sides: `PortalRecord` is what the portal wrote down, read in one snapshot;
 * `Observed` is what the world outside knows, written down by the driver and the target of the test. check.ts compares them.
 */
export interface PortalRecord {
  runs: RecordedRun[];
  /** One row per lease of a run. */
  deliveries: RecordedDelivery[];
  /** Open work: one row per run that somebody is still to carry out. */
  work: RecordedWork[];
  /** In the order in which they were written. */
  events: RecordedEvent[];
  logs: { runId: string; message: string }[];
  entities: { blueprint: string; identifier: string; properties: Record<string, unknown> }[];
}

/** What targets report goes into this blueprint. */
export const reportedBlueprint = 'service';

export interface RecordedRun {
  id: string;
  status: RunStatus;
  endedAt: Date | null;
  inputs: Record<string, unknown>;
  /** The event that an automation started it for. */
  eventSeq?: number | null;
}

export interface RecordedDelivery {
  runId: string;
  attempt: number;
  holder: string;
  state: Delivery['state'];
  outcome: DeliveryOutcome | null;
  startedAt: Date;
  endedAt: Date | null;
  /** Somebody asked for it once more: it may follow a delivery, and it moves no status. */
  isReplay: boolean;
}

export interface RecordedWork {
  runId: string;
  fence: number;
  holder: string | null;
}

export interface RecordedEvent {
  name: string;
  runId: string | null;
  blueprint: string | null;
  entity: string | null;
  statusBefore: RunStatus | null;
  statusAfter: RunStatus | null;
}

/**
 * What a call came to, as its caller knows it. `unknown` = no answer, or a fault (5xx): it may have been carried out or not.
 */
export type Verdict = 'accepted' | 'refused' | 'unknown';

export interface Observed {
  executions: Execution[];
  requests: SeenRequest[];
  reports: Report[];
  /** What arrived about changes of the catalog. */
  changes: SeenChange[];
  /** How often each thing was counted up (things.ts), and which have a timer. */
  things: Map<string, number>;
  /** Of each thing the steps that were written again, as often as no answer came. */
  retried: Map<string, number[]>;
  timers: Set<string>;
}

/** One call to execute. Its `ticket` is an input of the run, so that a run is found without its answer. */
export interface Execution {
  ticket: string;
  verdict: Verdict;
  runId?: string;
}

/** One request that arrived at the target, whole. */
export interface SeenRequest {
  /** From the body: what the request is about, whatever its headers say. */
  runId: string;
  idempotencyKey: string;
  webhookId: string;
  attempt: number;
  /** What the target answered; undefined = it did not come to that. */
  answered?: number;
}

/** As a request of a run; `runId` is the message's id. */
export interface SeenChange extends SeenRequest {
  body: string;
}

/** What the target told the portal about a run. A report is repeated until it is accepted or refused. */
export type Report = { runId: string; tries: number; verdict: Verdict } & (
  | { kind: 'log'; message: string }
  | { kind: 'entity'; blueprint: string; identifier: string; properties: Record<string, unknown> }
  | { kind: 'status'; status: RunStatus }
);

/** How many runs are not over yet, and how many are still to be carried out. */
export async function countOpenRuns(url: string): Promise<number> {
  const client = new Client({ connectionString: url });
  client.on('error', () => {});
  await client.connect();
  try {
    const { rows } = await client.query<{ count: number }>(
      `select (select count(*) from runs where ended_at is null)::int +
        (select count(*) from work where ${isOfRun('key')})::int as count`,
    );
    return rows[0]?.count ?? 0;
  } finally {
    await client.end();
  }
}

/** What is still to happen: to runs, messages and timers, and in readers of events. Empty = nothing will any more. */
export async function listUnfinished(url: string): Promise<string[]> {
  const client = new Client({ connectionString: url });
  client.on('error', () => {});
  await client.connect();
  try {
    const { rows } = await client.query<{ what: string }>(`
      select 'run ' || id || ' is ' || status as what from runs where ended_at is null
      union all
      select concat('work ', key, ' of ', queue, ', due ', due_at, ', holder ', coalesce(holder, 'none'), ', tries ', tries)
      -- The work of readers and of retention is never done.
      from work where queue not like 'reader:%' and queue <> 'retention'
      union all
      select concat('reader ', c.reader, ' is at ', c.seq) from event_cursors c where exists (
        select from events e where e.org_id = c.org_id and (e.xid, e.seq) > (c.xid, c.seq))`);
    return rows.map(({ what }) => what);
  } finally {
    await client.end();
  }
}

/** Other work and other deliveries are in the same tables. */
const isOfRun = (column: string) => `${column} like 'r\\_%'`;
const isOfMessage = (column: string) => `${column} like 'm\\_%'`;

const deliveriesOf = (condition: string) => `
  select subject as "runId", attempt, holder, state, outcome, started_at as "startedAt", ended_at as "endedAt",
    replay_id is not null as "isReplay"
  from deliveries where org_id = $1 and ${condition} order by subject, attempt`;
const workOf = (condition: string) =>
  `select key as "runId", fence, holder from work where org_id = $1 and ${condition}`;

/** Reads the record of one organization. `url` is the owner's. */
export async function readRecord(url: string, orgId: string): Promise<PortalRecord> {
  return inSnapshot(url, orgId, async (read) => ({
    runs: await read<RecordedRun>(`
      select id, status, ended_at as "endedAt", raw_properties as inputs, event_seq::int as "eventSeq"
      from runs where org_id = $1 order by seq`),
    deliveries: await read<RecordedDelivery>(deliveriesOf(isOfRun('subject'))),
    work: await read<RecordedWork>(workOf(isOfRun('key'))),
    // Events of one run are written under its lock, so their sequence is the order of their transactions.
    events: await read<RecordedEvent>(`
      select name, run_id as "runId", blueprint, entity,
        case when resource = 'run' then before ->> 'status' end as "statusBefore",
        case when resource = 'run' then after ->> 'status' end as "statusAfter"
      from events where org_id = $1 order by seq`),
    logs: await read(`select run_id as "runId", message from run_logs where org_id = $1 order by run_id, line`),
    entities: await read(`
      select b.identifier as blueprint, e.identifier, e.properties
      from entities e join blueprints b on b.org_id = e.org_id and b.id = e.blueprint_id
      where e.org_id = $1 and b.identifier = '${reportedBlueprint}'`),
  }));
}

/** Messages have leases and attempts as runs have, and nothing else of them: here each has the place of a run. */
export async function readMessages(url: string, orgId: string): Promise<PortalRecord> {
  return inSnapshot(url, orgId, async (read) => ({
    runs: await read<RecordedRun>(`
      select id, case status when 'OPEN' then 'IN_PROGRESS' when 'DELIVERED' then 'SUCCESS' else 'FAILURE' end as status,
        ended_at as "endedAt", payload as inputs
      from messages where org_id = $1 order by seq`),
    deliveries: await read<RecordedDelivery>(deliveriesOf(isOfMessage('subject'))),
    work: await read<RecordedWork>(workOf(isOfMessage('key'))),
    events: [],
    logs: [],
    entities: [],
  }));
}

type Read = <Row>(text: string) => Promise<Row[]>;

/** Statements with one parameter, the organization, in one snapshot of everything. */
export async function inSnapshot<T>(url: string, orgId: string, work: (read: Read) => Promise<T>): Promise<T> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    await client.query('begin isolation level repeatable read read only; set local role quayside_system');
    return await work(async (text) => (await client.query(text, [orgId])).rows);
  } finally {
    await client.end();
  }
}
