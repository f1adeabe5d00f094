import {
  kafkaStreamer,
  type ServerProcess,
  startServerProcess,
  startTestKafka,
  type TestKafka,
} from '@quayside/testkit';
import {
  countOpenRuns,
  type FaultTarget,
  PortalClient,
  setUpTarget,
  startFaultTarget,
  until,
} from '@quayside/testkit/faults';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { asOwner, assembleCrew, embeddedPostgres, end, judge, makeFolder } from './lab.ts';

/**
 * kill -9 of broker, server, database and agent between the stages of a message:
 *
 *   run committed → published → cursor moved → consumed → lease given → sent → settled → offset committed
 *
 * agent-kills-suite.ts has the stages of the agent. The broker and the embedded database are this file's own.
 */
const folder = makeFolder();
const crew = assembleCrew();
let kafka: TestKafka;
let streamer: ReturnType<typeof kafkaStreamer>;
let server: ServerProcess;
let target: FaultTarget;
let portal: PortalClient;
let isOver = false;

beforeAll(async () => {
  kafka = await startTestKafka();
  streamer = kafkaStreamer(kafka);
  server = await startServer();
  portal = new PortalClient([server.url]);
  target = await startFaultTarget(portal);
  await setUpTarget(portal, target.url);
  await portal.must('PATCH', '/v1/organization', { settings: { portAgentStreamerName: 'KAFKA' } });
  // Topics and user are made: from here on the broker may be away.
  await portal.must('GET', '/v1/kafka-credentials');
});
afterAll(async () => {
  isOver = true;
  await crew.stop();
  await server?.stop();
  await target?.close();
  await kafka?.stop();
  folder.remove();
});
/** When all is over, the whole record must be right, also that of the runs before. */
afterEach(async () => {
  const { url } = postgres();
  await until('every run has ended', async () => target.busy === 0 && (await countOpenRuns(url)) === 0, 80_000);
  const record = await judge(url, target.seen, streamer);
  expect(record.runs.length).toBeGreaterThan(0);
});

function startServer(port?: number): Promise<ServerProcess> {
  return startServerProcess({
    dataDir: folder.path,
    environment: streamer.serverEnvironment,
    ...(port !== undefined && { port }),
  });
}
async function restart(): Promise<void> {
  await end(server.child, 'SIGKILL');
  server = await startServer(server.port);
}
const startAgent = (id: string) => crew.start({ portalUrl: server.url, id, environment: streamer.agentEnvironment });

const postgres = () => embeddedPostgres(folder.path);

async function execute(action: string, ticket: string): Promise<string> {
  const execution = await portal.execute(action, ticket);
  target.seen.executions.push(execution);
  return execution.runId ?? '';
}
/** Attempts that arrived at the target. */
const arrived = (runId: string) =>
  target.seen.requests.filter((request) => request.runId === runId).map(({ attempt }) => attempt);
const countArrived = () => new Set(target.seen.requests.map(({ runId }) => runId)).size;

it('a broker that is away at the start: agent and server say so, and go on when it is there', async () => {
  await kafka.kill();
  const agent = startAgent('agent-1');
  let said = '';
  agent.stdout?.on('data', (chunk: string) => (said += chunk));
  const ids = await Promise.all(['away-1', 'away-2', 'away-3'].map((ticket) => execute('ask', ticket)));
  await until('the agent says so', () => said.includes('the brokers can not be reached; check DNS, firewall'));
  await until('the server says so', () => server.output().includes('messages do not go into Kafka'));
  expect(ids.flatMap(arrived)).toEqual([]);
  await kafka.start();
  await until('all arrive', () => ids.every((id) => arrived(id).length > 0));
  expect(agent.exitCode).toBeNull();
});

it('a server killed when a run is committed and not published', async () => {
  await kafka.kill();
  const id = await execute('ask', 'committed');
  await restart();
  await kafka.start();
  await until('it arrives', () => arrived(id).length > 0);
});

it('a server killed when a run is published, before the cursor moved: the message comes twice, the run once', async () => {
  let id = '';
  await asOwner(postgres().url, async (locker) => {
    await locker.query('begin; lock table event_cursors in share row exclusive mode');
    id = await execute('ask', 'published');
    await until('it arrives', () => arrived(id).length > 0);
    await end(server.child, 'SIGKILL');
    await locker.query('rollback');
  });
  server = await startServer(server.port);
  // A later one in the same order; when that has arrived, the second message of the first is dealt with.
  const later = await execute('ask', 'published-later');
  await until('the later one arrives', () => arrived(later).length > 0);
  expect(arrived(id)).toEqual([1]);
});

it('a broker killed when the target has the request: the outcome is recorded, and nothing is sent again', async () => {
  const execution = await portal.execute('ask', 'at-work', { delayMs: 1_500 });
  target.seen.executions.push(execution);
  const id = execution.runId ?? '';
  await until('it arrives', () => arrived(id).length > 0);
  await kafka.kill();
  await until('it is recorded', async () => (await countOpenRuns(postgres().url)) === 0);
  await kafka.start();
  const later = await execute('ask', 'at-work-later');
  await until('the later one arrives', () => arrived(later).length > 0);
  expect(arrived(id)).toEqual([1]);
});

it('each of the four killed under load, and nothing is lost', async () => {
  const before = countArrived();
  const runs = 80;
  const load = Array.from({ length: 4 }, async (_, lane) => {
    for (let index = 0, tries = 0; !isOver && index < runs / 4; tries += 1) {
      const action = index % 2 === 0 ? 'start' : 'ask';
      const execution = await portal.execute(action, `load-${lane}-${index}-${tries}`, { delayMs: 20 });
      target.seen.executions.push(execution);
      if (execution.verdict === 'accepted') index += 1;
      else await new Promise((resolve) => setTimeout(resolve, 50));
    }
  });
  startAgent('agent-2');
  const doomed = startAgent('agent-3');
  const reach = (count: number) => until(`${count} have arrived`, () => countArrived() >= before + count);
  await reach(10);
  await end(doomed, 'SIGKILL');
  await kafka.kill();
  await kafka.start();
  await reach(25);
  const { pid } = postgres();
  process.kill(pid, 'SIGKILL');
  await until('it was started again', () => postgres().pid !== pid);
  await reach(45);
  await restart();
  await Promise.all(load);
  await reach(runs);
});
