import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, request as forward } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort, type ServerProcess, startServerProcess, testOrganization } from '@quayside/testkit';
import { createAuthority, startHttpProxy, startSocksProxy } from '@quayside/testkit/network';
import { misbehaviours, startRawServer, startReceiver } from '@quayside/testkit/receiver';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { examine } from '../src/doctor.ts';
import { environment } from './start-agent.ts';

/** The doctor at the real server, behind real TLS servers and proxies. */
const root = createAuthority('Company Root');
const intermediate = root.intermediate('Company Issuing');
const hosts = { 'portal.test': '127.0.0.1' };

// Processes start, and other files load the machine.
vi.setConfig({ testTimeout: 30_000 });

let server: ServerProcess;
let dataDir: string;
let dir: string;
const kept: { close(): unknown }[] = [];
const keep = <T extends { close(): unknown }>(one: T): T => {
  kept.push(one);
  return one;
};

beforeAll(async () => {
  dataDir = mkdtempSync(join(tmpdir(), 'quayside-doctor-'));
  server = await startServerProcess({ dataDir });
}, 90_000);
afterAll(async () => {
  await server.stop();
  rmSync(dataDir, { recursive: true, force: true });
}, 90_000);
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'quayside-doctor-files-'));
});
afterEach(async () => {
  await Promise.all(kept.splice(0).map((one) => one.close()));
  rmSync(dir, { recursive: true, force: true });
});

const settings = (more: Record<string, string> = {}) => environment(server, { QUAYSIDE_AGENT_CA_DIR: dir, ...more });

async function examined(more: Record<string, string> = {}) {
  const lines: string[] = [];
  const exitCode = await examine({ env: settings(more), processId: 1, print: (line) => lines.push(line) });
  return {
    exitCode,
    lines,
    /** The line of a part, without its name. */
    of: (name: string) => lines.find((line) => line.slice(2).startsWith(`${name} `))?.replace(/ {2,}/, ' '),
    bad: lines.filter((line) => line.startsWith('✗')),
  };
}

function file(name: string, text: string): string {
  writeFileSync(join(dir, name), text);
  return join(dir, name);
}

/** In front of the portal, as an ingress is; with the time that it says it is. */
async function ingress(options: { tls?: { key: string; cert: string }; date?: Date } = {}): Promise<number> {
  const inside = new URL(server.url);
  const onRequest: Parameters<typeof createServer>[1] = (request, response) => {
    const { method, url: path, headers } = request;
    const onward = forward({ host: inside.hostname, port: inside.port, method, path, headers }, (answer) => {
      const date = options.date && { date: options.date.toUTCString() };
      response.writeHead(answer.statusCode ?? 502, { ...answer.headers, ...date });
      answer.pipe(response);
    });
    request.pipe(onward);
  };
  const front = options.tls ? createTlsServer(options.tls, onRequest) : createServer(onRequest);
  front.listen(0, '127.0.0.1');
  await once(front, 'listening');
  keep({
    close: () => {
      front.closeAllConnections();
      front.close();
    },
  });
  return (front.address() as AddressInfo).port;
}

