import { type ServerProcess, startServerProcess } from '@quayside/testkit';
import {
  countOpenRuns,
  type FaultTarget,
  PortalClient,
  setUpTarget,
  startFaultTarget,
  until,
} from '@quayside/testkit/faults';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { asOwner, assembleCrew, embeddedPostgres, end, judge, makeFolder } from './lab.ts';

/**
 * The embedded PostgreSQL under load: the whole of it killed with -9, then one of its backends (it then recovers by itself),
 * then the portal, so that the next start finds a PostgreSQL without an owner.
 */
const folder = makeFolder();
const crew = assembleCrew();
const runCount = 90;
let server: ServerProcess;
let target: FaultTarget;
let portal: PortalClient;
let isOver = false;

beforeAll(async () => {
  server = await startServerProcess({ dataDir: folder.path });
  portal = new PortalClient([server.url]);
  target = await startFaultTarget(portal);
  await setUpTarget(portal, target.url);
  crew.start({ portalUrl: server.url, id: 'agent-1' });
});
afterAll(async () => {
  isOver = true;
  await crew.stop();
  await server?.stop();
  await target?.close();
  folder.remove();
});

const postgres = () => embeddedPostgres(folder.path);

const arrived = (count: number) =>
  until(`${count} runs have arrived`, () => new Set(target.seen.requests.map(({ runId }) => runId)).size >= count);

it('is killed under load, and nothing is lost', async () => {
  const load = Array.from({ length: 6 }, async (_, lane) => {
    for (let index = 0, tries = 0; !isOver && index < runCount / 6; tries += 1) {
      const action = index % 2 === 0 ? 'start' : 'ask';
      const execution = await portal.execute(action, `t-${lane}-${index}-${tries}`, { delayMs: 20 });
      target.seen.executions.push(execution);
      if (execution.verdict === 'accepted') index += 1;
      else await new Promise((resolve) => setTimeout(resolve, 50));
    }
  });
  await arrived(15);
  const first = postgres();
  process.kill(first.pid, 'SIGKILL');
  await until('it was started again', () => postgres().pid !== first.pid);

  await arrived(35);
  const backend = await asOwner(postgres().url, async (client) => {
    const { rows } = await client.query<{ pid: number }>(
      `select pid from pg_stat_activity where application_name = 'quayside' limit 1`,
    );
    return rows[0]?.pid ?? 0;
  });
  process.kill(backend, 'SIGKILL');

  await arrived(55);
  await end(server.child, 'SIGKILL');
  const orphan = postgres().pid;
  server = await startServerProcess({ dataDir: folder.path, port: server.port });
  expect(postgres().pid).not.toBe(orphan);

  await Promise.all(load);
  await until('every run has ended', async () => target.busy === 0 && (await countOpenRuns(postgres().url)) === 0);
  const record = await judge(postgres().url, target.seen);
  expect(target.seen.executions.filter(({ verdict }) => verdict === 'accepted')).toHaveLength(runCount);
  expect(record.runs.length).toBeGreaterThanOrEqual(runCount);
});
