import { execFile } from 'node:child_process';
import { copyFileSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { type ServerProcess, startServerProcess, testOrganization } from '@quayside/testkit';
import {
  checkAudit,
  checkAutomations,
  checkThings,
  type FaultTarget,
  keepCheckpoints,
  listUnfinished,
  PortalClient,
  readAutomations,
  readRecord,
  readThings,
  setUpTarget,
  setUpThings,
  startFaultTarget,
  startThings,
  until,
  verifyAudit,
} from '@quayside/testkit/faults';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { assembleCrew, embeddedPostgres, end, judge, makeFolder } from './lab.ts';

/**
 * script/backup while runs, changes, automations and timers go on; the portal is killed and its data directory lost; then
 * script/restore, and a portal on another data directory with which the agent goes on.
 */
const folder = makeFolder();
const crew = assembleCrew();
const [lost, fresh, backup] = ['lost', 'fresh', 'backup'].map((name) => join(folder.path, name)) as [
  string,
  string,
  string,
];
const script = (name: string, dataDir: string) =>
  promisify(execFile)('bash', [fileURLToPath(new URL(`../../../../script/${name}`, import.meta.url)), backup], {
    env: { ...process.env, QUAYSIDE_DATA_DIR: dataDir },
  });
const environment = { QUAYSIDE_ALLOW_PRIVATE_TARGETS: 'true' };
let server: ServerProcess;
let target: FaultTarget;
let portal: PortalClient;

beforeAll(async () => {
  server = await startServerProcess({ dataDir: lost, environment });
  portal = new PortalClient([server.url]);
  target = await startFaultTarget(portal);
  await setUpTarget(portal, target.url);
  await setUpThings(portal, target.url);
  await portal.must('POST', '/v1/organization/secrets', { secretName: 'TOKEN', secretValue: 'of old' });
  crew.start({ portalUrl: server.url, id: 'agent-1', dataDir: join(folder.path, 'agent') });
});
afterAll(async () => {
  await crew.stop();
  await server?.stop();
  await target?.close();
  folder.remove();
});

it('a backup taken under load is restored to a portal that lost nothing of before', async () => {
  const { seen } = target;
  const things = startThings(portal, seen);
  let isBackedUp = false;
  const load = Array.from({ length: 3 }, async (_, lane) => {
    // Synchronous ones: their end is the portal's own to note, also when it has to be noted again.
    for (let index = 0; !isBackedUp; index += 1)
      seen.executions.push(await portal.execute('ask', `lane-${lane}-${index}`, { delayMs: 30 }));
  });
  await until('the load has begun', () => seen.requests.length >= 10 && seen.things.size > 0);
  const known = {
    reports: seen.reports.length,
    executions: [...seen.executions],
    things: new Map(seen.things),
    timers: new Set(seen.timers),
  };
  const kept = await keepCheckpoints(portal);
  await script('backup', lost);
  isBackedUp = true;
  await Promise.all([...load, things.stop()]);
  await end(server.child, 'SIGKILL');
  const meanwhile = { requests: [...seen.requests], executions: [...seen.executions] };
  seen.requests.length = 0;

  await script('restore', fresh);
  mkdirSync(fresh, { recursive: true });
  copyFileSync(join(lost, 'installation.key'), join(fresh, 'installation.key'));
  server = await startServerProcess({ dataDir: fresh, port: server.port, environment });
  const { url } = embeddedPostgres(fresh);
  // What its target reported after the backup, the portal has forgotten: the reports may be there or not, and an end is told again.
  for (const report of seen.reports.slice(known.reports)) {
    report.verdict = 'unknown';
    if (report.kind === 'status')
      await portal.insist('PATCH', `/v1/actions/runs/${report.runId}`, { status: report.status });
  }
  const again = await portal.execute('ask', 'after the restore');
  await until('all has ended', async () => target.busy === 0 && (await listUnfinished(url)).length === 0, 100_000);

  // What came after the backup is lost with the portal; what it answered for before is there.
  const { orgId } = testOrganization;
  const catalog = await readThings(url, orgId, undefined);
  const countOf = (thing: string) =>
    catalog.events.filter(({ blueprint, entity }) => `${blueprint} ${entity}` === thing).length;
  for (const [thing, steps] of known.things) expect(countOf(thing)).toBeGreaterThanOrEqual(steps);
  const sent = new Set(seen.requests.map(({ runId, attempt }) => `${runId}/${attempt}`));
  const attempts = new Set(
    (await readRecord(url, orgId)).deliveries.map(({ runId, attempt }) => `${runId}/${attempt}`),
  );
  const record = await judge(url, {
    ...seen,
    executions: [
      ...known.executions,
      ...meanwhile.executions
        .slice(known.executions.length)
        .map((one) => ({ ticket: one.ticket, verdict: 'unknown' as const })),
      again,
    ],
    // An attempt that the backup does not know was made anew, under the same key.
    requests: [
      ...meanwhile.requests.filter(({ runId, attempt }) => {
        const name = `${runId}/${attempt}`;
        return attempts.has(name) && !sent.has(name);
      }),
      ...seen.requests,
    ],
  });
  expect(record.runs.length).toBeGreaterThan(known.executions.length);
  const keyOf = new Map(meanwhile.requests.map(({ runId, idempotencyKey }) => [runId, idempotencyKey]));
  for (const { runId, idempotencyKey } of seen.requests)
    expect(keyOf.get(runId) ?? idempotencyKey).toBe(idempotencyKey);
  const steps = new Map([...known.things.keys()].map((thing) => [thing, countOf(thing)]));
  expect(checkThings(catalog, { ...seen, things: steps, timers: known.timers })).toEqual([]);
  expect(checkAutomations(await readAutomations(url, orgId), catalog.fires)).toEqual([]);
  expect(checkAudit(await verifyAudit(portal, kept), record.events.length)).toEqual([]);

  // The secret is still readable, so a new value of the same name is a change, and the key is the old one.
  expect(readFileSync(join(fresh, 'installation.key'), 'utf8')).toBe(
    readFileSync(join(lost, 'installation.key'), 'utf8'),
  );
  await expect(script('restore', fresh)).rejects.toThrow(/is not empty; restore into a new data directory/);
  await expect(script('backup', fresh)).rejects.toThrow(/is not empty; back up into a directory of its own/);
}, 300_000);
