import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { administer, createDatabase, silentLog, type TestDatabase } from '@quayside/testkit';
import { Client } from 'pg';
import { afterEach, beforeEach, describe, expect, inject, it } from 'vitest';
import { openDatabase, sql } from './db.ts';
import { migrate } from './migrate.ts';

let database: TestDatabase;
beforeEach(async () => {
  database = await createDatabase(inject('postgresAdminUrl'), { isMigrated: false });
});
const directories: string[] = [];
afterEach(async () => {
  for (const directory of directories.splice(0)) rmSync(directory, { recursive: true });
  await database.drop();
});

function directoryWith(files: Readonly<Record<string, string>>): URL {
  const directory = mkdtempSync(join(tmpdir(), 'quayside-migrations-'));
  directories.push(directory);
  for (const [name, text] of Object.entries(files)) writeFileSync(join(directory, name), text);
  return pathToFileURL(`${directory}/`);
}

describe('migrations', () => {
  it('are applied once when 20 servers start at once', async () => {
    const results = await Promise.all(Array.from({ length: 20 }, () => migrate(database.url, silentLog)));
    const applied = results.filter((names) => names.length > 0);
    expect(applied).toHaveLength(1);
    const client = new Client({ connectionString: database.url });
    await client.connect();
    const { rows } = await client.query<{ name: string }>('select name from migrations order by name');
    await client.end();
    expect(rows.map((row) => row.name)).toEqual(applied[0]);
  });

  it('run as an ordinary owner who may use the roles, and tell one who may not', async () => {
    // Managed databases give no superuser. The roles exist already in this cluster, as after a first installation in it.
    const owner = `owner_${process.pid}`;
    await administer(inject('postgresAdminUrl'), `create role ${owner} login password 'x'`);
    const url = new URL(database.url);
    await administer(inject('postgresAdminUrl'), `alter database ${url.pathname.slice(1)} owner to ${owner}`);
    url.username = owner;
    url.password = 'x';
    try {
      await expect(migrate(url.href, silentLog)).rejects.toThrow(
        /0001_platform\.sql failed: permission denied to grant role/,
      );
      await administer(inject('postgresAdminUrl'), `grant quayside_app, quayside_system to ${owner}`);
      expect((await migrate(url.href, silentLog)).length).toBeGreaterThan(4);
      const app = openDatabase({ url: url.href, maxConnections: 1, log: silentLog });
      expect(await app.system((tx) => tx.many(sql`select * from organizations`))).toEqual([]);
      await app.close();
    } finally {
      await database.drop();
      await administer(inject('postgresAdminUrl'), `drop role ${owner}`);
    }
  });

  it('leave nothing of a file that fails, and name it', async () => {
    const directory = directoryWith({
      '0001_a.sql': 'create table a (x int)',
      '0002_b.sql': 'create table b (x int); select 1/0',
    });
    await expect(migrate(database.url, silentLog, directory)).rejects.toThrow(/0002_b\.sql failed: division by zero/);
    const client = new Client({ connectionString: database.url });
    await client.connect();
    const { rows } = await client.query("select to_regclass('a') as a, to_regclass('b') as b");
    await client.end();
    expect(rows).toEqual([{ a: 'a', b: null }]);
  });

  it('stop at a file that was changed after it was applied', async () => {
    await migrate(database.url, silentLog, directoryWith({ '0001_a.sql': 'create table a (x int)' }));
    await expect(
      migrate(database.url, silentLog, directoryWith({ '0001_a.sql': 'create table a (y int)' })),
    ).rejects.toThrow(/0001_a\.sql was changed/);
  });

  it('stop at a database that a newer version migrated', async () => {
    await migrate(database.url, silentLog, directoryWith({ '0001_a.sql': 'select 1', '0002_b.sql': 'select 1' }));
    await expect(migrate(database.url, silentLog, directoryWith({ '0001_a.sql': 'select 1' }))).rejects.toThrow(
      /newer Quayside \(it has 0002_b\.sql\)/,
    );
  });
});
