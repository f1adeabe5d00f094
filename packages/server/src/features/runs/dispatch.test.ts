import { setTimeout as sleep } from 'node:timers/promises';
import { actionRoutes, agentInstallationId, type BodyOf, dispatchRoutes, runRoutes } from '@quayside/contracts';
import { testOrganization } from '@quayside/testkit';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { webhookAction } from '../../../test/documents.ts';
import { startTestApp, type TestApp } from '../../../test/harness.ts';
import { sql } from '../../platform/db.ts';

let test: TestApp;
beforeAll(async () => {
  test = await startTestApp();
  await test.machine.call(actionRoutes.create, { body: webhookAction() });
  await test.machine.call(actionRoutes.create, { body: webhookAction({ identifier: 'sync', synchronized: true }) });
}, 60_000);
afterAll(() => test.stop());
beforeEach(() => test.app.database.system((tx) => tx.run(sql`delete from work`)));

const execute = async (action = 'scaffold') =>
  (
    await test.machine.call(runRoutes.execute, {
      params: { action_identifier: action },
      body: { properties: { name: 'shop' } },
    })
  ).body.run;
const agent = (id = 'agent-1') => ({ id, version: '1.0.0', inFlight: 0, capacity: 16 });
const claim = async (body: Record<string, unknown> = {}) =>
  (
    await test.machine.call(dispatchRoutes.claim, {
      body: { installationId: agentInstallationId, limit: 10, agent: agent(), ...body } as never,
    })
  ).body.runs;
const readRun = async (id: string) => (await test.machine.call(runRoutes.get, { params: { run_id: id } })).body.run;
const readDeliveries = async (id: string) =>
  (await test.machine.call(runRoutes.deliveries, { params: { run_id: id } })).body.deliveries;
const answered = (statusCode: number) => ({
  kind: 'answered' as const,
  statusCode,
  headers: {},
  body: '',
  isBodyTruncated: false,
  durationMs: 3,
});
/** Makes every lease run out now. */
const loseLeases = () =>
  test.app.database.system((tx) =>
    tx.run(sql`update work set due_at = now() - interval '1 second' where holder is not null`),
  );

