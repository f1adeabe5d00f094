import { once } from 'node:events';
import { copyFileSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemRoutes } from '@quayside/contracts';
import { administer, createDatabase, freePort, spawnServer, type TestDatabase } from '@quayside/testkit';
import { startWire, until, type Wire } from '@quayside/testkit/faults';
import { afterAll, afterEach, beforeAll, describe, expect, inject, it, vi } from 'vitest';
import { startTestApp } from './harness.ts';

/** What a start does when not everything is in place: a database that is away, mistakes, another installation's key. */
vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

const folder = mkdtempSync(join(tmpdir(), 'quayside-start-'));
const [first, other] = [join(folder, 'first'), join(folder, 'other')];
let database: TestDatabase;
let wire: Wire;
/** Where the wire leads. */
let databasePort: number;
let server: ReturnType<typeof spawnServer> | undefined;
let port: number;

beforeAll(async () => {
  database = await createDatabase(inject('postgresAdminUrl'), { isMigrated: false });
  databasePort = await freePort();
  wire = await startWire(() => databasePort);
});
afterEach(async () => {
  if (server?.child.exitCode === null) {
    server.child.kill('SIGKILL');
    await once(server.child, 'exit');
  }
});
afterAll(async () => {
  await wire.close();
  await database.drop();
  rmSync(folder, { recursive: true, force: true });
});

async function spawn(databaseUrl: string): Promise<void> {
  port = await freePort();
  server = spawnServer({ dataDir: first, databaseUrl, port });
}
const ask = async (path: string) => {
  const response = await fetch(`http://127.0.0.1:${port}${path}`).catch(() => undefined);
  return response && { status: response.status, body: (await response.json()) as { message?: string } };
};
const throughWire = () => Object.assign(new URL(database.url), { port: String(wire.port) }).href;
const exitOf = async () => {
  const child = server?.child;
  if (child?.exitCode === null) await once(child, 'exit');
  return child?.exitCode;
};

describe('a start while the database is away', () => {
  it('waits and says so, begins again when it breaks in the middle, and then serves', async () => {
    await spawn(throughWire());
    await until('it says that it waits', async () => (await ask('/readyz'))?.status === 503);
    expect((await ask('/readyz'))?.body).toMatchObject({ ok: false, error: 'unavailable' });
    expect((await ask('/v1/anything'))?.body.message).toMatch(/^The server waits for its database: ./);
    expect((await ask('/healthz'))?.status).toBe(200);
    // In the middle of the migrations.
    wire.cutAfter(20_000, 'there');
    databasePort = Number(new URL(database.url).port);
    await until('it is ready', async () => (await ask('/readyz'))?.status === 200);
    expect(wire.cuts).toBe(1);
    expect(server?.output()).toContain('the database is away; the start waits for it and tries again');
    server?.child.kill('SIGTERM');
    expect(await exitOf()).toBe(0);
  });

  it('ends when it is told to', async () => {
    databasePort = await freePort();
    await spawn(throughWire());
    await until('it says that it waits', async () => (await ask('/readyz'))?.status === 503);
    server?.child.kill('SIGTERM');
    expect(await exitOf()).toBe(0);
  });

  it('ends at once where the address is a mistake', async () => {
    await spawn(Object.assign(new URL(database.url), { pathname: '/no_such_database' }).href);
    expect(await exitOf()).toBe(1);
    expect(server?.output()).toMatch(/Quayside did not start: .*no_such_database.* does not exist/);
  });
});

describe('a start with the database of another installation', () => {
  const start = (dataDir: string) => startTestApp({ DATABASE_URL: database.url, QUAYSIDE_DATA_DIR: dataDir });
  const message =
    /sealed with another installation key: there is none in .*other.installation\.key.*QUAYSIDE_ENCRYPTION_KEY/;

  it('is refused, makes no key, and works with the key of old', async () => {
    await expect(start(other)).rejects.toThrow(message);
    expect(existsSync(join(other, 'installation.key'))).toBe(false);
    copyFileSync(join(first, 'installation.key'), join(other, 'installation.key'));
    const app = await start(other);
    expect((await app.nobody.call(systemRoutes.ready)).status).toBe(200);
    await app.stop();
  });

  it('is refused, too, where the database knows no key yet, as before an upgrade', async () => {
    await administer(database.url, 'delete from installation');
    rmSync(other, { recursive: true });
    await expect(start(other)).rejects.toThrow(message);
  });
});
