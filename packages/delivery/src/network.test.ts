import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { ServerOptions } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createAuthority, startHttpProxy, startSocksProxy, type TestProxy } from '@quayside/testkit/network';
import { type Receiver, startReceiver } from '@quayside/testkit/receiver';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createAddressGuard } from './address-guard.ts';
import { createDeliveryAgent, type DeliveryAgentOptions } from './dispatcher.ts';
import { prepare, signRequest } from './prepare.ts';
import { type FindProxy, readProxies } from './proxy.ts';
import { send } from './send.ts';
import { createTrust, type TrustSources } from './trust.ts';

/** Real proxies, real TLS with chains made here. */
const root = createAuthority('Test Root');
const intermediate = root.intermediate('Test Intermediate');
const leaf = intermediate.issue(['localhost', 'shop.internal', '127.0.0.1']);
const fullChain: ServerOptions = { key: leaf.key, cert: leaf.cert + intermediate.cert };

let dir: string;
const closing: { close(): Promise<void> }[] = [];
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'quayside-network-'));
});
afterEach(async () => {
  await Promise.all(closing.splice(0).map((server) => server.close()));
  rmSync(dir, { recursive: true, force: true });
});

async function receiver(tls?: ServerOptions): Promise<Receiver> {
  const server = await startReceiver(tls && { tls });
  closing.push(server);
  return server;
}
async function proxy(options: Parameters<typeof startHttpProxy>[0] = {}): Promise<TestProxy> {
  const server = await startHttpProxy(options);
  closing.push(server);
  return server;
}
async function socks(options: Parameters<typeof startSocksProxy>[0] = {}): Promise<TestProxy> {
  const server = await startSocksProxy(options);
  closing.push(server);
  return server;
}

const file = (name: string, text: string): string => {
  writeFileSync(join(dir, name), text);
  return join(dir, name);
};
const trustOf = (sources: Partial<TrustSources>, problems: string[] = []) =>
  createTrust({ files: [], directories: [], client: undefined, ...sources }, (problem) => problems.push(problem), 0);
const trusting = (...pems: string[]) =>
  trustOf({ files: [{ path: file('ca.pem', pems.join('')), variable: 'SSL_CERT_FILE' }] });
const proxies = (env: Record<string, string>): { findProxy: FindProxy | undefined } => {
  const { findProxy, mistakes } = readProxies(env);
  expect(mistakes).toEqual([]);
  return { findProxy };
};

async function call(url: string, options: DeliveryAgentOptions = {}) {
  const dispatcher = createDeliveryAgent({ connectTimeoutMs: 2_000, ...options });
  const prepared = prepare({ url, body: { a: 1 } }, { runId: 'r_1', attempt: 1, userAgent: 'test' });
  if (prepared.kind !== 'prepared') return prepared;
  const outcome = await send(signRequest(prepared.request, 's', 1), { dispatcher, timeoutMs: 5_000 });
  await dispatcher.destroy();
  return outcome;
}
const said = async (url: string, options: DeliveryAgentOptions) => {
  const outcome = await call(url, options);
  if (outcome.kind === 'answered') return `answered ${outcome.statusCode}`;
  return 'message' in outcome ? outcome.message : outcome.kind;
};

