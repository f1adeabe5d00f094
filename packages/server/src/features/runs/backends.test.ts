import { createHmac } from 'node:crypto';
import {
  type ActionBody,
  actionRoutes,
  auditRoutes,
  blueprintRoutes,
  dispatchRoutes,
  entityRoutes,
  type Run,
  runRoutes,
} from '@quayside/contracts';
import { testOrganization } from '@quayside/testkit';
import { type Receiver, startReceiver } from '@quayside/testkit/receiver';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { serviceBlueprint } from '../../../test/documents.ts';
import { startTestApp, type TestApp } from '../../../test/harness.ts';

let test: TestApp;
let azure: Receiver;
beforeAll(async () => {
  azure = await startReceiver();
  test = await startTestApp({ QUAYSIDE_AZURE_DEVOPS_URL: azure.url, QUAYSIDE_ALLOW_PRIVATE_TARGETS: 'true' });
  await test.machine.call(blueprintRoutes.create, {
    body: {
      ...serviceBlueprint,
      ownership: { type: 'Direct' },
    } as typeof serviceBlueprint,
  });
  for (const identifier of ['cart', 'tax'])
    await test.machine.call(entityRoutes.create, {
      params: { blueprint_identifier: 'service' },
      body: { identifier, properties: { tier: 1, language: 'Go' } },
    });
}, 60_000);
afterAll(async () => {
  await test.stop();
  await azure.close();
});

let count = 0;
async function execute(
  invocationMethod: object,
  properties: Record<string, unknown> = {},
  inputs: Record<string, unknown> = Object.fromEntries(
    Object.keys(properties).map((name) => [name, { type: 'string' }]),
  ),
): Promise<Run> {
  const identifier = `backend-${++count}`;
  await test.machine.call(actionRoutes.create, {
    body: {
      identifier,
      trigger: { type: 'self-service', operation: 'CREATE', userInputs: { properties: inputs } },
      invocationMethod,
    } as ActionBody,
  });
  return (
    await test.machine.call(runRoutes.execute, { params: { action_identifier: identifier }, body: { properties } })
  ).body.run;
}
const read = async (id: string) => (await test.machine.call(runRoutes.get, { params: { run_id: id } })).body.run;
async function ended(id: string): Promise<Run> {
  await expect.poll(async () => (await read(id)).status).not.toBe('IN_PROGRESS');
  return read(id);
}
const find = async (identifier: string) =>
  (
    await test.machine.call(entityRoutes.get, {
      params: { blueprint_identifier: 'service', entity_identifier: identifier },
    })
  ).body.entity;

