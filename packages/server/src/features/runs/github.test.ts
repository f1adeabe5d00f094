import { auditRoutes, type Run, runRoutes, secretRoutes } from '@quayside/contracts';
import { type Receiver, startReceiver } from '@quayside/testkit/receiver';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startTestApp, type TestApp } from '../../../test/harness.ts';

/** Against a server that answers as GitHub's REST API does. */
let test: TestApp;
let api: Receiver;
let workflowRun: { status: string; conclusion: string | null };
let dispatched: { statusCode: number; body: object };

beforeAll(async () => {
  api = await startReceiver();
  api.answer = (request, response) => {
    const reply = (statusCode: number, body: object) => {
      response.statusCode = statusCode;
      response.setHeader('content-type', 'application/json');
      response.end(JSON.stringify(body));
    };
    if (request.path === '/repos/acme/shop') return reply(200, { default_branch: 'trunk' });
    if (request.path.endsWith('/dispatches')) return reply(dispatched.statusCode, dispatched.body);
    if (request.path === '/repos/acme/shop/actions/runs/4711')
      return reply(200, { ...workflowRun, html_url: 'https://github.example/runs/4711' });
    return reply(404, { message: 'Not Found' });
  };
  test = await startTestApp({ QUAYSIDE_GITHUB_API_URL: api.url, QUAYSIDE_ALLOW_PRIVATE_TARGETS: 'true' });
}, 60_000);
afterAll(async () => {
  await test.stop();
  await api.close();
});
beforeEach(() => {
  api.requests.length = 0;
  workflowRun = { status: 'in_progress', conclusion: null };
  dispatched = { statusCode: 200, body: { workflow_run_id: 4711, html_url: 'https://github.example/runs/4711' } };
});

const execute = async (invocation: object = {}): Promise<string> => {
  const workflowInputs = { run: '{{ .run.id }}', context: '{{ {id: .run.id} }}', count: 3 };
  const method = { type: 'GITHUB', org: 'acme', repo: 'shop', workflow: 'deploy.yml', workflowInputs };
  return (await test.executeNew({ ...method, ...invocation })).id;
};
const read = async (id: string): Promise<Run> =>
  (await test.machine.call(runRoutes.get, { params: { run_id: id } })).body.run;
async function ended(id: string): Promise<Run> {
  await expect.poll(async () => (await read(id)).status, { timeout: 30_000 }).not.toBe('IN_PROGRESS');
  return read(id);
}
const dispatches = () => api.requests.filter((request) => request.path.endsWith('/dispatches'));

describe('a workflow of GitHub', () => {
  it('needs the token of the organization, and says where to put it', async () => {
    const run = await ended(await execute());
    expect(run).toMatchObject({ status: 'FAILURE', summary: expect.stringContaining('no secret GITHUB_TOKEN') });
    expect(api.requests).toEqual([]);
    await test.admin.call(secretRoutes.create, {
      body: { secretName: 'GITHUB_TOKEN', secretValue: 'ghp_token_value' },
    });
  });

  it('is dispatched on the default branch with its inputs as texts, linked, and followed to its end', async () => {
    const id = await execute();
    await expect.poll(async () => (await read(id)).externalRunId).toBe('4711');
    expect(await read(id)).toMatchObject({
      status: 'IN_PROGRESS',
      link: 'https://github.example/runs/4711',
      pendingExecution: false,
    });
    const { audits } = (await test.machine.call(auditRoutes.list, { query: { run_id: id } })).body;
    // What a backend tells is an event, also while the status stays.
    expect(JSON.stringify(audits?.map((one) => one.diff))).toContain('https://github.example/runs/4711');
    const [request] = dispatches();
    expect(request?.path).toBe('/repos/acme/shop/actions/workflows/deploy.yml/dispatches');
    expect(request?.headers.authorization).toBe('Bearer ghp_token_value');
    expect(JSON.parse(String(request?.body))).toEqual({
      ref: 'trunk',
      inputs: { run: id, context: JSON.stringify({ id }), count: '3' },
      return_run_details: true,
    });
    workflowRun = { status: 'completed', conclusion: 'success' };
    expect((await ended(id)).status).toBe('SUCCESS');
  }, 60_000);

  it('that fails ends the run in FAILURE with its conclusion', async () => {
    workflowRun = { status: 'completed', conclusion: 'timed_out' };
    const run = await ended(await execute({ workflowInputs: { ref: 'release' } }));
    expect(run).toMatchObject({ status: 'FAILURE', summary: 'The workflow ended: timed_out.' });
    expect(JSON.parse(String(dispatches()[0]?.body))).toMatchObject({ ref: 'release', inputs: {} });
  }, 60_000);

  it('is left to report by itself when the action says so', async () => {
    workflowRun = { status: 'completed', conclusion: 'failure' };
    const id = await execute({ reportWorkflowStatus: '{{ false }}' });
    await expect.poll(async () => (await read(id)).externalRunId).toBe('4711');
    await test.machine.call(runRoutes.patch, { params: { run_id: id }, body: { status: 'SUCCESS' } });
    expect(api.requests.filter((request) => request.path.endsWith('/runs/4711'))).toEqual([]);
  });

  it('with too many inputs is not dispatched', async () => {
    const workflowInputs = Object.fromEntries(Array.from({ length: 11 }, (_, index) => [`i${index}`, 'x']));
    const run = await ended(await execute({ workflowInputs }));
    expect(run.summary).toContain('at most 10 workflow inputs, and these are 11');
    expect(api.requests).toEqual([]);
  });

  it('that GitHub refuses ends the run with what GitHub said', async () => {
    dispatched = { statusCode: 422, body: { message: "Workflow does not have 'workflow_dispatch' trigger" } };
    const run = await ended(await execute());
    expect(run.status).toBe('FAILURE');
    const { runLogs } = (await test.machine.call(runRoutes.listLogs, { params: { run_id: run.id } })).body;
    expect(runLogs.map((line) => line.message).join('\n')).toContain("does not have 'workflow_dispatch' trigger");
    expect(dispatches()).toHaveLength(1);
  });

  it('that GitHub answers with 500 and then with nothing is not started twice, and says what is not known', async () => {
    const answer = api.answer;
    api.answer = (request, response) => {
      if (request.path.endsWith('/dispatches') && dispatches().length > 1) return void response.destroy();
      return answer(request, response);
    };
    dispatched = { statusCode: 500, body: { message: 'Server Error' } };
    const run = await ended(await execute());
    api.answer = answer;
    expect(run).toMatchObject({ status: 'FAILURE', pendingExecution: false });
    expect(run.summary).toMatch(/^The target gave no complete answer: .*; no status came\.$/);
    expect(run).not.toHaveProperty('externalRunId');
    expect(run).not.toHaveProperty('link');
    expect(dispatches()).toHaveLength(2);
    const { deliveries } = (await test.machine.call(runRoutes.deliveries, { params: { run_id: run.id } })).body;
    expect(deliveries.map(({ attempt, state, outcome }) => [attempt, state, outcome?.kind])).toEqual([
      [1, 'settled', 'answered'],
      [2, 'settled', 'broken'],
    ]);
  }, 60_000);

  it('is tried again when GitHub answers 500, and ends when it does not recover', async () => {
    dispatched = { statusCode: 500, body: {} };
    const run = await ended(await execute());
    expect(run).toMatchObject({ status: 'FAILURE', summary: expect.stringContaining('answered 500') });
    expect(dispatches()).toHaveLength(3);
  }, 60_000);
});
