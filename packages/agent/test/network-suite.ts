import { type AddressInfo, connect } from 'node:net';
import { join } from 'node:path';
import { createServer, type Server, type TLSSocket } from 'node:tls';
import { createAuthority, startHttpProxy, startSocksProxy, type TestProxy } from '@quayside/testkit/network';
import { type Receiver, startReceiver } from '@quayside/testkit/receiver';
import { describe, expect, it } from 'vitest';
import { eventually } from './portal.ts';
import type { SeenRun } from './real-portal.ts';
import type { World } from './real-world.ts';
import type { StartedAgent } from './start-agent.ts';

/** The agent in a network as companies have it: proxies in front of everything, certificates of their own. */
const root = createAuthority('Company Root');
const intermediate = root.intermediate('Company Issuing');
const portalLeaf = intermediate.issue(['portal.test']);
const targetLeaf = intermediate.issue(['shop.test']);
const agentLeaf = root.issue([], { commonName: 'agent' });
const hosts = { 'portal.test': '127.0.0.1', 'shop.test': '127.0.0.1' };
const withinMs = 60_000;

export function testNetwork(world: World): void {
  const start = (env: Record<string, string>): StartedAgent =>
    world.start({ QUAYSIDE_AGENT_CA_DIR: world.dir, ...env });
  /** Of a synchronous run, because that one is not sent again. */
  const deliver = async (url: string): Promise<SeenRun> =>
    world.portal.ended(await world.portal.enqueue({ url, synchronized: true }));

  /** The portal behind TLS, as behind an ingress. */
  async function tlsPortal(cert: string): Promise<number> {
    const inside = Number(new URL(world.portal.url).port);
    const sockets = new Set<TLSSocket>();
    const server: Server = createServer({ key: portalLeaf.key, cert }, (socket) => {
      sockets.add(socket);
      const onward = connect(inside, '127.0.0.1');
      socket.pipe(onward).on('error', () => socket.destroy());
      onward.pipe(socket).on('error', () => onward.destroy());
      socket.on('close', () => onward.destroy());
    });
    server.listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    world.keep({
      close: () => {
        for (const socket of sockets) socket.destroy();
        server.close();
      },
    });
    return (server.address() as AddressInfo).port;
  }
  const tlsTarget = async (): Promise<Receiver> =>
    world.keep(
      await startReceiver({
        tls: {
          key: targetLeaf.key,
          cert: targetLeaf.cert + intermediate.cert,
          ca: root.cert,
          requestCert: true,
          rejectUnauthorized: true,
        },
      }),
    );
  const askedFor = (proxy: TestProxy, what: string) => proxy.asked.some((line) => line.includes(what));

  describe('everything through the proxy', () => {
    it('over HTTP: portal and target, and NO_PROXY excepts', async () => {
      const proxy = world.keep(await startHttpProxy({ login: 'agent:s3same' }));
      const [near, far] = [world.keep(await startReceiver()), world.keep(await startReceiver())];
      start({ HTTP_PROXY: `http://agent:s3same@${proxy.host}`, NO_PROXY: `127.0.0.1:${near.port}` });
      const runs = [await deliver(near.url), await deliver(far.url)];
      expect(runs.map(({ status }) => status)).toEqual(['SUCCESS', 'SUCCESS']);
      expect([near.requests.length, far.requests.length]).toEqual([1, 1]);
      expect(askedFor(proxy, `POST ${world.portal.url}/v1/actions/runs/claim-pending`)).toBe(true);
      expect(askedFor(proxy, far.url)).toBe(true);
      expect(askedFor(proxy, near.url)).toBe(false);
    });

    it.each(['http', 'socks5h'])(
      'over TLS with names that only the proxy knows, a company CA and a client certificate (%s)',
      async (scheme) => {
        const proxy = world.keep(await (scheme === 'http' ? startHttpProxy({ hosts }) : startSocksProxy({ hosts })));
        const shop = await tlsTarget();
        world.file('company.crt', root.cert);
        const port = await tlsPortal(portalLeaf.cert + intermediate.cert);
        start({
          PORT_API_BASE_URL: `https://portal.test:${port}`,
          ALL_PROXY: `${scheme}://${proxy.host}`,
          QUAYSIDE_AGENT_CLIENT_CERT_FILE: world.file('agent.pem', agentLeaf.cert),
          QUAYSIDE_AGENT_CLIENT_KEY_FILE: world.file('agent.key', agentLeaf.key),
        });
        expect(await deliver(`https://shop.test:${shop.port}/hook`)).toMatchObject({
          status: 'SUCCESS',
          response: { ok: true },
        });
        expect(askedFor(proxy, `portal.test:${port}`)).toBe(true);
        expect(askedFor(proxy, `shop.test:${shop.port}`)).toBe(true);
      },
    );
  });

  describe('certificates', () => {
    const through = async () => ({ HTTPS_PROXY: world.keep(await startHttpProxy({ hosts })).url });

    it('an unknown CA is named in the log, and the agent goes on as soon as the file is there', async () => {
      const port = await tlsPortal(portalLeaf.cert + intermediate.cert);
      const { lines } = start({ PORT_API_BASE_URL: `https://portal.test:${port}`, ...(await through()) });
      await eventually(
        'it complains',
        () => lines.some((line) => line.includes('issuer \\"Company Root\\"')),
        withinMs,
      );
      world.file('company.crt', root.cert);
      expect((await deliver(world.target.url)).status).toBe('SUCCESS');
    });

    it('several CAs count as the chart mounts them: one that the variables name, others beside it', async () => {
      const second = createAuthority('Second Root');
      const cert = world.file('cert.crt', root.cert + world.brokerCa);
      world.file('cert2.crt', second.cert);
      start({ SSL_CERT_FILE: cert, REQUESTS_CA_BUNDLE: cert });
      for (const authority of [root, second]) {
        const shop = world.keep(await startReceiver({ tls: authority.issue(['localhost']) }));
        expect((await deliver(`https://localhost:${shop.port}/`)).status).toBe('SUCCESS');
      }
    });

    it('a missing intermediate of a target is in the run, with what to do', async () => {
      world.file('company.crt', root.cert);
      const shop = world.keep(await startReceiver({ tls: { key: targetLeaf.key, cert: targetLeaf.cert } }));
      start(await through());
      const run = await deliver(`https://shop.test:${shop.port}/`);
      expect(run.summary).toContain('not the certificate of its issuer "Company Issuing"');
      expect(run.summary).toContain('let the service send it (leaf first, root last)');
      expect(shop.requests).toHaveLength(0);
    });

    it('an expired one of a target is in the run, with what to do, and the agent goes on', async () => {
      world.file('company.crt', root.cert);
      const expired = root.issue(['shop.test'], { notAfter: new Date(Date.now() - 86_400_000) });
      const shop = world.keep(await startReceiver({ tls: { key: expired.key, cert: expired.cert } }));
      const { lines } = start(await through());
      const run = await deliver(`https://shop.test:${shop.port}/`);
      const remedy = 'renew it, and check the clock';
      expect(run).toMatchObject({ status: 'FAILURE', summary: expect.stringContaining(remedy) as string });
      expect(lines.join()).toContain(remedy);
      expect((await deliver(world.target.url)).status).toBe('SUCCESS');
    });

    it('WEBHOOK_VERIFY_SSL=false is for targets only, and the log says so', async () => {
      const shop = world.keep(await startReceiver({ tls: true }));
      const { lines, stop } = start({ WEBHOOK_VERIFY_SSL: 'false' });
      expect((await deliver(shop.url)).status).toBe('SUCCESS');
      expect(lines.join()).toContain('WEBHOOK_VERIFY_SSL is false');
      await stop();
      const port = await tlsPortal(portalLeaf.cert + intermediate.cert);
      const other = start({
        WEBHOOK_VERIFY_SSL: 'false',
        PORT_API_BASE_URL: `https://portal.test:${port}`,
        ...(await through()),
      });
      await eventually(
        'the portal is checked',
        () => other.lines.some((line) => line.includes('not trusted here')),
        withinMs,
      );
    });

    it('a proxy that refuses fails the run with the remedy, and the agent goes on', async () => {
      const proxy = world.keep(await startHttpProxy({ refuseWith: 403 }));
      const shop = await tlsTarget();
      const { lines } = start({ HTTPS_PROXY: proxy.url });
      const refused = await deliver(`https://shop.test:${shop.port}/`);
      const remedy = /proxy .* refuses a connection to shop\.test:\d+ with status 403.*NO_PROXY/;
      expect(refused.summary).toMatch(remedy);
      expect(lines.join()).toMatch(remedy);
      expect((await deliver(world.target.url)).status).toBe('SUCCESS');
    });

    it('files that can not be used are named at the start', async () => {
      const { lines } = start({
        SSL_CERT_FILE: join(world.dir, 'absent.pem'),
        REQUESTS_CA_BUNDLE: world.file('empty.pem', 'nothing'),
      });
      const text = lines.join();
      expect(text).toContain('absent.pem (SSL_CERT_FILE) can not be used as CA certificates');
      expect(text).toContain('empty.pem (REQUESTS_CA_BUNDLE) holds no certificate');
    });
  });
}