describe('UPSERT_ENTITY', () => {
  const upsert = (mapping: object, blueprintIdentifier = 'service') => ({
    type: 'UPSERT_ENTITY',
    blueprintIdentifier,
    mapping,
  });

  it('creates an entity tied to the run, then merges into it', async () => {
    const mapping = {
      identifier: '{{ .inputs.name }}',
      title: 'The {{ .inputs.name }}',
      team: '{{ .inputs.team }}',
      properties: { tier: '{{ .inputs.name | length }}', url: '{{ empty }}' },
    };
    const created = await ended((await execute(upsert(mapping), { name: 'basket', team: 'shop' })).id);
    expect(created).toMatchObject({ status: 'SUCCESS', payload: { type: 'UPSERT_ENTITY' } });
    expect(await find('basket')).toMatchObject({ title: 'The basket', team: ['shop'], properties: { tier: 6 } });
    const { entities } = (await test.machine.call(runRoutes.affectedEntities, { params: { run_id: created.id } })).body;
    expect(entities).toMatchObject([{ blueprint: 'service', entity: 'basket', operation: 'CREATE' }]);
    // Whoever executed wrote it, and not the portal.
    const { audits } = (await test.machine.call(auditRoutes.list, { query: { entity: 'basket', run_id: created.id } }))
      .body;
    const [write] = audits.filter(({ resourceType }) => resourceType === 'entity');
    expect(write).toMatchObject({ action: 'CREATE', trigger: { origin: 'API', by: { userId: created.createdBy } } });
    expect((await find('basket')).createdBy).toBe(created.createdBy);
    const { deliveries } = (await test.machine.call(runRoutes.deliveries, { params: { run_id: created.id } })).body;
    expect(deliveries).toMatchObject([{ state: 'settled', outcome: { kind: 'written', entity: 'basket' } }]);

    const merge = { identifier: 'basket', properties: { language: 'Go' } };
    expect((await ended((await execute(upsert(merge))).id)).status).toBe('SUCCESS');
    expect(await find('basket')).toMatchObject({
      title: 'The basket',
      team: ['shop'],
      properties: { tier: 6, language: 'Go' },
    });
  });

  it('relates by identifier, by entity and by lists of either; null clears', async () => {
    const inputs = {
      one: { type: 'string', format: 'entity', blueprint: 'service' },
      many: { type: 'array', items: { type: 'string', format: 'entity', blueprint: 'service' } },
    };
    const mapping = {
      identifier: 'web',
      properties: { tier: 1 },
      relations: { replaces: '{{ .inputs.one }}', depends_on: '{{ .inputs.many }}' },
    };
    const run = await execute(upsert(mapping), { one: 'cart', many: ['cart', 'tax'] }, inputs);
    expect((await ended(run.id)).status).toBe('SUCCESS');
    expect((await find('web')).relations).toMatchObject({ replaces: 'cart', depends_on: ['cart', 'tax'] });
    await ended((await execute(upsert({ identifier: 'web', relations: { replaces: null, depends_on: ['tax'] } }))).id);
    expect((await find('web')).relations).toMatchObject({ replaces: null, depends_on: ['tax'] });
  });

  it.each([
    ['an entity that breaks its blueprint', { identifier: 'bad', properties: { tier: 'high' } }, 'service', 'tier'],
    [
      'a relation to nothing',
      { identifier: 'bad', properties: { tier: 1 }, relations: { replaces: 'nowhere' } },
      'service',
      'nowhere',
    ],
    [
      'an identifier that is none',
      { identifier: '{{ .inputs.missing }}' },
      'service',
      'the identifier of the mapping yields no text',
    ],
    ['an unknown blueprint', { identifier: 'bad' }, 'unheard-of', '"unheard-of" was not found'],
  ])('ends in FAILURE with the reason for %s, and writes nothing', async (_name, mapping, blueprint, reason) => {
    const run = await ended((await execute(upsert(mapping, blueprint))).id);
    expect(run.status).toBe('FAILURE');
    expect(run.summary).toContain(reason);
    const { runLogs } = (await test.machine.call(runRoutes.listLogs, { params: { run_id: run.id } })).body;
    expect(runLogs.map((line) => line.message).join()).toContain(reason);
    const params = { blueprint_identifier: 'service', entity_identifier: 'bad' };
    expect((await test.machine.refused(entityRoutes.get, { params })).status).toBe(404);
  });
});

describe('the portal itself as a target', () => {
  afterAll(() => {
    azure.requests.length = 0;
  });
  const call = (action: string, extra: object = {}) => ({
    type: 'WEBHOOK',
    url: `${test.app.url}/v1/actions/${action}/runs?run_as=${testOrganization.adminEmail}`,
    synchronized: true,
    body: { properties: {} },
    ...extra,
  });

  it('is called as the organization, so that an action starts another one', async () => {
    const inner = await execute({ type: 'WEBHOOK', url: azure.url });
    const outer = await ended((await execute(call(inner.action.identifier))).id);
    expect(outer.status).toBe('SUCCESS');
    const started = await read((outer.response as { run: Run }).run.id);
    expect(started).toMatchObject({
      action: { identifier: inner.action.identifier },
      impersonatedBy: testOrganization.clientId,
    });
    expect(JSON.stringify(outer)).not.toContain('eyJ');
  });

  it('is called with the authorization that the action has, where it has one', async () => {
    const inner = await execute({ type: 'WEBHOOK', url: azure.url });
    const method = call(inner.action.identifier, { headers: { authorization: 'Bearer nonsense' } });
    const outer = await ended((await execute(method)).id);
    expect([outer.status, outer.summary]).toEqual(['FAILURE', expect.stringContaining('answered 401')]);
  });

  it('is not called in a circle for ever', async () => {
    const identifier = `backend-${count + 1}`;
    await execute(call(identifier, { synchronized: false }));
    const query = { action: identifier, limit: 100 };
    const runs = async () => (await test.machine.call(runRoutes.list, { query })).body.runs;
    await expect
      .poll(async () => (await runs()).filter((run) => run.status === 'FAILURE').length, { timeout: 20_000 })
      .toBe(1);
    const all = await runs();
    expect(all).toHaveLength(26);
    expect(all[0]).toMatchObject({ status: 'FAILURE', summary: expect.stringContaining('answered 409') });
  }, 30_000);
});

