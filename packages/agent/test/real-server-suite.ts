import { verify } from '@quayside/delivery';
import { freePort, type Streamer, testOrganization } from '@quayside/testkit';
import { misbehaviours, startRawServer, startReceiver } from '@quayside/testkit/receiver';
import { describe, expect, it } from 'vitest';
import { testCustomerSide } from './customer-side-suite.ts';
import { testLife } from './life-suite.ts';
import { testMapping } from './mapping-suite.ts';
import { testNetwork } from './network-suite.ts';
import { eventually } from './portal.ts';
import { setUpWorld, type World } from './real-world.ts';

/**
 * The agent at the real server process, with real targets. Nothing of the dispatch is stood in for. The same suite runs once
 * per streamer (real-server.test.ts, real-server.kafka.test.ts).
 *
 * agent.test.ts has what needs a portal that misbehaves, or that speaks another dialect.
 */
export function testAtRealServer(streamer: Streamer): void {
  const world = setUpWorld(streamer);
  // Joining a group is seconds, and more while other files start and kill processes on the same cores.
  describe(`the agent at the real server, ${streamer.name}`, { timeout: 90_000 }, () => {
    testRuns(world);
    testBadTargets(world);
    testManyRuns(world);
    testChanges(world);
    testLabels(world);
    testMapping(world);
    testLife(world);
    testCustomerSide(world);
    testNetwork(world);
  });
}

/** Generous, because a join to a group may come before it, and other files load the machine. */
const withinMs = 60_000;

