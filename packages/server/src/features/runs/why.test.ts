import { dispatchRoutes, identityRoutes, runRoutes } from '@quayside/contracts';
import { testOrganization } from '@quayside/testkit';
import { type Receiver, startReceiver } from '@quayside/testkit/receiver';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startTestApp, type TestApp } from '../../../test/harness.ts';

let test: TestApp;
let target: Receiver;
beforeAll(async () => {
  target = await startReceiver();
  test = await startTestApp({ QUAYSIDE_ALLOW_PRIVATE_TARGETS: 'true' });
}, 60_000);
afterAll(async () => {
  await test.stop();
  await target.close();
});

const execute = async (invocation: object, extra: object = {}): Promise<string> =>
  (await test.executeNew({ type: 'WEBHOOK', url: target.url, ...invocation }, extra)).id;
const why = async (run_id: string) => (await test.machine.call(runRoutes.why, { params: { run_id } })).body.why;
const agent = (id: string, inFlight: number) => ({ id, version: '1', inFlight, capacity: 1 });
const claim = async (who: ReturnType<typeof agent>, limit = 1) =>
  (await test.machine.call(dispatchRoutes.claim, { body: { installationId: '_PORT_EXEC_AGENT', limit, agent: who } }))
    .body.runs;

it('says who has to approve, and until when nobody can', async () => {
  const id = await execute({}, { requiredApproval: true });
  expect(await why(id)).toEqual({
    state: 'waiting_for_approval',
    text: `It waits for the approval of ${testOrganization.adminEmail}.`,
    attempts: [],
  });
  const to = new Date(Date.now() + 3_600_000).toISOString();
  const freezes = [{ from: '2020-01-01T00:00:00Z', to, reason: 'The harvest.' }];
  await test.machine.call(identityRoutes.patchOrganization, { body: { settings: { freezes } } });
  expect((await why(id)).text).toContain(`Nothing can be approved until ${to}: The harvest.`);
  await test.machine.call(identityRoutes.patchOrganization, { body: { settings: { freezes: [] } } });
});

it('follows a run for agents from nobody there to its report', async () => {
  const id = await execute({ agent: true });
  expect(await why(id)).toMatchObject({ state: 'waiting_for_agent', needsAgent: true });
  // One is there and busy.
  await test.machine.call(dispatchRoutes.claim, {
    body: { installationId: '_PORT_EXEC_AGENT', runIds: [], agent: agent('a', 1) },
  });
  expect((await why(id)).text).toContain('The one connected agent is busy');
  const [run] = await claim(agent('a', 0));
  expect(run?.id).toBe(id);
  expect(await why(id)).toMatchObject({ state: 'carried_out', text: expect.stringMatching(/^a is at it, until /) });
  const token = run?.lease?.token ?? '';
  const settle = (outcome: object) =>
    test.machine.call(dispatchRoutes.settle, { params: { run_id: id }, body: { token, outcome } as never });
  await settle({ kind: 'unreachable', code: 'ECONNREFUSED', message: 'nobody listens', durationMs: 1 });
  expect(await why(id)).toMatchObject({
    state: 'retrying',
    text: expect.stringMatching(/nobody listens.*The next follows at 20/),
    attempts: ['Attempt 1 by a: the target could not be reached: nobody listens (ECONNREFUSED).'],
  });
});

it('says that a target has not reported, and how a run has ended', async () => {
  const id = await execute({});
  await expect.poll(async () => (await why(id)).state, { timeout: 10_000 }).toBe('waiting_for_report');
  await test.machine.call(runRoutes.patch, { params: { run_id: id }, body: { status: 'SUCCESS', summary: 'Done.' } });
  expect(await why(id)).toMatchObject({ state: 'ended', text: 'It has ended with SUCCESS: Done.' });
});

it('names the integration that has not asked', async () => {
  const id = await execute({
    type: 'INTEGRATION_ACTION',
    url: undefined,
    installationId: 'ocean-1',
    integrationActionType: 'dispatch_workflow',
    integrationActionExecutionProperties: { org: 'acme', repo: 'shop', workflow: 'x.yml', workflowInputs: {} },
  });
  expect(await why(id)).toMatchObject({ state: 'waiting_for_integration', text: expect.stringContaining('ocean-1') });
});

it('is no business of another organization', async () => {
  const id = await execute({});
  const other = await test.otherOrganization();
  expect((await other.refused(runRoutes.why, { params: { run_id: id } })).status).toBe(404);
});

it('says which labels no connected agent has', async () => {
  const id = await execute({ agent: true, agentLabels: { env: 'prod' } });
  await test.machine.call(dispatchRoutes.claim, {
    body: {
      installationId: '_PORT_EXEC_AGENT',
      runIds: [],
      agent: { ...agent('dev-1', 0), labels: { env: 'dev' } },
    },
  });
  expect(await why(id)).toMatchObject({
    state: 'waiting_for_agent',
    needsAgent: true,
    text: expect.stringMatching(/^Waiting for an agent with env=prod; connected: .*dev-1 \(env=dev\)/),
  });
});

it('says when the connected agents that may take it look for it elsewhere', async () => {
  const labels = { env: 'elsewhere' };
  const id = await execute({ agent: true, agentLabels: labels });
  await test.machine.call(dispatchRoutes.claim, {
    body: {
      installationId: '_PORT_EXEC_AGENT',
      runIds: [],
      agent: { ...agent('consumer', 0), streamer: 'KAFKA', labels },
    },
  });
  expect(await why(id)).toMatchObject({
    state: 'waiting_for_agent',
    needsAgent: true,
    text: expect.stringMatching(/waits for an agent that polls.* only read Kafka \(consumer\)/),
  });
});
