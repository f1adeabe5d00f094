import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { eventually, TestPortal, type TestRun } from '../test/portal.ts';
import { type ApiAnswer, PortalApi } from './api.ts';
import { portalCalls } from './portal-calls.ts';
import { Settling } from './settling.ts';

let portal: TestPortal;
let api: PortalApi;
let settling: Settling;

beforeEach(async () => {
  portal = new TestPortal();
  await portal.start();
  const { clientSecret } = portal;
  api = new PortalApi({ portalUrl: portal.url, clientId: 'c', clientSecret, userAgent: 'test' });
  settling = new Settling(api);
});
afterEach(async () => {
  await portal.stop();
  await api.close();
  expect(portal.violations).toEqual([]);
});

/** Held by the agent, with the token 1. */
const held = (count: number): TestRun[] =>
  Array.from({ length: count }, () => {
    const run = portal.enqueue({ url: 'http://t/' });
    run.fence = 1;
    return run;
  });
const settle = (run: TestRun, token = '1'): Promise<ApiAnswer> =>
  settling.call(
    portalCalls.settle(run.id, { token, outcome: { kind: 'forbidden', message: 'm' }, logs: [`of ${run.id}`] }),
  );
const settleCalls = () =>
  portal.callsTo(/settle$/).map(({ path, body }) => ({
    path,
    count: (body.settlements as unknown[] | undefined)?.length ?? 1,
  }));
const single = (run: TestRun | undefined) => `/v1/actions/runs/${run?.id}/lease/settle`;
const many = '/v1/actions/runs/lease/settle';

describe('settling', () => {
  it('sends one that need not wait at once, and together what came meanwhile', async () => {
    const runs = held(5);
    const answers = await Promise.all(runs.map((run) => settle(run)));
    expect(answers.map(({ kind }) => kind)).toEqual(['ok', 'ok', 'ok', 'ok', 'ok']);
    expect(settleCalls()).toEqual([
      { path: single(runs[0]), count: 1 },
      { path: single(runs[1]), count: 1 },
      { path: many, count: 3 },
    ]);
    expect(runs.map(({ logs }) => logs)).toEqual(runs.map(({ id }) => [`of ${id}`]));
  });

  it('tells each what was said of it', async () => {
    const runs = held(4);
    const answers = await Promise.all(runs.map((run, index) => settle(run, index === 2 ? '7' : '1')));
    expect(answers).toMatchObject([
      { kind: 'ok' },
      { kind: 'ok' },
      { kind: 'refused', status: 409, error: 'lease_lost' },
      { kind: 'ok', body: { result: 'recorded' } },
    ]);
  });

  it('asks one by one where the portal does not know the call, and from then on at once', async () => {
    portal.settlesMany = false;
    const runs = held(8);
    await Promise.all(runs.slice(0, 4).map((run) => settle(run)));
    await Promise.all(runs.slice(4).map((run) => settle(run)));
    expect(settleCalls().filter(({ path }) => path === many)).toHaveLength(1);
    expect(runs.map(({ settlements }) => settlements.length)).toEqual(runs.map(() => 1));
  });

  it('asks one by one what is too large together', async () => {
    portal.fault = (call) => ('settlements' in call.body ? 413 : undefined);
    const runs = held(4);
    expect((await Promise.all(runs.map((run) => settle(run)))).map(({ kind }) => kind)).toEqual([
      'ok',
      'ok',
      'ok',
      'ok',
    ]);
    expect(runs.map(({ isOpen }) => isOpen)).toEqual([false, false, false, false]);
  });

  it('tells all of them that the portal is away, and asks nothing again by itself', async () => {
    portal.fault = (call) => (/settle$/.test(call.path) ? 'cut' : undefined);
    const answers = await Promise.all(held(4).map((run) => settle(run)));
    expect(answers.map(({ kind }) => kind)).toEqual(Array.from({ length: 4 }, () => 'unreachable'));
    expect(settleCalls()).toHaveLength(3);
    portal.fault = () => undefined;
    const [next] = held(1);
    if (next) await settle(next);
    await eventually('the next is settled', () => next?.isOpen === false);
  });
});
