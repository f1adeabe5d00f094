import { join } from 'node:path';
import { type EmbeddedPostgres, startEmbeddedPostgres } from '@quayside/server/platform/embedded-postgres';
import { spawnAgent } from '../agent-process.ts';
import { startTestKafka, type TestKafka } from '../kafka.ts';
import { kafkaStreamer, pollingStreamer } from '../kafka-streamer.ts';
import { silentLog } from '../postgres.ts';
import { freePort, spawnServer, testOrganization } from '../server-process.ts';
import { type Clock, makeClock, noClockAdvice } from './clock.ts';
import { type Disk, mountDisk, whyNoDisk } from './disk.ts';
import { PortalClient } from './portal-client.ts';
import { Supervised } from './supervised.ts';
import { type FaultTarget, startFaultTarget } from './target.ts';
import { startWire, type Wire } from './wire.ts';

/**
 * Where a storm takes place: servers on one PostgreSQL, agents, a target, and (if wanted) a broker, each in a process of its
 * own and started again when it ends. Every connection between them goes over a wire that can be cut; each has a clock of its
 * own; the files of the database and of the agents are on disks that can be full.
 *
 *   driver, agents, target ──wire──► server 1, 2 ──wire──► PostgreSQL
 *                                     │    │
 *   agents ──wire──► target ◄──wire───┘    └──wire──► broker ◄──wire── agents
 */
export interface Field {
  readonly portal: PortalClient;
  readonly target: FaultTarget;
  /** What calls the target have to go through. */
  readonly targetUrl: string;
  readonly postgres: EmbeddedPostgres;
  readonly kafka: SupervisedBroker | undefined;
  readonly servers: readonly Supervised[];
  readonly agents: readonly Supervised[];
  readonly wires: readonly Wire[];
  readonly disks: { readonly database: Disk | undefined; readonly agents: Disk | undefined };
  readonly clocks: { readonly database: Clock | undefined; readonly processes: readonly Clock[] };
  /** What can not go wrong here, and why. */
  readonly missing: readonly string[];
  readonly description: string;
  /** Does a server serve? What hits a portal that is away anyway proves nothing, and keeps it away. */
  isAlive(): Promise<boolean>;
  /** Ends a fault after so long, or when the storm is over. */
  later(afterMs: number, end: () => void): void;
  /** No fault lasts on. */
  calm(): Promise<void>;
  /** Every process of ours; the database stays. */
  stop(): Promise<void>;
  close(): Promise<void>;
}

export interface FieldOptions {
  /** An empty directory for all that the processes write. */
  dir: string;
  /** With a broker, half of the agents read from it. */
  hasKafka: boolean;
  /** A shell command that starts somebody else's agent, told of its portal by Port's variables. */
  agentCommand?: string;
}

const serverCount = 2;
const agentCount = 4;
const webhookTimeoutMs = 5_000;
/** As in service-delivery.ts of the server. */
export const serverLeaseMs = webhookTimeoutMs + 15_000;
/** In memory, and more than a long storm writes. */
const databaseMegabytes = 4_096;
const agentsMegabytes = 64;