describe('all is well', () => {
  it('has a ✓ in every line, exit code 0, and leaves portal and files as they are', async () => {
    const { authorization } = await login();
    const before = await agentsOf(authorization);
    const child = spawn(process.execPath, [new URL('../src/main.ts', import.meta.url).pathname, 'doctor'], {
      cwd: dir,
      env: {
        PATH: process.env.PATH,
        ...settings({
          QUAYSIDE_AGENT_DATA_DIR: join(dir, 'outcomes'),
          QUAYSIDE_AGENT_AUDIT_FILE: join(dir, 'audit.jsonl'),
          QUAYSIDE_AGENT_TARGETS_FILE: file('targets.json', '[{"hosts":["shop.internal"]}]'),
          CONTROL_THE_PAYLOAD_CONFIG_PATH: file('mapping.json', '[{"enabled":true}]'),
        }),
      },
    });
    let text = '';
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
    const [code] = (await once(child, 'exit')) as [number];
    const lines = text.trimEnd().split('\n');
    expect(lines.filter((line) => !line.startsWith('✓ '))).toEqual([]);
    expect(lines.map((line) => line.slice(2, 16).trimEnd())).toEqual([
      'Settings',
      'CA files',
      'DNS',
      'Proxy',
      'Certificate',
      'Portal',
      'Clock',
      'Credentials',
      'Organization',
      'Streamer',
      'Claims',
      'Mapping',
      'Targets',
      'Audit file',
      'Outcomes',
    ]);
    expect(code).toBe(0);
    expect(await agentsOf(authorization)).toEqual(before);
    expect(before).toMatchObject({ agents: [] });
    const made = readdirSync(dir).sort();
    expect(made).toEqual(['mapping.json', 'targets.json']);
  });

  it('behind a proxy and an ingress with a company CA: says which', async () => {
    file('company.crt', root.cert);
    const leaf = intermediate.issue(['portal.test']);
    const port = await ingress({ tls: { key: leaf.key, cert: leaf.cert + intermediate.cert } });
    const proxy = keep(await startHttpProxy({ hosts, login: 'agent:s3same' }));
    const { exitCode, of } = await examined({
      PORT_API_BASE_URL: `https://portal.test:${port}`,
      HTTPS_PROXY: `http://agent:s3same@${proxy.host}`,
    });
    expect(exitCode).toBe(0);
    expect(of('Mapping')).toContain('no file: messages go to the URL of their action');
    expect(of('Proxy')).toBe(`✓ Proxy ${proxy.url} (HTTPS_PROXY) for portal.test:${port}`);
    expect(of('CA files')).toContain('trusted beyond those of the runtime: 1');
    expect(of('Certificate')).toContain('portal.test, issued by Company Issuing, valid until');
  });

  it('names a certificate that ends soon', async () => {
    file('company.crt', root.cert);
    const leaf = root.issue(['localhost'], { notAfter: new Date(Date.now() + 3.5 * 86_400_000) });
    const port = await ingress({ tls: leaf });
    const { of } = await examined({ PORT_API_BASE_URL: `https://localhost:${port}` });
    expect(of('Certificate')).toContain('which is in 3 days: renew it');
  });
});