describe('routes', () => {
  const route = (env: Record<string, string>, url: string) => {
    const { protocol, hostname, port } = new URL(url);
    const host = hostname.replace(/^\[(.*)\]$/, '$1');
    const found = readProxies(env).findProxy?.({
      protocol,
      hostname: host,
      port: Number(port) || (protocol === 'https:' ? 443 : 80),
    });
    return found && `${found.protocol}${found.hostname}:${found.port}`;
  };

  const documented = {
    HTTP_PROXY: 'http://my-proxy.com:1111',
    HTTPS_PROXY: 'http://my-proxy.com:2222',
    ALL_PROXY: 'http://my-proxy.com:3333',
  };
  it.each<[Record<string, string>, string, string | undefined]>([
    // As Port's documents have them.
    [documented, 'http://a/', 'http:my-proxy.com:1111'],
    [documented, 'https://a/', 'http:my-proxy.com:2222'],
    [{ ALL_PROXY: documented.ALL_PROXY }, 'http://a/', 'http:my-proxy.com:3333'],
    [{ ALL_PROXY: documented.ALL_PROXY }, 'https://a/', 'http:my-proxy.com:3333'],
    [{ HTTP_PROXY: 'http://p:1' }, 'http://a/', 'http:p:1'],
    [{ HTTP_PROXY: 'http://p:1' }, 'https://a/', undefined],
    [{ HTTPS_PROXY: 'p:1' }, 'https://a/', 'http:p:1'],
    [{ ALL_PROXY: 'socks5://p' }, 'http://a/', 'socks5:p:1080'],
    [{ ALL_PROXY: 'socks5h://p:9', HTTPS_PROXY: 'https://q' }, 'https://a/', 'https:q:443'],
    [{ HTTP_PROXY: 'http://upper:1', http_proxy: 'http://lower:1' }, 'http://a/', 'http:lower:1'],
    [{ HTTP_PROXY: 'http://[::1]:3128' }, 'http://a/', 'http:::1:3128'],
    [{}, 'http://a/', undefined],
  ])('%j: %s goes to %s', (env, url, expected) => {
    expect(route(env, url)).toBe(expected);
  });

  it.each<[string, string, boolean]>([
    // As Port's documents have them.
    ['http://127.0.0.1,google.com', 'http://127.0.0.1:8080/', true],
    ['http://127.0.0.1,google.com', 'https://google.com/', true],
    ['http://127.0.0.1,google.com', 'https://gitlab.com/', false],
    ['127.0.0.1,localhost', 'http://127.0.0.1/', true],
    ['127.0.0.1,localhost', 'http://localhost:3000/', true],
    ['*', 'http://anything/', true],
    ['example.com', 'http://example.com/', true],
    ['example.com', 'http://api.example.com/', true],
    ['.example.com', 'http://api.example.com/', true],
    ['*.example.com', 'http://api.example.com/', true],
    ['example.com', 'http://badexample.com/', false],
    ['EXAMPLE.com', 'http://Example.COM./', true],
    ['example.com:8080', 'http://example.com:8080/', true],
    ['example.com:8080', 'http://example.com/', false],
    ['http://example.com/path', 'http://example.com/', true],
    ['https://example.com:8443', 'https://example.com:8443/', true],
    ['10.0.0.0/8', 'http://10.1.2.3/', true],
    ['10.0.0.0/8', 'http://11.1.2.3/', false],
    ['fd00::/8', 'http://[fd12::1]/', true],
    ['::1', 'http://[::1]/', true],
    ['[::1]:80', 'http://[::1]/', true],
    ['0.0.1', 'http://127.0.0.1/', false],
    [' a.test , b.test c.test ', 'http://c.test/', true],
    ['localhost', 'http://portal.test/', false],
  ])('NO_PROXY %j and %s: direct is %s', (noProxy, url, isDirect) => {
    expect(route({ HTTP_PROXY: 'p:1', HTTPS_PROXY: 'p:1', NO_PROXY: noProxy }, url) === undefined).toBe(isDirect);
  });

  it('mistakes are named, credentials are not', () => {
    const { mistakes } = readProxies({ HTTPS_PROXY: 'ftp://u:sesame@p', NO_PROXY: '10.0.0.0/64,[' });
    expect(mistakes).toHaveLength(3);
    expect(mistakes.join()).toContain('HTTPS_PROXY');
    expect(mistakes.join()).not.toContain('sesame');
  });
});

