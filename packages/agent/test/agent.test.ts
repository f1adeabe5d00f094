import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { verify } from '@quayside/delivery';
import {
  misbehaviours,
  type RawServer,
  type Receiver,
  startRawServer,
  startReceiver,
} from '@quayside/testkit/receiver';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { eventually, TestPortal, type TestRun } from './portal.ts';
import { type StartedAgent, startAgent } from './start-agent.ts';

/** The agent against real HTTP: a portal that checks the contract, and targets that behave and misbehave. */
let portal: TestPortal;
let target: Receiver;
let started: StartedAgent[] = [];
let raw: RawServer[] = [];

beforeEach(async () => {
  portal = new TestPortal();
  await portal.start();
  target = await startReceiver();
});
afterEach(async () => {
  await Promise.all(started.map((agent) => agent.stop()));
  await Promise.all([portal.stop(), target.close(), ...raw.map((server) => server.close())]);
  started = [];
  raw = [];
  expect(portal.violations).toEqual([]);
});

function start(env: Record<string, string> = {}, tuning: { heartbeatMs?: number } = {}): StartedAgent {
  const agent = startAgent(portal, env, tuning);
  started.push(agent);
  return agent;
}

/** A port on which nothing listens. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

const isSettled = (run: TestRun) => run.settlements.length > 0;
async function settled(run: TestRun, withinMs?: number): Promise<TestRun> {
  await eventually(`${run.id} is settled`, () => isSettled(run), withinMs);
  return run;
}
const claims = () => portal.callsTo(/POST .*claim-pending/);

describe('a run', () => {
  it('arrives at the target, signed over the bytes, with its message, and stays in progress', async () => {
    start();
    const run = portal.enqueue({
      url: `${target.url}/hook?token=sesame`,
      headers: { 'X-Team': 'blue' },
      body: { action: 'scaffold', payload: { properties: { name: 'ü' } }, inputs: { name: 'ü' } },
    });
    await settled(run);
    const [request] = target.requests;
    const header = (name: string) => String(request?.headers[name]);
    const text = request?.body.toString() ?? '';
    expect(verify(header('x-port-signature'), text, 'test-secret', Number(header('x-port-timestamp')))).toBe(true);
    expect(request?.headers).toMatchObject({
      'content-type': 'application/json',
      'idempotency-key': run.id,
      'webhook-id': run.id,
      'x-quayside-attempt': '1',
      'x-team': 'blue',
      'user-agent': expect.stringMatching(/^quayside-agent\//) as string,
    });
    expect(JSON.parse(text)).toMatchObject({
      action: 'scaffold',
      inputs: { name: 'ü' },
      context: { runId: run.id },
      headers: { 'X-Team': 'blue' },
      payload: {
        properties: { name: 'ü' },
        action: { invocationMethod: { agent: true, type: 'WEBHOOK' } },
      },
    });
    expect(run).toMatchObject({ status: 'IN_PROGRESS', response: undefined });
    expect(run.logs).toEqual([
      'Received by the agent agent-under-test',
      expect.stringMatching(/^Prepared the request: \d+ bytes of JSON, signed$/),
      `Sending POST ${target.url}/hook?…`,
      expect.stringMatching(/answered 200 after \d+ ms$/),
      'Delivered: the target has the run and reports its progress',
    ]);
    expect(run.settlements[0]).toMatchObject({
      outcome: { kind: 'answered' },
      request: { url: `${target.url}/hook?…` },
    });
  });

  it('that is synchronous ends with the answer', async () => {
    start();
    target.answer = (_, response) => void response.end('{"ticket":7}');
    const run = await settled(portal.enqueue({ url: target.url, synchronized: true }));
    expect(run).toMatchObject({ status: 'SUCCESS', response: { ticket: 7 } });
  });

  it('whose second attempt it is says so, under the same key', async () => {
    const run = portal.enqueue({ url: target.url });
    run.fence = 1;
    start();
    await settled(run);
    expect(run.logs[0]).toContain('(attempt 2)');
    expect(target.requests[0]?.headers).toMatchObject({ 'idempotency-key': run.id, 'x-quayside-attempt': '2' });
  });

  it('that takes long shows its first lines meanwhile, and no line twice', async () => {
    start({ WEBHOOK_INVOKER_TIMEOUT: '10' });
    let answer = () => {};
    target.answer = (_, response) => {
      answer = () => response.end('{}');
    };
    const run = portal.enqueue({ url: target.url });
    await eventually('progress is shown', () => run.logs.length > 0, 4_000);
    expect(run.logs[0]?.split('\n').at(-1)).toBe(`Sending POST ${target.url}/`);
    answer();
    await settled(run);
    expect(run.logs.join('\n').split('\n')).toHaveLength(5);
  });
});

describe('a bad target ends in a report that says what happened', () => {
  const rawTarget = async (behaviour: keyof typeof misbehaviours) => {
    const server = await startRawServer(misbehaviours[behaviour]);
    raw.push(server);
    return server.url;
  };
  const closedPort = async () => `http://127.0.0.1:${await freePort()}`;
  const answering = (status: number, headers: Record<string, string>, body: string) => async () => {
    target.answer = (_, response) => void response.writeHead(status, headers).end(body);
    return target.url;
  };
  const selfSigned = async () => {
    const server = await startReceiver({ tls: true });
    raw.push({ ...server, connections: () => 0 });
    return server.url;
  };

  it.each<[string, () => Promise<string>, string]>([
    ['down', closedPort, 'connection refused: nothing listens on'],
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
    ['self-signed', selfSigned, 'is self-signed; add the CA as a PEM file: SSL_CERT_FILE'],
    ['a metadata service', async () => 'http://169.254.169.254/latest/', 'never called'],
    ['no URL at all', async () => '', 'has no URL'],
  ])('%s', async (_, url, text) => {
    start();
    const run = await settled(portal.enqueue({ url: await url() }));
    expect(run.status).toBe('FAILURE');
    expect(run.logs.join('\n')).toContain(text);
    expect(run.summary).toContain(text);
  });

  it('10 GB of body: accepted, its first part read', async () => {
    start();
    const run = await settled(portal.enqueue({ url: await rawTarget('tenGigabytes'), synchronized: true }));
    expect(run.status).toBe('SUCCESS');
    expect(run.logs.join('\n')).toContain('only the first 256 KiB of the answer were read');
    expect(String(run.response)).toHaveLength(256 * 1024);
  });

  it('a bad target does not hold up the others', async () => {
    start({ QUAYSIDE_AGENT_CONCURRENCY: '4' });
    const silent = await rawTarget('staysSilent');
    for (let index = 0; index < 3; index += 1) portal.enqueue({ url: silent });
    const good = Array.from({ length: 20 }, () => portal.enqueue({ url: target.url }));
    await eventually('good runs are settled', () => good.every(isSettled), 900);
  });
});

describe('many runs', () => {
  it('go through at most `concurrency` at a time, with at most two calls a run', async () => {
    let inFlight = 0;
    let most = 0;
    target.answer = async (_, response) => {
      inFlight += 1;
      most = Math.max(most, inFlight);
      await new Promise((resolve) => setTimeout(resolve, 5));
      inFlight -= 1;
      response.end('{}');
    };
    const runs = Array.from({ length: 200 }, () => portal.enqueue({ url: target.url }));
    start({ QUAYSIDE_AGENT_CONCURRENCY: '8' });
    await eventually('all are settled', () => runs.every(isSettled), 10_000);
    expect(most).toBe(8);
    expect(target.requests).toHaveLength(200);
    expect(portal.calls.length / 200).toBeLessThan(2);
    for (const claim of claims()) expect(Number(claim.body.limit)).toBeLessThanOrEqual(8);
  });

  it('each go to one of three agents', async () => {
    const agents = ['a', 'b', 'c'].map((id) => start({ QUAYSIDE_AGENT_ID: id, QUAYSIDE_AGENT_CONCURRENCY: '2' }));
    const runs = Array.from({ length: 100 }, () => portal.enqueue({ url: target.url }));
    await eventually('all are settled', () => runs.every(isSettled), 10_000);
    expect(target.requests).toHaveLength(100);
    expect(new Set(target.requests.map((request) => request.headers['idempotency-key'])).size).toBe(100);
    expect(agents).toHaveLength(3);
  });
});

describe('under faults', () => {
  it('no run is lost, no lease sends twice, every record is made once', async () => {
    portal.leaseMs = 1_000;
    // A third of the calls fail in one of the ways in which a portal behind a network fails.
    const faults = ['cut', 500, 503, 429] as const;
    portal.fault = () => (Math.random() < 1 / 3 ? faults[Math.floor(Math.random() * faults.length)] : undefined);
    const runs = Array.from({ length: 150 }, () => portal.enqueue({ url: target.url }));
    for (const id of ['a', 'b', 'c']) start({ QUAYSIDE_AGENT_ID: id }, { heartbeatMs: 200 });
    await eventually('all are settled', () => runs.every(isSettled), 30_000);
    for (const run of runs) {
      const attempts = target.requests
        .filter((request) => request.headers['idempotency-key'] === run.id)
        .map((request) => request.headers['x-quayside-attempt']);
      expect(run.settlements).toHaveLength(1);
      expect(new Set(attempts).size).toBe(attempts.length);
      expect(attempts.length).toBeGreaterThanOrEqual(1);
    }
  }, 40_000);
});

describe('the lease', () => {
  it('is extended while the work goes on', async () => {
    portal.leaseMs = 300;
    start({ WEBHOOK_INVOKER_TIMEOUT: '5' }, { heartbeatMs: 100 });
    target.answer = (_, response) => void setTimeout(() => response.end('{}'), 1_000);
    const run = await settled(portal.enqueue({ url: target.url }));
    expect(portal.callsTo(/lease\/extend/).length).toBeGreaterThan(5);
    expect(run.fence).toBe(1);
  });

  it('that is lost stops the work, and nothing is reported', async () => {
    const { lines } = start({ WEBHOOK_INVOKER_TIMEOUT: '5', QUAYSIDE_AGENT_WAIT_SECONDS: '0.2' }, { heartbeatMs: 100 });
    target.answer = () => {};
    const run = portal.enqueue({ url: target.url });
    await eventually('it is sent', () => target.requests.length === 1);
    portal.steal(run);
    await eventually('the agent notices', () => lines.some((line) => line.includes('the lease is lost')));
    await eventually('the slot is free', () => Number(claims().at(-1)?.body.limit) === 16);
    expect(portal.callsTo(/lease\/settle/)).toEqual([]);
  });

  it('that another agent took while the answer came is not written over', async () => {
    const { lines } = start();
    const run = portal.enqueue({ url: target.url });
    target.answer = (_, response) => {
      portal.steal(run);
      response.end('{}');
    };
    await eventually('the refusal is logged', () => lines.some((line) => line.includes('went to another agent')));
    expect(run.settlements).toEqual([]);
  });
});

describe('the portal', () => {
  it('is held: an idle agent makes one claim, not many', async () => {
    start();
    await eventually('it claims', () => claims().length === 1);
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect(claims()).toHaveLength(1);
    expect(claims()[0]?.body).toMatchObject({
      waitMs: 50_000,
      agent: { id: 'agent-under-test', inFlight: 0, capacity: 16 },
    });
    expect(claims()[0]?.headers).toMatchObject({ 'x-port-reserved-usage': 'true' });
  });

  it('that goes away and comes back gets the outcomes first, then hands out work', async () => {
    const { lines } = start({ WEBHOOK_INVOKER_TIMEOUT: '5' });
    let answer = () => {};
    target.answer = (_, response) => {
      answer = () => response.end('{}');
    };
    const run = portal.enqueue({ url: target.url });
    await eventually('it is sent', () => target.requests.length === 1);
    await portal.stop();
    answer();
    await eventually('the outcome is kept', () => lines.some((line) => line.includes('is not recorded yet')));
    const before = portal.calls.length;
    await portal.start();
    await settled(run);
    await eventually('it claims again', () =>
      portal.calls.slice(before).some((call) => call.path.endsWith('claim-pending')),
    );
    const paths = portal.calls.slice(before).map((call) => call.path.split('/').at(-1));
    expect(paths.indexOf('settle')).toBeLessThan(paths.indexOf('claim-pending'));
    expect(target.requests).toHaveLength(1);
  });

  it('that fails at settling alone does not stop other work', async () => {
    start();
    portal.fault = (call) => (call.path.endsWith('/settle') && portal.callsTo(/settle/).length < 4 ? 500 : undefined);
    const runs = [1, 2, 3].map(() => portal.enqueue({ url: target.url }));
    await eventually('all are settled', () => runs.every(isSettled));
    expect(target.requests).toHaveLength(3);
  });

  it('that finds the report too large gets it without the answer', async () => {
    start();
    portal.fault = (call) => (call.path.endsWith('/settle') && 'response' in call.body ? 413 : undefined);
    const run = await settled(portal.enqueue({ url: target.url, synchronized: true }));
    expect(run).toMatchObject({ status: 'SUCCESS', response: undefined });
    expect(run.logs.at(-1)).toContain('is not kept');
  });

  it('that refuses the credentials is named in the log, with the remedy', async () => {
    const { lines } = start({ PORT_CLIENT_SECRET: 'wrong' });
    await eventually('it is logged', () =>
      lines.some((line) => line.includes('check PORT_CLIENT_ID, PORT_CLIENT_SECRET')),
    );
  });

  it('that revokes tokens gets a new one fetched, once', async () => {
    start();
    await settled(portal.enqueue({ url: target.url }));
    portal.revokeTokens();
    await settled(portal.enqueue({ url: target.url }));
    expect(portal.callsTo(/access_token/)).toHaveLength(2);
  });

  it('sees a token renewed before it runs out', async () => {
    portal.tokenSeconds = 1;
    start({ QUAYSIDE_AGENT_WAIT_SECONDS: '0.3' });
    await eventually('it renews', () => portal.callsTo(/access_token/).length >= 3, 4_000);
    expect(portal.callsTo(/claim/).length).toBeGreaterThan(3);
  });

  it('that stays away makes the agent give up after the configured time', async () => {
    await portal.stop();
    const { exitCode, lines } = start({ POLLING_MAX_FAILURE_DURATION_SECONDS: '0.5' });
    expect(await exitCode).toBe(1);
    expect(lines.some((line) => line.includes('giving up'))).toBe(true);
  });
});

describe('a Port-compatible portal without our dialect', () => {
  it('that ignores our fields is polled at the interval; runs are acknowledged and reported call by call', async () => {
    portal.dialect = 'ignoring';
    start();
    await eventually('the mode is found', () => portal.callsTo(/PATCH \/v1\/organization/).length === 1);
    target.answer = (_, response) => void response.end('{"ticket":7}');
    const run = portal.enqueue({ url: target.url, synchronized: true });
    await eventually('it is reported', () => run.status === 'SUCCESS');
    expect(run).toMatchObject({ wasAcknowledged: true, response: { ticket: 7 } });
    expect(run.logs).toHaveLength(5);
    expect(portal.callsTo(/PATCH \/v1\/organization/)[0]?.body).toEqual({
      settings: { portAgentStreamerName: 'POLLING' },
    });
    expect(portal.callsTo(/lease/)).toEqual([]);
  });

  it('that refuses our fields gets the published body only', async () => {
    portal.dialect = 'refusing';
    start();
    target.answer = (_, response) => void response.writeHead(500).end();
    const run = portal.enqueue({ url: target.url });
    await eventually('it is reported', () => run.status === 'FAILURE');
    expect(claims()[1]?.body).toEqual({
      installationId: '_PORT_EXEC_AGENT',
      limit: 16,
      invocationMethod: 'WEBHOOK',
    });
  });

  it('whose runs another agent acknowledged first is not called for them', async () => {
    portal.dialect = 'ignoring';
    const run = portal.enqueue({ url: target.url });
    run.wasAcknowledged = true;
    const { lines } = start();
    await eventually('it is skipped', () => lines.some((line) => line.includes('taken by somebody else')));
    expect(target.requests).toEqual([]);
  });

  it('and one that learns our dialect later is held again', async () => {
    portal.dialect = 'ignoring';
    start();
    await eventually('the mode is found', () => portal.callsTo(/PATCH \/v1\/organization/).length === 1);
    portal.dialect = 'quayside';
    await settled(portal.enqueue({ url: target.url }));
    await new Promise((resolve) => setTimeout(resolve, 50));
    const count = claims().length;
    await new Promise((resolve) => setTimeout(resolve, 400));
    expect(claims().length).toBe(count);
  });
});

describe('draining', () => {
  it('finishes what was started, takes nothing new, and exits with 0', async () => {
    const agent = start({ WEBHOOK_INVOKER_TIMEOUT: '5' });
    let answer = () => {};
    target.answer = (_, response) => {
      answer = () => response.end('{}');
    };
    const run = portal.enqueue({ url: target.url });
    await eventually('it is sent', () => target.requests.length === 1);
    agent.agent.drain();
    const late = portal.enqueue({ url: target.url });
    await new Promise((resolve) => setTimeout(resolve, 100));
    answer();
    expect(await agent.exitCode).toBe(0);
    expect(isSettled(run)).toBe(true);
    expect(target.requests).toHaveLength(1);
    expect(isSettled(late)).toBe(false);
  });
});

describe('health', () => {
  it('answers on loopback with state and metrics', async () => {
    const port = await freePort();
    const { lines } = start({ QUAYSIDE_AGENT_HEALTH_PORT: String(port) });
    await settled(portal.enqueue({ url: target.url }));
    await eventually('it listens', () => lines.some((line) => line.includes('health and metrics')));
    const health = await fetch(`http://127.0.0.1:${port}/healthz`);
    expect(await health.json()).toMatchObject({ ok: true, agent: 'agent-under-test', portal: 'ok', spooled: 0 });
    const metrics = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
    expect(metrics).toContain('quayside_agent_deliveries_delivered_total 1');
    expect((await fetch(`http://127.0.0.1:${port}/x`)).status).toBe(404);
  });
});

describe('the log of the agent', () => {
  it('holds no payload, no secret, no token, no answer and no query', async () => {
    const { lines, stop } = start({ LOG_LEVEL: 'DEBUG', DETAILED_LOGGING: 'true' });
    target.answer = (_, response) => void response.writeHead(500, { 'x-answer': 'SECRET-A' }).end('SECRET-B');
    const run = portal.enqueue({
      url: `http://user:SECRET-C@127.0.0.1:${target.port}/p?key=SECRET-D`,
      headers: { Authorization: 'Bearer SECRET-E' },
      body: { password: 'SECRET-F' },
    });
    await settled(run);
    await stop();
    const text = lines.join('');
    expect(text).toContain(run.id);
    expect(text).toContain(`${target.url}/p`);
    for (const secret of [/SECRET-[A-F]/, /test-secret/, /token-1/]) expect(text).not.toMatch(secret);
  });
});

describe('a mapping file', () => {
  let dir: string;
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'quayside-agent-mapping-'));
  });
  afterEach(() => rm(dir, { recursive: true, force: true }));

  const path = () => join(dir, 'mapping.json');
  async function startWith(mapping: unknown, env: Record<string, string> = {}): Promise<StartedAgent> {
    await writeFile(path(), typeof mapping === 'string' ? mapping : JSON.stringify(mapping));
    return start({ CONTROL_THE_PAYLOAD_CONFIG_PATH: path(), ...env });
  }

  it('decides method, URL, headers, query and body, and what the run is told', async () => {
    await startWith(
      [
        { enabled: '.action == "other"', url: '"http://127.0.0.1:1/"' },
        {
          enabled: '.action == "deploy"',
          method: '"PUT"',
          url: '.payload.action.invocationMethod.url + "/jobs/" + .payload.properties.name',
          headers: { Authorization: '"Bearer " + env.JOB_TOKEN' },
          query: { dry: '.payload.properties.dry' },
          body: { name: '.payload.properties.name', by: { run: '.context.runId' } },
          report: {
            link: '.response.json.url',
            externalRunId: '.response.json.id',
            summary: '.request.method + " " + (.response.statusCode | tostring)',
          },
        },
      ],
      { JOB_TOKEN: 'open sesame' },
    );
    target.answer = (_, response) => void response.writeHead(201).end('{"id":7,"url":"http://jobs/7"}');
    const run = await settled(
      portal.enqueue({
        url: target.url,
        headers: { 'X-Not': 'forwarded' },
        body: { action: 'deploy', payload: { properties: { name: 'shop', dry: true } } },
      }),
    );
    const [request] = target.requests;
    expect(request).toMatchObject({ method: 'PUT', path: '/jobs/shop?dry=true' });
    expect(request?.headers.authorization).toBe('Bearer open sesame');
    expect(request?.headers).not.toHaveProperty('x-not');
    expect(request?.body.toString()).toBe(`{"name":"shop","by":{"run":"${run.id}"}}`);
    expect(run.settlements[0]?.report).toEqual({ link: 'http://jobs/7', externalRunId: '7', summary: 'PUT 201' });
    expect(run.status).toBe('IN_PROGRESS');
  });

  it('decrypts secret inputs for the target alone: neither the portal nor the log sees them again', async () => {
    const clientSecret = '0123456789abcdefghijklmnopqrstuvWXYZ';
    portal.clientSecret = clientSecret;
    const agent = await startWith([{ fieldsToDecryptPaths: ['payload.properties.password'] }], {
      PORT_CLIENT_SECRET: clientSecret,
    });
    // A target that repeats what it was told.
    target.answer = (request, response) => void response.writeHead(400).end(request.body);
    const run = await settled(
      portal.enqueue({
        url: target.url,
        synchronized: true,
        // The vector of spec/actions.md §1.8.
        body: { payload: { properties: { password: 'AAECAwQFBgcICQoLDA0ODxSP1Ql25STd/dHM8jty4P8HsUTG78Vm' } } },
      }),
    );
    expect(target.requests[0]?.body.toString()).toContain('"password":"hunter2"');
    expect(JSON.stringify(portal.calls)).not.toContain('hunter2');
    expect(agent.lines.join()).not.toContain('hunter2');
    expect(JSON.stringify(run.response)).toContain('"password":"******"');
  });

  it('whose program fails sends what is left, and the run says which program', async () => {
    const agent = await startWith([{ body: { name: '.payload.nothing | tonumber', fixed: '"x"' } }]);
    const run = await settled(portal.enqueue({ url: target.url }));
    expect(target.requests[0]?.body.toString()).toBe('{"name":null,"fixed":"x"}');
    const sentence = 'Mapping: entry 1: body.name failed and gives null';
    expect(run.logs).toContainEqual(expect.stringContaining(sentence) as string);
    expect(agent.lines.join()).toContain('entry 1: body.name failed and gives null');
  });

  it('that is not JSON fails the run with the remedy; once mended, the next run goes through', async () => {
    const agent = await startWith('[{"enabled": true,}]');
    const failed = await settled(portal.enqueue({ url: target.url }));
    expect(failed).toMatchObject({
      status: 'FAILURE',
      summary: expect.stringMatching(/mapping\.json can not be used: it is not JSON .*Mend the file/) as string,
    });
    expect(agent.lines.join()).toContain('can not be used: it is not JSON');
    expect(target.requests).toHaveLength(0);
    await writeFile(path(), '[{"enabled": true}]');
    await eventually('it is read', () => agent.lines.join().includes('the mapping is in force') || nudge(), 10_000);
    expect((await settled(portal.enqueue({ url: target.url }))).summary).toBeUndefined();

    /** The file is looked at when there is a run. */
    function nudge(): false {
      if ([...portal.runs.values()].every(isSettled)) portal.enqueue({ url: target.url });
      return false;
    }
  });

  it('that wants none of it leaves the run to an agent that does', async () => {
    const choosy = await startWith([{ enabled: '.payload.properties.env == "prod"' }]);
    const run = portal.enqueue({ url: target.url, body: { payload: { properties: { env: 'dev' } } } });
    await eventually('it is given back', () => portal.callsTo(/release/).length > 0);
    expect(portal.callsTo(/release/)[0]?.body).toMatchObject({ delayMs: 1_000 });
    expect(choosy.lines.join()).toContain('no entry of the mapping wants the run');
    expect(target.requests).toHaveLength(0);
    // Otherwise chance decides which of the two takes it how often, and each time the portal waits longer.
    await choosy.stop();
    const willing = startAgent(portal, { QUAYSIDE_AGENT_ID: 'willing' });
    started.push(willing);
    await settled(run, 20_000);
    expect(run.logs[0]).toContain('Received by the agent willing');
  }, 30_000);
});

describe('a GitLab pipeline', () => {
  it('is started with the token of its project, and linked', async () => {
    start({ GITLAB_URL: target.url, acme_platform_shop: 'glptt-1' });
    target.answer = (_, response) => void response.writeHead(201).end('{"id":42,"web_url":"http://gitlab/42"}');
    const run = await settled(
      portal.enqueue({
        type: 'GITLAB',
        url: '',
        groupName: 'acme/platform',
        projectName: 'shop',
        body: { payload: { properties: { name: 'x' } } },
      }),
    );
    const [request] = target.requests;
    expect(request?.path).toBe('/api/v4/projects/acme%2Fplatform%2Fshop/trigger/pipeline');
    expect(JSON.parse(request?.body.toString() ?? '')).toMatchObject({
      ref: 'main',
      token: 'glptt-1',
      variables: { name: 'x' },
      port_payload: { context: { runId: run.id } },
    });
    expect(run.settlements[0]?.report).toEqual({ link: 'http://gitlab/42', externalRunId: '42' });
  });
});
