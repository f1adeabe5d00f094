import { readFileSync } from 'node:fs';
import { Admin, Producer, stringSerializers } from '@platformatic/kafka';
import { signMessage } from '@quayside/delivery';
import { kafkaStreamer, setKafkaPassword, testOrganization } from '@quayside/testkit';
import { describe, expect, inject, it } from 'vitest';
import { eventually } from './portal.ts';
import { setUpWorld } from './real-world.ts';

/** What only the Kafka streamer has: groups whose members come and go, and topics into which others can write. */
const kafka = inject('kafka');
const streamer = kafkaStreamer(kafka);
const orgId = streamer.serverEnvironment.QUAYSIDE_ORG_ID ?? '';
const topic = `${orgId}.runs`;
const world = setUpWorld(streamer);
const withinMs = 60_000;

/** As somebody who may write into the topic. */
async function produce(values: readonly string[]): Promise<void> {
  const producer = new Producer({
    clientId: 'test',
    bootstrapBrokers: [kafka.plaintextBroker],
    serializers: stringSerializers,
  });
  for (const value of values) await producer.send({ messages: [{ topic, key: 'k', value }] });
  await producer.close();
}
/** Executed and carried out: the agent goes on. */
async function expectToGoOn(): Promise<void> {
  const id = await world.portal.enqueue({ url: `${world.target.url}/next`, synchronized: true });
  expect((await world.portal.ended(id)).status).toBe('SUCCESS');
}
const requestsTo = (path: string) => world.target.requests.filter((request) => request.path === path);
const says = (agent: { lines: readonly string[] }, text: string) =>
  eventually(`it says: ${text}`, () => agent.lines.some((line) => line.includes(text)), withinMs);

describe('bad input', () => {
  it('messages that are not JSON, forged or not for agents are named and passed over', async () => {
    const agent = world.start();
    await says(agent, '"msg":"consuming"');
    const method = { agent: true, type: 'WEBHOOK', url: `${world.target.url}/forged` };
    const id = await world.portal.enqueue({ url: `${world.target.url}/first` });
    await world.portal.settled(id);
    const message = { headers: {}, context: { runId: id }, payload: { action: { invocationMethod: method } } };
    const forged = { ...message, headers: { 'X-Port-Signature': 'v1,x', 'X-Port-Timestamp': '1' } };
    const { clientSecret } = testOrganization;
    const altered = signMessage(message, clientSecret, 1).replace('/forged', '/altered');
    await produce(['not JSON', '[]', '{}', JSON.stringify(message), JSON.stringify(forged), altered]);
    await expectToGoOn();
    for (const text of ['a message is not JSON', 'has no signature', 'has a wrong signature', 'PORT_CLIENT_SECRET'])
      await says(agent, text);
    expect(world.target.requests.map(({ path }) => path)).toEqual(['/first', '/next']);
    // The run says so too, once, and nothing else happens to it.
    const told = (logs: string[]) =>
      logs.filter((line) => line.includes('is passed over: check that PORT_CLIENT_SECRET'));
    const run = await world.portal.until(id, 'it says so', ({ logs }) => told(logs).length > 0);
    expect(told(run.logs)).toEqual([expect.stringContaining('The agent agent-under-test says') as string]);
    expect(run.status).toBe('IN_PROGRESS');
  });

  it.each<[string, Record<string, string>, string]>([
    [
      'a group of somebody else',
      { KAFKA_CONSUMER_GROUP_ID: 'somebody.else' },
      'KAFKA_CONSUMER_GROUP_ID must begin with',
    ],
    ['an unknown topic', { KAFKA_RUNS_TOPIC: 'no.such.topic' }, 'check PORT_ORG_ID, KAFKA_RUNS_TOPIC'],
    ['another organization', { PORT_ORG_ID: 'org_other' }, 'check PORT_ORG_ID, KAFKA_RUNS_TOPIC'],
    ['a wrong secret', { PORT_CLIENT_SECRET: 'wrong-wrong-wrong-wrong-wrong-wrong' }, 'check PORT_CLIENT_ID'],
    ['an untrusted certificate', { SSL_CERT_FILE: '' }, 'add its CA as a PEM file: SSL_CERT_FILE'],
  ])('%s is named with the remedy, and tried again', async (_, environment, text) => {
    const agent = world.start(environment);
    await eventually(text, () => agent.lines.filter((line) => line.includes(text)).length >= 2, withinMs);
  });

  it('a password that the brokers refuse is named, and once it is right the agent goes on', async () => {
    const { credentials } = await world.portal.call<{ credentials: { username: string; password: string } }>(
      'GET',
      '/v1/kafka-credentials',
    );
    await setKafkaPassword(kafka, credentials.username, 'somebody-changed-it');
    const agent = world.start();
    await says(agent, 'the brokers refuse the user');
    await setKafkaPassword(kafka, credentials.username, credentials.password);
    await expectToGoOn();
  });

  it('a certificate of the brokers is trusted as soon as its CA is there', async () => {
    const agent = world.start({ SSL_CERT_FILE: '', QUAYSIDE_AGENT_CA_DIR: world.dir });
    await says(agent, 'the certificate of the brokers is not trusted');
    world.file('brokers.crt', readFileSync(kafka.caFile, 'utf8'));
    await expectToGoOn();
  });
});

