import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer, request as forward } from 'node:http';
import type { AddressInfo } from 'node:net';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { agentEnvironment, startServerProcess, startTestKafka, testOrganization } from '@quayside/testkit';
import { PortalClient, until } from '@quayside/testkit/faults';
import { memoryMb, processorMs, tree } from './processes.ts';
import { table, writeSection } from './results.ts';

/**
 * Quayside's agent beside any other that speaks the published protocols, one after the other, with the same server and the
 * same target, in both modes: `script/bench agent [--other '<command>'] [--mode POLLING|KAFKA]`. The other's command is run
 * by a shell with the environment of an agent (PORT_*, STREAMER_NAME, KAFKA_*) and its own defaults; it must stay in the
 * foreground. Kafka is a real broker, over plaintext, with three partitions a topic.
 *
 *   latency      one run at a time, from idle: from the answer to execute until the request is at the target
 *   throughput   the agent is halted, runs are queued, the agent goes on: from the first arrival to the last
 *   processor    user and system time of the agent over the throughput runs, until it is idle again
 *   calls        to the portal per run, counted by a forwarder that only this part goes through
 */
const { values } = parseArgs({ options: { other: { type: 'string' }, mode: { type: 'string', multiple: true } } });
const modes = (values.mode ?? ['POLLING', 'KAFKA']) as Mode[];
const targetDelaysMs = [0, 50, 500];
/** Seconds of work per measurement; how many runs that is depends on the agent. */
const burstSeconds = 6;
const mostRuns = 2_000;
const probeRuns = 20;
const joinMs = 10_000;
type Mode = 'POLLING' | 'KAFKA';
/** Mean pauses: one that asks at an interval (of 10 s by default) is to be met at any moment of it. */
const samples = {
  quayside: { POLLING: { count: 200, pauseMs: 50 }, KAFKA: { count: 200, pauseMs: 50 } },
  other: { POLLING: { count: 20, pauseMs: 5_000 }, KAFKA: { count: 60, pauseMs: 50 } },
};

const main = fileURLToPath(new URL('../packages/agent/src/main.ts', import.meta.url));
const dir = mkdtempSync(join(tmpdir(), 'quayside-agents-'));
chmodSync(dir, 0o755);
// For the agents' compile cache.
const cacheDir = mkdtempSync(join(dir, 'cache-'));
const arrivals = new Map<string, number>();
let onArrival = (_runId: string) => {};
let delayMs = 0;
const target = createServer((request, response) => {
  const at = performance.now();
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    const { context } = JSON.parse(Buffer.concat(chunks).toString()) as { context: { runId: string } };
    if (!arrivals.has(context.runId)) arrivals.set(context.runId, at);
    setTimeout(() => response.end('{}'), delayMs);
    onArrival(context.runId);
  });
});
const targetUrl = await listen(target);
const kafka = modes.includes('KAFKA') ? await startTestKafka() : undefined;
const server = await startServerProcess({
  dataDir: dir,
  environment: kafka ? { KAFKA_BROKERS: kafka.plaintextBroker, KAFKA_TOPIC_PARTITIONS: '3' } : {},
});
const children: ChildProcess[] = [];
// Also after an error: nothing stays behind.
process.once('exit', () => {
  for (const child of children) killGroup(child, 'SIGKILL');
  server.kill('SIGTERM');
});
const portal = new PortalClient([server.url]);
await portal.must('POST', '/v1/actions', {
  identifier: 'start',
  trigger: { type: 'self-service', operation: 'CREATE', userInputs: { properties: { ticket: { type: 'string' } } } },
  invocationMethod: { type: 'WEBHOOK', agent: true, url: targetUrl },
});
let forwarded = 0;
const forwarder = createServer((request, response) => {
  forwarded += 1;
  const { method, url: path, headers } = request;
  const onward = forward({ host: '127.0.0.1', port: server.port, method, path, headers }, (answer) => {
    response.writeHead(answer.statusCode ?? 502, answer.headers);
    answer.pipe(response);
  });
  onward.on('error', () => response.destroy());
  request.pipe(onward);
});
const forwarderUrl = await listen(forwarder);

interface Burst {
  perSecond: number;
  cpuMsPerRun: number;
  /** Of the server and its PostgreSQL. */
  portalMsPerRun: number;
  peakMb: number;
}
interface Measured {
  idleMb: number;
  latency: { p50: number; p99: number; count: number };
  bursts: ({ delayMs: number; runs: number } & Burst)[];
  callsPerRun: number;
}
const say = (line: string) => process.stdout.write(`${line}\n`);
const loads = [loadavg()[0] ?? 0];
const results: { name: string; mode: Mode; measured: Measured }[] = [];
for (const mode of modes)
  for (const name of values.other === undefined ? (['quayside'] as const) : (['quayside', 'other'] as const)) {
    say(`${name}, ${mode} …`);
    const measured = await measure(name, mode);
    say(JSON.stringify(measured));
    results.push({ name, mode, measured });
    loads.push(loadavg()[0] ?? 0);
  }
