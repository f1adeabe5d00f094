import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { verify } from '@quayside/delivery';
import { testOrganization } from '@quayside/testkit';
import { type Receiver, startReceiver } from '@quayside/testkit/receiver';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type Delivered, readBenchArguments } from '../src/bench-target.ts';
import { eventually, TestPortal } from './portal.ts';
import { type StartedAgent, startAgent } from './start-agent.ts';

/** `script/agent bench-target` as a process, with the agent in front of it. */
vi.setConfig({ testTimeout: 30_000 });
const main = new URL('../src/main.ts', import.meta.url).pathname;

let portal: TestPortal;
let dir: string;
let agent: StartedAgent;
const ends: (() => Promise<unknown>)[] = [];

beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'quayside-bench-target-'));
  portal = new TestPortal();
  await portal.start();
  agent = startAgent(portal);
});
afterEach(async () => {
  await agent.stop();
  await Promise.all(ends.splice(0).map((end) => end()));
  await portal.stop();
  rmSync(dir, { recursive: true, force: true });
});

function run(args: string[], secret?: string) {
  const child = spawn(process.execPath, [main, 'bench-target', ...args], {
    cwd: dir,
    env: { PATH: process.env.PATH, ...(secret && { PORT_CLIENT_SECRET: secret }) },
  });
  let text = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
  const exitCode = once(child, 'exit').then(([code]) => code as number);
  return { child, output: () => text, exitCode };
}

async function listen(args: string[] = [], secret?: string) {
  const started = run(['--port', '0', ...args], secret);
  ends.push(async () => {
    started.child.kill('SIGTERM');
    expect(await started.exitCode).toBe(0);
  });
  await eventually('it listens', () => /http:\/\/\S+/.test(started.output()), 20_000);
  const url = /http:\/\/127\.0\.0\.1:\d+/.exec(started.output())?.[0] ?? '';
  return { url, output: started.output };
}

const files = (folder = '.data/deliveries') =>
  readdirSync(join(dir, folder))
    .filter((name) => name.endsWith('.json'))
    .sort();
const read = (name: string, folder = '.data/deliveries') =>
  JSON.parse(readFileSync(join(dir, folder, name), 'utf8')) as Delivered;

describe('what is delivered', () => {
  it('is shown, judged and kept, readable only to its owner', async () => {
    const { url, output } = await listen([], testOrganization.clientSecret);
    const { id } = portal.enqueue({ url: `${url}/hook?dry=1`, body: { name: 'ü' }, headers: { 'X-Team': 'blue' } });
    // It says so when the file is whole.
    await eventually('it is kept', () => output().includes('kept in'), 20_000);
    expect(files()).toEqual([`0001-POST-${id}.json`]);
    expect(statSync(join(dir, '.data/deliveries', files()[0] ?? '')).mode & 0o077).toBe(0);
    const kept = read(files()[0] ?? '');
    expect(kept).toMatchObject({ method: 'POST', path: '/hook?dry=1', status: 200, signature: 'verified' });
    expect(kept.headers).toMatchObject({ 'x-team': 'blue', 'idempotency-key': id });
    expect(JSON.parse(kept.body ?? '')).toMatchObject({ name: 'ü' });
    await eventually('it is shown', () => output().includes('"name": "ü"'));
    expect(output()).toMatch(
      /POST \/hook\?dry=1 {2}\d+ bytes, signature verified; answered 200; kept in \.data\/deliveries/,
    );
    expect(output()).toContain('  x-team: blue\n');
  });

  it('is judged: another secret, no secret, no signature, an old one', async () => {
    const wrong = await listen(['--record', 'wrong'], 'another-secret');
    const unknown = await listen(['--record', 'unknown']);
    portal.enqueue({ url: wrong.url });
    portal.enqueue({ url: unknown.url });
    await eventually('both are kept', () => files('wrong').length + files('unknown').length === 2, 20_000);
    await fetch(unknown.url, { method: 'POST', body: Buffer.from([0xff, 0xfe]) });
    await fetch(wrong.url, { method: 'PUT', body: 'x' });
    expect(files('wrong').map((name) => read(name, 'wrong').signature)).toEqual([
      'WRONG: another secret than PORT_CLIENT_SECRET, or changed on the way',
      'missing: the sender does not sign',
    ]);
    const [first, second] = files('unknown').map((name) => read(name, 'unknown'));
    expect(first?.signature).toBe('not verified: set PORT_CLIENT_SECRET');
    expect(second).toMatchObject({ bodyBase64: '//4=', status: 200 });
  });

  it('is answered as told, one status after the other, after a while', async () => {
    const { url } = await listen(['--status', '503,201', '--delay-ms', '50', '--answer', '{"ticket":7}']);
    const startedAt = performance.now();
    const answers = [await fetch(url), await fetch(url), await fetch(url)];
    expect(performance.now() - startedAt).toBeGreaterThanOrEqual(145);
    expect(answers.map(({ status }) => status)).toEqual([503, 201, 201]);
    expect(await answers[1]?.json()).toEqual({ ticket: 7 });
    expect(files().map((name) => read(name).status)).toEqual([503, 201, 201]);
  });

  it('is numbered on after a restart', async () => {
    const first = await listen();
    await fetch(first.url);
    await ends.splice(0)[0]?.();
    const second = await listen();
    await fetch(second.url);
    expect(files()).toEqual(['0001-GET-no-run.json', '0002-GET-no-run.json']);
  });
});

