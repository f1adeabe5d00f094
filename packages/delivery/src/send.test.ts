import { createServer } from 'node:net';
import { type DeliveryOutcome, deliveryHeaders, describeOutcome, isDelivered } from '@quayside/contracts';
import {
  misbehaviours,
  type RawServer,
  type Receiver,
  startRawServer,
  startReceiver,
} from '@quayside/testkit/receiver';
import fc from 'fast-check';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { createAddressGuard } from './address-guard.ts';
import { answerOf } from './answer.ts';
import { createDeliveryAgent } from './dispatcher.ts';
import type { ExchangeOptions } from './exchange.ts';
import { type Invocation, prepare, signRequest } from './prepare.ts';
import { send } from './send.ts';
import { verify, verifyStandard } from './signing.ts';

const secret = 'a-client-secret';
const guard = createAddressGuard({ allowPrivateAddresses: true });
const dispatcher = createDeliveryAgent({ guard, connectTimeoutMs: 500 });
const opened: (Receiver | RawServer)[] = [];

async function attempt(invocation: Invocation, options: Partial<ExchangeOptions> = {}): Promise<DeliveryOutcome> {
  const result = prepare(invocation, { runId: 'r_1', attempt: 1, userAgent: 'quayside-test/1' });
  if (result.kind !== 'prepared') return result;
  return send(signRequest(result.request, secret, Math.floor(Date.now() / 1000)), {
    dispatcher,
    timeoutMs: 2_000,
    ...options,
  });
}

async function receiver(options?: Parameters<typeof startReceiver>[0]): Promise<Receiver> {
  const started = await startReceiver(options);
  opened.push(started);
  return started;
}

async function rawServer(behaviour: keyof typeof misbehaviours): Promise<RawServer> {
  const started = await startRawServer(misbehaviours[behaviour]);
  opened.push(started);
  return started;
}

async function closedPort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === 'object' && address !== null ? address.port : 0;
}

afterEach(async () => {
  await Promise.all(opened.splice(0).map((server) => server.close()));
});
afterAll(() => dispatcher.destroy());

describe('a bad target ends in an outcome that says what happened', () => {
  it('down: nothing listens', async () => {
    const port = await closedPort();
    const outcome = await attempt({ url: `http://127.0.0.1:${port}/`, body: {} });
    expect(outcome).toMatchObject({
      kind: 'unreachable',
      code: 'ECONNREFUSED',
      message: `connection refused: nothing listens on 127.0.0.1:${port}`,
    });
  });

  it('unknown to DNS', async () => {
    const resolve = (_: string, __: unknown, callback: (error: NodeJS.ErrnoException | null, list: []) => void) =>
      callback(Object.assign(new Error('getaddrinfo ENOTFOUND'), { code: 'ENOTFOUND' }), []);
    const agent = createDeliveryAgent({ guard: createAddressGuard({ allowPrivateAddresses: true, resolve }) });
    const outcome = await attempt({ url: 'http://no-such-host.internal/' }, { dispatcher: agent });
    expect(outcome).toMatchObject({
      kind: 'unreachable',
      code: 'ENOTFOUND',
      message: expect.stringContaining('DNS has no address for no-such-host.internal') as string,
    });
    await agent.destroy();
  });

  it('slow to answer', async () => {
    const { url } = await rawServer('staysSilent');
    const outcome = await attempt({ url, body: {} }, { timeoutMs: 100 });
    expect(outcome).toMatchObject({
      kind: 'timed_out',
      timeoutMs: 100,
      message: expect.stringContaining('no answer') as string,
    });
  });

  it('slow to end its body', async () => {
    const { url } = await rawServer('dripsItsBody');
    const outcome = await attempt({ url, body: {} }, { timeoutMs: 200 });
    expect(outcome).toMatchObject({ kind: 'timed_out', message: expect.stringContaining('status 200 came') as string });
  });

  it('500 with an explanation', async () => {
    const { url } = await receiver({ answer: (_, response) => void response.writeHead(500).end('out of cheese') });
    const outcome = await attempt({ url, body: {} });
    expect(outcome).toMatchObject({ kind: 'answered', statusCode: 500, body: 'out of cheese' });
    expect(isDelivered(outcome)).toBe(false);
  });

  it('a redirect: not followed, explained, not delivered', async () => {
    const target = await receiver();
    const { url } = await receiver({
      answer: (_, response) => void response.writeHead(302, { location: `${target.url}/login?token=x` }).end(),
    });
    const outcome = await attempt({ url, body: {} });
    expect(isDelivered(outcome)).toBe(false);
    expect(describeOutcome(outcome)).toContain(`a redirect to ${target.url}/login; redirects are not followed`);
    expect(target.requests).toEqual([]);
  });

  it('10 GB of body: the first part is kept, the rest is never read', async () => {
    const { url } = await rawServer('tenGigabytes');
    const before = process.memoryUsage().rss;
    const outcome = await attempt({ url, body: {} }, { maxAnswerBytes: 100_000 });
    expect(outcome).toMatchObject({ kind: 'answered', statusCode: 200, isBodyTruncated: true });
    if (outcome.kind === 'answered') expect(outcome.body).toHaveLength(100_000);
    expect(process.memoryUsage().rss - before).toBeLessThan(50 * 1024 * 1024);
  });

  it('closes in the middle of its answer', async () => {
    const { url } = await rawServer('closesMidAnswer');
    const outcome = await attempt({ url, body: {} });
    expect(outcome).toMatchObject({
      kind: 'broken',
      message: expect.stringContaining('status 200 and 10 bytes of the body came') as string,
    });
  });

  it('closes without an answer', async () => {
    const { url } = await rawServer('closesAtOnce');
    expect(await attempt({ url, body: {} })).toMatchObject({
      kind: 'broken',
      message: 'the connection was closed too early; no status came',
    });
  });

  it('speaks no HTTP', async () => {
    const { url } = await rawServer('speaksGarbage');
    expect(await attempt({ url, body: {} })).toMatchObject({
      kind: 'broken',
      message: expect.stringContaining('not valid HTTP') as string,
    });
  });

  it('a self-signed certificate: refused with the remedy, accepted when told to', async () => {
    const { url, requests } = await receiver({ tls: true });
    expect(await attempt({ url, body: {} })).toMatchObject({
      kind: 'unreachable',
      code: 'DEPTH_ZERO_SELF_SIGNED_CERT',
      message: expect.stringContaining('NODE_EXTRA_CA_CERTS') as string,
    });
    expect(requests).toHaveLength(0);
    const careless = createDeliveryAgent({ guard, verifyTls: false });
    expect(await attempt({ url, body: {} }, { dispatcher: careless })).toMatchObject({ statusCode: 200 });
    await careless.destroy();
  });

  it('https to a port that speaks http', async () => {
    const { port } = await receiver();
    const outcome = await attempt({ url: `https://127.0.0.1:${port}/` });
    expect(outcome).toMatchObject({
      kind: 'unreachable',
      message: expect.stringContaining('meant to be http') as string,
    });
  });

  it('a port that takes the connection but never finishes TLS', async () => {
    const { port } = await rawServer('staysSilent');
    const outcome = await attempt({ url: `https://127.0.0.1:${port}/` }, { timeoutMs: 100 });
    expect(outcome).toMatchObject({ kind: 'unreachable', code: 'CONNECT_TIMEOUT' });
  });

  it('stopped by the sender', async () => {
    const { url } = await rawServer('staysSilent');
    const outcome = await attempt({ url }, { signal: AbortSignal.timeout(50) });
    expect(outcome).toMatchObject({ kind: 'broken', message: expect.stringContaining('the sender stopped') as string });
    expect(await attempt({ url }, { signal: AbortSignal.abort() })).toMatchObject({ kind: 'unreachable' });
  });
});