describe('an HTTP proxy', () => {
  it('is asked with the absolute URL for http, and for a tunnel for https', async () => {
    const { url, asked } = await proxy();
    const plain = await receiver();
    const secure = await receiver(fullChain);
    const options = { ...proxies({ HTTP_PROXY: url, HTTPS_PROXY: url }), trust: trusting(root.cert) };
    expect(await said(`${plain.url}/a?b=1`, options)).toBe('answered 200');
    expect(await said(`https://localhost:${secure.port}/`, options)).toBe('answered 200');
    expect(asked).toEqual([`POST ${plain.url}/a?b=1`, `CONNECT localhost:${secure.port}`]);
    expect(plain.requests[0]).toMatchObject({
      path: '/a?b=1',
      headers: { host: `127.0.0.1:${plain.port}`, via: '1.1 test-proxy' },
    });
    expect(plain.requests[0]?.body.toString()).toBe('{"a":1}');
  });

  it('resolves names that only it knows', async () => {
    const secure = await receiver(fullChain);
    const { url } = await proxy({ hosts: { 'shop.internal': '127.0.0.1' } });
    const options = { ...proxies({ HTTPS_PROXY: url }), trust: trusting(root.cert) };
    expect(await said(`https://shop.internal:${secure.port}/`, options)).toBe('answered 200');
  });

  it('that speaks TLS itself is reached with the same trust', async () => {
    const { url, host, asked } = await proxy({ tls: { key: leaf.key, cert: leaf.cert + intermediate.cert } });
    const plain = await receiver();
    const secure = await receiver(fullChain);
    const options = { ...proxies({ ALL_PROXY: url }), trust: trusting(root.cert) };
    expect(await said(plain.url, options)).toBe('answered 200');
    expect(await said(`https://localhost:${secure.port}/`, options)).toBe('answered 200');
    expect(asked).toHaveLength(2);
    expect(await said(plain.url, proxies({ ALL_PROXY: url }))).toContain(
      `the proxy https://${host} (ALL_PROXY) can not be reached`,
    );
  });

  it.each(['http', 'https'])(
    'that wants a login gets it, and says so when it is missing or wrong (%s)',
    async (scheme) => {
      const { host } = await proxy({ login: 'agent:s3same' });
      const target = await receiver(scheme === 'https' ? fullChain : undefined);
      const to = `${scheme}://localhost:${target.port}/`;
      const through = (proxyUrl: string) =>
        said(to, { ...proxies({ ALL_PROXY: proxyUrl }), trust: trusting(root.cert) });
      expect(await through(`http://agent:s3same@${host}`)).toBe('answered 200');
      expect(target.requests[0]?.headers['proxy-authorization']).toBeUndefined();
      expect(await through(`http://${host}`)).toContain('wants a login: write it into ALL_PROXY');
      expect(await through(`http://agent:wrong@${host}`)).toContain('refuses the login in ALL_PROXY');
      expect(target.requests).toHaveLength(1);
    },
  );

  it('that refuses, is away or is no proxy is named with what to do, and nothing was sent', async () => {
    const secure = await receiver(fullChain);
    const to = `https://localhost:${secure.port}/`;
    const refusing = await proxy({ refuseWith: 403 });
    const outcome = await call(to, proxies({ HTTPS_PROXY: refusing.url }));
    expect(outcome).toMatchObject({ kind: 'unreachable', code: 'PROXY_REFUSED' });
    expect(JSON.stringify(outcome)).toMatch(/refuses a connection to localhost:\d+ with status 403.*NO_PROXY/);
    for (const url of [to, 'http://localhost:1/']) {
      expect(await call(url, proxies({ ALL_PROXY: 'http://127.0.0.1:9' }))).toMatchObject({
        kind: 'unreachable',
        code: 'PROXY_UNREACHABLE',
        message: expect.stringContaining('nothing listens on 127.0.0.1:9') as string,
      });
    }
    expect(await said(to, proxies({ HTTPS_PROXY: secure.url.replace('https', 'http') }))).toContain(
      'the proxy http://',
    );
    expect(secure.requests).toHaveLength(0);
  });

  it('is no way around the guard: metadata is refused by address and by name', async () => {
    const { url, asked } = await proxy();
    const guard = createAddressGuard({ allowPrivateAddresses: true });
    for (const target of [
      'http://169.254.169.254/latest',
      'http://2852039166/',
      'https://169.254.169.254/',
      'http://metadata.google.internal/',
      'https://[fd00:ec2::254]/',
    ]) {
      expect(await call(target, { guard, ...proxies({ ALL_PROXY: url }) })).toMatchObject({ kind: 'forbidden' });
    }
    expect(asked).toEqual([]);
  });
});