describe('replay', () => {
  let service: Receiver;
  beforeEach(async () => {
    service = await startReceiver();
    ends.push(() => service.close());
  });

  async function record(): Promise<{ file: string; delivered: Delivered }> {
    const { url } = await listen([], testOrganization.clientSecret);
    portal.enqueue({ url: `${url}/hook?dry=1`, body: { name: 'ü' }, headers: { 'X-Team': 'blue' } });
    await eventually('it is kept', () => files().length === 1, 20_000);
    const [name = ''] = files();
    return { file: join(dir, '.data/deliveries', name), delivered: read(name) };
  }

  it('sends the same bytes under the same key, signed anew', async () => {
    const { file, delivered } = await record();
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    const { exitCode, output } = run(['replay', file, '--to', service.url], 'another-secret');
    expect(await exitCode).toBe(0);
    expect(output()).toContain('answered 200');
    const [request] = service.requests;
    expect(request).toMatchObject({ method: 'POST', path: '/hook?dry=1' });
    expect(request?.body.toString()).toBe(delivered.body);
    expect(request?.headers).toMatchObject({
      'x-team': 'blue',
      'idempotency-key': delivered.headers['idempotency-key'],
      'content-type': 'application/json',
    });
    const seconds = Number(request?.headers['x-port-timestamp']);
    expect(seconds).toBeGreaterThan(Number(delivered.headers['x-port-timestamp']));
    const text = request?.body.toString() ?? '';
    expect(verify(String(request?.headers['x-port-signature']), text, 'another-secret', seconds)).toBe(true);
  });

  it('to a path of its own, and what the target says decides the exit code', async () => {
    const { file } = await record();
    service.answer = (_, response) => void response.writeHead(500).end('out of cheese');
    const { exitCode, output } = run(['replay', file, '--to', `${service.url}/other`]);
    expect(await exitCode).toBe(1);
    expect(service.requests[0]?.path).toBe('/other');
    expect(service.requests[0]?.headers).not.toHaveProperty('x-port-signature');
    expect(output()).toContain('not signed (PORT_CLIENT_SECRET is not set)');
    expect(output()).toContain('out of cheese');
  });

  it('of a file that is none says so', async () => {
    const { exitCode, output } = run(['replay', 'absent.json', '--to', service.url]);
    expect(await exitCode).toBe(1);
    expect(output()).toContain('absent.json can not be read as a delivery of bench-target');
  });
});

describe('arguments', () => {
  it.each([
    [['--port', 'many'], '--port is "many": it must be a whole number from 0 to 65535'],
    [['--status', '200,abc'], '--status is "abc"'],
    [['--statos', '200'], "Unknown option '--statos'"],
    [['replay', 'a.json'], 'replay needs --to with a URL'],
    [['replay', 'a.json', '--to', 'shop'], 'replay needs --to with a URL'],
    [['reply', 'a.json'], 'write bench-target [options], or bench-target replay <file> --to <url>'],
  ])('%j is refused with what to write', (args, message) => {
    expect(readBenchArguments(args)).toEqual({
      kind: 'mistake',
      message: expect.stringContaining(message) as string,
    });
  });
});
