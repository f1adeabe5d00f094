import { execFile } from 'node:child_process';
import { copyFileSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { type ServerProcess, startExternalPostgres, startServerProcess, testOrganization } from '@quayside/testkit';
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
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { assembleCrew, embeddedPostgres, end, judge, makeFolder } from './lab.ts';

/**
 * A backup while runs, changes, automations and timers go on; the portal is killed and its database lost; then a restore, and
 * a portal on another database with which the agent goes on.
 */
interface Place {
  dataDir: string;
  /** Absent: embedded. */
  databaseUrl?: string;
}
interface Procedure {
  lost: Place;
  fresh: Place;
  backUp(): Promise<unknown>;
  restore(): Promise<unknown>;
  /** What of it must be refused afterwards. */
  refuse(): Promise<void>;
  stop(): Promise<void>;
}
const run = promisify(execFile);
const repository = (path: string) => fileURLToPath(new URL(`../../../../${path}`, import.meta.url));

/** script/backup and script/restore. */
async function embedded(folder: string): Promise<Procedure> {
  const [lost, fresh, backup] = ['lost', 'fresh', 'backup'].map((name) => join(folder, name)) as [
    string,
    string,
    string,
  ];
  const script = (name: string, dataDir: string) =>
    run('bash', [repository(`script/${name}`), backup], { env: { ...process.env, QUAYSIDE_DATA_DIR: dataDir } });
  return {
    lost: { dataDir: lost },
    fresh: { dataDir: fresh },
    backUp: () => script('backup', lost),
    restore: () => script('restore', fresh),
    async refuse() {
      await expect(script('restore', fresh)).rejects.toThrow(/is not empty; restore into a new data directory/);
      await expect(script('backup', fresh)).rejects.toThrow(/is not empty; back up into a directory of its own/);
    },
    stop: async () => {},
  };
}

/** The commands of docs/operations.md, word by word, with the tools of a PostgreSQL of the operator's. */
async function external(folder: string): Promise<Procedure> {
  const [from, to] = await Promise.all(
    ['from', 'to'].map((name) => {
      mkdirSync(join(folder, name));
      return startExternalPostgres(join(folder, name));
    }),
  );
  if (!from || !to) throw new Error('There are two.');
  const documented = /```sh\n(pg_dump[\s\S]*?)(psql[\s\S]*?)```/.exec(
    readFileSync(repository('docs/operations.md'), 'utf8'),
  );
  const shell = (commands = 'false') =>
    run('bash', ['-euc', commands], {
      cwd: folder,
      env: { PATH: `${from.bin}:${process.env.PATH}`, DATABASE_URL: from.url, NEW_DATABASE_URL: to.url },
    });
  return {
    lost: { dataDir: join(folder, 'lost'), databaseUrl: from.url },
    fresh: { dataDir: join(folder, 'fresh'), databaseUrl: to.url },
    backUp: () => shell(documented?.[1]),
    async restore() {
      await from.stop();
      await shell(documented?.[2]);
    },
    async refuse() {
      await expect(shell(documented?.[2])).rejects.toThrow(/role "quayside_app" already exists/);
    },
    async stop() {
      await Promise.all([from.stop(), to.stop()]);
    },
  };
}

describe.each([
  { kind: 'the embedded database', prepare: embedded, isThere: true },
  { kind: 'an external database', prepare: external, isThere: process.env.QUAYSIDE_POSTGRES !== undefined },
])('of $kind', ({ prepare, isThere }) => {
  const folder = makeFolder();
  const crew = assembleCrew();
  const environment = { QUAYSIDE_ALLOW_PRIVATE_TARGETS: 'true' };
  let procedure: Procedure;
  let server: ServerProcess;
  let target: FaultTarget;
  let portal: PortalClient;

  beforeAll(async () => {
    if (!isThere) return;
    procedure = await prepare(folder.path);
    server = await startServerProcess({ ...procedure.lost, environment });
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
    await procedure?.stop();
    folder.remove();
  });

  it.runIf(isThere)(
    'a backup taken under load is restored to a portal that lost nothing of before',
    async () => {
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
      await procedure.backUp();
      isBackedUp = true;
      await Promise.all([...load, things.stop()]);
      await end(server.child, 'SIGKILL');
      const meanwhile = { requests: [...seen.requests], executions: [...seen.executions] };
      seen.requests.length = 0;

      const { lost, fresh } = procedure;
      await procedure.restore();
      mkdirSync(fresh.dataDir, { recursive: true });
      copyFileSync(join(lost.dataDir, 'installation.key'), join(fresh.dataDir, 'installation.key'));
      server = await startServerProcess({ ...fresh, port: server.port, environment });
      const url = fresh.databaseUrl ?? embeddedPostgres(fresh.dataDir).url;
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
      expect(readFileSync(join(fresh.dataDir, 'installation.key'), 'utf8')).toBe(
        readFileSync(join(lost.dataDir, 'installation.key'), 'utf8'),
      );
      await procedure.refuse();
    },
    300_000,
  );
});
