import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { agentEnvironment, spawnAgent, startServerProcess } from '@quayside/testkit';
import { PortalClient, until } from '@quayside/testkit/faults';
import { memoryMb, processorMs, tree } from './processes.ts';
import { table, writeSection } from './results.ts';

/**
 * From the answer to `execute` until the webhook request arrives at its target, with 1, 100 and 1,000 idle agents whose
 * claims are held; runs per second; processor time of an idle portal; memory. The real server process with its embedded
 * PostgreSQL, as script/server starts it. One agent is a process; 100 and 1,000 are the same code many times in one process.
 * Driver and target are this process, so both moments are read from one clock.
 */
const heldCounts = [1, 100, 1_000];
const warmUpRuns = 100;
const timedRuns = 500;
const pauseMs = 20;
const burstRuns = 1_500;
const burstLanes = 16;
const idleSeconds = 30;

const dir = mkdtempSync(join(tmpdir(), 'quayside-dispatch-'));
chmodSync(dir, 0o755);
const arrivals = new Map<string, number>();
let onArrival = () => {};
const target = createServer((request, response) => {
  // At the head of the request: its body takes no part.
  arrivals.set(String(request.headers['idempotency-key']), performance.now());
  request.resume().on('end', () => response.end('{}'));
  onArrival();
});
await new Promise<void>((resolve) => target.listen(0, '127.0.0.1', resolve));
const targetUrl = `http://127.0.0.1:${(target.address() as AddressInfo).port}`;

const server = await startServerProcess({ dataDir: dir });
const serverId = server.child.pid ?? 0;
const children = [server.child];
// Also after an error: nothing stays behind.
process.once('exit', () => {
  for (const child of children) child.kill('SIGTERM');
});
const portal = new PortalClient([server.url]);
await portal.must('POST', '/v1/actions', {
  identifier: 'start',
  trigger: { type: 'self-service', operation: 'CREATE', userInputs: { properties: { ticket: { type: 'string' } } } },
  invocationMethod: {
    type: 'WEBHOOK',
    agent: true,
    url: targetUrl,
    body: { ticket: '{{ .inputs.ticket }}', run: '{{ .run.id }}' },
  },
});

// The server's own work waits in claims, too.
await sleep(2_000);
const serverClaims = await claims();
const say = (line: string) => process.stdout.write(`${line}\n`);
const latencies: (string | number)[][] = [];
const resources: (string | number)[][] = [];
const loads: number[] = [loadavg()[0] ?? 0];
for (const held of heldCounts) {
  const agents = startAgents(held);
  children.push(agents);
  await until(`${held} claims are held`, async () => (await heldClaims()) >= held, 120_000);
  await executeOneByOne(warmUpRuns);
  const times = (await executeOneByOne(timedRuns)).sort((a, b) => a - b);
  const rate = await executeAtOnce(burstRuns);
  await until('the agents are idle again', async () => (await heldClaims()) >= held, 120_000);
  await sleep(2_000);
  const before = processorMs(serverId);
  await sleep(idleSeconds * 1_000);
  const share = (processorMs(serverId) - before) / (idleSeconds * 1_000);
  const [node, all] = [memoryMb([serverId]), memoryMb(tree(serverId))];
  const agentMb = memoryMb([agents.pid ?? 0]);
  const at = (part: number) => (times[Math.ceil(part * times.length) - 1] ?? Number.NaN).toFixed(1);
  latencies.push([held, at(0.5), at(0.99), at(1), Math.round(rate)]);
  resources.push([held, (share * 100).toFixed(2), Math.round(node), Math.round(all), Math.round(agentMb)]);
  say(`${held} held: p50 ${at(0.5)} p99 ${at(0.99)} max ${at(1)} ms, ${Math.round(rate)} runs/s`);
  say(`  idle ${(share * 100).toFixed(2)} % of a core, ${Math.round(node)} MB, agents ${Math.round(agentMb)} MB`);
  loads.push(loadavg()[0] ?? 0);
  await stop(agents);
}
await server.stop();
target.closeAllConnections();
target.close();
rmSync(dir, { recursive: true, force: true });

writeSection({
  name: 'dispatch',
  about: `From the answer to execute until the webhook request arrives at the target, ${timedRuns} runs one after the other, while the claims of so many idle agents are held; then ${burstRuns} runs executed by ${burstLanes} callers at once, until the last has arrived. Server with its embedded PostgreSQL, agents, and driver with target are three processes on one machine; 100 and 1,000 agents are the agent's code so many times in one process. Idle: processor time of the server and of all its PostgreSQL processes over ${idleSeconds} s, agents connected. Load average of the machine during the measurement: ${loads.map((load) => load.toFixed(1)).join(', ')} (this benchmark included).`,
  body: [
    ...table(['agents held', 'p50 ms', 'p99 ms', 'max ms', 'runs/s'], latencies),
    '',
    ...table(['agents held', 'idle portal, % of a core', 'server MB', 'with PostgreSQL MB', 'agents MB'], resources),
  ].join('\n'),
});
process.exit(0);

function startAgents(count: number): ChildProcess {
  if (count === 1) return spawnAgent({ portalUrl: server.url, id: 'bench-0' }).child;
  return spawn(process.execPath, [fileURLToPath(new URL('dispatch-agents.ts', import.meta.url)), String(count)], {
    stdio: ['ignore', 'ignore', 'inherit'],
    env: { PATH: process.env.PATH, ...agentEnvironment(server.url) },
  });
}

async function stop(child: ChildProcess): Promise<void> {
  const ended = once(child, 'exit');
  child.kill('SIGTERM');
  await ended;
  await until('no claim is held', async () => (await heldClaims()) === 0);
}

async function heldClaims(): Promise<number> {
  return (await claims()) - serverClaims;
}

async function claims(): Promise<number> {
  const text = await (await fetch(`${server.url}/metrics`)).text();
  return Number(/^quayside_held_claims(?:\{[^}]*\})? (\d+)/m.exec(text)?.[1]);
}

async function execute(index: number): Promise<{ runId: string; answeredAt: number }> {
  const { runId } = await portal.execute('start', String(index));
  if (runId === undefined) throw new Error('A run was not accepted.');
  return { runId, answeredAt: performance.now() };
}

async function executeOneByOne(count: number): Promise<number[]> {
  const times: number[] = [];
  for (let index = 0; index < count; index += 1) {
    const { runId, answeredAt } = await execute(index);
    // It may have arrived before the answer was read.
    while (!arrivals.has(runId)) await nextArrival();
    times.push(Math.max(0, (arrivals.get(runId) ?? 0) - answeredAt));
    await sleep(pauseMs);
  }
  return times;
}

/** Runs per second, from the first call to the last arrival. */
async function executeAtOnce(count: number): Promise<number> {
  const before = arrivals.size;
  const startedAt = performance.now();
  let begun = 0;
  await Promise.all(
    Array.from({ length: burstLanes }, async () => {
      while (begun < count) await execute(begun++);
    }),
  );
  while (arrivals.size < before + count) await nextArrival();
  return count / ((performance.now() - startedAt) / 1000);
}

function nextArrival(): Promise<void> {
  return new Promise((resolve) => {
    onArrival = resolve;
  });
}
