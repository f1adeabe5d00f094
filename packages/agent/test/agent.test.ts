import { type Receiver, startReceiver } from '@quayside/testkit/receiver';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { eventually, TestPortal, type TestRun } from './portal.ts';
import { type StartedAgent, startAgent } from './start-agent.ts';

/**
 * The agent at a portal that misbehaves, or that speaks another dialect, over real HTTP; the portal checks the contract.
 * What needs neither is in real-server-suite.ts.
 */
let portal: TestPortal;
let target: Receiver;
let started: StartedAgent[] = [];

beforeEach(async () => {
  portal = new TestPortal();
  await portal.start();
  target = await startReceiver();
});
afterEach(async () => {
  await Promise.all(started.map((agent) => agent.stop()));
  await Promise.all([portal.stop(), target.close()]);
  started = [];
  expect(portal.violations).toEqual([]);
});

function start(env: Record<string, string> = {}, tuning: { heartbeatMs?: number } = {}): StartedAgent {
  const agent = startAgent(portal, env, tuning);
  started.push(agent);
  return agent;
}

const isSettled = (run: TestRun) => run.settlements.length > 0;
async function settled(run: TestRun, withinMs?: number): Promise<TestRun> {
  await eventually(`${run.id} is settled`, () => isSettled(run), withinMs);
  return run;
}
const claims = () => portal.callsTo(/POST .*claim-pending/);

describe('a run', () => {
  it('without a URL fails and says so', async () => {
    start();
    const run = await settled(portal.enqueue({ url: '' }));
    expect(run).toMatchObject({ status: 'FAILURE', summary: expect.stringContaining('has no URL') as string });
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

  it('that refuses the credentials is named in the log, with the remedy; once it takes them, the agent goes on', async () => {
    const { lines } = start({ PORT_CLIENT_SECRET: 'rotated' });
    await eventually('it is logged', () =>
      lines.some((line) => line.includes('check PORT_CLIENT_ID, PORT_CLIENT_SECRET')),
    );
    portal.clientSecret = 'rotated';
    await settled(portal.enqueue({ url: target.url }));
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
