import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createServer, type Server, type TLSSocket } from 'node:tls';
import { createAuthority, startHttpProxy, startSocksProxy, type TestProxy } from '@quayside/testkit/network';
import { type Receiver, startReceiver } from '@quayside/testkit/receiver';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { eventually, TestPortal } from './portal.ts';
import { type StartedAgent, startAgent } from './start-agent.ts';

/** The agent in a network as companies have it: proxies in front of everything, certificates of their own. */
const root = createAuthority('Company Root');
const intermediate = root.intermediate('Company Issuing');
const portalLeaf = intermediate.issue(['portal.test']);
const targetLeaf = intermediate.issue(['shop.test']);
const agentLeaf = root.issue([], { commonName: 'agent' });
const hosts = { 'portal.test': '127.0.0.1', 'shop.test': '127.0.0.1' };

let portal: TestPortal;
let dir: string;
const started: StartedAgent[] = [];
const closing: { close(): unknown }[] = [];
beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'quayside-agent-net-'));
  portal = new TestPortal();
  await portal.start();
});
afterEach(async () => {
  await Promise.all(started.splice(0).map((agent) => agent.stop()));
  await Promise.all(closing.splice(0).map((server) => server.close()));
  await portal.stop();
  rmSync(dir, { recursive: true, force: true });
  expect(portal.violations).toEqual([]);
});

function start(env: Record<string, string>): StartedAgent {
  const agent = startAgent(portal, { QUAYSIDE_AGENT_CA_DIR: dir, ...env });
  started.push(agent);
  return agent;
}
const file = (name: string, text: string): string => {
  writeFileSync(join(dir, name), text);
  return join(dir, name);
};
function keep<T extends { close(): unknown }>(server: T): T {
  closing.push(server);
  return server;
}

