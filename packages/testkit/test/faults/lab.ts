import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { agentLeaseMs } from '@quayside/contracts';
import { pollingStreamer, type Streamer, spawnAgent, testOrganization } from '@quayside/testkit';
import { checkRecord, type Observed, type PortalRecord, readRecord } from '@quayside/testkit/faults';
import { Client } from 'pg';
import { expect } from 'vitest';

/** What the fault tests share: folders, agents, and the judgement at the end. */

export function makeFolder(): { path: string; remove(): void } {
  const path = mkdtempSync(join(tmpdir(), 'quayside-faults-'));
  // PostgreSQL, which does not run as root, keeps its files here too.
  chmodSync(path, 0o755);
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
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
