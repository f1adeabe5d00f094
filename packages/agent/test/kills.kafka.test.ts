import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Producer, stringSerializers } from '@platformatic/kafka';
import type { Run } from '@quayside/contracts';
import {
  type ServerProcess,
  startServerProcess,
  startTestKafka,
  type TestKafka,
  testOrganization,
} from '@quayside/testkit';
import { answerOk, type Receiver, startReceiver } from '@quayside/testkit/receiver';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { kafkaStreamer } from './kafka-streamer.ts';

/**
 * Agent, server and broker killed in the middle, with Kafka in between. Afterwards every run has arrived, and what arrived
 * twice has one key. The broker is this file's own, as it is killed too.
 */
const main = new URL('../src/main.ts', import.meta.url).pathname;
const blueprint = 'thing';

let kafka: TestKafka;
let dir: string;
let server: ServerProcess;
let target: Receiver;
let headers: Record<string, string>;
let streamer: ReturnType<typeof kafkaStreamer>;
const agents: { child: ChildProcess; output: () => string }[] = [];

beforeAll(async () => {
  kafka = await startTestKafka();
  streamer = kafkaStreamer(kafka);
  dir = await mkdtemp(join(tmpdir(), 'quayside-kills-'));
  server = await startServerProcess({ dataDir: dir, environment: streamer.serverEnvironment });
  const { clientId, clientSecret } = testOrganization;
  const answer = await fetch(`${server.url}/v1/auth/access_token`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ clientId, clientSecret }),
  });
  const { accessToken } = (await answer.json()) as { accessToken: string };
  headers = { authorization: `Bearer ${accessToken}`, 'content-type': 'application/json' };
  target = await startReceiver();
  await call('POST', '/v1/actions', {
    identifier: 'start',
    trigger: { type: 'self-service', operation: 'CREATE', userInputs: { properties: {} } },
    invocationMethod: { type: 'WEBHOOK', url: `${target.url}/work`, agent: true, synchronized: true },
  });
  await call('POST', '/v1/blueprints', {
    identifier: blueprint,
    title: 'Thing',
    schema: { properties: {} },
    changelogDestination: { type: 'WEBHOOK', agent: true, url: `${target.url}/changes` },
  });
  await call('PATCH', '/v1/organization', { settings: { portAgentStreamerName: 'KAFKA' } });
}, 120_000);
afterAll(async () => {
  await server?.stop();
  await target?.close();
  await kafka?.stop();
  await rm(dir, { recursive: true, force: true });
}, 30_000);
beforeEach(() => {
  target.requests.length = 0;
  target.answer = answerOk;
});
afterEach(async () => {
  await Promise.all(agents.splice(0).map(({ child }) => end(child, 'SIGTERM')));
});