await server.stop();
await kafka?.stop();
for (const each of [target, forwarder]) each.closeAllConnections();
rmSync(dir, { recursive: true, force: true });

const rows = results.flatMap(({ name, mode, measured: { bursts, latency, idleMb, callsPerRun } }) =>
  bursts.map((burst) => [
    name,
    mode,
    burst.delayMs,
    burst.runs,
    burst.perSecond.toFixed(1),
    burst.cpuMsPerRun.toFixed(2),
    burst.portalMsPerRun.toFixed(2),
    Math.round(burst.peakMb),
    ...(burst.delayMs === 0
      ? [latency.p50.toFixed(1), latency.p99.toFixed(1), callsPerRun.toFixed(2), Math.round(idleMb)]
      : ['', '', '', '']),
  ]),
);
const heads = [
  'agent   ',
  'mode   ',
  'target ms',
  'runs',
  'runs/s',
  'CPU ms/run',
  'portal CPU ms/run',
  'busy MB',
  'p50 ms',
  'p99 ms',
  'calls/run',
  'idle MB',
];
writeSection({
  name: 'agent',
  about: `Quayside's agent${values.other === undefined ? '' : ' beside another one, in one run,'} with its defaults, against the same server process (embedded PostgreSQL; Kafka: one broker, plaintext, three partitions) and a target that answers after so many ms; all on one machine, so server, database, target and driver share its processors. Time from publish to arrival: one run at a time from idle, ${samples.quayside.POLLING.count} runs${values.other === undefined ? '' : ` (${samples.other.POLLING.count} polling and ${samples.other.KAFKA.count} from Kafka for the other)`}, from the answer to execute to the head of the webhook request. Runs/s: of queued runs, first arrival to last. Memory: proportional set size. Load average during the measurement: ${loads.map((load) => load.toFixed(1)).join(', ')} (this benchmark included).`,
  body: [...table(heads, rows), ...ratios()].join('\n'),
});
process.exit(0);

function ratios(): string[] {
  const times = (a: number, b: number) => `${(a / b).toFixed(1)} ×`;
  const lines = modes.flatMap((mode) => {
    const [ours, other] = results.filter((result) => result.mode === mode).map(({ measured }) => measured);
    if (ours === undefined || other === undefined) return [];
    return ours.bursts.map((burst, index) => {
      const beside = other.bursts[index] ?? burst;
      return [
        mode,
        burst.delayMs,
        times(burst.perSecond, beside.perSecond),
        times(beside.cpuMsPerRun, burst.cpuMsPerRun),
        burst.delayMs === 0 ? times(other.latency.p50, ours.latency.p50) : '',
      ];
    });
  });
  if (lines.length === 0) return [];
  return ['', ...table(['mode   ', 'target ms', 'throughput', 'less CPU per run', 'lower median latency'], lines)];
}

async function measure(name: keyof typeof samples, mode: Mode): Promise<Measured> {
  delayMs = 0;
  // Not every agent says it by itself.
  await portal.must('PATCH', '/v1/organization', { settings: { portAgentStreamerName: mode } });
  let agent = start(name, mode, server.url);
  // A group that is new begins with what is published after its agent has joined.
  if (mode === 'KAFKA') await sleep(joinMs);
  const warmUp = await queue(probeRuns);
  await arrived(warmUp);
  await idle(agent);
  const idleMb = memoryMb(tree(agent.pid ?? 0));

  const times: number[] = [];
  const { count, pauseMs } = samples[name][mode];
  for (let index = 0; index < count; index += 1) {
    await sleep(pauseMs * 2 * Math.random());
    const [id = ''] = await queue(1);
    const publishedAt = performance.now();
    await arrived([id]);
    times.push(Math.max(0, (arrivals.get(id) ?? 0) - publishedAt));
  }
  times.sort((a, b) => a - b);
  const at = (part: number) => times[Math.ceil(part * times.length) - 1] ?? Number.NaN;

  const bursts: Measured['bursts'] = [];
  for (const delay of targetDelaysMs) {
    delayMs = delay;
    const { perSecond: probed } = await burst(agent, probeRuns);
    const runs = Math.min(mostRuns, Math.max(probeRuns, Math.round(probed * burstSeconds)));
    bursts.push({ delayMs: delay, runs, ...(await burst(agent, runs)) });
  }
  await stop(agent);

  delayMs = 0;
  agent = start(name, mode, forwarderUrl);
  await arrived(await queue(probeRuns));
  await idle(agent);
  halt(agent);
  const counted = await queue(100);
  forwarded = 0;
  resume(agent);
  await arrived(counted);
  await idle(agent);
  const callsPerRun = forwarded / counted.length;
  await stop(agent);
  return { idleMb, latency: { p50: at(0.5), p99: at(0.99), count }, bursts, callsPerRun };
}