describe('what arrives', () => {
  it('verifies in both schemes over the raw bytes, whatever the body is (property)', async () => {
    const target = await receiver();
    await fc.assert(
      fc.asyncProperty(fc.jsonValue(), async (body) => {
        target.requests.length = 0;
        expect(await attempt({ url: target.url, body })).toMatchObject({ statusCode: 200 });
        const [request] = target.requests;
        const header = (name: string) => String(request?.headers[name.toLowerCase()]);
        const raw = request?.body.toString('utf8') ?? '';
        const timestamp = Number(header(deliveryHeaders.timestamp));
        expect(Math.abs(Date.now() / 1000 - timestamp)).toBeLessThan(5);
        expect(verify(header(deliveryHeaders.signature), raw, secret, timestamp)).toBe(true);
        expect(verifyStandard(header(deliveryHeaders.standardSignature), 'r_1', raw, secret, timestamp)).toBe(true);
        expect(JSON.parse(raw)).toEqual(JSON.parse(JSON.stringify(body)));
      }),
      { numRuns: 200 },
    );
  });

  it('a GET without a body, signed over the empty text', async () => {
    const target = await receiver();
    await attempt({ url: `${target.url}/a?b=1`, method: 'GET', query: { c: 2 }, body: { dropped: true } });
    const [request] = target.requests;
    expect(request).toMatchObject({ method: 'GET', path: '/a?b=1&c=2' });
    expect(request?.body).toHaveLength(0);
    const timestamp = Number(request?.headers['x-port-timestamp']);
    expect(verify(String(request?.headers['x-port-signature']), '', secret, timestamp)).toBe(true);
  });

  it('keeps no cookies and no NUL of the answer', async () => {
    const { url } = await receiver({
      answer: (_, response) => void response.writeHead(200, { 'set-cookie': 'sid=1', 'x-a': ['1', '2'] }).end('a\0b'),
    });
    const outcome = await attempt({ url });
    expect(outcome).toMatchObject({ body: 'a\ufffdb', headers: { 'x-a': '1, 2' } });
    if (outcome.kind === 'answered') expect(outcome.headers['set-cookie']).toBeUndefined();
  });
});

describe('answerOf', () => {
  const answered = (body: string, isBodyTruncated = false): DeliveryOutcome => ({
    kind: 'answered',
    statusCode: 200,
    headers: {},
    body,
    isBodyTruncated,
    durationMs: 1,
  });
  it.each<[string, DeliveryOutcome, unknown]>([
    ['JSON', answered('{"id":7}'), { id: 7 }],
    ['text', answered('done'), 'done'],
    ['nothing', answered(''), undefined],
    ['a cut document', answered('[1,2]', true), '[1,2]'],
    ['no answer', { kind: 'broken', message: 'x', durationMs: 1 }, undefined],
  ])('%s', (_, outcome, expected) => {
    expect(answerOf(outcome)).toEqual(expected);
  });
});