describe('what is wrong is one line with the remedy, and exit code 1', () => {
  it('settings, all of them', async () => {
    const { exitCode, lines } = await examined({ PORT_ORG_ID: '', STREAMER_NAME: 'CARRIER_PIGEON' });
    expect(exitCode).toBe(1);
    expect(lines).toEqual([
      expect.stringContaining('STREAMER_NAME is "CARRIER_PIGEON": it must be KAFKA or POLLING'),
      expect.stringContaining('PORT_ORG_ID is missing: the id of your organization'),
      expect.stringMatching(/^– All else/),
    ]);
  });

  it('a name that DNS does not know', async () => {
    const { exitCode, bad, of } = await examined({ PORT_API_BASE_URL: 'http://no-such-portal.invalid' });
    expect(exitCode).toBe(1);
    expect(bad).toEqual([expect.stringMatching(/no address for no-such-portal\.invalid .*name servers/)]);
    expect(of('Portal')).toBe('– Portal the name comes first');
  });

  it('a portal that does not listen', async () => {
    const { bad } = await examined({ PORT_API_BASE_URL: `http://127.0.0.1:${await freePort()}` });
    expect(bad).toEqual([expect.stringMatching(/^✗ Portal .*connection refused: nothing listens/)]);
  });

  it.each<[string, Parameters<typeof startHttpProxy>[0], string, RegExp]>([
    ['refuses', { refuseWith: 403 }, '', /refuses a connection to portal\.test:\d+ with status 403.*NO_PROXY/],
    ['wants a login', { login: 'agent:s3same' }, '', /wants a login: write it into HTTPS_PROXY as user:password@/],
    ['wants another login', { login: 'agent:s3same' }, 'agent:wrong@', /refuses the login in HTTPS_PROXY/],
  ])('a proxy that %s', async (_, options, user, text) => {
    const proxy = keep(await startHttpProxy(options));
    const { bad, of } = await examined({
      PORT_API_BASE_URL: 'https://portal.test:8443',
      HTTPS_PROXY: `http://${user}${proxy.host}`,
    });
    expect(bad).toEqual([expect.stringMatching(text)]);
    expect(bad[0]).toMatch(/^✗ Proxy/);
    expect(of('Portal')).toBe('– Portal the proxy comes first');
  });

  it('a proxy that is not there, or is of another kind', async () => {
    const away = await examined({
      PORT_API_BASE_URL: 'https://portal.test',
      ALL_PROXY: `socks5h://127.0.0.1:${await freePort()}`,
    });
    expect(away.bad).toEqual([expect.stringMatching(/^✗ Proxy .*can not be reached/)]);
    const other = keep(await startRawServer(misbehaviours.speaksGarbage));
    const garbled = await examined({
      PORT_API_BASE_URL: 'https://portal.test',
      ALL_PROXY: `http://127.0.0.1:${other.port}`,
    });
    expect(garbled.bad).toEqual([expect.stringMatching(/^✗ Proxy .*is its scheme right/)]);
    const socks = keep(await startSocksProxy());
    const confused = await examined({ PORT_API_BASE_URL: 'https://portal.test', ALL_PROXY: `http://${socks.host}` });
    expect(confused.bad).toEqual([expect.stringMatching(/^✗ Proxy .*speaks SOCKS: write ALL_PROXY=socks5h:/)]);
  });

  const chains: [string, () => { key: string; cert: string }, RegExp][] = [
    [
      'of an unknown CA',
      () => {
        const leaf = createAuthority('Somebody').issue(['localhost']);
        return { key: leaf.key, cert: leaf.cert };
      },
      /issuer "Somebody".*SSL_CERT_FILE/,
    ],
    [
      'without its intermediate',
      () => intermediate.issue(['localhost']),
      /not the certificate of its issuer "Company Issuing".*let the service send it/,
    ],
    [
      'that has expired',
      () => root.issue(['localhost'], { notAfter: new Date(Date.now() - 86_400_000) }),
      /expired on .*renew it, and check the clock/,
    ],
    ['of another name', () => root.issue(['other.test']), /is not for the name localhost/],
  ];
  it.each(chains)('a certificate %s', async (_, tls, text) => {
    file('company.crt', root.cert);
    const port = await ingress({ tls: tls() });
    const { bad, of } = await examined({ PORT_API_BASE_URL: `https://localhost:${port}` });
    expect(bad).toEqual([expect.stringMatching(text)]);
    expect(bad[0]).toMatch(/^✗ Certificate/);
    expect(of('Portal')).toBe('– Portal the certificate comes first');
  });

  it('TLS where there is none', async () => {
    const { bad } = await examined({ PORT_API_BASE_URL: server.url.replace('http:', 'https:') });
    expect(bad).toEqual([expect.stringMatching(/^✗ Certificate .*does not speak TLS|meant to be http:/)]);
  });

  it('something else than a portal', async () => {
    const other = keep(
      await startReceiver({ answer: (_, response) => void response.writeHead(200).end('<h1>Sign in</h1>') }),
    );
    const { bad } = await examined({ PORT_API_BASE_URL: other.url });
    expect(bad).toEqual([expect.stringMatching(/answered 200, but not as a portal does; check PORT_API_BASE_URL/)]);
  });

  it('a clock that is off', async () => {
    const port = await ingress({ date: new Date(Date.now() + 10 * 60_000) });
    const { exitCode, bad } = await examined({ PORT_API_BASE_URL: `http://127.0.0.1:${port}` });
    expect(exitCode).toBe(1);
    expect(bad).toEqual([expect.stringMatching(/^✗ Clock .*(?:599|600) s behind the portal.*NTP/)]);
  });

  it('a wrong secret', async () => {
    const { bad, of } = await examined({ PORT_CLIENT_SECRET: 'wrong' });
    expect(bad).toEqual([expect.stringMatching(/^✗ Credentials .*check PORT_CLIENT_ID and PORT_CLIENT_SECRET/)]);
    expect(of('Polling')).toBe('– Polling the portal comes first');
  });

  it('another organization', async () => {
    const { bad } = await examined({ PORT_ORG_ID: 'org_other' });
    expect(bad).toEqual([
      expect.stringMatching(/are of the organization org_test, but PORT_ORG_ID is org_other; set PORT_ORG_ID/),
    ]);
  });

  it('an organization whose agents said another streamer', async () => {
    const say = async (portAgentStreamerName: string | null) =>
      fetch(`${server.url}/v1/organization`, {
        method: 'PATCH',
        headers: { 'content-type': 'application/json', ...(await login()) },
        body: JSON.stringify({ settings: { portAgentStreamerName } }),
      });
    await say('KAFKA');
    const { exitCode, bad } = await examined({});
    expect(exitCode).toBe(1);
    expect(bad).toEqual([
      expect.stringMatching(/^✗ Streamer .*agents said KAFKA last.* this agent is for POLLING.*one STREAMER_NAME/),
    ]);
    await say('POLLING');
    expect((await examined({})).of('Streamer')).toBe("✓ Streamer the organization's agents say POLLING, as this one");
  });

  it('Kafka at a portal that has none', async () => {
    const { bad } = await examined({ STREAMER_NAME: 'KAFKA', KAFKA_CONSUMER_GROUP_ID: 'org_test.a' });
    expect(bad.at(-1)).toMatch(/^✗ Kafka .*STREAMER_NAME=POLLING/);
  });

  it('files: certificates, mapping, targets, audit, outcomes', async () => {
    const { exitCode, bad } = await examined({
      SSL_CERT_FILE: join(dir, 'absent.pem'),
      CONTROL_THE_PAYLOAD_CONFIG_PATH: file('mapping.json', '[{"enabled": tru'),
      QUAYSIDE_AGENT_TARGETS_FILE: file('targets.json', '[{"host":["a"]}]'),
      QUAYSIDE_AGENT_AUDIT_FILE: join(dir, 'absent', 'audit.jsonl'),
      QUAYSIDE_AGENT_DATA_DIR: join(file('taken', ''), 'outcomes'),
    });
    expect(exitCode).toBe(1);
    expect(bad).toEqual([
      expect.stringMatching(/absent\.pem \(SSL_CERT_FILE\) can not be used/),
      expect.stringMatching(/mapping\.json can not be used: it is not JSON .*Mend the file/),
      expect.stringMatching(/host is none of hosts, paths and methods/),
      expect.stringMatching(/the directory .*absent does not exist/),
      expect.stringMatching(/taken is no directory/),
    ]);
  });

  it('a mapping whose program does not compile', async () => {
    const { bad } = await examined({
      CONTROL_THE_PAYLOAD_CONFIG_PATH: file('mapping.json', '[{"url":".payload | nosuch("}]'),
    });
    expect(bad).toEqual([expect.stringMatching(/^✗ Mapping .*url/)]);
  });
});