async function call<T>(method: string, path: string, body?: unknown): Promise<T> {
  const answer = await fetch(server.url + path, {
    method,
    headers,
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  const reply = (await answer.json()) as T;
  if (!answer.ok) throw new Error(`${method} ${path}: ${JSON.stringify(reply)}`);
  return reply;
}

function startAgent(id: string, more: Record<string, string> = {}) {
  const child = spawn(process.execPath, [main], {
    cwd: dir,
    env: {
      PATH: process.env.PATH,
      STREAMER_NAME: 'KAFKA',
      PORT_ORG_ID: streamer.serverEnvironment.QUAYSIDE_ORG_ID,
      PORT_CLIENT_ID: testOrganization.clientId,
      PORT_CLIENT_SECRET: testOrganization.clientSecret,
      PORT_API_BASE_URL: server.url,
      POLLING_MAX_BACKOFF_SECONDS: '1',
      QUAYSIDE_AGENT_ID: id,
      ...streamer.agentEnvironment,
      ...more,
    },
  });
  let text = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
  const agent = { child, output: () => text };
  agents.push(agent);
  return agent;
}

async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill(signal);
  await once(child, 'exit');
}

const execute = async () => (await call<{ run: Run }>('POST', '/v1/actions/start/runs', { properties: {} })).run.id;
const statusOf = async (id: string) => (await call<{ run: Run }>('GET', `/v1/actions/runs/${id}`)).run.status;
/** Of runs; changes of the catalog arrive beside them. */
const keysSent = () =>
  target.requests.filter(({ path }) => path !== '/changes').map(({ headers }) => String(headers['idempotency-key']));

async function until(what: string, isSo: () => Promise<boolean> | boolean, withinMs = 60_000): Promise<void> {
  for (const endMs = performance.now() + withinMs; !(await isSo()); ) {
    if (performance.now() > endMs)
      throw new Error(`not in time: ${what}\n${agents.map(({ output }) => output().slice(-3_000)).join('\n')}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
const allSucceed = (ids: readonly string[]) =>
  until('all runs succeed', async () => (await Promise.all(ids.map(statusOf))).every((status) => status === 'SUCCESS'));

describe('kill -9', () => {
  it('of the agent in the middle of its work, again and again: every run arrives, twice only under one key', async () => {
    const ids = await Promise.all(Array.from({ length: 30 }, execute));
    for (let round = 0; round < 3; round += 1) {
      const agent = startAgent(`b-${round}`, { QUAYSIDE_AGENT_CONCURRENCY: '4' });
      const before = target.requests.length;
      await until('some are sent', () => target.requests.length >= before + 4);
      await end(agent.child, 'SIGKILL');
    }
    startAgent('b-last');
    await allSucceed(ids);
    expect(new Set(keysSent())).toEqual(new Set(ids));
  }, 120_000);

  it('of the server while it publishes: every run arrives', async () => {
    startAgent('c-1');
    const ids: string[] = [];
    for (let round = 0; round < 2; round += 1) {
      ids.push(...(await Promise.all(Array.from({ length: 10 }, execute))));
      const { port } = server;
      await end(server.child, 'SIGKILL');
      server = await startServerProcess({ dataDir: dir, port, environment: streamer.serverEnvironment });
    }
    await allSucceed(ids);
    expect(new Set(keysSent())).toEqual(new Set(ids));
  }, 120_000);

  it('of the broker: runs and changes wait for it, in order', async () => {
    const agent = startAgent('d-1');
    const before = await execute();
    await allSucceed([before]);
    await kafka.kill();
    const ids = await Promise.all(Array.from({ length: 5 }, execute));
    for (const title of ['one', 'two', 'three'])
      await call('POST', `/v1/blueprints/${blueprint}/entities?upsert=true`, { identifier: 'x', title });
    await until('the agent says so', () => agent.output().includes('no work can be claimed'));
    await kafka.start();
    await allSucceed(ids);
    const titles = () =>
      target.requests
        .filter(({ path }) => path === '/changes')
        .map(({ body }) => JSON.parse(body.toString()) as { resourceType: string; diff: { after: { title: string } } })
        .filter(({ resourceType }) => resourceType === 'entity')
        .map(({ diff }) => diff.after.title);
    await until('the changes arrive', () => titles().length >= 3);
    expect(titles()).toEqual(['one', 'two', 'three']);
  }, 120_000);
});

describe('bad input', () => {
  it('is named in the log with the remedy, and the agent goes on', async () => {
    const agent = startAgent('e-1');
    const producer = new Producer({
      clientId: 'test',
      bootstrapBrokers: [kafka.plaintextBroker],
      serializers: stringSerializers,
    });
    const topic = `${streamer.serverEnvironment.QUAYSIDE_ORG_ID}.runs`;
    const method = { agent: true, type: 'WEBHOOK', url: `${target.url}/forged` };
    const message = { context: { runId: 'r_1' }, payload: { action: { invocationMethod: method } } };
    const forged = { ...message, headers: { 'X-Port-Signature': 'v1,x', 'X-Port-Timestamp': '1' } };
    for (const value of ['not JSON', '[]', '{}', JSON.stringify(message), JSON.stringify(forged)])
      await producer.send({ messages: [{ topic, key: 'k', value }] });
    await producer.close();
    const id = await execute();
    await allSucceed([id]);
    for (const text of ['a message is not JSON', 'has no signature', 'has a wrong signature', 'PORT_CLIENT_SECRET'])
      await until(text, () => agent.output().includes(text));
    expect(keysSent()).toEqual([id]);
  }, 90_000);

  it.each<[string, Record<string, string>, string]>([
    [
      'a group of somebody else',
      { KAFKA_CONSUMER_GROUP_ID: 'somebody.else' },
      'KAFKA_CONSUMER_GROUP_ID must begin with',
    ],
    ['an unknown topic', { KAFKA_RUNS_TOPIC: 'no.such.topic' }, 'check PORT_ORG_ID, KAFKA_RUNS_TOPIC'],
    ['a wrong secret', { PORT_CLIENT_SECRET: 'wrong-wrong-wrong-wrong-wrong-wrong' }, 'check PORT_CLIENT_ID'],
    ['an untrusted certificate', { NODE_EXTRA_CA_CERTS: '' }, 'add its CA as a PEM file: SSL_CERT_FILE'],
  ])(
    '%s is named with the remedy',
    async (_, environment, text) => {
      const agent = startAgent('f-1', environment);
      await until(text, () => agent.output().includes(text));
    },
    40_000,
  );

  it('no partition left is said, and the agent stands by', async () => {
    const many = Array.from({ length: 7 }, (_, index) => startAgent(`g-${index}`));
    // Three partitions of two topics, seven agents.
    await until('it is said', () => many.some(({ output }) => output().includes('no partitions are assigned')));
    const id = await execute();
    await allSucceed([id]);
  }, 90_000);
});
