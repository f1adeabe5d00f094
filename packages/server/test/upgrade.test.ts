import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import {
  agentInstallationId,
  auditRoutes,
  deliveryRoutes,
  dispatchRoutes,
  entityRoutes,
  runRoutes,
} from '@quayside/contracts';
import { administer, createDatabase, silentLog, type TestDatabase, testOrganization } from '@quayside/testkit';
import { until } from '@quayside/testkit/faults';
import { afterAll, beforeAll, expect, inject, it, vi } from 'vitest';
import { createOrganization } from '../src/features/identity/service-organization.ts';
import { openDatabase } from '../src/platform/db.ts';
import { migrate, migrationsDirectory } from '../src/platform/migrate.ts';
import { hashPassword } from '../src/platform/password.ts';
import { createVault, loadInstallationKey } from '../src/platform/vault.ts';
import { serviceBlueprint, webhookAction } from './documents.ts';
import { startTestApp, type TestApp } from './harness.ts';

/** An upgrade, as docs/operations.md has it: a server of now is started on what one of long ago has left. */
vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

/** Before lines of logs had numbers, before the audit chain, the ledger, replays and retention. */
const lastOfOld = '0013_automations.sql';
const { orgId } = testOrganization;
const dataDir = mkdtempSync(join(tmpdir(), 'quayside-upgrade-'));
let database: TestDatabase;
let test: TestApp;

beforeAll(async () => {
  database = await createDatabase(inject('postgresAdminUrl'), { isMigrated: false });
  const old = join(dataDir, 'migrations');
  mkdirSync(old);
  for (const name of readdirSync(migrationsDirectory).filter((file) => file <= lastOfOld))
    copyFileSync(new URL(name, migrationsDirectory), join(old, name));
  await migrate(database.url, silentLog, pathToFileURL(`${old}/`));
  await fill();
  test = await startTestApp({ DATABASE_URL: database.url, QUAYSIDE_DATA_DIR: dataDir });
});
afterAll(async () => {
  await test?.stop();
  await database.drop();
  rmSync(dataDir, { recursive: true, force: true });
});

/** A run that has ended, one that waits for its agent, and what was written beside them. */
async function fill(): Promise<void> {
  const vault = createVault(loadInstallationKey(dataDir, undefined).key);
  const before = openDatabase({ url: database.url, maxConnections: 1, log: silentLog });
  const passwordHash = await hashPassword(testOrganization.adminPassword);
  await before.system((tx) =>
    createOrganization(tx, vault, { ...testOrganization, orgName: 'Old', orgSettings: {}, passwordHash }),
  );
  await before.close();
  const document = (value: unknown) => `'${JSON.stringify(value)}'`;
  const payload = { type: 'WEBHOOK', agent: true, url: 'http://127.0.0.1:9/', method: 'POST', synchronized: false };
  await administer(
    database.url,
    `
    insert into blueprints (org_id, identifier, document, created_by, updated_by)
      values ('${orgId}', 'service', ${document(serviceBlueprint)}, 'x', 'x');
    insert into entities (org_id, blueprint_id, identifier, title, properties, created_by, updated_by)
      select '${orgId}', id, 'shop', 'Shop', '{"tier": 1}', 'x', 'x' from blueprints;
    insert into actions (org_id, id, identifier, document, created_by, updated_by)
      values ('${orgId}', 'a_old', 'scaffold', ${document(webhookAction())}, 'x', 'x');
    insert into runs (org_id, id, action_id, action_identifier, status, ended_at, source, raw_properties, properties, payload, created_by, updated_by)
      values ('${orgId}', 'r_ended', 'a_old', 'scaffold', 'SUCCESS', now(), 'API', '{}', '{}', ${document(payload)}, 'x', 'x'),
        ('${orgId}', 'r_waits', 'a_old', 'scaffold', 'IN_PROGRESS', null, 'API', '{}', '{}', ${document(payload)}, 'x', 'x');
    insert into run_logs (org_id, run_id, message, created_by)
      select '${orgId}', run, 'line ' || n, 'x' from generate_series(1, 3) n, unnest(array['r_ended', 'r_waits']) run;
    insert into deliveries (org_id, subject, attempt, holder, state, ended_at, outcome)
      values ('${orgId}', 'r_ended', 1, 'agent-0', 'settled', now(),
        '{"kind": "answered", "statusCode": 200, "headers": {}, "body": "", "isBodyTruncated": false, "durationMs": 1}');
    insert into work (org_id, queue, key) values ('${orgId}', 'agent:${orgId}', 'r_waits');
    insert into events (org_id, name, actor, origin, resource, subject, run_id, after)
      values ('${orgId}', 'run.created', '{"userId": "x"}', 'API', 'run', 'r_ended', 'r_ended', '{"status": "IN_PROGRESS"}'),
        ('${orgId}', 'run.updated', '{"userId": "x"}', 'API', 'run', 'r_ended', 'r_ended', '{"status": "SUCCESS"}')`,
  );
}

it('nothing is lost, and what waited goes on', async () => {
  const params = { run_id: 'r_ended' };
  expect((await test.machine.call(runRoutes.get, { params })).body.run).toMatchObject({ status: 'SUCCESS' });
  const { runLogs } = (await test.machine.call(runRoutes.logLines, { params, query: {} })).body;
  expect(runLogs.map(({ line, message }) => `${line} ${message}`)).toEqual(['1 line 1', '2 line 2', '3 line 3']);
  const entity = { blueprint_identifier: 'service', entity_identifier: 'shop' };
  expect((await test.machine.call(entityRoutes.get, { params: entity })).body.entity.properties).toMatchObject({
    tier: 1,
  });
  const { deliveries } = (await test.machine.call(deliveryRoutes.list, { query: {} })).body;
  expect(deliveries).toMatchObject([{ subject: 'r_ended', attempt: 1, holder: 'agent-0' }]);

  const agent = { id: 'agent-1', version: '1.0.0', inFlight: 0, capacity: 16 };
  const { runs } = (
    await test.machine.call(dispatchRoutes.claim, {
      body: { installationId: agentInstallationId, limit: 10, agent } as never,
    })
  ).body;
  expect(runs).toMatchObject([{ id: 'r_waits', lease: { attempt: 1 } }]);

  // What happened before there was a chain is sealed with what comes after.
  await until('the old events are sealed', async () => {
    const { checkpoints } = (await test.machine.call(auditRoutes.checkpoints, { query: {} })).body;
    return (checkpoints[0]?.total ?? 0) >= 2;
  });
});