function testRuns(world: World): void {
  describe('a run', () => {
    it('arrives at the target, signed over the bytes, with its message, and stays in progress', async () => {
      const { portal, target } = world;
      world.start();
      const id = await portal.enqueue({
        url: `${target.url}/hook?token=sesame`,
        headers: { 'X-Team': 'blue' },
        body: { action: 'scaffold', payload: { properties: { name: 'ü' } }, inputs: { name: 'ü' } },
      });
      const run = await portal.settled(id);
      // By the agent alone: the portal itself calls no target of an agent.
      expect(target.requests).toHaveLength(1);
      const [request] = target.requests;
      const header = (name: string) => String(request?.headers[name]);
      const text = request?.body.toString() ?? '';
      const { clientSecret } = testOrganization;
      expect(verify(header('x-port-signature'), text, clientSecret, Number(header('x-port-timestamp')))).toBe(true);
      expect(request?.headers).toMatchObject({
        'content-type': 'application/json',
        'idempotency-key': id,
        'webhook-id': id,
        'x-quayside-attempt': '1',
        'x-team': 'blue',
        'user-agent': expect.stringMatching(/^quayside-agent\//) as string,
      });
      expect(JSON.parse(text)).toMatchObject({
        action: 'scaffold',
        inputs: { name: 'ü' },
        context: { runId: id },
        headers: { 'X-Team': 'blue' },
        payload: {
          properties: { name: 'ü' },
          action: { invocationMethod: { agent: true, type: 'WEBHOOK' } },
        },
      });
      expect(run.status).toBe('IN_PROGRESS');
      expect(run.logs).toEqual([
        'Received by the agent agent-under-test',
        expect.stringMatching(/^Prepared the request: \d+ bytes of JSON, signed$/),
        `Sending POST ${target.url}/hook?…`,
        expect.stringMatching(/answered 200 after \d+ ms$/),
        'Delivered: the target has the run and reports its progress',
      ]);
      expect(run.deliveries).toMatchObject([
        { attempt: 1, holder: 'agent-under-test', outcome: { kind: 'answered', statusCode: 200 } },
      ]);
    });

    it('that is synchronous ends with the answer', async () => {
      const { portal, target } = world;
      world.start();
      target.answer = (_, response) => void response.end('{"ticket":7}');
      const run = await portal.ended(await portal.enqueue({ url: target.url, synchronized: true }));
      expect(run).toMatchObject({ status: 'SUCCESS', response: { ticket: 7 } });
    });

    it('is sent once more when the portal decides so, under the same key, and then fails', async () => {
      const { portal, target } = world;
      world.start();
      target.answer = (_, response) => void response.writeHead(500).end('out of cheese');
      const id = await portal.enqueue({ url: target.url });
      const run = await portal.ended(id);
      expect(run).toMatchObject({ status: 'FAILURE', summary: expect.stringContaining('out of cheese') as string });
      expect(run.logs.join('\n')).toContain('(attempt 2)');
      expect(target.requests.map((request) => request.headers['x-quayside-attempt'])).toEqual(['1', '2', '3']);
      expect(new Set(target.requests.map((request) => request.headers['idempotency-key']))).toEqual(new Set([id]));
    });

    it('that takes long shows its first lines meanwhile, and no line twice', async () => {
      const { portal, target } = world;
      world.start({ WEBHOOK_INVOKER_TIMEOUT: '30' });
      let answer = () => {};
      target.answer = (_, response) => {
        answer = () => response.end('{}');
      };
      const id = await portal.enqueue({ url: target.url });
      const early = await portal.until(id, 'progress is shown', ({ logs }) => logs.length > 0);
      expect(early.logs[0]?.split('\n').at(-1)).toBe(`Sending POST ${target.url}/`);
      answer();
      const { logs } = await portal.settled(id);
      expect(logs.join('\n').split('\n')).toHaveLength(5);
    });

    it('of a GitLab pipeline starts it with the token of its project, and is linked to it', async () => {
      const { portal, target } = world;
      world.start({ GITLAB_URL: target.url, acme_platform_shop: 'glptt-1' });
      target.answer = (_, response) => void response.writeHead(201).end('{"id":42,"web_url":"http://gitlab/42"}');
      const id = await portal.enqueue({
        type: 'GITLAB',
        groupName: 'acme/platform',
        projectName: 'shop',
        pipelineVariables: { name: '{{ .inputs.name }}' },
      });
      const run = await portal.settled(id);
      const [request] = target.requests;
      expect(request?.path).toBe('/api/v4/projects/acme%2Fplatform%2Fshop/trigger/pipeline');
      expect(JSON.parse(request?.body.toString() ?? '')).toMatchObject({
        ref: 'main',
        token: 'glptt-1',
        variables: { name: 'shop' },
        port_payload: { context: { runId: id } },
      });
      expect(run).toMatchObject({ link: 'http://gitlab/42', externalRunId: '42' });
    });
  });

  describe('the log of the agent', () => {
    it('holds no payload, no secret, no token, no answer and no query', async () => {
      const { portal, target } = world;
      const { lines, stop } = world.start({ LOG_LEVEL: 'DEBUG', DETAILED_LOGGING: 'true' });
      target.answer = (_, response) => void response.writeHead(500, { 'x-answer': 'SECRET-A' }).end('SECRET-B');
      const id = await portal.enqueue({
        url: `http://user:SECRET-C@127.0.0.1:${target.port}/p?key=SECRET-D`,
        headers: { Authorization: 'Bearer SECRET-E' },
        body: { password: 'SECRET-F' },
        synchronized: true,
      });
      await portal.ended(id);
      await stop();
      const text = lines.join('');
      expect(text).toContain(id);
      expect(text).toContain(`"method":"POST","url":"http://127.0.0.1:${target.port}/p?…"`);
      expect(text).not.toMatch(/SECRET-[A-F]/);
      expect(text).not.toContain(testOrganization.clientSecret);
      expect(text).not.toMatch(/eyJ[\w-]{20}/);
    });

    it('and that of the run quote nothing with DETAILED_LOGGING=false', async () => {
      const { portal, target } = world;
      const { lines } = world.start({ DETAILED_LOGGING: 'false' });
      target.answer = (_, response) => void response.writeHead(400, { 'x-answer': 'SECRET-A' }).end('SECRET-B');
      const run = await portal.ended(await portal.enqueue({ url: target.url, body: { password: 'SECRET-C' } }));
      expect(run.deliveries[0]?.outcome).toMatchObject({ kind: 'answered', statusCode: 400 });
      expect(target.requests[0]?.body.toString()).toContain('SECRET-C');
      // What the action itself says is the portal's own.
      const { summary, logs, deliveries } = run;
      expect(JSON.stringify([summary, logs, deliveries, lines])).not.toMatch(/SECRET-[A-C]/);
    });
  });
}

function testChanges(world: World): void {
  it('carries the changes of a blueprint to its URL, also what waited while no agent was there', async () => {
    const { portal, target } = world;
    target.answer = (request, response) => {
      // The first change is refused once: it comes again under its key.
      const isFirst = target.requests.filter(({ path }) => path === '/changes').length === 1;
      response.writeHead(request.path === '/changes' && isFirst ? 503 : 200).end();
    };
    // An agent says which streamer the organization has before anything is changed.
    await world.start().stop();
    await portal.call('POST', '/v1/blueprints', {
      identifier: 'vm',
      title: 'VM',
      schema: { properties: {} },
      changelogDestination: { type: 'WEBHOOK', agent: true, url: `${target.url}/changes` },
    });
    await portal.call('POST', '/v1/blueprints/vm/entities', { identifier: 'one', properties: {} });
    const agent = world.start();
    const changes = () =>
      target.requests
        .map(({ body }) => JSON.parse(String(body)) as { action: string; context: { entity: string | null } })
        .map(({ action, context }) => `${action} ${context.entity}`);
    await eventually('the entity is told', () => changes().includes('CREATE one'), withinMs);
    await portal.call('DELETE', '/v1/blueprints/vm/entities/one');
    await eventually('its end is told', () => changes().includes('DELETE one'), withinMs);
    const keys = () => new Set(target.requests.map(({ headers }) => headers['idempotency-key']));
    // The portal decides about another attempt; what only the brokers hold is tried once, as by Port's agent.
    if (world.streamer.name === 'POLLING')
      await eventually('the refused one comes again', () => keys().size < target.requests.length, withinMs);
    await agent.stop();
  });
}

function testBadTargets(world: World): void {
  const rawTarget = async (behaviour: keyof typeof misbehaviours) =>
    world.keep(await startRawServer(misbehaviours[behaviour])).url;
  const answering = (status: number, headers: Record<string, string>, body: string) => async () => {
    world.target.answer = (_, response) => void response.writeHead(status, headers).end(body);
    return world.target.url;
  };

  describe('a bad target ends in a report that says what happened', () => {
    it.each<[string, () => Promise<string>, string]>([
      ['down', async () => `http://127.0.0.1:${await freePort()}`, 'connection refused: nothing listens on'],
      ['unknown to DNS', async () => 'http://no-such-host.invalid/', 'could not be reached: DNS'],
      ['slow', () => rawTarget('staysSilent'), 'did not answer within 1000 ms'],
      ['slow to end its body', () => rawTarget('dripsItsBody'), 'status 200 came'],
      ['500', answering(500, {}, 'out of cheese'), 'Its answer was: out of cheese'],
      ['404', answering(404, {}, ''), 'answered 404'],
      ['a redirect', answering(302, { location: '/login' }, ''), 'a redirect to /login; redirects are not followed'],
      [
        'closing in the middle',
        () => rawTarget('closesMidAnswer'),
        'the connection was closed too early; status 200 and 10',
      ],
      ['closing at once', () => rawTarget('closesAtOnce'), 'the connection was closed too early; no status came'],
      ['no HTTP', () => rawTarget('speaksGarbage'), 'not valid HTTP'],
      [
        'self-signed',
        async () => world.keep(await startReceiver({ tls: true })).url,
        'is self-signed; add the CA as a PEM file: SSL_CERT_FILE',
      ],
      ['a metadata service', async () => 'http://169.254.169.254/latest/', 'never called'],
    ])('%s: log and run say so', async (_, url, text) => {
      const { lines } = world.start();
      // Of a synchronous run, because that one is not sent again.
      const run = await world.portal.ended(await world.portal.enqueue({ url: await url(), synchronized: true }));
      expect(run.status).toBe('FAILURE');
      expect(run.logs.join('\n')).toContain(text);
      expect(run.summary).toContain(text);
      const outcome = run.deliveries[0]?.outcome;
      if (outcome && 'message' in outcome)
        expect(lines.map((line) => (JSON.parse(line) as { problem?: string }).problem)).toContain(outcome.message);
    });

    it('10 GB of body: accepted, its first part read', async () => {
      world.start();
      const url = await rawTarget('tenGigabytes');
      const run = await world.portal.ended(await world.portal.enqueue({ url, synchronized: true }));
      expect(run.status).toBe('SUCCESS');
      expect(run.logs.join('\n')).toContain('only the first 256 KiB of the answer were read');
      expect(String(run.response)).toHaveLength(256 * 1024);
    });

    it('a bad target does not hold up the others', async () => {
      const { portal, target } = world;
      world.start({ QUAYSIDE_AGENT_CONCURRENCY: '4', WEBHOOK_INVOKER_TIMEOUT: '60' });
      const silent = await startRawServer(misbehaviours.staysSilent);
      const bad = await portal.createAction({ url: silent.url, synchronized: true });
      const good = await portal.createAction({ url: target.url, synchronized: true });
      const stuck = await Promise.all([1, 2, 3].map(() => portal.execute(bad)));
      const runs = await Promise.all(Array.from({ length: 20 }, () => portal.execute(good)));
      for (const id of runs) expect((await portal.ended(id)).status).toBe('SUCCESS');
      for (const id of stuck) expect((await portal.read(id)).status).toBe('IN_PROGRESS');
      await silent.close();
      for (const id of stuck) expect((await portal.ended(id)).status).toBe('FAILURE');
    });
  });
}

function testManyRuns(world: World): void {
  describe('many runs', () => {
    it('go through at most `concurrency` at a time, with less than two calls a run', async () => {
      const { portal, target } = world;
      let inFlight = 0;
      let release = () => {};
      const released = new Promise<void>((resolve) => {
        release = resolve;
      });
      target.answer = async (_, response) => {
        inFlight += 1;
        await released;
        response.end('{}');
      };
      const action = await portal.createAction({ url: target.url, synchronized: true });
      const agent = world.start({ QUAYSIDE_AGENT_CONCURRENCY: '8', WEBHOOK_INVOKER_TIMEOUT: '60' });
      const runs = await Promise.all(Array.from({ length: 100 }, () => portal.execute(action)));
      await eventually('8 are in flight', () => inFlight === 8, withinMs);
      await new Promise((resolve) => setTimeout(resolve, 200));
      expect(inFlight).toBe(8);
      release();
      for (const id of runs) expect((await portal.ended(id)).status).toBe('SUCCESS');
      expect(target.requests).toHaveLength(100);
      await agent.stop();
      const { portalCalls } = JSON.parse(agent.lines.at(-1) ?? '{}') as { portalCalls: number };
      expect(portalCalls / 100).toBeLessThan(2);
    });

    it('are shared among agents, each going to one', async () => {
      const { portal, target } = world;
      const action = await portal.createAction({ url: target.url });
      for (const id of ['b-1', 'b-2', 'b-3'])
        world.spawn({ QUAYSIDE_AGENT_ID: id, QUAYSIDE_AGENT_CONCURRENCY: '4', WEBHOOK_INVOKER_TIMEOUT: '30' });
      const runs = await Promise.all(Array.from({ length: 60 }, () => portal.execute(action)));
      for (const id of runs) await portal.settled(id);
      expect(target.requests).toHaveLength(60);
      expect(new Set(target.requests.map((request) => request.headers['idempotency-key'])).size).toBe(60);
    });
  });
}

function testLabels(world: World): void {
  describe('labels', () => {
    it('bring each run to an agent of its environment', async () => {
      const { portal, target } = world;
      const group = world.streamer.agentEnvironment.KAFKA_CONSUMER_GROUP_ID;
      // With Kafka, agents of one group have the same labels.
      const ofGroup = (name: string) => (group ? { KAFKA_CONSUMER_GROUP_ID: `${group}.${name}` } : {});
      const action = await portal.createAction({
        url: target.url,
        synchronized: true,
        agentLabels: { env: '{{ .inputs.name }}' },
      });
      for (const env of ['dev', 'prod'])
        world.spawn({ QUAYSIDE_AGENT_ID: env, QUAYSIDE_AGENT_LABELS: `env=${env},region=eu`, ...ofGroup(env) });
      world.spawn({ QUAYSIDE_AGENT_ID: 'without', ...ofGroup('without') });
      const wanted = ['prod', 'dev', 'prod', 'dev', 'prod'];
      const ids = await Promise.all(wanted.map((env) => portal.execute(action, env)));
      const runs = await Promise.all(ids.map((id) => portal.ended(id)));
      expect(runs.map(({ status }) => status)).toEqual(wanted.map(() => 'SUCCESS'));
      expect(runs.map(({ deliveries }) => deliveries.map(({ holder }) => holder))).toEqual(wanted.map((env) => [env]));
      // A group that is new reads the topics from their beginning; changes of earlier tests come to it, too.
      const sent = target.requests
        .filter(({ headers }) => ids.includes(String(headers['idempotency-key'])))
        .map(({ body }) => JSON.parse(body.toString()) as Record<string, never>);
      expect(sent).toHaveLength(5);
      for (const message of sent)
        expect(message).toMatchObject({ payload: { action: { invocationMethod: { agent: true } } } });
    });
  });
}
