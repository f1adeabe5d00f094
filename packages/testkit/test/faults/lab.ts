import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { agentLeaseMs } from '@quayside/contracts';
import {
  createDatabase,
  pollingStreamer,
  type ServerProcess,
  type Streamer,
  spawnAgent,
  startServerProcess,
  type TestDatabase,
  testOrganization,
} from '@quayside/testkit';
import { checkRecord, type Observed, type PortalRecord, readRecord } from '@quayside/testkit/faults';
import { Client } from 'pg';
import { afterAll, beforeAll, expect, inject } from 'vitest';

/** What the fault tests share: folders, agents, and the judgement at the end. */

export function makeFolder(): { path: string; remove(): void } {
  const path = mkdtempSync(join(tmpdir(), 'quayside-faults-'));
  // PostgreSQL, which does not run as root, keeps its files here too.
  chmodSync(path, 0o755);
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}

/** Servers on one database, for the tests of a file, that are to be killed and started again. */
export interface Fleet {
  database: TestDatabase;
  /** Of the database's owner. */
  client: Client;
  servers: ServerProcess[];
  /** kill -9, and another in its place, at the same port. */
  killAndReplace(server: ServerProcess, between?: () => Promise<void>): Promise<void>;
}

export function raiseFleet(count: number): Fleet {
  const folder = makeFolder();
  const fleet = {
    servers: [] as ServerProcess[],
    async killAndReplace(server, between) {
      await end(server.child, 'SIGKILL');
      await between?.();
      fleet.servers[fleet.servers.indexOf(server)] = await start(server.port);
    },
  } as Fleet;
  const start = (port?: number) =>
    startServerProcess({
      dataDir: folder.path,
      databaseUrl: fleet.database.url,
      ...(port === undefined ? {} : { port }),
    });
  beforeAll(async () => {
    fleet.database = await createDatabase(inject('postgresAdminUrl'));
    fleet.client = new Client({ connectionString: fleet.database.url });
    await fleet.client.connect();
    while (fleet.servers.length < count) fleet.servers.push(await start());
  });
  afterAll(async () => {
    await Promise.all(fleet.servers.map((server) => server.stop()));
    await fleet.client?.end();
    await fleet.database?.drop();
    folder.remove();
  });
  return fleet;
}

export interface Crew {
  start(options: Parameters<typeof spawnAgent>[0]): ChildProcess;
  /** SIGTERM for all that still run. */
  stop(): Promise<void>;
}

export function assembleCrew(): Crew {
  const children: ChildProcess[] = [];
  return {
    start(options) {
      const { child } = spawnAgent(options);
      children.push(child);
      return child;
    },
    async stop() {
      await Promise.all(children.splice(0).map((child) => end(child, 'SIGTERM')));
    },
  };
}

export async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.kill(signal);
  await ended;
}

/** Reads the record when all is over and lets the checker judge it. */
export async function judge(
  databaseUrl: string,
  seen: Observed,
  { serverEnvironment }: Pick<Streamer, 'serverEnvironment'> = pollingStreamer,
): Promise<PortalRecord> {
  const record = await readRecord(databaseUrl, serverEnvironment.QUAYSIDE_ORG_ID ?? testOrganization.orgId);
  const leaseMsOf = (holder: string) => (/^agent-/.test(holder) ? agentLeaseMs : 0);
  expect(checkRecord(record, seen, { isFinished: true, leaseMsOf })).toEqual([]);
  return record;
}

/** Process id and port of the embedded PostgreSQL that runs now on a data directory: lines 1 and 4 of its own file. */
export function embeddedPostgres(dataDir: string): { pid: number; url: string } {
  const lines = readFileSync(join(dataDir, 'postgres', 'postmaster.pid'), 'utf8').split('\n');
  const password = readFileSync(join(dataDir, 'postgres.password'), 'utf8').trim();
  return { pid: Number(lines[0]), url: `postgresql://quayside:${password}@127.0.0.1:${lines[3]?.trim()}/quayside` };
}

/** Runs `work` with a connection of the database's owner. */
export async function asOwner<T>(databaseUrl: string, work: (client: Client) => Promise<T>): Promise<T> {
  const client = new Client({ connectionString: databaseUrl });
  client.on('error', () => {});
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}