async function burst(agent: ChildProcess, runs: number): Promise<Burst> {
  halt(agent);
  const ids = await queue(runs);
  const [before, portalBefore] = [processorMs(agent.pid ?? 0), processorMs(server.child.pid ?? 0)];
  let peakMb = 0;
  const watch = setInterval(() => {
    peakMb = Math.max(peakMb, memoryMb(tree(agent.pid ?? 0)));
  }, 500);
  resume(agent);
  await arrived(ids);
  await idle(agent);
  clearInterval(watch);
  const moments = ids.map((id) => arrivals.get(id) ?? 0).sort((a, b) => a - b);
  const seconds = ((moments.at(-1) ?? 0) - (moments[0] ?? 0)) / 1000;
  const cpuMsPerRun = (processorMs(agent.pid ?? 0) - before) / runs;
  const portalMsPerRun = (processorMs(server.child.pid ?? 0) - portalBefore) / runs;
  return { perSecond: (runs - 1) / seconds, cpuMsPerRun, portalMsPerRun, peakMb };
}

/** Executes so many runs, several at a time. */
async function queue(count: number): Promise<string[]> {
  const ids: string[] = [];
  let begun = 0;
  const lane = async () => {
    while (begun < count) {
      begun += 1;
      const { runId } = await portal.execute('start', String(begun));
      if (runId === undefined) throw new Error('A run was not accepted.');
      ids.push(runId);
    }
  };
  await Promise.all(Array.from({ length: 8 }, lane));
  return ids;
}

async function arrived(ids: readonly string[]): Promise<void> {
  const missing = new Set(ids.filter((id) => !arrivals.has(id)));
  if (missing.size === 0) return;
  await new Promise<void>((resolve) => {
    onArrival = (runId) => {
      if (missing.delete(runId) && missing.size === 0) resolve();
    };
  });
}

/** Until the agent used next to no processor time for a second: reports are made by then. */
async function idle(agent: ChildProcess): Promise<void> {
  await until(
    'the agent is idle',
    async () => {
      const before = processorMs(agent.pid ?? 0);
      await sleep(1_000);
      return processorMs(agent.pid ?? 0) - before <= 20;
    },
    120_000,
  );
}

function start(name: keyof typeof samples, mode: Mode, url: string): ChildProcess {
  const command = name === 'quayside' ? [process.execPath, main] : ['sh', '-c', values.other ?? ''];
  const child = spawn(command[0] ?? '', command.slice(1), {
    // A process group of its own, so that a shell and what it started are halted and ended together.
    detached: true,
    stdio: ['ignore', 'ignore', 'ignore'],
    env: {
      PATH: process.env.PATH,
      HOME: process.env.HOME,
      TMPDIR: cacheDir,
      ...agentEnvironment(url, { STREAMER_NAME: mode }),
      ...(kafka &&
        mode === 'KAFKA' && {
          USING_LOCAL_PORT_INSTANCE: 'true',
          KAFKA_CONSUMER_BOOTSTRAP_SERVERS: kafka.plaintextBroker,
          KAFKA_CONSUMER_GROUP_ID: `${testOrganization.orgId}.${name}`,
          KAFKA_CONSUMER_AUTO_OFFSET_RESET: 'largest',
          // An agent that is halted for long keeps its partitions.
          KAFKA_CONSUMER_SESSION_TIMEOUT_MS: '300000',
        }),
    },
  });
  children.push(child);
  return child;
}

async function stop(agent: ChildProcess): Promise<void> {
  const ended = once(agent, 'exit');
  killGroup(agent, 'SIGTERM');
  const timer = setTimeout(() => killGroup(agent, 'SIGKILL'), 15_000);
  await ended;
  clearTimeout(timer);
}

function halt(agent: ChildProcess): void {
  killGroup(agent, 'SIGSTOP');
}
function resume(agent: ChildProcess): void {
  killGroup(agent, 'SIGCONT');
}
function killGroup(agent: ChildProcess, signal: NodeJS.Signals): void {
  try {
    process.kill(-(agent.pid ?? 0), signal);
  } catch {
    // It has ended.
  }
}

async function listen(server: ReturnType<typeof createServer>): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
