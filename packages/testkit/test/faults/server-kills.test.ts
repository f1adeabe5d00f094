import { createDatabase, type ServerProcess, startServerProcess, type TestDatabase } from '@quayside/testkit';
import {
  countOpenRuns,
  type FaultTarget,
  type Gate,
  PortalClient,
  type PortalRecord,
  setUpTarget,
  startFaultTarget,
  startGate,
  until,
} from '@quayside/testkit/faults';
import { afterAll, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest';
import { asOwner, assembleCrew, end, judge, makeFolder } from './lab.ts';

/**
 * kill -9 of the server in the middle of execute, of claim and of settle. "In the middle" is inside the transaction: a table
 * that it writes is locked, and the kill comes when it waits for the lock. And right after: the transaction is committed,
 * and the answer is held by a gate.
 */
const folder = makeFolder();
const crew = assembleCrew();
let database: TestDatabase;
let server: ServerProcess;
let target: FaultTarget;
let portal: PortalClient;
let gate: Gate;

beforeAll(async () => {
  database = await createDatabase(inject('postgresAdminUrl'));
  server = await startServerProcess({ dataDir: folder.path, databaseUrl: database.url });
  gate = await startGate(server.url);
  portal = new PortalClient([gate.url]);
  target = await startFaultTarget(portal);
  await setUpTarget(portal, target.url);
  crew.start({ portalUrl: gate.url, id: 'agent-1' });
});
afterAll(async () => {
  await crew.stop();
  await server?.stop();
  await gate?.close();
  await target?.close();
  await database?.drop();
  folder.remove();
});

let ticket: string;
let record: PortalRecord;
beforeEach(({ task }) => {
  ticket = task.name;
});
const execute = async () => {
  const execution = await portal.execute('ask', ticket);
  target.seen.executions.push(execution);
  return execution;
};

async function restart(): Promise<void> {
  const { port } = server;
  await end(server.child, 'SIGKILL');
  server = await startServerProcess({ dataDir: folder.path, databaseUrl: database.url, port });
}

/** Kills the server while it waits inside a transaction for the lock on `table`, and starts it again. */
async function killInside(table: string, begin: () => Promise<unknown>): Promise<void> {
  await asOwner(database.url, async (locker) => {
    await locker.query(`begin; lock table ${table} in share row exclusive mode`);
    const begun = begin();
    const waits = `select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock' and query like $1`;
    // A connection of its own: inside a transaction the view of activity stands still.
    await asOwner(database.url, (watcher) =>
      until(`the server waits for ${table}`, async () => {
        const { rows } = await watcher.query(waits, [`%insert into ${table}%`]);
        return rows.length > 0;
      }),
    );
    await end(server.child, 'SIGKILL');
    await locker.query('rollback');
    await begun;
  });
  await restart();
}

/** What is known of the test's run when all is over. */
function lives() {
  const run = record.runs.find(({ inputs }) => inputs.ticket === ticket);
  const ofRun = <T extends { runId: string }>(list: readonly T[]) => list.filter(({ runId }) => runId === run?.id);
  return {
    status: run?.status,
    leases: ofRun(record.deliveries).map(({ state }) => state),
    arrived: ofRun(target.seen.requests).map(({ attempt }) => attempt),
    endings: ofRun(record.logs).filter(({ message }) => message.includes('answered 200')).length,
  };
}
const once = { status: 'SUCCESS', leases: ['settled'], arrived: [1], endings: 1 };
/** When all is over, the whole record must be right, also that of the runs before. */
const read = async () => {
  await until('every run has ended', async () => (await countOpenRuns(database.url)) === 0);
  record = await judge(database.url, target.seen);
  return lives();
};

describe('a server killed', () => {
  it.each(['runs', 'events', 'work'])('in the middle of execute, at %s, leaves nothing of the run', async (table) => {
    await killInside(table, async () => expect((await execute()).verdict).toBe('unknown'));
    expect(await read()).toMatchObject({ status: undefined });
  });

  it('after execute, before its answer, leaves the run, and it is carried out', async () => {
    const held = gate.hold('answer', ({ path }) => path.endsWith('/runs'));
    const answered = execute();
    await held;
    await restart();
    // The gate keeps the answer for good; the caller gives up.
    gate.hangUp();
    expect((await answered).verdict).toBe('unknown');
    expect(await read()).toEqual(once);
  });

  it('in the middle of a claim hands the run out as if nobody had asked', async () => {
    await killInside('deliveries', execute);
    expect(await read()).toEqual(once);
  });

  it('in the middle of a settle hears the outcome again, and nothing is sent again', async () => {
    await killInside('run_logs', execute);
    expect(await read()).toEqual(once);
  });

  it('after a settle, before its answer, hears the outcome again, and records it once', async () => {
    const held = gate.hold('answer', ({ path }) => path.endsWith('/settle'));
    await execute();
    await held;
    await restart();
    gate.hangUp();
    expect(await read()).toEqual(once);
  });
});