describe('another portal', () => {
  it('that publishes without leases is told call by call', async () => {
    world.start();
    // A run that waits for whoever reads the topic, as with a portal that knows no leases.
    await world.portal.call('POST', '/v1/actions', {
      identifier: 'for_others',
      trigger: { type: 'self-service', operation: 'CREATE', userInputs: { properties: { name: { type: 'string' } } } },
      invocationMethod: { type: 'KAFKA' },
    });
    const id = await world.portal.execute('for_others');
    const message = {
      headers: {},
      context: { runId: id },
      payload: {
        action: {
          invocationMethod: { agent: true, type: 'WEBHOOK', url: `${world.target.url}/theirs`, synchronized: true },
        },
      },
    };
    await produce([signMessage(message, testOrganization.clientSecret, Math.floor(Date.now() / 1000))]);
    const ended = await world.portal.ended(id);
    expect(ended).toMatchObject({ status: 'SUCCESS', response: { ok: true } });
    expect(ended.logs).toHaveLength(5);
    expect(requestsTo('/theirs')).toHaveLength(1);
  });
});

/** Of a group; few at once, so that there is a queue. */
const concurrency = 4;
const member = (id: string) => ({
  QUAYSIDE_AGENT_ID: id,
  QUAYSIDE_AGENT_CONCURRENCY: String(concurrency),
  WEBHOOK_INVOKER_TIMEOUT: '30',
});
const things = ['a', 'b', 'c', 'd', 'e', 'f'];

/** Things that change again and again, and runs, each of 20 ms; judged at the end. */
async function changesAndRuns(blueprint: string): Promise<{
  begin(): void;
  goesOn(what: string, requests: number): Promise<void>;
  /** Each run was carried out once, each change of a thing in order; returns how many changes were carried out again. */
  end(): Promise<number>;
}> {
  const { portal, target } = world;
  await portal.call('POST', '/v1/blueprints', {
    identifier: blueprint,
    title: blueprint,
    schema: { properties: {} },
    changelogDestination: { type: 'WEBHOOK', agent: true, url: `${target.url}/changes` },
  });
  target.answer = (_, response) => void setTimeout(() => response.end('{"ok":true}'), 20);
  const action = await portal.createAction({ url: `${target.url}/runs`, synchronized: true });
  const runs: string[] = [];
  let isOver = false;
  let load = Promise.resolve();
  const versionsOf = (identifier: string) =>
    requestsTo('/changes')
      .map(
        ({ body }) =>
          JSON.parse(body.toString()) as { context: { entity: string }; diff: { after: { title: string } } },
      )
      .filter(({ context }) => context.entity === identifier)
      .map(({ diff }) => Number(diff.after.title));
  return {
    begin() {
      load = (async () => {
        for (let version = 0; !isOver; version += 1) {
          for (const identifier of things)
            await portal.call('POST', `/v1/blueprints/${blueprint}/entities?upsert=true`, {
              identifier,
              title: String(version),
            });
          runs.push(await portal.execute(action), await portal.execute(action));
        }
      })();
    },
    async goesOn(what, requests) {
      const before = target.requests.length;
      await eventually(what, () => target.requests.length > before + requests, withinMs);
    },
    async end() {
      isOver = true;
      await load;
      for (const id of runs) expect((await portal.ended(id)).status).toBe('SUCCESS');
      const keys = requestsTo('/runs').map((request) => String(request.headers['idempotency-key']));
      expect(keys.toSorted()).toEqual(runs.toSorted());
      const last = runs.length / 2 - 1;
      await eventually('all changes arrive', () => things.every((thing) => versionsOf(thing).includes(last)), withinMs);
      let repeated = 0;
      for (const thing of things) {
        const versions = versionsOf(thing);
        const firsts = [...new Set(versions)];
        expect(firsts).toEqual(Array.from({ length: last + 1 }, (_, version) => version));
        repeated += versions.length - firsts.length;
      }
      process.stdout.write(
        `group: ${runs.length} runs, ${things.length * (last + 1)} changes, ${repeated} of these again\n`,
      );
      return repeated;
    },
  };
}

