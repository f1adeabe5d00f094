import { Pool, type PoolClient, types } from 'pg';
import type { Sql } from 'sql-template-tag';
import type { Logger } from './log.ts';
import { maxTopicLength, type Wakes } from './wake.ts';

export { default as sql, empty, join, raw, type Sql } from 'sql-template-tag';

/**
 * The database. Every statement runs in a transaction, and every transaction names whose data it may see:
 *
 *   tenant(org)  role quayside_app, setting quayside.org_id = org: row-level security shows that organization only.
 *   system()     role quayside_system: all organizations. For what comes before an organization is known, and for the
 *                readers of queues and events. Features never hold it.
 *
 * A pooled connection starts as quayside_app without an organization, so a statement outside of either sees nothing.
 * Cost: BEGIN with its settings is one round trip, COMMIT another.
 */
export interface Tx {
  many<Row>(query: Sql): Promise<Row[]>;
  /** At most one row is expected. */
  find<Row>(query: Sql): Promise<Row | undefined>;
  /** Exactly one row is expected; anything else is a fault. */
  one<Row>(query: Sql): Promise<Row>;
  /** Number of rows touched. */
  run(query: Sql): Promise<number>;
  /** Wakes readers of `topic` when this transaction has committed. It carries no data; a lost wake-up costs a poll. */
  wake(topic: string): void;
  /** For what must not happen unless this transaction commits, and can not fail: a counter. */
  afterCommit(work: () => void): void;
}

export interface Database {
  tenant<T>(orgId: string, work: (tx: Tx) => Promise<T>): Promise<T>;
  system<T>(work: (tx: Tx) => Promise<T>): Promise<T>;
  /** The topics' own connection; see wake.ts. */
  readonly url: string;
  readonly waiting: number;
  close(): Promise<void>;
}

/** A statement that is prepared once per connection. For hot paths. */
export function named(name: string, query: Sql): Sql {
  return Object.assign(query, { name });
}

const orgIdPattern = /^[A-Za-z0-9_-]{1,64}$/;
const topicPattern = /^[A-Za-z0-9_:.-]+$/;

// bigint: every id and count here stays far below 2^53.
types.setTypeParser(20, Number);

export function openDatabase(options: {
  url: string;
  maxConnections: number;
  log: Logger;
  /** Without it nobody is woken. */
  wakes?: Pick<Wakes, 'wake'>;
}): Database {
  const pool = new Pool({
    connectionString: options.url,
    max: options.maxConnections,
    connectionTimeoutMillis: 10_000,
    idleTimeoutMillis: 60_000,
    keepAlive: true,
    application_name: 'quayside',
    options:
      '-c role=quayside_app -c statement_timeout=30000 -c lock_timeout=15000 -c idle_in_transaction_session_timeout=60000',
  });
  // Without a listener a connection that breaks would end the process: while it is idle, and while a transaction has it
  // and waits for something else than an answer (the pool listens to idle ones only). The next statement then fails.
  pool.on('error', (error) => options.log.warn({ error: error.message }, 'an idle database connection broke'));
  pool.on('connect', (client) =>
    client.on('error', (error) => options.log.debug({ error: error.message }, 'a database connection broke')),
  );

  async function transaction<T>(begin: string, work: (tx: Tx) => Promise<T>): Promise<T> {
    const client = await pool.connect();
    let broken: Error | undefined;
    const topics = new Set<string>();
    const after: (() => void)[] = [];
    let result: T;
    try {
      await client.query(begin);
      result = await work(toTx(client, topics, after));
      await client.query('commit');
    } catch (error) {
      // ROLLBACK fails only when the connection is gone, and then the server has rolled back already.
      await client.query('rollback').catch((failure: Error) => {
        broken = failure;
      });
      throw error;
    } finally {
      client.release(broken);
    }
    for (const each of after) each();
    if (topics.size > 0) options.wakes?.wake(topics);
    return result;
  }

  return {
    url: options.url,
    get waiting() {
      return pool.waitingCount;
    },
    tenant(orgId, work) {
      // The id becomes part of the statement's text (SET takes no parameters), so its alphabet is checked here again.
      if (!orgIdPattern.test(orgId)) throw new Error('An organization id has characters that are not allowed.');
      return transaction(`begin; set local quayside.org_id = '${orgId}'`, work);
    },
    system(work) {
      return transaction('begin; set local role quayside_system', work);
    },
    close: () => pool.end(),
  };
}

function toTx(client: PoolClient, topics: Set<string>, after: (() => void)[]): Tx {
  const query = (statement: Sql) => client.query(statement) as Promise<{ rows: unknown[]; rowCount: number | null }>;
  return {
    async many<Row>(statement: Sql) {
      return (await query(statement)).rows as Row[];
    },
    async find<Row>(statement: Sql) {
      const { rows } = await query(statement);
      if (rows.length > 1) throw new Error(`At most one row was expected, ${rows.length} came.`);
      return rows[0] as Row | undefined;
    },
    async one<Row>(statement: Sql) {
      const { rows } = await query(statement);
      if (rows.length !== 1) throw new Error(`One row was expected, ${rows.length} came.`);
      return rows[0] as Row;
    },
    async run(statement: Sql) {
      return (await query(statement)).rowCount ?? 0;
    },
    wake(topic) {
      if (!topicPattern.test(topic) || topic.length > maxTopicLength) throw new Error(`"${topic}" can not be a topic.`);
      topics.add(topic);
    },
    afterCommit: (work) => after.push(work),
  };
}

export const isDeadlock = (error: unknown) => isViolation(error, '40P01');

/**
 * Of work that leaves nothing behind when it fails: a transaction, whole. Other writers were quicker, or two waited for each
 * other and the database ended this one: begun again it finds what is there now. The last failure is thrown.
 */
export async function beginAgain<T>(work: () => Promise<T>, isWorthIt: (error: unknown) => boolean): Promise<T> {
  const maxTries = 5;
  for (let tries = 1; ; tries += 1)
    try {
      return await work();
    } catch (error) {
      if (tries === maxTries || !isWorthIt(error)) throw error;
    }
}

/** Did the database refuse for a reason of this SQLSTATE (e.g. 23505 unique_violation), at this constraint? */
export function isViolation(error: unknown, code: string, constraint?: string): boolean {
  const failure = error as { code?: string; constraint?: string } | null;
  return failure?.code === code && (constraint === undefined || failure.constraint === constraint);
}

/** Connection exceptions, a server that starts or stops, no room (disk, memory, connections), a failing disk. */
const troubleOfDatabase = /^(08|53|58|57P0[123])/;

/** Where it listens nobody answers, or the way to it is broken. */
const isOfNetwork = /^(ECONNREFUSED|ECONNRESET|EPIPE|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|EAI_AGAIN)$/;

/** Is the database away (starting, stopping, crashed, its disk full), rather than the statement at fault? */
export function isDatabaseAway(error: unknown): boolean {
  const failure = error as { code?: string; message?: string; syscall?: string } | null;
  if (!failure) return false;
  const { code = '' } = failure;
  if (troubleOfDatabase.test(code) || isOfNetwork.test(code)) return true;
  // Of a socket that is a file.
  if (code === 'ENOENT' && failure.syscall === 'connect') return true;
  return /Connection terminated|timeout exceeded when trying to connect|Client has encountered a connection error|Client was closed/.test(
    failure.message ?? '',
  );
}
