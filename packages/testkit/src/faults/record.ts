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

export interface RecordedRun {
  id: string;
  status: RunStatus;
  endedAt: Date | null;
  inputs: Record<string, unknown>;
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

/** Other work and other deliveries are in the same tables. */
const isOfRun = (column: string) => `${column} like 'r\\_%'`;

/** Reads the record of one organization. `url` is the owner's. */
export async function readRecord(url: string, orgId: string): Promise<PortalRecord> {
  const client = new Client({ connectionString: url });
  await client.connect();
  const read = async <Row>(text: string): Promise<Row[]> => (await client.query(text, [orgId])).rows as Row[];
  try {
    await client.query('begin isolation level repeatable read read only; set local role quayside_system');
    return {
      runs: await read(`
        select id, status, ended_at as "endedAt", raw_properties as inputs from runs where org_id = $1 order by seq`),
      deliveries: await read(`
        select subject as "runId", attempt, holder, state, outcome, started_at as "startedAt", ended_at as "endedAt",
          replay_id is not null as "isReplay"
        from deliveries where org_id = $1 and ${isOfRun('subject')} order by subject, attempt`),
      work: await read(`select key as "runId", fence, holder from work where org_id = $1 and ${isOfRun('key')}`),
      // Events of one run are written under its lock, so their sequence is the order of their transactions.
      events: await read(`
        select name, run_id as "runId", blueprint, entity,
          case when resource = 'run' then before ->> 'status' end as "statusBefore",
          case when resource = 'run' then after ->> 'status' end as "statusAfter"
        from events where org_id = $1 order by seq`),
      logs: await read(`select run_id as "runId", message from run_logs where org_id = $1 order by run_id, line`),
      entities: await read(`
        select b.identifier as blueprint, e.identifier, e.properties
        from entities e join blueprints b on b.org_id = e.org_id and b.id = e.blueprint_id
        where e.org_id = $1 and left(b.identifier, 1) <> '_'`),
    };
  } finally {
    await client.end();
  }
}
