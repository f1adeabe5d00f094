import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { Consumer, type Message, MessagesStreamModes, stringDeserializers } from '@platformatic/kafka';
import {
  actionRoutes,
  type BodyOf,
  blueprintRoutes,
  deliveryRoutes,
  dispatchRoutes,
  entityRoutes,
  identityRoutes,
  kafkaRoutes,
  runRoutes,
} from '@quayside/contracts';
import { verifyMessage } from '@quayside/delivery';
import { administer, testOrganization } from '@quayside/testkit';
import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { startTestApp, type TestApp } from './harness.ts';

/** The portal and a real broker: what is published, to whom it is shown, and that nothing is lost or invented. */
const kafka = inject('kafka');
const orgId = `org_${randomBytes(6).toString('hex')}`;
const ca = readFileSync(kafka.caFile, 'utf8');
const environment = {
  QUAYSIDE_ORG_ID: orgId,
  KAFKA_BROKERS: kafka.broker,
  KAFKA_USERNAME: kafka.admin.username,
  KAFKA_PASSWORD: kafka.admin.password,
  KAFKA_CA_FILE: kafka.caFile,
  KAFKA_TOPIC_PARTITIONS: '2',
};
type Received = Message<string, string, string, string>;

let t: TestApp;
let received: Received[];
let consumer: Consumer<string, string, string, string>;

beforeAll(async () => {
  t = await startTestApp(environment);
  const { username, password } = (await t.machine.call(kafkaRoutes.credentials)).body.credentials;
  received = [];
  consumer = await consume(`${orgId}.tests`, { username, password });
  const invocationMethod = { type: 'WEBHOOK' as const, url: 'https://service.internal/x', agent: true };
  for (const [identifier, method] of [
    ['agent', { ...invocationMethod, headers: { 'X-Team': 'a' } }],
    ['labelled', { ...invocationMethod, agentLabels: { env: '{{ .inputs.name }}' } }],
    ['topic', { type: 'KAFKA' as const }],
    ['own', { type: 'KAFKA' as const, payload: { said: '{{ .inputs.name }}', small: 0.00001 } }],
    [
      'pipeline',
      {
        type: 'GITLAB' as const,
        projectName: 'p',
        groupName: 'a/b',
        pipelineVariables: { NAME: '{{ .inputs.name }}' },
      },
    ],
  ] as const)
    await t.machine.call(actionRoutes.create, {
      body: {
        identifier,
        trigger: {
          type: 'self-service',
          operation: 'CREATE',
          userInputs: { properties: { name: { type: 'string' } } },
        },
        invocationMethod: method,
      },
    });
}, 60_000);
afterAll(async () => {
  await consumer?.close(true);
  await t?.stop();
});

async function consume(groupId: string, user: { username: string; password: string }) {
  const reader = new Consumer({
    clientId: 'test',
    groupId,
    bootstrapBrokers: [kafka.broker],
    tls: { ca },
    sasl: { mechanism: 'SCRAM-SHA-512', ...user },
    deserializers: stringDeserializers,
    autocommit: false,
    retries: 10,
    retryDelay: 200,
    maxWaitTime: 100,
  });
  const stream = await reader.consume({
    topics: [`${orgId}.runs`, `${orgId}.change.log`],
    mode: MessagesStreamModes.EARLIEST,
  });
  stream.on('data', (message: Received) => received.push(message));
  return reader;
}

