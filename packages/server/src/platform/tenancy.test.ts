import { createDatabase, silentLog, type TestDatabase } from '@quayside/testkit';
import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { type Database, openDatabase, raw, sql } from './db.ts';

/** Row-level security is the second wall behind `where org_id = …`; these tests take the first wall away. */
let testDatabase: TestDatabase;
let database: Database;
let owner: Client;

beforeAll(async () => {
  testDatabase = await createDatabase(inject('postgresAdminUrl'));
  database = openDatabase({ url: testDatabase.url, maxConnections: 4, log: silentLog });
  owner = new Client({ connectionString: testDatabase.url });
  await owner.connect();
  await database.system(async (tx) => {
    for (const org of ['org_a', 'org_b']) {
      await tx.run(sql`insert into organizations (org_id, name) values (${org}, ${org})`);
      await tx.run(
        sql`insert into blueprints (org_id, identifier, document, created_by, updated_by) values (${org}, 'service', '{}', 'x', 'x')`,
      );
    }
  });
});

afterAll(async () => {
  await owner.end();
  await database.close();
  await testDatabase.drop();
});

/** Tables without an organization, each with the reason why that is right. */
const notTenantData: Readonly<Record<string, string>> = {
  migrations: 'the installation’s own',
  installation: 'the installation’s own',
};

describe('tenancy', () => {
  it('covers every table: row-level security enabled and forced, with both policies', async () => {
    const { rows } = await owner.query<{ name: string; enabled: boolean; forced: boolean; policies: string[] }>(`
      select c.relname as name, c.relrowsecurity as enabled, c.relforcerowsecurity as forced,
        array(select polname::text from pg_policy where polrelid = c.oid order by 1) as policies
      from pg_class c join pg_namespace n on n.oid = c.relnamespace
      where n.nspname = 'public' and c.relkind in ('r', 'p') order by 1`);
    expect(rows.length).toBeGreaterThan(10);
    for (const row of rows) {
      if (row.name in notTenantData) continue;
      expect(row, row.name).toMatchObject({ enabled: true, forced: true, policies: ['every_organization', 'tenant'] });
    }
  });

  it('lets the application role own nothing and bypass nothing', async () => {
    const { rows } = await owner.query(`
      select rolname, rolbypassrls or rolsuper as "mayBypass",
        exists (select from pg_class where relowner = pg_roles.oid) as "ownsSomething"
      from pg_roles where rolname in ('quayside_app', 'quayside_system') order by 1`);
    expect(rows).toEqual([
      { rolname: 'quayside_app', mayBypass: false, ownsSomething: false },
      { rolname: 'quayside_system', mayBypass: false, ownsSomething: false },
    ]);
  });

  it('shows one organization its own rows only, even to a query that forgot to ask for it', async () => {
    const rows = await database.tenant('org_a', (tx) =>
      tx.many<{ org_id: string }>(sql`select distinct org_id from blueprints`),
    );
    expect(rows).toEqual([{ org_id: 'org_a' }]);
  });

  it('refuses to write a row of another organization', async () => {
    await expect(
      database.tenant('org_a', (tx) =>
        tx.run(sql`insert into agents (org_id, id, version, in_flight, capacity) values ('org_b', 'x', '1', 0, 1)`),
      ),
    ).rejects.toThrow(/row-level security/);
    expect(
      await database.tenant('org_a', (tx) =>
        tx.run(sql`update blueprints set updated_by = 'y' where org_id = 'org_b'`),
      ),
    ).toBe(0);
  });

  it('shows nothing to a pooled connection outside of any organization', async () => {
    const client = new Client({ connectionString: testDatabase.url, options: '-c role=quayside_app' });
    await client.connect();
    expect((await client.query('select * from blueprints')).rows).toEqual([]);
    await client.end();
  });

  it('keeps events append-only for the application', async () => {
    for (const statement of ['update events set name = $$x$$', 'delete from events', 'truncate events'])
      await expect(
        database.tenant('org_a', (tx) => tx.run(sql`${raw(statement)}`)),
        statement,
      ).rejects.toThrow(/permission denied/);
  });

  it('refuses an organization id that could end the statement it is part of', async () => {
    expect(() => database.tenant("org'; reset role; --", async () => undefined)).toThrow(/characters/);
  });
});
