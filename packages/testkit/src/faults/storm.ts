import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { agentLeaseMs } from '@quayside/contracts';
import { type EmbeddedPostgres, startEmbeddedPostgres } from '@quayside/server/platform/embedded-postgres';
import { Client } from 'pg';
import { spawnAgent } from '../agent-process.ts';
import { silentLog } from '../postgres.ts';
import { freePort, spawnServer, testOrganization } from '../server-process.ts';
import { checkRecord, summarize, type Violation } from './check.ts';
import { PortalClient } from './portal-client.ts';
import { seededRandom } from './random.ts';
import { countOpenRuns, readRecord } from './record.ts';
import { type FaultTarget, setUpTarget, startFaultTarget } from './target.ts';
import { until } from './until.ts';

/**
 * A storm: real servers on one PostgreSQL, real agents, one target; runs go in all the time, and at random moments one of
 * the processes is killed with -9. What is killed is started again at once, as a supervisor does. When the last run is over,
 * everything is stopped and the record is checked.
 *
 * The seed fixes what is executed and what is killed after how long; how the processes interleave is the machine's.
 */
export interface StormOptions {
  seed: number;
  runs: number;
  faults: number;
  /** An empty directory for all that the processes write. */
  dir: string;
  /** Mean time between two faults. */
  faultEveryMs: number;
  report(line: string): void;
}

export interface StormResult {
  violations: Violation[];
  summary: Record<string, number>;
  /** Did every run end in time? If not, the violations name those that did not. */
  isOver: boolean;
}

const serverCount = 2;
const agentCount = 4;
const webhookTimeoutMs = 5_000;
/** As in service-delivery.ts of the server. */
const serverLeaseMs = webhookTimeoutMs + 15_000;
/** Leases of the last killed holders run out, and their runs are delivered again; on a slow machine a few times. */
const calmMs = 240_000;

const faultKinds = [
  { kind: 'agent', share: 0.45 },
  { kind: 'server', share: 0.3 },
  { kind: 'database backend', share: 0.15 },
  { kind: 'database', share: 0.1 },
] as const;
type FaultKind = (typeof faultKinds)[number]['kind'];

export async function runStorm(options: StormOptions): Promise<StormResult> {
  const { dir, report } = options;
  const postgres = await startEmbeddedPostgres({ dataDir: join(dir, 'database'), log: silentLog });
  const processes: Supervised[] = [];
  let target: FaultTarget | undefined;
  try {
    const ports = [];
    for (let index = 0; index < serverCount; index += 1) ports.push(await freePort());
    const urls = ports.map((port) => `http://127.0.0.1:${port}`);
    const servers = ports.map((port) => new Supervised(() => serverProcess(postgres.url, join(dir, 'servers'), port)));
    processes.push(...servers);
    const portal = new PortalClient(urls);
    target = await startFaultTarget(portal);
    await setUpTarget(portal, target.url);
    const agents = Array.from({ length: agentCount }, (_, index) => {
      const id = `agent-${index}`;
      const portalUrl = urls[index % urls.length] ?? '';
      // Every other one keeps its outcomes on disk.
      const kept = index % 2 === 0 ? { dataDir: join(dir, id) } : {};
      return new Supervised(() => spawnAgent({ portalUrl, id, ...kept }).child);
    });
    processes.push(...agents);
    report(`${serverCount} servers, ${agentCount} agents, 1 PostgreSQL, 1 target; seed ${options.seed}`);

    const counts = await rage(options, { portal, target, postgres, servers, agents });
    report(`${counts.faults} faults; waiting for the last runs to end`);
    const isOver = await untilCalm(postgres.url, target, report);
    await Promise.all(processes.map((process) => process.stop()));

    const record = await readRecord(postgres.url, testOrganization.orgId);
    const violations = checkRecord(record, target.seen, {
      isFinished: true,
      leaseMsOf: (holder) => (holder.startsWith('server ') ? serverLeaseMs : agentLeaseMs),
    });
    return { violations, isOver, summary: { ...counts.killed, ...summarize(record, target.seen) } };
  } finally {
    await Promise.all(processes.map((process) => process.stop()));
    await target?.close();
    await postgres.stop();
  }
}

interface Field {
  portal: PortalClient;
  target: FaultTarget;
  postgres: EmbeddedPostgres;
  servers: Supervised[];
  agents: Supervised[];
}