describe('the command line', () => {
  it('of something unknown says what there is, and exits with 2', async () => {
    const child = spawn(process.execPath, [new URL('../src/main.ts', import.meta.url).pathname, 'docter']);
    let text = '';
    child.stderr.on('data', (chunk) => (text += chunk));
    expect(await once(child, 'exit')).toEqual([2, null]);
    expect(text).toContain('does not know "docter"');
    expect(text).toContain('script/agent doctor');
  });

  it.each([['help'], ['--help'], ['bench-target', '--help']])('tells what there is: %s', async (...words) => {
    const child = spawn(process.execPath, [new URL('../src/main.ts', import.meta.url).pathname, ...words]);
    let text = '';
    child.stdout.on('data', (chunk) => (text += chunk));
    expect(await once(child, 'exit')).toEqual([0, null]);
    expect(text).toContain('script/agent bench-target');
  });
});

async function login(): Promise<{ authorization: string }> {
  const { clientId, clientSecret } = testOrganization;
  const answer = await fetch(`${server.url}/v1/auth/access_token`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ clientId, clientSecret }),
  });
  return { authorization: `Bearer ${((await answer.json()) as { accessToken: string }).accessToken}` };
}

async function agentsOf(authorization: string): Promise<unknown> {
  return (await fetch(`${server.url}/v1/agents`, { headers: { authorization } })).json();
}
