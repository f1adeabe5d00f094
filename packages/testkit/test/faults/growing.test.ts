import { randomBytes } from 'node:crypto';
import { createServer, request as forward } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import {
  createDatabase,
  type ServerProcess,
  startServerProcess,
  type TestDatabase,
  testOrganization,
} from '@quayside/testkit';
import {
  type FaultTarget,
  listUnfinished,
  PortalClient,
  setUpTarget,
  startFaultTarget,
  until,
} from '@quayside/testkit/faults';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { asOwner, assembleCrew, judge, makeFolder } from './lab.ts';

/**
 * More servers and fewer, as docs/operations.md has it: one database and one encryption key, a data directory each, behind a
 * balancer that asks /readyz. Under load one joins, and one is taken out and stopped.
 */
const folder = makeFolder();
const crew = assembleCrew();
const key = randomBytes(32).toString('base64');
let database: TestDatabase;
let balancer: Balancer;
let target: FaultTarget;
let portal: PortalClient;
const servers: ServerProcess[] = [];

async function startOne(name: string): Promise<ServerProcess> {
  const server = await startServerProcess({
    dataDir: join(folder.path, name),
    databaseUrl: database.url,
    environment: { QUAYSIDE_ENCRYPTION_KEY: key, QUAYSIDE_ALLOW_PRIVATE_TARGETS: 'true' },
  });
  servers.push(server);
  balancer.add(server.port);
  return server;
}

beforeAll(async () => {
  database = await createDatabase(inject('postgresAdminUrl'));
  balancer = await startBalancer();
  await startOne('first');
  await startOne('second');
  portal = new PortalClient([balancer.url]);
  target = await startFaultTarget(portal);
  await setUpTarget(portal, target.url);
  crew.start({ portalUrl: balancer.url, id: 'agent-1' });
}, 60_000);
afterAll(async () => {
  await crew.stop();
  await Promise.all(servers.map((server) => server.stop()));
  await balancer?.close();
  await target?.close();
  await database?.drop();
  folder.remove();
});

it('who signed in at one server is known to the other', async () => {
  const { adminEmail: email, adminPassword: password } = testOrganization;
  const signedIn = await fetch(`${servers[0]?.url}/v1/auth/login`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ email, password }),
  });
  const [cookie = ''] = signedIn.headers.getSetCookie().map((text) => text.split(';')[0]);
  const me = await fetch(`${servers[1]?.url}/v1/auth/me`, { headers: { cookie } });
  expect(await me.json()).toMatchObject({ ok: true, user: { email } });
});

it('one server joins and one goes under load, and nobody is refused or forgotten', async () => {
  const { seen } = target;
  let isOver = false;
  const load = Array.from({ length: 4 }, async (_, lane) => {
    for (let index = 0; !isOver; index += 1)
      seen.executions.push(
        await portal.execute(['ask', 'start', 'direct'][index % 3] ?? 'ask', `lane-${lane}-${index}`, { delayMs: 20 }),
      );
  });
  const [first, second] = servers;
  const passed = async (count: number) => {
    const wanted = seen.executions.length + count;
    await until('the load goes on', () => seen.executions.length >= wanted);
  };
  await passed(40);
  const third = await startOne('third');
  await passed(40);
  balancer.remove(first?.port ?? 0);
  expect(await first?.stop()).toBe(0);
  await passed(40);
  isOver = true;
  await Promise.all(load);
  await until('all has ended', async () => target.busy === 0 && (await listUnfinished(database.url)).length === 0);

  expect(seen.executions.filter(({ verdict }) => verdict !== 'accepted')).toEqual([]);
  const record = await judge(database.url, seen);
  expect(record.runs).toHaveLength(seen.executions.length);
  const { rows } = await asOwner(database.url, (client) =>
    client.query<{ holder: string }>("select distinct holder from deliveries where holder like 'server %'"),
  );
  const pids = rows.map(({ holder }) => Number(holder.split(' ').at(-1))).sort();
  expect(pids).toEqual([first, second, third].map((server) => server?.child.pid).sort());
}, 120_000);

interface Balancer {
  readonly url: string;
  add(port: number): void;
  /** It gets no new requests. */
  remove(port: number): void;
  close(): Promise<void>;
}

/** In turn to those that are ready. Whatever goes wrong its clients see. */
async function startBalancer(): Promise<Balancer> {
  const ready = new Map<number, boolean>();
  let turn = 0;
  const health = setInterval(() => {
    for (const port of ready.keys())
      fetch(`http://127.0.0.1:${port}/readyz`)
        .then(({ ok }) => ready.has(port) && ready.set(port, ok))
        .catch(() => ready.has(port) && ready.set(port, false));
  }, 50);
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const { method, url: path, headers } = request;
    const ports = [...ready].flatMap(([port, isReady]) => (isReady ? [port] : []));
    turn += 1;
    const onward = forward({
      port: ports[turn % ports.length],
      host: '127.0.0.1',
      method,
      path,
      headers,
      agent: false,
    });
    onward.on('response', (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    });
    onward.on('error', () => response.destroy());
    response.on('close', () => onward.destroy());
    onward.end(Buffer.concat(chunks));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    add: (port) => ready.set(port, false),
    remove: (port) => ready.delete(port),
    close() {
      clearInterval(health);
      server.closeAllConnections();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}
