import { auditRoutes, blueprintRoutes } from '@quayside/contracts';
import { silentLog } from '@quayside/testkit';
import { Client } from 'pg';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startTestApp, type TestApp } from '../../test/harness.ts';
import { catchUpTransactionIds } from './transaction-ids.ts';

let test: TestApp;
let owner: Client;
beforeAll(async () => {
  test = await startTestApp();
  owner = new Client({ connectionString: test.databaseUrl });
  await owner.connect();
});
afterAll(async () => {
  await owner.end();
  await test.stop();
});

const create = (identifier: string) =>
  test.machine.call(blueprintRoutes.create, { body: { identifier, title: identifier, schema: { properties: {} } } });
const sealed = async () =>
  (await test.machine.call(auditRoutes.checkpoints, { query: { limit: 1 } })).body.checkpoints[0]?.total ?? 0;
const advance = (table: string, by: number) =>
  owner.query(`update ${table} set xid = (xid::text::bigint + ${by})::text::xid8`);

it('uses up nothing in a database that is where it was', async () => {
  await create('before');
  expect(await catchUpTransactionIds(test.databaseUrl, silentLog)).toBe(0);
});

it('passes the numbers that a dump of another cluster brought, so that its readers go on', async () => {
  await expect.poll(sealed, { timeout: 20_000 }).toBeGreaterThan(0);
  const ahead = 3_000;
  // Cursors first: they must never be behind what was read.
  for (const table of ['event_cursors', 'audit_checkpoints', 'events']) await advance(table, ahead);
  const before = await sealed();
  await create('unread');
  const used = await catchUpTransactionIds(test.databaseUrl, silentLog);
  expect(used).toBeGreaterThan(0);
  expect(used).toBeLessThanOrEqual(ahead + 1);
  expect(await catchUpTransactionIds(test.databaseUrl, silentLog)).toBe(0);
  await create('read');
  await expect.poll(sealed, { timeout: 20_000 }).toBeGreaterThan(before);
});

it('leaves to a person what would take too long', async () => {
  await advance('event_cursors', 1_000_000_000);
  await expect(catchUpTransactionIds(test.databaseUrl, silentLog)).rejects.toThrow(/restored from a dump .* behind/);
});
