import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLog } from '@quayside/testkit';
import { Client } from 'pg';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type EmbeddedPostgres, startEmbeddedPostgres } from './embedded-postgres.ts';

let dataDir: string;
let postgres: EmbeddedPostgres;
const start = () =>
  startEmbeddedPostgres({ dataDir, log: silentLog, settings: { shared_buffers: '16MB', max_connections: '20' } });
const ask = async (url: string, statement: string, name = 'a test'): Promise<Client> => {
  const client = new Client({ connectionString: url, application_name: name });
  client.on('error', () => undefined);
  await client.connect();
  await client.query(statement);
  return client;
};

beforeAll(async () => {
  dataDir = mkdtempSync(join(tmpdir(), 'quayside-postgres-'));
  // Reachable for the account that the database runs as when the tests run as root.
  chmodSync(dataDir, 0o755);
  postgres = await start();
}, 60_000);
afterAll(async () => {
  await postgres.stop();
  rmSync(dataDir, { recursive: true, force: true });
});

it('starts again by itself, once, with everything that was committed', async () => {
  const client = await ask(postgres.url, 'create table kept as select 1 as one');
  const first = postgres.pid as number;
  process.kill(first, 'SIGKILL');
  await expect
    .poll(
      () =>
        ask(postgres.url, 'select one from kept').then(
          (next) => next.end().then(() => 'back'),
          () => 'away',
        ),
      { timeout: 30_000 },
    )
    .toBe('back');
  await client.end().catch(() => undefined);
  await expect.poll(() => postgres.pid).not.toBe(first);
  // The one that serves is the child that is watched: there is no second one fighting for the directory.
  const file = join(dataDir, 'postgres', 'postmaster.pid');
  await expect.poll(() => Number(readFileSync(file, 'utf8').split('\n')[0])).toBe(postgres.pid);
}, 60_000);

it('is not taken from a portal that uses it', async () => {
  const portal = await ask(postgres.url, 'select 1', 'quayside wakes');
  await expect(start()).rejects.toThrow(/Another Quayside is running on this data directory.*QUAYSIDE_DATA_DIR/);
  await portal.query('select 1');
  await portal.end();
}, 30_000);

it('is taken over when its portal was killed', async () => {
  await postgres.stop();
  const program = `
    const { startEmbeddedPostgres } = await import(${JSON.stringify(new URL('./embedded-postgres.ts', import.meta.url).href)});
    const log = new Proxy({}, { get: () => () => undefined });
    console.log((await startEmbeddedPostgres({ dataDir: ${JSON.stringify(dataDir)}, log })).pid);
    setInterval(() => undefined, 1_000);`;
  const portal = spawn(process.execPath, ['--input-type=module', '-e', program], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [printed] = (await once(portal.stdout, 'data')) as [Buffer];
  portal.kill('SIGKILL');
  await once(portal, 'exit');
  const leftover = Number(printed.toString());
  process.kill(leftover, 0);

  postgres = await start();
  expect(() => process.kill(leftover, 0)).toThrow();
  await (await ask(postgres.url, 'select one from kept')).end();
}, 60_000);
