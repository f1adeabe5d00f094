import type { ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import {
  createDatabase,
  type ServerProcess,
  type Streamer,
  startServerProcess,
  type TestDatabase,
} from '@quayside/testkit';
import {
  countOpenRuns,
  type FaultTarget,
  type Gate,
  PortalClient,
  type PortalRecord,
  setUpTarget,
  startDoor,
  startFaultTarget,
  startGate,
  until,
} from '@quayside/testkit/faults';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { asOwner, assembleCrew, end, judge, makeFolder } from './lab.ts';

/**
 * kill -9 of the agent between every two of its stages, once per streamer (agent-kills.test.ts, agent-kills.kafka.test.ts):
 *
 *   (message read) → claim asked → lease given → claim answered → (acknowledged) → connected → sent → answered
 *     → settle asked → settled → (committed)
 *
 * The stages are held by a gate in front of the portal and a door in front of the target, so each kill hits where it should.
 * All agents are killed first; then the leases run out together, once, and two heirs finish what is left. Until then the
 * work of the killed is put off, so that on a slow machine no later agent takes a run that is not meant for it.
 */
interface Stage {
  /** `portal` = the gate's URL. Resolves when the agent is at the stage with the run. */
  reach(execute: () => Promise<void>, gate: Gate): Promise<unknown>;
  /** Absent = both. */
  streamer?: Streamer['name'];
  /** Does an agent with the same folder come back, so that what it knew is not lost? */
  returns?: boolean;
  /** How the leases of the run ended. */
  leases: string[];
  /** Attempts that arrived at the target. */
  arrived: number[];
}

export function testAgentKills(streamer: Streamer): void {
  const folder = makeFolder();
  const crew = assembleCrew();
  let database: TestDatabase;
  let server: ServerProcess;
  let target: FaultTarget;
  let record: PortalRecord;
  const gates: Gate[] = [];

  const isClaim = (call: { path: string }) => call.path.endsWith('/claim-pending');
  const isClaimOfRuns = (call: { path: string; answer?: Record<string, unknown> }) =>
    isClaim(call) && (call.answer?.runs as unknown[] | undefined)?.length === 1;
  const isSettle = (call: { path: string }) => call.path.endsWith('/settle');
  /** Executes, and waits until the trap has sprung. */
  const after = (execute: () => Promise<void>, sprung: Promise<unknown>) => execute().then(() => sprung);
  let door: Awaited<ReturnType<typeof startDoor>>;

  const allStages: Record<string, Stage> = {
    'when it has the lease and does not know it yet': {
      reach: (execute, gate) => after(execute, gate.hold('answer', isClaimOfRuns)),
      leases: ['lost', 'settled'],
      arrived: [2],
    },
    'when it is connected to the target and sends': {
      reach: (execute) => after(execute, door.hold('request')),
      leases: ['lost', 'settled'],
      arrived: [2],
    },
    'when the target has the request': {
      reach: (execute) => after(execute, door.hold(0)),
      leases: ['lost', 'settled'],
      arrived: [1, 2],
    },
    'in the middle of the answer': {
      reach: (execute) => after(execute, door.hold(40)),
      leases: ['lost', 'settled'],
      arrived: [1, 2],
    },
    'when it knows the outcome, in memory only': {
      reach: (execute, gate) => after(execute, gate.hold('request', isSettle)),
      leases: ['lost', 'settled'],
      arrived: [1, 2],
    },
    'when it knows the outcome, on disk': {
      reach: (execute, gate) => after(execute, gate.hold('request', isSettle)),
      returns: true,
      leases: ['settled'],
      arrived: [1],
    },
    'when the outcome is recorded and it does not know it yet': {
      reach: (execute, gate) => after(execute, gate.hold('answer', isSettle)),
      returns: true,
      leases: ['settled'],
      arrived: [1],
    },
    // At the end, because their runs are free at once, and the next agent would take them.
    'between claim and acknowledgement, in the published dialect': {
      streamer: 'POLLING',
      reach(execute, gate) {
        // Without our fields the portal gives no lease, and the agent acknowledges, as Port's does.
        gate.rewrite = ({ path, body: { agent: _, waitMs: __, ...body } }) =>
          path.endsWith('/claim-pending') ? { ...body, visibilityTimeoutMs: 1_000 } : body;
        return after(
          execute,
          gate.hold('request', (call) => call.path.endsWith('/runs/ack')),
        );
      },
      leases: ['lost', 'settled'],
      arrived: [2],
    },
    'before its claim arrives': {
      // A poller asks before there is a run, a consumer when it has the message.
      reach: (execute, gate) => Promise.all([gate.hold('request', isClaim), execute()]),
      leases: ['settled'],
      arrived: [1],
    },
  };

  const stages = Object.entries(allStages).filter(([, stage]) => (stage.streamer ?? streamer.name) === streamer.name);

  /** Puts off work of runs that is not put off yet, or takes all of that back. */
  const move = (by: '1 hour' | '-1 hour') =>
    asOwner(database.url, (client) =>
      client.query(
        `update work set due_at = due_at + $1::interval where key like 'r\\_%' and (due_at > now() + interval '30 minutes') = ($1 = '-1 hour')`,
        [by],
      ),
    );

  beforeAll(async () => {
    database = await createDatabase(inject('postgresAdminUrl'));
    server = await startServerProcess({
      dataDir: folder.path,
      databaseUrl: database.url,
      environment: streamer.serverEnvironment,
    });
    const portal = new PortalClient([server.url]);
    target = await startFaultTarget(portal);
    door = await startDoor(target.port);
    await setUpTarget(portal, door.url);

    const environment = { POLLING_INTERVAL_SECONDS: '0.1', ...streamer.agentEnvironment };
    const heirs: (() => ChildProcess)[] = [];
    for (const [index, [name, stage]] of stages.entries()) {
      const gate = await startGate(server.url);
      gates.push(gate);
      const kept = stage.returns ? { dataDir: join(folder.path, `agent-${index}`) } : {};
      const id = `agent-${index}`;
      const execute = async () => {
        target.seen.executions.push(await portal.execute('ask', name));
      };
      const reached = stage.reach(execute, gate);
      const agent = crew.start({ portalUrl: gate.url, id, ...kept, environment });
      await Promise.race([
        reached,
        // Says what was waited for, instead of a test that hangs.
        until(`the agent is killed ${name}`, () => agent.signalCode !== null, 60_000),
      ]);
      await end(agent, 'SIGKILL');
      await move('1 hour');
      if (stage.returns)
        heirs.push(() => crew.start({ portalUrl: server.url, id: `${id}-again`, ...kept, environment }));
    }
    await move('-1 hour');
    for (const start of heirs) start();
    await until('every run has ended', async () => (await countOpenRuns(database.url)) === 0, 75_000);
    await crew.stop();
    record = await judge(database.url, target.seen, streamer);
  }, 400_000);

  afterAll(async () => {
    await crew.stop();
    await server?.stop();
    await Promise.all(gates.map((gate) => gate.close()));
    await door?.close();
    await target?.close();
    await database?.drop();
    folder.remove();
  }, 30_000);

  it.each(stages)('an agent killed %s loses nothing', (name, { leases, arrived }) => {
    const run = record.runs.find(({ inputs }) => inputs.ticket === name);
    expect(run?.status).toBe('SUCCESS');
    const ofRun = <T extends { runId: string }>(list: readonly T[]) => list.filter(({ runId }) => runId === run?.id);
    expect(ofRun(record.deliveries).map(({ state }) => state)).toEqual(leases);
    expect(ofRun(target.seen.requests).map(({ attempt }) => attempt)).toEqual(arrived);
    // The record of an outcome is made once, however often it is told.
    const endings = ofRun(record.logs).filter(({ message }) => message.includes('answered 200'));
    expect(endings).toHaveLength(1);
  });
}