export async function layOutField(options: FieldOptions): Promise<Field> {
  const { dir, hasKafka, agentCommand } = options;
  const closing: (() => unknown)[] = [];
  const ends = new Set<() => void>();
  const endFaults = () => {
    for (const end of [...ends]) end();
  };
  const close = async () => {
    endFaults();
    for (const each of closing.splice(0).reverse()) await each();
  };
  const missing: string[] = [];
  try {
    const noDisk = whyNoDisk();
    if (noDisk !== undefined) missing.push(`no full disks: ${noDisk}`);
    const mount = (name: string, megabytes: number): Disk | undefined => {
      if (noDisk !== undefined) return undefined;
      const disk = mountDisk(join(dir, name), megabytes);
      closing.push(() => disk.unmount());
      return disk;
    };
    const clockOf = (name: string) => makeClock(join(dir, `clock-${name}`));
    const disks = { database: mount('database', databaseMegabytes), agents: mount('agents', agentsMegabytes) };
    const databaseClock = clockOf('database');
    if (!databaseClock) missing.push(`no clock steps: ${noClockAdvice}`);
    else if (agentCommand !== undefined)
      missing.push('no clock steps of agents: other runtimes than ours do not stand it');
    const processClocks: Clock[] = [];
    const wires: Wire[] = [];
    const wireTo = async (port: () => number) => {
      const wire = await startWire(port);
      wires.push(wire);
      closing.push(() => wire.close());
      return wire;
    };
    const environmentOf = (name: string) => {
      const clock = clockOf(name);
      if (clock) processClocks.push(clock);
      return { ...clock?.environment };
    };

    const postgres = await startEmbeddedPostgres({
      dataDir: join(dir, 'database'),
      log: silentLog,
      settings: { max_wal_size: '256MB' },
      environment: { ...databaseClock?.environment },
    });
    closing.push(() => postgres.stop());
    const kafka = hasKafka ? await SupervisedBroker.start(wireTo) : undefined;
    closing.push(() => kafka?.stop());
    const streamers = kafka
      ? [pollingStreamer, kafkaStreamer(kafka.broker, testOrganization.orgId)]
      : [pollingStreamer];

    const urls: string[] = [];
    const ports: number[] = [];
    const servers: Supervised[] = [];
    for (let index = 0; index < serverCount; index += 1) {
      const port = await freePort();
      ports.push(port);
      const database = new URL(postgres.url);
      database.port = String((await wireTo(() => Number(new URL(postgres.url).port))).port);
      const environment = {
        QUAYSIDE_ALLOW_PRIVATE_TARGETS: 'true',
        QUAYSIDE_WEBHOOK_TIMEOUT_MS: String(webhookTimeoutMs),
        ...streamers.at(-1)?.serverEnvironment,
        ...environmentOf(`server-${index}`),
      };
      const dataDir = join(dir, 'servers');
      servers.push(new Supervised(() => spawnServer({ databaseUrl: database.href, dataDir, port, environment }).child));
      urls.push(`http://127.0.0.1:${(await wireTo(() => port)).port}`);
    }
    closing.push(() => Promise.all(servers.map((server) => server.stop())));

    const portal = new PortalClient(urls);
    const target = await startFaultTarget(portal);
    closing.push(() => target.close());
    const targetUrl = `http://127.0.0.1:${(await wireTo(() => target.port)).port}`;

    const agents = Array.from({ length: agentCount }, (_, index) => {
      const id = `agent-${index}`;
      const portalUrl = urls[index % urls.length] ?? '';
      const streamer = streamers[Math.floor((index * streamers.length) / agentCount)];
      // libfaketime takes pauses to a point of the monotonic clock for ones of the clock that it steps, as Python makes them.
      const clock = agentCommand === undefined ? environmentOf(id) : {};
      const environment = { ...streamer?.agentEnvironment, ...clock };
      // Every other one keeps its outcomes on disk.
      const kept = index % 2 === 0 ? { dataDir: join(dir, 'agents', id) } : {};
      const command = agentCommand === undefined ? {} : { command: agentCommand };
      return new Supervised(() => spawnAgent({ portalUrl, id, ...kept, ...command, environment }).child);
    });
    const stop = async () => void (await Promise.all([...agents, ...servers].map((process) => process.stop())));
    closing.push(stop);

    return {
      portal,
      target,
      targetUrl,
      postgres,
      kafka,
      servers,
      agents,
      wires,
      disks,
      clocks: { database: databaseClock, processes: processClocks },
      missing,
      description: `${serverCount} servers, ${agentCount} agents${kafka ? ' (half of them read from the broker), 1 Kafka' : ''}, 1 PostgreSQL, 1 target`,
      async isAlive() {
        const signal = AbortSignal.timeout(1_000);
        const ready = ports.map(
          async (port) => (await fetch(`http://127.0.0.1:${port}/readyz`, { signal })).ok || Promise.reject(),
        );
        return Promise.any(ready).catch(() => false);
      },
      later(afterMs, end) {
        const once = () => {
          clearTimeout(timer);
          if (ends.delete(once)) end();
        };
        const timer = setTimeout(once, afterMs);
        ends.add(once);
      },
      async calm() {
        endFaults();
        for (const wire of wires) wire.calm();
        for (const clock of [...processClocks, databaseClock]) clock?.step(0);
        await kafka?.untilUp();
      },
      stop,
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/** A broker that is started again when it is killed. */
export class SupervisedBroker {
  readonly broker: TestKafka;
  private coming: Promise<void> | undefined;

  private constructor(broker: TestKafka) {
    this.broker = broker;
  }

  static async start(wireTo: (port: () => number) => Promise<Wire>): Promise<SupervisedBroker> {
    return new SupervisedBroker(await startTestKafka({ front: async (port) => (await wireTo(() => port)).port }));
  }

  /** False = it is starting. */
  kill(): boolean {
    if (this.coming) return false;
    this.coming = this.restart().finally(() => {
      this.coming = undefined;
    });
    return true;
  }

  private async restart(): Promise<void> {
    for (;;)
      try {
        await this.broker.kill();
        return await this.broker.start();
      } catch {
        // Not up in time, on a machine with much else to do: once more.
      }
  }

  async untilUp(): Promise<void> {
    await this.coming;
  }

  async stop(): Promise<void> {
    await this.untilUp();
    await this.broker.stop();
  }
}