describe('topics', () => {
  const topics = [topic, `${orgId}.change.log`];
  const broker = () => new Admin({ clientId: 'test', bootstrapBrokers: [kafka.plaintextBroker] });

  it('that were made anew are read from their beginning', async () => {
    const agent = world.start();
    await says(agent, '"msg":"consuming"');
    await expectToGoOn();
    const admin = broker();
    await admin.deleteTopics({ topics });
    await admin.createTopics({ topics, partitions: 3, replicas: 1 });
    await admin.close();
    await expectToGoOn();
  });

  it('that end before the place of the group, as those of a restored broker, are read again', async () => {
    const admin = broker();
    await admin.alterConsumerGroupOffsets({
      groupId: `${orgId}.agents`,
      topics: [{ name: topic, partitionOffsets: [0, 1, 2].map((partition) => ({ partition, offset: 1_000n })) }],
    });
    const agent = world.start();
    await says(agent, '"msg":"consuming"');
    await expectToGoOn();
    const [group] = await admin.listConsumerGroupOffsets({ groups: [`${orgId}.agents`] });
    await admin.close();
    const places = group?.topics.flatMap(({ partitions }) => partitions.map(({ committedOffset }) => committedOffset));
    expect(places?.filter((offset) => offset < 100n)).toHaveLength(6);
  });
});

describe('a group', () => {
  it("whose members come and go carries each run out once, and each thing's changes in order", async () => {
    const load = await changesAndRuns('moved');
    const stays = world.start(member('stays'));
    await says(stays, '"msg":"consuming"');
    load.begin();
    const moves = 3;
    for (let round = 0; round < moves; round += 1) {
      const comes = world.start(member(`comes-${round}`));
      await says(comes, 'partitions are assigned');
      await load.goesOn('both work', 40);
      expect(await comes.stop()).toBe(0);
    }
    // What was under way when a partition changed hands, of each agent; nothing that was committed.
    expect(await load.end()).toBeLessThanOrEqual(moves * 2 * concurrency);
  });

  it('whose member was away for longer than its session takes nothing back from the others', async () => {
    const load = await changesAndRuns('left');
    const stays = world.start(member('stays'));
    await says(stays, '"msg":"consuming"');
    const away = world.spawn(member('away'));
    await eventually('it has partitions', () => away.output().includes('"partitions are assigned"'), withinMs);
    load.begin();
    await load.goesOn('both work', 40);
    const takenOver = () => stays.lines.filter((line) => line.includes('partitions are assigned')).length;
    const times = 3;
    for (let round = 0; round < times; round += 1) {
      for (const signal of ['SIGSTOP', 'SIGCONT'] as const) {
        const before = takenOver();
        away.child.kill(signal);
        await eventually(`partitions change hands after ${signal}`, () => takenOver() > before, withinMs);
        await load.goesOn('the group works', 60);
      }
    }
    // What was under way when it stopped and when it came back, of each agent; nothing that another one had done meanwhile.
    expect(await load.end()).toBeLessThanOrEqual(times * 2 * concurrency);
  });

  it('that has no partition left for one says so, and that one stands by', async () => {
    // Three partitions of two topics, seven agents.
    const many = Array.from({ length: 7 }, (_, index) => world.start({ QUAYSIDE_AGENT_ID: `g-${index}` }));
    const idle = () => many.find(({ lines }) => lines.some((line) => line.includes('no partitions are assigned')));
    await eventually('it is said', () => idle() !== undefined, withinMs);
    await expectToGoOn();
    await Promise.all(many.filter((agent) => agent !== idle()).map((agent) => agent.stop()));
    await expectToGoOn();
  });
});
