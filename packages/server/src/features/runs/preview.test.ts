import {
  type ActionBody,
  actionRoutes,
  auditRoutes,
  dispatchRoutes,
  runRoutes,
  secretRoutes,
} from '@quayside/contracts';
import { testOrganization } from '@quayside/testkit';
import { type Receiver, startReceiver } from '@quayside/testkit/receiver';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startTestApp, type TestApp } from '../../../test/harness.ts';

let test: TestApp;
let target: Receiver;
beforeAll(async () => {
  target = await startReceiver();
  test = await startTestApp({ QUAYSIDE_ALLOW_PRIVATE_TARGETS: 'true' });
  await test.machine.call(secretRoutes.create, { body: { secretName: 'TOKEN', secretValue: 'not-to-be-seen' } });
}, 60_000);
afterAll(async () => {
  await test.stop();
  await target.close();
});

const create = (identifier: string, invocation: object, extra: object = {}) =>
  test.machine.call(actionRoutes.create, {
    body: {
      identifier,
      trigger: {
        type: 'self-service',
        operation: 'CREATE',
        userInputs: { properties: { name: { type: 'string' } }, required: ['name'] },
      },
      invocationMethod: { type: 'WEBHOOK', url: `${target.url}/{{ .inputs.name }}`, ...invocation },
      ...extra,
    } as ActionBody,
  });
const params = (action_identifier: string) => ({ action_identifier });
const preview = async (identifier: string) =>
  (
    await test.machine.call(runRoutes.preview, {
      params: params(identifier),
      body: { properties: { name: 'orders' } },
    })
  ).body.preview;

it('shows the exact request, with its secrets masked', async () => {
  await create('direct', {
    headers: { Authorization: 'Bearer {{ .secrets.TOKEN }}', 'X-Name': '{{ .inputs.name }}' },
    body: { name: '{{ .inputs.name }}', token: '{{ .secrets.TOKEN }}' },
  });
  const seen = await preview('direct');
  expect(seen.request).toMatchObject({
    type: 'WEBHOOK',
    method: 'POST',
    url: `${target.url}/orders`,
    headers: { Authorization: 'Bearer ******', 'X-Name': 'orders', 'X-Port-Signature': '(made when it is sent)' },
    body: { name: 'orders', token: '******' },
  });
  expect(seen.run.status).toBe('IN_PROGRESS');
  expect(seen.carrier?.text).toBe('The portal itself, from its own network.');

  await test.machine.call(runRoutes.execute, { params: params('direct'), body: { properties: { name: 'orders' } } });
  await expect.poll(() => target.requests.length).toBe(1);
  const [sent] = target.requests;
  expect(`${target.url}${sent?.path}`).toBe(seen.request?.url);
  const names = Object.keys(seen.request?.headers ?? {}).map((name) => name.toLowerCase());
  for (const name of names) expect(sent?.headers).toHaveProperty(name);
  expect(JSON.parse(String(sent?.body))).toEqual({ name: 'orders', token: 'not-to-be-seen' });
});

it('says who approves, and what would be sent after that', async () => {
  await create('asking', { agent: true, body: { name: '{{ .inputs.name }}' } }, { requiredApproval: true });
  const seen = await preview('asking');
  expect(seen).toMatchObject({
    run: { status: 'WAITING_FOR_APPROVAL' },
    approvers: [testOrganization.adminEmail],
    request: { url: `${target.url}/orders`, body: { name: 'orders', context: { runId: seen.run.id } } },
    carrier: { names: [], text: expect.stringContaining('No execution agent is connected') },
  });
  expect(seen.logs[0]).toContain(`Waiting for approval by ${testOrganization.adminEmail}`);
});

it('names the agents that may take it', async () => {
  await test.machine.call(dispatchRoutes.claim, {
    body: {
      installationId: '_PORT_EXEC_AGENT',
      limit: 1,
      agent: { id: 'agent-7', version: '1', inFlight: 0, capacity: 1 },
    },
  });
  expect((await preview('asking')).carrier).toMatchObject({ names: ['agent-7'] });
  await create('labelled', { agent: true, agentLabels: { env: 'prod' }, url: `${target.url}/orders` });
  expect((await preview('labelled')).carrier).toEqual({
    names: [],
    text: 'No execution agent with env=prod is connected; the run would wait for one.',
  });
});

it('tells what executing would refuse, and why a run would fail', async () => {
  const refused = await test.machine.refused(runRoutes.preview, { params: params('direct'), body: { properties: {} } });
  expect([refused.status, refused.body.details?.[0]?.path]).toEqual([422, 'body.properties.name']);
  await create('broken', { body: { x: '{{ .inputs.name | error("no") }} text' }, url: '{{ null }}' });
  expect((await preview('broken')).problem).toContain('yields no text');
});

it('leaves nothing behind: no run, no work, no message, no event', async () => {
  const count = async () => (await test.machine.call(runRoutes.list, { query: { limit: 1000 } })).body.runs.length;
  const events = async () => (await test.machine.call(auditRoutes.list, { query: { limit: 1000 } })).body.audits.length;
  const before = [await count(), await events()];
  const metrics = async () => (await test.machine.fetch('/metrics')).text();
  const runsTotal = (text: string) => text.split('\n').filter((line) => line.startsWith('quayside_runs_total'));
  const metricsBefore = runsTotal(await metrics());
  for (const action of ['direct', 'asking', 'broken']) await preview(action);
  expect([await count(), await events()]).toEqual(before);
  expect(runsTotal(await metrics())).toEqual(metricsBefore);
  expect(target.requests).toHaveLength(1);
  const { runs } = (
    await test.machine.call(dispatchRoutes.claim, { body: { installationId: '_PORT_EXEC_AGENT', limit: 10 } })
  ).body;
  expect(runs).toEqual([]);
});