describe('the dialect of Quayside’s agent', () => {
  it('holds the claim until there is work', async () => {
    const held = claim({ waitMs: 10_000 });
    await sleep(100);
    const run = await execute();
    const [claimed] = await held;
    expect(claimed).toMatchObject({
      id: run.id,
      lease: { token: '1', attempt: 1 },
      payload: { url: 'http://127.0.0.1:9/', body: { name: 'shop' } },
    });
    expect(await readDeliveries(run.id)).toMatchObject([{ attempt: 1, holder: 'agent-1', state: 'open' }]);
  });

  it('shows in the metrics how much is due and how much is leased', async () => {
    const depth = async () =>
      (await (await fetch(`${test.url}/metrics`)).text()).match(/^quayside_queue_depth\{queue="agent:.*$/gm)?.sort();
    const line = (state: string, value: number) =>
      `quayside_queue_depth{queue="agent:${testOrganization.orgId}",state="${state}"} ${value}`;
    await execute();
    await execute();
    expect(await depth()).toEqual([line('due', 2), line('leased', 0)]);
    await claim({ limit: 1 });
    expect(await depth()).toEqual([line('due', 1), line('leased', 1)]);
  });

  it('answers an empty list when there is none in time', async () => {
    expect(await claim({ waitMs: 50 })).toEqual([]);
  });

  it('settles outcome, log lines and status in one call, and answers the same to a repetition', async () => {
    const run = await execute('sync');
    await claim();
    const settlement = {
      token: '1',
      outcome: answered(200),
      request: { method: 'POST', url: 'http://x/' },
      logs: ['sending', 'answered 200'],
      response: { id: 1 },
    };
    const settle = () => test.machine.call(dispatchRoutes.settle, { params: { run_id: run.id }, body: settlement });
    expect((await settle()).body).toMatchObject({
      result: 'recorded',
      run: { status: 'SUCCESS', response: { id: 1 }, pendingExecution: false },
    });
    expect((await settle()).body).toMatchObject({ result: 'recorded', run: { status: 'SUCCESS' } });
    const { runLogs } = (await test.machine.call(runRoutes.listLogs, { params: { run_id: run.id } })).body;
    expect(runLogs.map((log) => log.message)).toEqual(['sending', 'answered 200']);
    expect(await readDeliveries(run.id)).toMatchObject([
      { state: 'settled', outcome: { statusCode: 200 }, request: { method: 'POST' } },
    ]);
  });

  const settleMany = async (settlements: BodyOf<typeof dispatchRoutes.settleMany>['settlements']) =>
    (await test.machine.call(dispatchRoutes.settleMany, { body: { settlements } })).body.results;
  const transactionsOf = (ids: string[]) =>
    test.app.database.system((tx) =>
      tx.one<{ count: number }>(
        sql`select count(distinct xmin::text) as count from deliveries where subject = any(${ids})`,
      ),
    );

  it('settles several in one call and transaction, and answers the same to a repetition', async () => {
    const runs = [await execute('sync'), await execute(), await execute()];
    await claim();
    const [first, second, third] = runs.map(({ id }) => id) as [string, string, string];
    const settlements = [
      { runId: third, token: '1', outcome: answered(503), logs: ['busy'] },
      { runId: first, token: '1', outcome: answered(200), response: { id: 1 }, logs: ['sending', 'answered 200'] },
      { runId: second, token: '1', outcome: answered(404) },
    ];
    const results = [
      { runId: third, result: 'will_retry' },
      { runId: first, result: 'recorded' },
      { runId: second, result: 'recorded' },
    ];
    expect(await settleMany(settlements)).toEqual(results);
    expect(await transactionsOf([first, second, third])).toEqual({ count: 1 });
    expect(await readRun(first)).toMatchObject({ status: 'SUCCESS', response: { id: 1 } });
    expect(await readRun(second)).toMatchObject({ status: 'FAILURE' });
    expect(await readRun(third)).toMatchObject({ status: 'IN_PROGRESS' });
    expect(await settleMany(settlements)).toMatchObject([{ runId: third, result: 'recorded' }, results[1], results[2]]);
    const { runLogs } = (await test.machine.call(runRoutes.listLogs, { params: { run_id: first } })).body;
    expect(runLogs.map((log) => log.message)).toEqual(['sending', 'answered 200']);
  });

  it('settles what it can of several, and refuses each of the others in its own words', async () => {
    const [good, late] = [await execute('sync'), await execute()];
    await claim();
    await loseLeases();
    await claim({ agent: agent('agent-2') });
    const outcome = answered(200);
    expect(
      await settleMany([
        { runId: late.id, token: '1', outcome, logs: ['too late'] },
        { runId: good.id, token: '2', outcome, logs: ['in time'] },
        { runId: 'r_nothing', token: '1', outcome },
        { runId: good.id, token: 'x', outcome },
      ]),
    ).toEqual([
      { runId: late.id, status: 409, error: 'lease_lost', message: expect.stringContaining('Nothing of this call') },
      { runId: good.id, result: 'recorded' },
      { runId: 'r_nothing', status: 404, error: 'not_found', message: expect.stringContaining('r_nothing') },
      { runId: good.id, status: 422, error: 'invalid_request', message: expect.stringContaining('token') },
    ]);
    expect(await readRun(good.id)).toMatchObject({ status: 'SUCCESS' });
    expect(await readRun(late.id)).toMatchObject({ status: 'IN_PROGRESS' });
    expect(await readDeliveries(late.id)).toMatchObject([{ state: 'lost' }, { state: 'open', holder: 'agent-2' }]);
    const logsOf = async (run_id: string) =>
      (await test.machine.call(runRoutes.listLogs, { params: { run_id } })).body.runLogs.map(({ message }) => message);
    expect([await logsOf(good.id), await logsOf(late.id)]).toEqual([['in time'], []]);
  });

  it('leaves an asynchronous run in progress after a 2xx, and fails it at a refusal', async () => {
    const accepted = await execute();
    const refused = await execute();
    await claim();
    await test.machine.call(dispatchRoutes.settle, {
      params: { run_id: accepted.id },
      body: { token: '1', outcome: answered(202) },
    });
    await test.machine.call(dispatchRoutes.settle, {
      params: { run_id: refused.id },
      body: { token: '1', outcome: answered(404) },
    });
    expect(await readRun(accepted.id)).toMatchObject({ status: 'IN_PROGRESS', pendingExecution: false });
    expect(await readRun(refused.id)).toMatchObject({
      status: 'FAILURE',
      summary: 'The target answered 404 after 3 ms.',
    });
  });

  it('takes what the mapping reports over what the outcome says', async () => {
    const run = await execute();
    await claim();
    const report = { status: 'SUCCESS' as const, link: 'https://job/1', externalRunId: '42' };
    await test.machine.call(dispatchRoutes.settle, {
      params: { run_id: run.id },
      body: { token: '1', outcome: answered(201), report },
    });
    expect(await readRun(run.id)).toMatchObject({ status: 'SUCCESS', link: 'https://job/1', externalRunId: '42' });
    expect((await test.machine.call(runRoutes.list, { query: { external_run_id: '42' } })).body.runs).toHaveLength(1);
  });

  it('hands a failed asynchronous delivery out again, with its lines in the log', async () => {
    const run = await execute();
    await claim();
    const outcome = {
      kind: 'unreachable' as const,
      code: 'ECONNREFUSED',
      message: 'connection refused',
      durationMs: 1,
    };
    const { body } = await test.machine.call(dispatchRoutes.settle, {
      params: { run_id: run.id },
      body: { token: '1', outcome },
    });
    expect(body).toMatchObject({ result: 'will_retry', run: { status: 'IN_PROGRESS' } });
    expect(await claim()).toEqual([]);
    const [again] = await claim({ waitMs: 5_000 });
    expect(again).toMatchObject({ id: run.id, lease: { token: '2', attempt: 2 } });
    const { runLogs } = (await test.machine.call(runRoutes.listLogs, { params: { run_id: run.id } })).body;
    expect(runLogs[0]?.message).toContain('Attempt 1 of 3');
  });

  it('gives a lost agent’s run to another, and refuses the late answer of the first', async () => {
    const run = await execute('sync');
    await claim({ agent: agent('lost') });
    await loseLeases();
    const [second] = await claim({ agent: agent('second') });
    expect(second).toMatchObject({ id: run.id, lease: { attempt: 2 } });
    const late = await test.machine.refused(dispatchRoutes.settle, {
      params: { run_id: run.id },
      body: { token: '1', outcome: answered(200), logs: ['late'] },
    });
    expect(late).toMatchObject({ status: 409, body: { error: 'lease_lost' } });
    expect(
      (await test.machine.refused(dispatchRoutes.extend, { params: { run_id: run.id }, body: { token: '1' } })).status,
    ).toBe(409);
    expect(
      (await test.machine.refused(dispatchRoutes.release, { params: { run_id: run.id }, body: { token: '1' } })).status,
    ).toBe(409);
    expect((await test.machine.call(runRoutes.listLogs, { params: { run_id: run.id } })).body.runLogs).toEqual([]);
    expect(await readDeliveries(run.id)).toMatchObject([
      { holder: 'lost', state: 'lost' },
      { holder: 'second', state: 'open' },
    ]);
    await test.machine.call(dispatchRoutes.settle, {
      params: { run_id: run.id },
      body: { token: '2', outcome: answered(200) },
    });
    expect(await readRun(run.id)).toMatchObject({ status: 'SUCCESS' });
  });

  it('accepts an answer after the lease ran out, while nobody else has the run', async () => {
    const run = await execute('sync');
    await claim();
    await loseLeases();
    await test.machine.call(dispatchRoutes.settle, {
      params: { run_id: run.id },
      body: { token: '1', outcome: answered(200) },
    });
    expect(await claim()).toEqual([]);
    expect(await readRun(run.id)).toMatchObject({ status: 'SUCCESS' });
  });

  it('gives a released run to the next at once', async () => {
    const run = await execute();
    await claim({ agent: agent('first') });
    await test.machine.call(dispatchRoutes.release, { params: { run_id: run.id }, body: { token: '1' } });
    expect(await claim({ agent: agent('second') })).toMatchObject([{ id: run.id }]);
    expect((await readDeliveries(run.id))[0]).toMatchObject({ holder: 'first', state: 'returned' });
  });

  it('keeps the word of a target that closed the run before the agent settled', async () => {
    const run = await execute();
    await claim();
    await test.machine.call(runRoutes.patch, { params: { run_id: run.id }, body: { status: 'SUCCESS' } });
    const { body } = await test.machine.call(dispatchRoutes.settle, {
      params: { run_id: run.id },
      body: { token: '1', outcome: { kind: 'broken', message: 'closed', durationMs: 5 }, logs: ['broken'] },
    });
    expect(body).toMatchObject({ result: 'recorded', run: { status: 'SUCCESS' } });
    expect(await readDeliveries(run.id)).toMatchObject([{ state: 'settled', outcome: { kind: 'broken' } }]);
  });

  it('does not hand out a run again that its target has closed meanwhile', async () => {
    const run = await execute();
    await claim();
    await test.machine.call(runRoutes.patch, { params: { run_id: run.id }, body: { status: 'SUCCESS' } });
    await loseLeases();
    expect(await claim()).toEqual([]);
    expect(await readRun(run.id)).toMatchObject({ status: 'SUCCESS', pendingExecution: false });
  });

  it('gives up on a run that takes down one holder after another', async () => {
    const run = await execute();
    for (let lost = 0; lost <= 10; lost++) {
      await claim();
      await loseLeases();
    }
    expect(await claim()).toEqual([]);
    expect(await readRun(run.id)).toMatchObject({ status: 'FAILURE', summary: expect.stringContaining('Given up') });
  });

  it('loses nothing to a caller that hangs up in the middle of a claim', async () => {
    const hungUp = new AbortController();
    const body = JSON.stringify({
      installationId: agentInstallationId,
      waitMs: 30_000,
      limit: 10,
      agent: agent('gone'),
    });
    const held = test.machine.fetch('/v1/actions/runs/claim-pending', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body,
      signal: hungUp.signal,
    });
    held.catch(() => undefined);
    await sleep(100);
    hungUp.abort();
    await sleep(50);
    const run = await execute();
    expect(await claim({ agent: agent('next'), waitMs: 2_000 })).toMatchObject([{ id: run.id }]);
  });

  it('shows who is there', async () => {
    const held = claim({ waitMs: 200, agent: { ...agent('seen'), labels: { zone: 'a' } } });
    await sleep(50);
    const { agents } = (await test.admin.call(dispatchRoutes.listAgents)).body;
    expect(agents.find((one) => one.id === 'seen')).toMatchObject({
      isConnected: true,
      capacity: 16,
      labels: { zone: 'a' },
    });
    await held;
  });
});

describe('the published dialects', () => {
  it('Port’s agent: claims without holding, acknowledges one by one, and skips what was taken', async () => {
    const run = await execute();
    const request = { installationId: agentInstallationId, limit: 100, invocationMethod: 'WEBHOOK' };
    const { runs } = (await test.machine.call(dispatchRoutes.claim, { body: request })).body;
    expect(runs).toMatchObject([{ id: run.id, payload: { type: 'WEBHOOK', agent: true, body: { name: 'shop' } } }]);
    expect(runs[0]).not.toHaveProperty('lease');
    expect((await test.machine.call(dispatchRoutes.claim, { body: request })).body.runs).toEqual([]);
    expect((await test.machine.call(dispatchRoutes.acknowledge, { body: { runIds: [run.id] } })).body.ackedCount).toBe(
      1,
    );
    expect(
      (await test.machine.call(dispatchRoutes.acknowledge, { body: { runIds: [run.id, 'r_unknown'] } })).body
        .ackedCount,
    ).toBe(0);
    expect(await readRun(run.id)).toMatchObject({ status: 'IN_PROGRESS', pendingExecution: false });
  });

  it('Port’s agent: an unacknowledged run is handed out again', async () => {
    const run = await execute();
    await test.machine.call(dispatchRoutes.claim, { body: { installationId: agentInstallationId } });
    expect((await readRun(run.id)).claimedUntil).toBeDefined();
    await loseLeases();
    expect(
      (await test.machine.call(dispatchRoutes.claim, { body: { installationId: agentInstallationId } })).body.runs,
    ).toHaveLength(1);
  });

  it('Ocean: a second acknowledgement is a 409, an unknown run a 404', async () => {
    const run = await execute();
    await test.machine.call(dispatchRoutes.claim, {
      body: { installationId: agentInstallationId, visibilityTimeoutMs: 60_000 },
    });
    expect((await test.machine.call(dispatchRoutes.acknowledge, { body: { runId: run.id } })).body.ackedCount).toBe(1);
    expect((await test.machine.refused(dispatchRoutes.acknowledge, { body: { runId: run.id } })).body.error).toBe(
      'already_acknowledged',
    );
    expect((await test.machine.refused(dispatchRoutes.acknowledge, { body: { runId: 'r_unknown' } })).status).toBe(404);
  });

  it('asks workflows like the real agent does, and learns that there are none', async () => {
    expect(
      (
        await test.machine.call(dispatchRoutes.claimWorkflowNodes, {
          body: { installationId: agentInstallationId, limit: 100 },
        })
      ).body,
    ).toEqual({ ok: true, nodeRuns: [] });
    expect(
      (await test.machine.call(dispatchRoutes.acknowledgeWorkflowNode, { body: { nodeRunIdentifier: 'wfnr_1' } })).body,
    ).toEqual({ ok: true, acked: false });
  });

  it('gives a run of another installation to nobody else', async () => {
    await execute();
    expect(await claim({ installationId: 'my-github', agent: undefined })).toEqual([]);
  });
});

describe('labels', () => {
  let count = 0;
  const action = async (invocation: Record<string, unknown>) => {
    const document = webhookAction({ identifier: `labelled_${++count}` });
    const body = { ...document, invocationMethod: { ...document.invocationMethod, ...invocation } };
    await test.machine.call(actionRoutes.create, { body: body as never });
    return document.identifier;
  };
  const labelled = (id: string, labels: Record<string, string>) => ({ ...agent(id), labels });
  const prod = { agentLabels: { env: 'prod' } };
  const ids = (runs: readonly { id: string }[]) => runs.map(({ id }) => id);

  it('keep a run from agents without them, whatever they speak', async () => {
    const run = await execute(await action(prod));
    expect(await claim({ agent: agent() })).toEqual([]);
    expect(await claim({ agent: labelled('a', { env: 'dev' }) })).toEqual([]);
    expect(await claim({ agent: undefined, invocationMethod: 'WEBHOOK' })).toEqual([]);
    expect(await claim({ agent: agent(), runIds: [run.id] })).toEqual([]);
    const [claimed] = await claim({ agent: labelled('b', { env: 'prod', region: 'eu' }) });
    expect(claimed).toMatchObject({ id: run.id, payload: { agentLabels: { env: 'prod' } } });
  });

  it('are all needed; without any a run is for everybody', async () => {
    const both = await execute(await action({ agentLabels: { env: 'prod', region: 'eu' } }));
    const free = await execute();
    expect(ids(await claim({ agent: labelled('a', { env: 'prod' }) }))).toEqual([free.id]);
    expect(ids(await claim({ agent: labelled('b', { region: 'eu', env: 'prod' }) }))).toEqual([both.id]);
  });

  it('may be templates', async () => {
    const run = await execute(await action({ agentLabels: { name: '{{ .inputs.name }}' } }));
    expect(ids(await claim({ agent: labelled('a', { name: 'shop' }) }))).toEqual([run.id]);
  });

  it('reach their agent through a crowd that waits before it', async () => {
    const others = [agent('w-1'), agent('w-2'), labelled('w-3', { env: 'dev' })].map((one) =>
      claim({ agent: one, waitMs: 30_000, limit: 1 }),
    );
    await sleep(50);
    const mine = claim({ agent: labelled('w-4', { env: 'prod' }), waitMs: 10_000 });
    await sleep(100);
    const run = await execute(await action(prod));
    expect(ids(await mine)).toEqual([run.id]);
    const free = [await execute(), await execute(), await execute()];
    expect(ids((await Promise.all(others)).flat()).sort()).toEqual(ids(free).sort());
  });

  it('that yield nothing, or stand without an agent, end the run with the reason', async () => {
    const unfilled = await execute(await action({ agentLabels: { env: '{{ .inputs.nothing }}' } }));
    expect(await readRun(unfilled.id)).toMatchObject({
      status: 'FAILURE',
      summary: 'The template of the label env in agentLabels yields no text.',
    });
    const nobody = await execute(await action({ ...prod, agent: false }));
    expect((await readRun(nobody.id)).summary).toContain('not "agent": true');
  });
});