async function rage(options: StormOptions, field: Field): Promise<{ faults: number; killed: Record<string, number> }> {
  const random = seededRandom(options.seed);
  const killed = Object.fromEntries(faultKinds.map(({ kind }) => [`kill -9 of ${kind}`, 0]));
  const executions: Promise<void>[] = [];
  let executed = 0;
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)] as T;
  let faults = 0;
  while (faults < options.faults) {
    const pauseMs = options.faultEveryMs * (0.25 + 1.5 * random());
    const due = Math.ceil(((faults + 1) / options.faults) * options.runs);
    for (; executed < due; executed += 1) {
      const order = drawOrder(random);
      executions.push(execute(field, `t-${executed}`, order, random() * pauseMs));
    }
    await sleep(pauseMs);
    const kind = drawFault(random());
    const victim = kind === 'agent' ? pick(field.agents) : kind === 'server' ? pick(field.servers) : undefined;
    const isHit = victim ? victim.kill() : await killDatabase(field.postgres, kind, random());
    // Nobody to kill at this moment (it is being started again): the next moment will do.
    if (!isHit) continue;
    killed[`kill -9 of ${kind}`] = (killed[`kill -9 of ${kind}`] ?? 0) + 1;
    faults += 1;
    if (faults % 20 === 0) options.report(`${faults} faults, ${executed} runs begun`);
  }
  await Promise.all(executions);
  return { faults, killed };
}

/** Once more with another ticket when there is no answer, so that the number of accepted runs is as wanted. */
async function execute(
  { portal, target }: Field,
  name: string,
  order: { action: string; inputs: Record<string, unknown> },
  delayMs: number,
): Promise<void> {
  await sleep(delayMs);
  for (let tries = 1; ; tries += 1) {
    const execution = await portal.execute(order.action, `${name}-${tries}`, order.inputs);
    target.seen.executions.push(execution);
    if (execution.verdict === 'accepted') return;
    if (execution.verdict === 'refused') throw new Error(`The run ${name} was refused.`);
    await sleep(Math.min(100 * 2 ** tries, 2_000));
  }
}

function drawOrder(random: () => number): { action: string; inputs: Record<string, unknown> } {
  const chance = random();
  const action = chance < 0.5 ? 'start' : chance < 0.75 ? 'ask' : 'direct';
  const delayMs = random() < 0.1 ? 1_000 + Math.round(random() * 1_500) : Math.round(random() * 150);
  const failures = action !== 'ask' && random() < 0.1 ? 1 : 0;
  const outcome = random() < 0.1 ? 'FAILURE' : 'SUCCESS';
  return { action, inputs: { delayMs, failures, outcome } };
}

function drawFault(chance: number): FaultKind {
  let sum = 0;
  for (const { kind, share } of faultKinds) {
    sum += share;
    if (chance < sum) return kind;
  }
  return 'agent';
}

/** The postmaster, or one backend of a server: PostgreSQL then ends all of them and recovers. False = it is away already. */
async function killDatabase(postgres: EmbeddedPostgres, kind: FaultKind, chance: number): Promise<boolean> {
  if (kind === 'database') return postgres.pid !== undefined && killProcess(postgres.pid);
  const client = new Client({ connectionString: postgres.url, connectionTimeoutMillis: 1_000 });
  client.on('error', () => {});
  try {
    await client.connect();
    const { rows } = await client.query<{ pid: number }>(
      `select pid from pg_stat_activity where application_name like 'quayside%' order by pid`,
    );
    const pid = rows[Math.floor(chance * rows.length)]?.pid;
    return pid !== undefined && killProcess(pid);
  } catch {
    return false;
  } finally {
    await client.end().catch(() => undefined);
  }
}

function killProcess(pid: number): boolean {
  try {
    return process.kill(pid, 'SIGKILL');
  } catch {
    return false;
  }
}

async function untilCalm(url: string, target: FaultTarget, report: (line: string) => void): Promise<boolean> {
  try {
    await until(
      'every run has ended and the target has told everything',
      async () => {
        if (target.busy > 0) return false;
        return (await countOpenRuns(url)) === 0;
      },
      calmMs,
    );
    return true;
  } catch (error) {
    report((error as Error).message);
    return false;
  }
}

function serverProcess(databaseUrl: string, dataDir: string, port: number): ChildProcess {
  const environment = {
    QUAYSIDE_ALLOW_PRIVATE_TARGETS: 'true',
    QUAYSIDE_WEBHOOK_TIMEOUT_MS: String(webhookTimeoutMs),
  };
  return spawnServer({ databaseUrl, dataDir, port, environment }).child;
}

/** A process that is started again whenever it ends. */
class Supervised {
  private readonly start: () => ChildProcess;
  private child: ChildProcess;
  private isStopping = false;

  constructor(start: () => ChildProcess) {
    this.start = start;
    this.child = this.launch();
  }

  /** False = it is not running at this moment. */
  kill(): boolean {
    return isRunning(this.child) && this.child.kill('SIGKILL');
  }

  async stop(): Promise<void> {
    this.isStopping = true;
    if (!isRunning(this.child)) return;
    const ended = once(this.child, 'exit');
    this.child.kill('SIGTERM');
    await ended;
  }

  private launch(): ChildProcess {
    const child = this.start();
    child.once('exit', () => {
      // A server ends by itself when it finds no database at its start.
      setTimeout(() => {
        if (!this.isStopping) this.child = this.launch();
      }, 100);
    });
    return child;
  }
}

function isRunning(child: ChildProcess): boolean {
  return child.exitCode === null && child.signalCode === null;
}
