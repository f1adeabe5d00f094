import { randomBytes } from 'node:crypto';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startEmbeddedPostgres } from '@quayside/server/platform/embedded-postgres';
import { createLog } from '@quayside/server/platform/log';
import { migrate } from '@quayside/server/platform/migrate';
import { Client } from 'pg';

/**
 * One real PostgreSQL per test run, and one database per test file, cloned from a migrated template (about 30 ms).
 * Durability is off here, as nothing outlives the run; tests of crashes start a server of their own.
 */
export interface TestPostgres {
  /** Owner's URL of the maintenance database; `createDatabase` takes it. */
  adminUrl: string;
  stop(): Promise<void>;
}

const template = 'quayside_template';
export const silentLog = createLog({ level: 'silent', name: 'test' });

export async function startTestPostgres(): Promise<TestPostgres> {
  const dataDir = mkdtempSync(join(tmpdir(), 'quayside-test-'));
  // For root: PostgreSQL runs as another user, and where that one can not enter, the cluster would live elsewhere and stay.
  chmodSync(dataDir, 0o755);
  const postgres = await startEmbeddedPostgres({
    dataDir,
    log: silentLog,
    settings: { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off', max_connections: '300' },
  });
  const adminUrl = withDatabase(postgres.url, 'postgres');
  await administer(adminUrl, `create database ${template}`);
  await migrate(withDatabase(adminUrl, template), silentLog);
  return {
    adminUrl,
    async stop() {
      await postgres.stop();
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
}

export interface TestDatabase {
  url: string;
  drop(): Promise<void>;
}

/** `isMigrated: false` gives an empty one, for tests of the migrations themselves. */
export async function createDatabase(adminUrl: string, options: { isMigrated?: boolean } = {}): Promise<TestDatabase> {
  const name = `test_${randomBytes(6).toString('hex')}`;
  await administer(
    adminUrl,
    `create database ${name} template ${options.isMigrated === false ? 'template1' : template}`,
  );
  return {
    url: withDatabase(adminUrl, name),
    drop: () => administer(adminUrl, `drop database if exists ${name} with (force)`),
  };
}

export async function administer(adminUrl: string, statement: string): Promise<void> {
  const client = new Client({ connectionString: adminUrl });
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}

function withDatabase(url: string, name: string): string {
  const target = new URL(url);
  target.pathname = `/${name}`;
  return target.href;
}
