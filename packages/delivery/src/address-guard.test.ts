import type { LookupAddress } from 'node:dns';
import { type Receiver, startReceiver } from '@quayside/testkit/receiver';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createAddressGuard, type Resolve } from './address-guard.ts';
import { createDeliveryAgent } from './dispatcher.ts';
import { prepare, signRequest } from './prepare.ts';
import { send } from './send.ts';

let receivers: Receiver[] = [];
beforeAll(async () => {
  receivers = await Promise.all(['127.0.0.1', '::1', '127.0.0.2'].map((host) => startReceiver({ host })));
});
afterAll(() => Promise.all(receivers.map((receiver) => receiver.close())));

type Options = Parameters<typeof createAddressGuard>[0];

async function call(url: string, options: Options) {
  const dispatcher = createDeliveryAgent({ guard: createAddressGuard(options), connectTimeoutMs: 500 });
  const result = prepare({ url, body: {} }, { runId: 'r_1', attempt: 1, userAgent: 'test' });
  if (result.kind !== 'prepared') return result;
  const outcome = await send(signRequest(result.request, 's', 1), { dispatcher, timeoutMs: 1_000 });
  await dispatcher.destroy();
  return outcome;
}

const resolvesTo =
  (...answers: string[][]): Resolve =>
  (_, __, callback) => {
    const addresses = answers.length > 1 ? answers.shift() : answers[0];
    callback(
      null,
      (addresses ?? []).map((address) => ({ address, family: address.includes(':') ? 6 : 4 })),
    );
  };

const strict: Options = { allowPrivateAddresses: false };

describe('addresses', () => {
  const guard = createAddressGuard(strict);
  const open = createAddressGuard({ allowPrivateAddresses: true, exceptions: ['169.254.0.0/16', 'fd00::/8'] });
  const target = { hostname: 'h', port: 80 };

  it.each([
    '0.0.0.0',
    '0.1.2.3',
    '10.0.0.1',
    '100.64.0.1',
    '127.0.0.1',
    '127.255.0.1',
    '169.254.1.1',
    '172.16.0.1',
    '172.31.255.255',
    '192.0.0.1',
    '192.168.1.1',
    '198.18.0.1',
    '203.0.113.1',
    '224.0.0.1',
    '239.1.1.1',
    '255.255.255.255',
    '240.0.0.1',
    '::',
    '::1',
    'fc00::1',
    'fd12::1',
    'fe80::1',
    'fe80::1%eth0',
    'fec0::1',
    'ff02::1',
    '2001:db8::1',
    '2001::1',
    '::ffff:127.0.0.1',
    '::ffff:7f00:1',
    '::127.0.0.1',
    '::ffff:0:10.0.0.1',
    '64:ff9b::10.0.0.1',
    '64:ff9b::a9fe:a9fe',
    '64:ff9b:1::1',
    '2002:7f00:1::',
    '2002:0808:0808::1',
  ])('%s is private', (address) => {
    expect(guard.refusal(address, target)).toMatch(/private or reserved|metadata/);
  });

  it.each([
    '8.8.8.8',
    '172.32.0.1',
    '100.128.0.1',
    '169.255.0.1',
    '2606:4700::1111',
    '::ffff:8.8.8.8',
    '64:ff9b::808:808',
  ])('%s is public', (address) => {
    expect(guard.refusal(address, target)).toBeUndefined();
  });

  it.each([
    '169.254.169.254',
    'fd00:ec2::254',
    '::ffff:169.254.169.254',
    '64:ff9b::169.254.169.254',
    '2002:a9fe:a9fe::',
    '168.63.129.16',
    '100.100.100.200',
  ])('%s is metadata: refused even where private addresses are allowed and excepted', (address) => {
    expect(open.refusal(address, target)).toMatch(/metadata/);
  });
});