async function until<T>(what: string, get: () => T | undefined | Promise<T | undefined>): Promise<T> {
  for (const endMs = performance.now() + 15_000; ; ) {
    const value = await get();
    if (value !== undefined && value !== false) return value;
    if (performance.now() > endMs) throw new Error(`not in time: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
const choose = (portAgentStreamerName: 'KAFKA' | 'POLLING') =>
  t.machine.call(identityRoutes.patchOrganization, { body: { settings: { portAgentStreamerName } } });
const execute = async (action: string, name = 'shop') =>
  (await t.machine.call(runRoutes.execute, { params: { action_identifier: action }, body: { properties: { name } } }))
    .body.run;
const statusOf = async (id: string) =>
  (await t.machine.call(runRoutes.get, { params: { run_id: id } })).body.run.status;
const messageOf = (id: string) => until(`the message of ${id}`, () => received.find((message) => message.key === id));
const claim = async (body: Partial<BodyOf<typeof dispatchRoutes.claim>> = {}) =>
  (
    await t.machine.call(dispatchRoutes.claim, {
      body: {
        installationId: '_PORT_EXEC_AGENT',
        limit: 10,
        agent: { id: 'a', version: '1', inFlight: 0, capacity: 1 },
        ...body,
      },
    })
  ).body.runs;

describe('credentials', () => {
  it('are for machines of the organization only', async () => {
    expect((await t.nobody.refused(kafkaRoutes.credentials)).status).toBe(401);
    const other = await t.otherOrganization();
    const { credentials } = (await other.call(kafkaRoutes.credentials)).body;
    expect(credentials.username).not.toBe(orgId);
    // Another organization's user reads nothing of ours, in no group.
    await expect(consume(`${credentials.username}.x`, credentials)).rejects.toThrow();
    await expect(consume(`${orgId}.x`, credentials)).rejects.toThrow();
  });

  it('are the same each time, and name the brokers', async () => {
    const [one, two] = [await t.machine.call(kafkaRoutes.credentials), await t.machine.call(kafkaRoutes.credentials)];
    expect(one.body.credentials).toEqual(two.body.credentials);
    expect(one.body.credentials).toMatchObject({ brokers: [kafka.broker], username: orgId });
  });
});

describe('a run', () => {
  it('of type KAFKA goes into the topic and stays in progress until its consumer reports', async () => {
    const run = await execute('topic');
    const message = await messageOf(run.id);
    expect(message.topic).toBe(`${orgId}.runs`);
    expect(JSON.parse(message.value)).toMatchObject({
      resourceType: 'run',
      status: 'TRIGGERED',
      context: { runId: run.id },
      payload: { action: { invocationMethod: { type: 'KAFKA' } }, properties: { name: 'shop' } },
    });
    expect(await statusOf(run.id)).toBe('IN_PROGRESS');
    expect(await claim({ runIds: [run.id] })).toEqual([]);
    const ledger = async () =>
      (await t.machine.call(deliveryRoutes.get, { params: { subject: run.id } })).body.delivery.attempts;
    await expect.poll(async () => (await ledger())[0]?.state).toBe('settled');
    expect(await ledger()).toMatchObject([
      {
        attempt: 1,
        holder: expect.stringMatching(/^server /),
        request: { method: 'PUBLISH', url: `kafka:${orgId}.runs`, body: expect.stringContaining('TRIGGERED') },
        outcome: { kind: 'published', topic: `${orgId}.runs` },
      },
    ]);
    await t.machine.call(runRoutes.patch, { params: { run_id: run.id }, body: { status: 'SUCCESS' } });
    expect(await statusOf(run.id)).toBe('SUCCESS');
    await t.machine.call(deliveryRoutes.replay, { params: { subject: run.id } });
    await until('the message once more', () => received.filter(({ value }) => value === message.value)[1]);
    await expect
      .poll(async () => (await ledger()).map((one) => [one.state, one.replay !== undefined]))
      .toEqual([
        ['settled', false],
        ['settled', true],
      ]);
    expect(await statusOf(run.id)).toBe('SUCCESS');
  });

  it('is carried out by a function that reads the topic: it writes an entity with the run and reports in the old way', async () => {
    await t.machine.call(blueprintRoutes.create, {
      body: { identifier: 'bucket', title: 'Bucket', schema: { properties: {} } },
    });
    const { id } = await execute('topic', 'logs');
    const { payload, context } = JSON.parse((await messageOf(id)).value);
    await t.machine.call(entityRoutes.create, {
      params: { blueprint_identifier: 'bucket' },
      query: { run_id: context.runId },
      body: { identifier: payload.properties.name, title: 'Made by a function' },
    });
    const message = { text: 'The bucket is there' };
    const params = { run_id: context.runId };
    await t.machine.call(runRoutes.patch, { params, body: { status: 'SUCCESS', message } });
    const { run } = (await t.machine.call(runRoutes.get, { params })).body;
    expect(run.status).toBe('SUCCESS');
    expect((await t.machine.call(runRoutes.affectedEntities, { params })).body.entities).toMatchObject([
      { blueprint: 'bucket', entity: 'logs', operation: 'CREATE' },
    ]);
  });

  it('with a payload of its own is that payload', async () => {
    const message = await messageOf((await execute('own', 'x')).id);
    expect(message.value).toBe('{"said":"x","small":1e-05}');
  });

  it('for agents waits for polling unless they use Kafka', async () => {
    await choose('POLLING');
    const run = await execute('agent');
    expect((await claim()).map(({ id }) => id)).toEqual([run.id]);
    await t.machine.call(runRoutes.patch, { params: { run_id: run.id }, body: { status: 'SUCCESS' } });
  });

  it('for agents is published signed, for one holder, and polling does not find it', async () => {
    await choose('KAFKA');
    const run = await execute('agent');
    const message = await messageOf(run.id);
    expect(message.headers.get('quayside-lease')).toBe(run.id);
    const verified = verifyMessage(JSON.parse(message.value) as Record<string, unknown>, testOrganization.clientSecret);
    expect(verified).toMatchObject({
      kind: 'valid',
      message: {
        context: { runId: run.id },
        headers: { 'X-Team': 'a' },
        payload: { action: { invocationMethod: { agent: true, url: 'https://service.internal/x' } } },
      },
    });
    expect(await claim()).toEqual([]);
    expect((await claim({ runIds: [run.id] })).map(({ id }) => id)).toEqual([run.id]);
    // Held: nobody else gets it, by its id or otherwise.
    expect(await claim({ runIds: [run.id] })).toEqual([]);
    await t.machine.call(runRoutes.patch, { params: { run_id: run.id }, body: { status: 'SUCCESS' } });
  });

  it('that its holder gives back is published again', async () => {
    const run = await execute('agent');
    await messageOf(run.id);
    const [claimed] = await claim({ runIds: [run.id] });
    await t.machine.call(dispatchRoutes.release, {
      params: { run_id: run.id },
      body: { token: claimed?.lease?.token ?? '' },
    });
    await until('the second message', () => received.filter(({ key }) => key === run.id)[1]);
    expect((await claim({ runIds: [run.id] })).map(({ lease }) => lease?.attempt)).toEqual([2]);
  });

  // Seen in the storm: published for nobody, and its work open for ever.
  it('that ends at the moment when it would be published again is not', async () => {
    const run = await execute('agent');
    await messageOf(run.id);
    await claim({ runIds: [run.id] });
    const ending = new Client({ connectionString: t.databaseUrl });
    await ending.connect();
    try {
      await ending.query('begin');
      await ending.query("update runs set status = 'SUCCESS', ended_at = now() where id = $1", [run.id]);
      await administer(t.databaseUrl, `update work set due_at = now() - interval '1 second' where key = '${run.id}'`);
      // A release, or a second, and it is looked for.
      const other = await execute('agent');
      const [held] = await claim({ runIds: [other.id] });
      const lease = { params: { run_id: other.id }, body: { token: held?.lease?.token ?? '' } };
      await t.machine.call(dispatchRoutes.release, lease);
      const works = async (id: string, condition: string) =>
        (await ending.query(`select from work where key = $1 and ${condition}`, [id])).rowCount;
      await expect.poll(() => works(other.id, "due_at = 'infinity'")).toBe(1);
      await ending.query('commit');
      await expect.poll(() => works(run.id, 'true')).toBe(0);
    } finally {
      await ending.end();
    }
    const { attempts } = (await t.machine.call(deliveryRoutes.get, { params: { subject: run.id } })).body.delivery;
    expect(attempts.map(({ state }) => state)).toEqual(['lost']);
    const after = await execute('agent');
    await messageOf(after.id);
    expect(received.filter(({ key }) => key === run.id)).toHaveLength(1);
  });

  it('that waited for polling is published when the agents change to Kafka', async () => {
    await choose('POLLING');
    const run = await execute('agent');
    await choose('KAFKA');
    await messageOf(run.id);
    expect((await claim({ runIds: [run.id] })).map(({ id }) => id)).toEqual([run.id]);
  });

  describe('for agents of both streamers', () => {
    const show = (streamer: 'KAFKA' | 'POLLING', env: string) =>
      claim({
        runIds: [],
        agent: { id: `${streamer} ${env}`, version: '1', inFlight: 0, capacity: 1, streamer, labels: { env } },
      });
    const poll = async (env: string) =>
      (
        await claim({
          agent: { id: `POLLING ${env}`, version: '1', inFlight: 0, capacity: 9, streamer: 'POLLING', labels: { env } },
        })
      ).map(({ id }) => id);
    const why = async (run_id: string) => (await t.machine.call(runRoutes.why, { params: { run_id } })).body.why.text;

    it('goes where connected agents with its labels are, whatever was said last', async () => {
      await choose('KAFKA');
      await show('KAFKA', 'a');
      await show('POLLING', 'b');
      const polled = await execute('labelled', 'b');
      expect(await poll('b')).toEqual([polled.id]);
      await choose('POLLING');
      const published = await execute('labelled', 'a');
      await messageOf(published.id);
      expect(received.some(({ key }) => key === polled.id)).toBe(false);
    });

    it('that waits for polling is published when only a consumer with its labels comes', async () => {
      await choose('POLLING');
      await show('POLLING', 'b');
      const run = await execute('labelled', 'c');
      expect(await poll('b')).toEqual([]);
      await show('KAFKA', 'c');
      await messageOf(run.id);
    });

    it('says why a published one waits while only pollers are connected', async () => {
      await choose('KAFKA');
      const run = await execute('labelled', 'd');
      await messageOf(run.id);
      await show('POLLING', 'd');
      expect(await why(run.id)).toMatch(/can not be taken back\. .* only poll \(POLLING d\)/);
    });
  });

  it('of type GITLAB carries what the agent makes a pipeline of', async () => {
    const run = await execute('pipeline', 'x');
    const { value } = await messageOf(run.id);
    expect(JSON.parse(value)).toMatchObject({
      payload: {
        properties: { NAME: 'x' },
        action: { invocationMethod: { type: 'GITLAB', agent: true, projectName: 'p', groupName: 'a/b' } },
      },
    });
  });
});

describe('the change log', () => {
  it.each([
    ['KAFKA', { type: 'KAFKA' }, undefined],
    ['WEBHOOK', { type: 'WEBHOOK', agent: true, url: 'https://service.internal/changes' }, true],
  ])(
    'of a blueprint with the destination %s holds its changes, in order',
    async (type, changelogDestination, isEmbedded) => {
      const identifier = `thing_${type.toLowerCase()}`;
      await t.machine.call(blueprintRoutes.create, {
        body: {
          identifier,
          title: 'Thing',
          schema: { properties: { size: { type: 'number' } } },
          changelogDestination,
        },
      });
      for (const size of [1, 2])
        await t.machine.call(entityRoutes.create, {
          params: { blueprint_identifier: identifier },
          query: { upsert: true },
          body: { identifier: 'one', title: 'One', properties: { size } },
        });
      await t.machine.call(entityRoutes.remove, {
        params: { blueprint_identifier: identifier, entity_identifier: 'one' },
      });
      const key = `entity/${identifier}/one`;
      await until('three messages', () => received.filter((message) => message.key === key)[2]);
      const messages = received
        .filter((message) => message.key === key)
        .map(({ value }) => JSON.parse(value) as Record<string, never>);
      expect(messages.map(({ action }) => action)).toEqual(['CREATE', 'UPDATE', 'DELETE']);
      expect(messages[1]).toMatchObject({
        resourceType: 'entity',
        context: { blueprint: identifier, entity: 'one' },
        diff: { before: { properties: { size: 1 } }, after: { properties: { size: 2 } } },
      });
      expect(messages[0]?.changelogDestination).toEqual(isEmbedded && changelogDestination);
      const ledger = async () =>
        (await t.machine.call(deliveryRoutes.list, { query: { kind: 'change' } })).body.deliveries.filter(
          (one) => one.blueprint === identifier && one.entity === 'one',
        );
      await expect.poll(async () => (await ledger()).map((one) => one.isDelivered)).toEqual([true, true, true]);
      const subject = (await ledger())[0]?.subject ?? '';
      await t.machine.call(deliveryRoutes.replay, { params: { subject } });
      await expect.poll(async () => (await ledger()).map((one) => one.isDelivered)).toEqual([true, true, true, true]);
      const last = messages.length - 1;
      expect(
        received.filter((message) => message.key === key).map(({ value }) => JSON.parse(value))[last + 1],
      ).toMatchObject({
        action: messages[last]?.action,
      });
    },
  );
});

describe('metrics', () => {
  it('say how far behind the publisher is', async () => {
    const text = await (await t.nobody.fetch('/metrics')).text();
    expect(text).toMatch(/^quayside_reader_lag_seconds\{reader="kafka"\} 0/m);
    expect(text).toMatch(/^quayside_kafka_published_total\{topic="runs"\} [1-9]/m);
  });
});
