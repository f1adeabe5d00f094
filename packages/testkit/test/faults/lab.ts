import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
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