describe('a SOCKS proxy', () => {
  it('socks5h resolves names itself, socks5 is given addresses', async () => {
    const { host, asked } = await socks({ hosts: { 'shop.internal': '127.0.0.1' } });
    const plain = await receiver();
    const secure = await receiver(fullChain);
    const trust = trusting(root.cert);
    const far = { ...proxies({ ALL_PROXY: `socks5h://${host}` }), trust };
    expect(await said(`http://shop.internal:${plain.port}/`, far)).toBe('answered 200');
    expect(await said(`https://shop.internal:${secure.port}/`, far)).toBe('answered 200');
    const near = { ...proxies({ ALL_PROXY: `socks5://${host}` }), trust };
    expect(await said(`http://127.0.0.1:${plain.port}/`, near)).toBe('answered 200');
    expect(asked).toEqual([
      `CONNECT shop.internal:${plain.port}`,
      `CONNECT shop.internal:${secure.port}`,
      `CONNECT 127.0.0.1:${plain.port}`,
    ]);
  });

  it('that is taken for one of HTTP is named as such, with the setting to write', async () => {
    const { host, asked } = await socks();
    const plain = await receiver();
    const secure = await receiver(fullChain);
    expect(await call(plain.url, proxies({ HTTP_PROXY: `http://${host}` }))).toMatchObject({
      kind: 'broken',
      message: expect.stringContaining(`speaks SOCKS: write HTTP_PROXY=socks5h://${host}`) as string,
    });
    // Before the tunnel is there, nothing can have been sent.
    expect(await call(`https://localhost:${secure.port}/`, proxies({ ALL_PROXY: `http://${host}` }))).toMatchObject({
      kind: 'unreachable',
      code: 'PROXY_PROTOCOL',
      message: expect.stringContaining(`speaks SOCKS: write ALL_PROXY=socks5h://${host}`) as string,
    });
    expect(asked).toEqual([]);
    expect(await said(plain.url, proxies({ HTTP_PROXY: `socks5h://${host}` }))).toBe('answered 200');
  });

  it('that is one of HTTP is named as such, too', async () => {
    const { host } = await proxy();
    const { url } = await receiver();
    expect(await said(url, proxies({ ALL_PROXY: `socks5://${host}` }))).toContain(
      `speaks HTTP: write ALL_PROXY=http://${host}`,
    );
  });

  it('may want a login, and what it refuses is explained', async () => {
    const { host } = await socks({ login: 'agent:s3same' });
    const { url } = await receiver();
    expect(await said(url, proxies({ HTTP_PROXY: `socks5://agent:s3same@${host}` }))).toBe('answered 200');
    expect(await said(url, proxies({ HTTP_PROXY: `socks5://${host}` }))).toContain('wants a login');
    expect(await said(url, proxies({ HTTP_PROXY: `socks5://agent:x@${host}` }))).toContain('refuses the login');
    const open = await socks();
    expect(await said('http://127.0.0.1:9/', proxies({ HTTP_PROXY: open.url }))).toContain(
      'was refused by the host when asked for 127.0.0.1:9',
    );
  });

  it('with socks5 a name is resolved and judged here', async () => {
    const { url, asked } = await socks();
    const guard = createAddressGuard({
      allowPrivateAddresses: true,
      resolve: (_, __, callback) => callback(null, [{ address: '169.254.169.254', family: 4 }]),
    });
    expect(await call('http://rebind.test/', { guard, ...proxies({ ALL_PROXY: url }) })).toMatchObject({
      kind: 'forbidden',
    });
    expect(asked).toEqual([]);
  });
});