describe('WEBHOOK', () => {
  it.each(['POST', 'PUT', 'PATCH', 'DELETE', 'GET'])('calls with %s', async (method) => {
    const receiver = await startReceiver();
    const body = { a: 1 };
    const { id } = await execute({ type: 'WEBHOOK', url: receiver.url, synchronized: true, method, body });
    expect((await ended(id)).status).toBe('SUCCESS');
    expect(receiver.requests.map((request) => [request.method, String(request.body)])).toEqual([
      [method, method === 'GET' ? '' : '{"a":1}'],
    ]);
    await receiver.close();
  });

  it('says of a target that is not there which one it was, and why', async () => {
    const receiver = await startReceiver();
    await receiver.close();
    const run = await ended((await execute({ type: 'WEBHOOK', url: `${receiver.url}/hook`, synchronized: true })).id);
    expect(run).toMatchObject({ status: 'FAILURE', summary: expect.stringContaining('ECONNREFUSED') });
    const { runLogs } = (await test.machine.call(runRoutes.listLogs, { params: { run_id: run.id } })).body;
    expect(runLogs.map((line) => line.message)).toEqual([
      `Sending POST ${receiver.url}/hook`,
      expect.stringContaining('ECONNREFUSED'),
    ]);
  });
});

describe('JENKINS', () => {
  it('is a webhook by another name', async () => {
    const before = azure.requests.length;
    const run = await execute({
      type: 'JENKINS',
      url: `${azure.url}/generic-webhook-trigger/invoke`,
      synchronized: true,
    });
    expect((await ended(run.id)).status).toBe('SUCCESS');
    expect(azure.requests[before]?.path).toBe('/generic-webhook-trigger/invoke');
    azure.requests.length = 0;
  });
});

describe('AZURE_DEVOPS', () => {
  it('posts the payload to the webhook of the organization, signed as Azure checks it, and waits for the report', async () => {
    const run = await execute(
      { type: 'AZURE_DEVOPS', org: 'my org', webhook: '{{ .inputs.hook }}', payload: { run: '{{ .run.id }}' } },
      { hook: 'deploy' },
    );
    await expect.poll(() => azure.requests.length).toBe(1);
    const [request] = azure.requests;
    expect(request?.path).toBe('/my%20org/_apis/public/distributedtask/webhooks/deploy?api-version=6.0-preview');
    expect(JSON.parse(String(request?.body))).toEqual({ run: run.id });
    const signature = createHmac('sha1', testOrganization.clientSecret)
      .update(request?.body ?? '')
      .digest('hex');
    expect(request?.headers['x-port-signature']).toBe(signature);
    await expect.poll(async () => (await read(run.id)).pendingExecution).toBe(false);
    expect((await read(run.id)).status).toBe('IN_PROGRESS');
  });
});

describe('INTEGRATION_ACTION', () => {
  it('waits for its integration, which claims it by name, acknowledges once and reports', async () => {
    const run = await execute(
      {
        type: 'INTEGRATION_ACTION',
        installationId: 'my-github',
        integrationActionType: 'dispatch_workflow',
        integrationActionExecutionProperties: { org: 'o', repo: '{{ .inputs.repo }}', workflow: 'deploy.yml' },
      },
      { repo: 'shop' },
    );
    expect(run).toMatchObject({ status: 'IN_PROGRESS', pendingExecution: true, installationId: 'my-github' });
    const claim = async (body: object) =>
      (
        await test.machine.call(dispatchRoutes.claim, {
          body: { limit: 10, visibilityTimeoutMs: 60_000, ...body } as never,
        })
      ).body.runs;
    expect(await claim({ installationId: 'other' })).toEqual([]);
    expect(await claim({ installationId: 'my-github', exclude: [run.action.identifier] })).toEqual([]);
    expect(await claim({ installationId: 'my-github' })).toMatchObject([
      {
        id: run.id,
        payload: {
          type: 'INTEGRATION_ACTION',
          installationId: 'my-github',
          integrationActionType: 'dispatch_workflow',
          integrationActionExecutionProperties: { org: 'o', repo: 'shop', workflow: 'deploy.yml' },
        },
      },
    ]);
    await test.machine.call(dispatchRoutes.acknowledge, { body: { runId: run.id } });
    const again = await test.machine.refused(dispatchRoutes.acknowledge, { body: { runId: run.id } });
    expect(again.status).toBe(409);
    await test.machine.call(runRoutes.patch, {
      params: { run_id: run.id },
      body: { status: 'SUCCESS', link: 'https://example.com/run/1', externalRunId: '1' },
    });
    expect(await read(run.id)).toMatchObject({ status: 'SUCCESS', externalRunId: '1' });
  });
});