describe('exceptions', () => {
  const refusal = (exception: string, address: string, hostname = 'h', port = 80) =>
    createAddressGuard({ ...strict, exceptions: [exception] }).refusal(address, { hostname, port });

  it.each<[string, string, string, number]>([
    ['api.internal', '10.0.0.1', 'api.internal', 80],
    ['API.internal:8443', '10.0.0.1', 'api.internal.', 8443],
    ['10.1.0.0/16', '10.1.2.3', 'h', 80],
    ['10.1.2.3', '10.1.2.3', 'h', 80],
    ['10.1.2.3:80', '10.1.2.3', 'h', 80],
    ['10.0.0.0/8', '::ffff:10.1.1.1', 'h', 80],
    ['fd00::/8', 'fd12::1', 'h', 80],
    ['::1', '::1', 'h', 80],
    ['[::1]:8080', '::1', 'h', 8080],
  ])('%s lets %s (%s:%i) pass', (exception, address, hostname, port) => {
    expect(refusal(exception, address, hostname, port)).toBeUndefined();
  });

  it.each<[string, string, string, number]>([
    ['api.internal', '10.0.0.1', 'evil.internal', 80],
    ['api.internal:8443', '10.0.0.1', 'api.internal', 80],
    ['10.1.0.0/16', '10.2.0.1', 'h', 80],
    ['10.1.2.3:80', '10.1.2.3', 'h', 81],
    ['[::1]:8080', '::1', 'h', 80],
  ])('%s does not let %s (%s:%i) pass', (exception, address, hostname, port) => {
    expect(refusal(exception, address, hostname, port)).toMatch(/private/);
  });

  it.each(['', '10.0.0.0/33', 'not a host', '10.0.0/8', 'http://host', 'a:b:c'])(
    '%j is refused at once',
    (exception) => {
      expect(() => createAddressGuard({ ...strict, exceptions: [exception] })).toThrow(/exception|range/);
    },
  );
});

describe('connections', () => {
  it.each(['127.0.0.1', '2130706433', '0x7f000001', '0177.0.0.1', '127.1', '[::1]', '[::ffff:127.0.0.1]', 'localhost'])(
    'http://%s is not connected to',
    async (host) => {
      const before = receivers.map((receiver) => receiver.requests.length);
      for (const { port } of receivers) {
        expect(await call(`http://${host}:${port}/`, strict)).toMatchObject({ kind: 'forbidden' });
      }
      expect(receivers.map((receiver) => receiver.requests.length)).toEqual(before);
    },
  );

  it.each([0, 1, 2])('private addresses are reached when allowed (%i)', async (index) => {
    const url = receivers[index]?.url ?? '';
    expect(await call(url, { allowPrivateAddresses: true })).toMatchObject({ statusCode: 200 });
  });

  it('an excepted host is reached, its neighbour is not', async () => {
    const options = { ...strict, exceptions: [`127.0.0.2:${receivers[2]?.port}`] };
    expect(await call(receivers[2]?.url ?? '', options)).toMatchObject({ statusCode: 200 });
    expect(await call(receivers[0]?.url ?? '', options)).toMatchObject({ kind: 'forbidden' });
  });

  it('connects to the address that was checked, not to what the name says next (DNS rebinding)', async () => {
    const port = receivers[2]?.port ?? 0;
    let calls = 0;
    const resolve: Resolve = (_, __, callback) => {
      calls += 1;
      // First the excepted address, then the one the attacker is after.
      const address: LookupAddress = { address: calls === 1 ? '127.0.0.2' : '127.0.0.1', family: 4 };
      callback(null, [address]);
    };
    const before = receivers[2]?.requests.length ?? 0;
    const outcome = await call(`http://rebind.test:${port}/`, { ...strict, exceptions: ['127.0.0.2'], resolve });
    expect(outcome).toMatchObject({ statusCode: 200 });
    expect(calls).toBe(1);
    expect(receivers[2]?.requests.length).toBe(before + 1);
    expect(await call(`http://rebind.test:${port}/`, { ...strict, exceptions: ['127.0.0.2'], resolve })).toMatchObject({
      kind: 'forbidden',
    });
  });

  it('of several addresses only those that pass are tried', async () => {
    const port = receivers[2]?.port ?? 0;
    const options = { ...strict, exceptions: ['127.0.0.2'], resolve: resolvesTo(['127.0.0.1', '::1', '127.0.0.2']) };
    expect(await call(`http://mixed.test:${port}/`, options)).toMatchObject({ statusCode: 200 });
  });

  it('a name that resolves to a metadata address is refused even where private ones are allowed', async () => {
    const options = { allowPrivateAddresses: true, resolve: resolvesTo(['169.254.169.254']) };
    expect(await call('http://metadata.test/latest/', options)).toMatchObject({
      kind: 'forbidden',
      message:
        'metadata.test resolves to a forbidden address: 169.254.169.254 is a cloud metadata address; it is never called',
    });
  });

  it('a name that does not resolve is an error, never a pass', async () => {
    const resolve: Resolve = (_, __, callback) =>
      callback(Object.assign(new Error('getaddrinfo EAI_AGAIN'), { code: 'EAI_AGAIN' }), []);
    expect(await call('http://gone.test/', { ...strict, resolve })).toMatchObject({
      kind: 'unreachable',
      code: 'EAI_AGAIN',
    });
    expect(await call('http://empty.test/', { ...strict, resolve: resolvesTo([]) })).toMatchObject({
      kind: 'forbidden',
    });
  });
});