/** The portal behind TLS, as behind an ingress. */
async function tlsPortal(cert: string): Promise<number> {
  const inside = Number(new URL(portal.url).port);
  const sockets = new Set<TLSSocket>();
  const server: Server = createServer({ key: portalLeaf.key, cert }, (socket) => {
    sockets.add(socket);
    const onward = connect(inside, '127.0.0.1');
    socket.pipe(onward).on('error', () => socket.destroy());
    onward.pipe(socket).on('error', () => onward.destroy());
  });
  server.listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  keep({
    close: () => {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  });
  return (server.address() as AddressInfo).port;
}
const target = async (tls = false): Promise<Receiver> =>
  keep(
    await startReceiver({
      ...(tls && {
        tls: {
          key: targetLeaf.key,
          cert: targetLeaf.cert + intermediate.cert,
          ca: root.cert,
          requestCert: true,
          rejectUnauthorized: true,
        },
      }),
    }),
  );
const askedFor = (proxy: TestProxy, what: string) => proxy.asked.some((line) => line.includes(what));

describe('everything through the proxy', () => {
  it('over HTTP: portal and target, and NO_PROXY excepts', async () => {
    const proxy = keep(await startHttpProxy({ login: 'agent:s3same' }));
    const [near, far] = [await target(), await target()];
    start({ HTTP_PROXY: `http://agent:s3same@${proxy.host}`, NO_PROXY: `127.0.0.1:${near.port}` });
    const runs = [portal.enqueue({ url: near.url }), portal.enqueue({ url: far.url })];
    await eventually('both are settled', () => runs.every((run) => run.settlements.length === 1));
    expect([near.requests.length, far.requests.length]).toEqual([1, 1]);
    expect(askedFor(proxy, `POST ${portal.url}/v1/actions/runs/claim-pending`)).toBe(true);
    expect(askedFor(proxy, far.url)).toBe(true);
    expect(askedFor(proxy, near.url)).toBe(false);
  });

  it.each(['http', 'socks5h'])(
    'over TLS with names that only the proxy knows, a company CA and a client certificate (%s)',
    async (scheme) => {
      const proxy = keep(await (scheme === 'http' ? startHttpProxy({ hosts }) : startSocksProxy({ hosts })));
      const shop = await target(true);
      file('company.crt', root.cert);
      const port = await tlsPortal(portalLeaf.cert + intermediate.cert);
      start({
        PORT_API_BASE_URL: `https://portal.test:${port}`,
        ALL_PROXY: `${scheme}://${proxy.host}`,
        QUAYSIDE_AGENT_CLIENT_CERT_FILE: file('agent.pem', agentLeaf.cert),
        QUAYSIDE_AGENT_CLIENT_KEY_FILE: file('agent.key', agentLeaf.key),
      });
      const run = portal.enqueue({ url: `https://shop.test:${shop.port}/hook`, synchronized: true });
      await eventually('it is settled', () => run.settlements.length === 1);
      expect(run).toMatchObject({ status: 'SUCCESS', response: { ok: true } });
      expect(askedFor(proxy, `portal.test:${port}`)).toBe(true);
      expect(askedFor(proxy, `shop.test:${shop.port}`)).toBe(true);
    },
  );
});

describe('certificates', () => {
  const names = { HTTPS_PROXY: '' };
  async function through(): Promise<typeof names> {
    return { HTTPS_PROXY: keep(await startHttpProxy({ hosts })).url };
  }

  it('an unknown CA is named in the log, and the agent goes on as soon as the file is there', async () => {
    const port = await tlsPortal(portalLeaf.cert + intermediate.cert);
    const { lines } = start({ PORT_API_BASE_URL: `https://portal.test:${port}`, ...(await through()) });
    await eventually('it complains', () => lines.some((line) => line.includes('issuer \\"Company Root\\"')));
    file('company.crt', root.cert);
    const run = portal.enqueue({ url: (await target()).url });
    await eventually('it is settled', () => run.settlements.length === 1);
  });

  it('a missing intermediate of a target is in the run, with what to do', async () => {
    file('company.crt', root.cert);
    const shop = keep(await startReceiver({ tls: { key: targetLeaf.key, cert: targetLeaf.cert } }));
    start(await through());
    const run = portal.enqueue({ url: `https://shop.test:${shop.port}/` });
    await eventually('it is settled', () => run.settlements.length === 1);
    expect(run.summary).toContain('not the certificate of its issuer "Company Issuing"');
    expect(run.summary).toContain('let the service send it (leaf first, root last)');
    expect(shop.requests).toHaveLength(0);
  });

  it('WEBHOOK_VERIFY_SSL=false is for targets only, and the log says so', async () => {
    const shop = keep(await startReceiver({ tls: true }));
    const { lines } = start({ WEBHOOK_VERIFY_SSL: 'false' });
    const run = portal.enqueue({ url: shop.url, synchronized: true });
    await eventually('it is settled', () => run.status === 'SUCCESS');
    expect(lines.join()).toContain('WEBHOOK_VERIFY_SSL is false');
    const port = await tlsPortal(portalLeaf.cert + intermediate.cert);
    const other = start({
      WEBHOOK_VERIFY_SSL: 'false',
      PORT_API_BASE_URL: `https://portal.test:${port}`,
      ...(await through()),
    });
    await eventually('the portal is checked', () => other.lines.some((line) => line.includes('not trusted here')));
  });

  it('a proxy that refuses fails the run with the remedy, and the agent goes on', async () => {
    const proxy = keep(await startHttpProxy({ refuseWith: 403 }));
    const shop = await target(true);
    start({ HTTPS_PROXY: proxy.url });
    const refused = portal.enqueue({ url: `https://shop.test:${shop.port}/` });
    await eventually('it is settled', () => refused.settlements.length === 1);
    expect(refused.summary).toMatch(/proxy .* refuses a connection to shop\.test:\d+ with status 403.*NO_PROXY/);
    const next = portal.enqueue({ url: (await target()).url });
    await eventually('the next is settled', () => next.settlements.length === 1);
  });

  it('files that can not be used are named at the start', async () => {
    const { lines } = start({
      SSL_CERT_FILE: join(dir, 'absent.pem'),
      REQUESTS_CA_BUNDLE: file('empty.pem', 'nothing'),
    });
    const text = lines.join();
    expect(text).toContain('absent.pem (SSL_CERT_FILE) can not be used as CA certificates');
    expect(text).toContain('empty.pem (REQUESTS_CA_BUNDLE) holds no certificate');
  });
});