describe('trust', () => {
  it.each(['SSL_CERT_FILE', 'NODE_EXTRA_CA_CERTS', 'REQUESTS_CA_BUNDLE'])(
    'a root in %s is enough for a full chain',
    async (variable) => {
      const { port } = await receiver(fullChain);
      const to = `https://localhost:${port}/`;
      expect(await said(to, {})).toContain('"Test Root"');
      const path = file('bundle.pem', `comment\n${createAuthority('Other').cert}${root.cert}`);
      expect(await said(to, { trust: trustOf({ files: [{ path, variable }] }) })).toBe('answered 200');
    },
  );

  it('every .crt below the directory counts, several at a time, and what is none of them is passed over with a line', async () => {
    const other = createAuthority('Second Root');
    const second = other.issue(['localhost']);
    const targets = [await receiver(fullChain), await receiver({ key: second.key, cert: second.cert })];
    file('one.crt', root.cert);
    file('two.crt', other.cert);
    file('broken.crt', '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n');
    file('notes.txt', 'x');
    const problems: string[] = [];
    const trust = trustOf({ directories: [{ path: dir }, { path: join(dir, 'absent') }] }, problems);
    for (const { port } of targets) expect(await said(`https://localhost:${port}/`, { trust })).toBe('answered 200');
    expect(trust.addedCount()).toBe(2);
    expect(problems).toEqual([expect.stringContaining('broken.crt can not be used')]);
  });

  it('rotation counts from the next connection on, in both directions, without a restart', async () => {
    const { port } = await receiver(fullChain);
    const to = `https://localhost:${port}/`;
    const path = file('ca.crt', createAuthority('Old Root').cert);
    const problems: string[] = [];
    const trust = trustOf({ directories: [{ path: dir }] }, problems);
    const dispatcher = { trust, freshConnections: true };
    expect(await said(to, dispatcher)).toContain('not trusted here');
    writeFileSync(path, root.cert + createAuthority('Old Root').cert);
    expect(await said(to, dispatcher)).toBe('answered 200');
    writeFileSync(path, createAuthority('Newest Root').cert);
    expect(await said(to, dispatcher)).toContain('not trusted here');
    rmSync(path);
    expect(await said(to, dispatcher)).toContain('not trusted here');
    expect(problems).toEqual([]);
  });

  it('a missing intermediate is named, and so is how to cure it', async () => {
    const { port } = await receiver({ key: leaf.key, cert: leaf.cert });
    const message = await said(`https://localhost:${port}/`, { trust: trusting(root.cert) });
    expect(message).toContain(
      `localhost:${port} sends "localhost", but not the certificate of its issuer "Test Intermediate"`,
    );
    expect(message).toContain('let the service send it (leaf first, root last)');
    expect(await said(`https://localhost:${port}/`, { trust: trusting(root.cert, intermediate.cert) })).toBe(
      'answered 200',
    );
  });

  it('behind a proxy, too', async () => {
    const { port } = await receiver({ key: leaf.key, cert: leaf.cert });
    const { url } = await proxy();
    const options = { ...proxies({ HTTPS_PROXY: url }), trust: trusting(root.cert) };
    expect(await said(`https://localhost:${port}/`, options)).toContain('its issuer "Test Intermediate"');
  });

  it('says which certificate has expired, is self-signed, comes from an unknown CA, or is for another name', async () => {
    const trust = trusting(root.cert);
    const at = async (tls: ServerOptions, host = 'localhost') =>
      said(`https://${host}:${(await receiver(tls)).port}/`, { trust });
    const yesterday = new Date(Date.now() - 86_400_000);
    const expired = root.issue(['localhost'], { notAfter: yesterday });
    expect(await at(expired)).toContain(`expired on ${yesterday.toISOString().slice(0, 19)}`);
    const alone = createAuthority('Lonely');
    expect(await at(alone)).toMatch(
      /"Lonely" of localhost:\d+ is self-signed; add the CA as a PEM file: SSL_CERT_FILE/,
    );
    const stranger = createAuthority('Strange Root');
    const strange = stranger.issue(['localhost']);
    expect(await at({ key: strange.key, cert: strange.cert + stranger.cert })).toContain('the CA "Strange Root"');
    expect(await at(root.issue(['other.test']))).toContain('is not for the name localhost');
  });

  it('verifyTls false takes any certificate', async () => {
    const { port } = await receiver({ key: leaf.key, cert: leaf.cert });
    expect(await said(`https://localhost:${port}/`, { verifyTls: false, trust: trusting(root.cert) })).toBe(
      'answered 200',
    );
  });

  it('a client certificate is shown, and a rotated one from the next connection on', async () => {
    const { port, requests } = await receiver({
      ...fullChain,
      ca: root.cert,
      requestCert: true,
      rejectUnauthorized: true,
    });
    const to = `https://localhost:${port}/`;
    expect((await call(to, { trust: trusting(root.cert) })).kind).not.toBe('answered');
    const mine = root.issue([], { commonName: 'agent-1' });
    const client = {
      certificateFile: file('client.crt', createAuthority('Stranger').cert),
      keyFile: file('client.key', mine.key),
      passphrase: undefined,
    };
    const problems: string[] = [];
    const trust = trustOf(
      { files: [{ path: file('ca.pem', root.cert), variable: 'SSL_CERT_FILE' }], client },
      problems,
    );
    expect(problems).toEqual([expect.stringMatching(/client\.crt with the key .*client\.key can not be used/)]);
    writeFileSync(client.certificateFile, mine.cert);
    expect(await said(to, { trust })).toBe('answered 200');
    expect(requests).toHaveLength(1);
  });
});
