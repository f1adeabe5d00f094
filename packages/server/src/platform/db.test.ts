import { administer, createDatabase, silentLog, type TestDatabase } from '@quayside/testkit';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { type Database, isDatabaseAway, openDatabase, sql } from './db.ts';

let testDatabase: TestDatabase;
let database: Database;

beforeAll(async () => {
  testDatabase = await createDatabase(inject('postgresAdminUrl'));
  database = openDatabase({ url: testDatabase.url, maxConnections: 2, log: silentLog });
});
afterAll(async () => {
  await database.close();
  await testDatabase.drop();
});

// A connection that broke while a transaction held it, but had no statement under way, raised an 'error' event to which
// nobody listened, and that ended the whole server at the first kill of PostgreSQL under load.
it('a connection that breaks between two statements fails the transaction and nothing else', async () => {
  const failure = await database
    .system(async (held) => {
      const { pid } = await held.one<{ pid: number }>(sql`select pg_backend_pid() as pid`);
      await administer(testDatabase.url, `select pg_terminate_backend(${pid}, 5000)`);
      // Another whole connection: meanwhile the news of the end arrives, while no statement of this transaction is under way.
      await administer(testDatabase.url, 'select 1');
      return held.one(sql`select 1 as one`);
    })
    .catch((error: unknown) => error);
  expect(isDatabaseAway(failure)).toBe(true);
  expect(await database.system((tx) => tx.one(sql`select 1 as one`))).toEqual({ one: 1 });
});
