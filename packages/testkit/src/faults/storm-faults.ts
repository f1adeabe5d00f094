import { agentLeaseMs } from '@quayside/contracts';
import { Client } from 'pg';
import { type Field, serverLeaseMs } from './storm-field.ts';
import type { Supervised } from './supervised.ts';
import { directions } from './wire.ts';

/**
 * What may go wrong in a storm, and how often of a thousand times: what ends a process is rarer than what starting it again
 * takes, so that there is something under way to be hit.
 */
export interface Fault {
  readonly kind: string;
  readonly share: number;
  /** False = it could not happen at this moment, and does not count. */
  strike(random: () => number): boolean | Promise<boolean>;
}

export const cutConnection = 'connection cut in the middle of a message';

/** Certificates, and what is allowed for clocks that differ, stand this. */
const maxStepSeconds = 600;
/** The database's clock is the one that leases go by: stepped back, they last so much longer. */
const maxDatabaseStepSeconds = 30;
/** From one end to the other, and some processes of the database see it a second before others. */
export const databaseClockSlackMs = 2 * maxDatabaseStepSeconds * 1_000 + 2_000;
const maxPartBytes = 1_500;

export function faultsOf(field: Field): Fault[] {
  const { agents, servers, postgres, kafka, wires, disks, clocks, later } = field;
  const fillFor = (disk: keyof typeof disks) => (random: () => number) => {
    if (!disks[disk]?.fill()) return false;
    later(1_000 + 3_000 * random(), () => disks[disk]?.clear());
    return true;
  };
  const haltFor = (list: readonly Supervised[], leaseMs: number) => (random: () => number) => {
    const victim = pick(list, random);
    if (!victim.halt()) return false;
    later(leaseMs + 10_000 * random(), () => victim.resume());
    return true;
  };
  const all: (Fault | undefined)[] = [
    {
      kind: cutConnection,
      share: 760,
      strike(random) {
        const bytes = Math.ceil(maxPartBytes * random() ** 3);
        // What waits for its cut already is passed over.
        const first = Math.floor(random() * wires.length);
        const direction = pick(directions, random);
        return wires.some((_, index) => wires[(first + index) % wires.length]?.cutAfter(bytes, direction));
      },
    },
    { kind: 'kill -9 of an agent', share: 80, strike: (random) => pick(agents, random).kill() },
    { kind: 'kill -9 of a server', share: 16, strike: (random) => pick(servers, random).kill() },
    {
      kind: 'kill -9 of a database backend',
      share: 12,
      strike: async (random) => killBackend(postgres.url, random()),
    },
    {
      kind: 'kill -9 of the database',
      share: 8,
      strike: () => postgres.pid !== undefined && killProcess(postgres.pid),
    },
    kafka && { kind: 'kill -9 of the broker', share: 4, strike: () => kafka.kill() },
    { kind: 'agent stopped until its lease ran out', share: 12, strike: haltFor(agents, agentLeaseMs) },
    { kind: 'server stopped until its lease ran out', share: 5, strike: haltFor(servers, serverLeaseMs) },
    disks.database && { kind: 'full disk of the database', share: 8, strike: fillFor('database') },
    disks.agents && { kind: 'full disk of the agents', share: 30, strike: fillFor('agents') },
    clocks.processes.length > 0
      ? {
          kind: 'clock step of an agent or a server',
          share: 55,
          strike(random) {
            pick(clocks.processes, random).step(Math.round((2 * random() - 1) * maxStepSeconds));
            return true;
          },
        }
      : undefined,
    clocks.database && {
      kind: 'clock step of the database',
      share: 10,
      strike(random) {
        clocks.database?.step(Math.round((2 * random() - 1) * maxDatabaseStepSeconds));
        return true;
      },
    },
  ];
  return all.filter((fault) => fault !== undefined);
}

export function drawFault(faults: readonly Fault[], chance: number): Fault {
  let rest = chance * faults.reduce((sum, { share }) => sum + share, 0);
  const drawn = faults.find(({ share }) => {
    rest -= share;
    return rest < 0;
  });
  return drawn ?? (faults[0] as Fault);
}

function pick<T>(list: readonly T[], random: () => number): T {
  return list[Math.floor(random() * list.length)] as T;
}

/** One backend of a server: PostgreSQL then ends all of them and recovers. */
async function killBackend(url: string, chance: number): Promise<boolean> {
  const client = new Client({ connectionString: url, connectionTimeoutMillis: 1_000 });
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
