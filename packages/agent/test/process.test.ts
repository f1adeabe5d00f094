import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Receiver, startReceiver } from '@quayside/testkit/receiver';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { eventually, TestPortal } from './portal.ts';
import { environment } from './start-agent.ts';

/** The real process: start, signals, kills. */
const main = new URL('../src/main.ts', import.meta.url).pathname;

interface Started {
  child: ChildProcess;
  output(): string;
  exitCode: Promise<number | null>;
}

let portal: TestPortal;
let target: Receiver;
let dir: string;
const children: ChildProcess[] = [];

beforeEach(async () => {
  portal = new TestPortal();
  await portal.start();
  target = await startReceiver();
  dir = await mkdtemp(join(tmpdir(), 'quayside-agent-'));
});
afterEach(async () => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
  await Promise.all([portal.stop(), target.close()]);
  await rm(dir, { recursive: true, force: true });
  expect(portal.violations).toEqual([]);
});

function spawnAgent(env: Record<string, string>): Started {
  const child = spawn(process.execPath, [main], { env: { PATH: process.env.PATH, ...env }, cwd: dir });
  children.push(child);
  let text = '';
  child.stdout.on('data', (chunk) => {
    text += chunk;
  });
  child.stderr.on('data', (chunk) => {
    text += chunk;
  });
  const exitCode = once(child, 'exit').then(([code]) => code as number | null);
  return { child, output: () => text, exitCode };
}

const start = (more: Record<string, string> = {}) => spawnAgent(environment(portal, more));

describe('start', () => {
  it('with mistakes lists them all and exits with 1', async () => {
    const { exitCode, output } = spawnAgent({ QUAYSIDE_AGENT_CONCURRENCY: 'many' });
    expect(await exitCode).toBe(1);
    expect(output()).toContain('The agent can not start:\n');
    for (const name of [
      'KAFKA_CONSUMER_GROUP_ID',
      'PORT_ORG_ID',
      'PORT_CLIENT_ID',
      'PORT_CLIENT_SECRET',
      'QUAYSIDE_AGENT_CONCURRENCY',
    ]) {
      expect(output()).toContain(`  - ${name} `);
    }
  });

  it('with Kafka but no group says what to set', async () => {
    const { exitCode, output } = start({ STREAMER_NAME: 'KAFKA' });
    expect(await exitCode).toBe(1);
    expect(output()).toContain('KAFKA_CONSUMER_GROUP_ID is missing');
  });
});

describe('SIGTERM', () => {
  it('of an idle agent ends it at once', async () => {
    const { child, exitCode } = start();
    await eventually('it claims', () => portal.callsTo(/claim/).length > 0);
    const startedAt = performance.now();
    child.kill('SIGTERM');
    expect(await exitCode).toBe(0);
    // Not when its claim ends by itself, after fifty seconds.
    expect(performance.now() - startedAt).toBeLessThan(10_000);
  });
});

describe('kill -9', () => {
  it('between claim and answer: the next agent delivers the run again, under the same key', async () => {
    portal.leaseMs = 500;
    const first = start({ WEBHOOK_INVOKER_TIMEOUT: '5' });
    target.answer = () => {};
    const run = portal.enqueue({ url: target.url });
    await eventually('it is sent', () => target.requests.length === 1);
    first.child.kill('SIGKILL');
    target.answer = (_, response) => void response.end('{}');
    await new Promise((resolve) => setTimeout(resolve, 500));
    start({ QUAYSIDE_AGENT_ID: 'second' });
    await eventually('it is settled', () => run.settlements.length === 1);
    expect(target.requests.map((request) => request.headers['idempotency-key'])).toEqual([run.id, run.id]);
    expect(target.requests.map((request) => request.headers['x-quayside-attempt'])).toEqual(['1', '2']);
  });
});

describe('cost', () => {
  // How fast it starts is measured (bench/agent-start.bench.ts).
  it('stays under 80 MB when idle, from the first start on', async () => {
    // Plainly, as anybody starts it, and for the first time on this machine.
    const { child } = start({ TMPDIR: dir });
    await eventually('it claims', () => portal.callsTo(/claim/).length > 0);
    await new Promise((resolve) => setTimeout(resolve, 500));
    const status = await readFile(`/proc/${child.pid}/status`, 'utf8').catch(() => '');
    const rssMb = Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1024;
    expect(rssMb).toBeGreaterThan(20);
    expect(rssMb).toBeLessThan(80);
  });
});
