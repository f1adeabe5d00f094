import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { Client } from 'pg';
import type { Logger } from './log.ts';

/**
 * Forward-only migrations: every file of `migrations/` is applied once, in order, each in its own transaction, under an
 * advisory lock, so that any number of servers may start at once. A file that was applied must not change afterwards: its
 * hash is kept, and a difference stops the start.
 */
const lockKey = 7_142_026;

export const migrationsDirectory = new URL('../../migrations/', import.meta.url);

interface Migration {
  name: string;
  text: string;
  hash: string;
}

function readMigrations(directory: URL): Migration[] {
  return readdirSync(directory)
    .filter((name) => name.endsWith('.sql'))
    .sort()
    .map((name) => {
      const text = readFileSync(new URL(name, directory), 'utf8');
      return { name, text, hash: createHash('sha256').update(text).digest('hex') };
    });
}

/** Returns the names it applied. `url` must belong to a role that may create tables and roles (the owner). */
export async function migrate(url: string, log: Logger, directory: URL = migrationsDirectory): Promise<string[]> {
  const client = new Client({ connectionString: url, application_name: 'quayside migrations' });
  // Whoever waits for an answer is told; without a listener a connection that breaks would end the process.
  client.on('error', () => undefined);
  await client.connect();
  try {
    await client.query('select pg_advisory_lock($1)', [lockKey]);
    await client.query(
      'create table if not exists migrations (name text primary key, hash text not null, applied_at timestamptz not null default now())',
    );
    const { rows } = await client.query<{ name: string; hash: string }>('select name, hash from migrations');
    const known = new Map(rows.map((row) => [row.name, row.hash]));
    const files = readMigrations(directory);
    assertNoneMissing(known, files);
    const applied: string[] = [];
    for (const migration of files) {
      const hash = known.get(migration.name);
      if (hash === migration.hash) continue;
      if (hash !== undefined)
        throw new Error(
          `Migration ${migration.name} was changed after it was applied. Restore it and add a new file instead.`,
        );
      await apply(client, migration);
      applied.push(migration.name);
    }
    if (applied.length > 0) log.info({ applied }, 'database migrated');
    return applied;
  } finally {
    // Ending the connection gives the lock back.
    await client.end();
  }
}

function assertNoneMissing(known: Map<string, string>, files: Migration[]): void {
  const present = new Set(files.map((file) => file.name));
  const missing = [...known.keys()].filter((name) => !present.has(name));
  if (missing.length > 0)
    throw new Error(
      `The database was migrated by a newer Quayside (it has ${missing.join(', ')}). Start that version, or restore a backup.`,
    );
}

async function apply(client: Client, migration: Migration): Promise<void> {
  await client.query('begin');
  try {
    await client.query(migration.text);
    await client.query('insert into migrations (name, hash) values ($1, $2)', [migration.name, migration.hash]);
    await client.query('commit');
  } catch (error) {
    await client.query('rollback').catch(() => undefined);
    throw new Error(`Migration ${migration.name} failed: ${(error as Error).message}`, { cause: error });
  }
}
