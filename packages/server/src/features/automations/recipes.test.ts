import {
  type ActionBody,
  actionRoutes,
  blueprintRoutes,
  type Entity,
  entityRoutes,
  runRoutes,
  secretRoutes,
} from '@quayside/contracts';
import { type Receiver, startReceiver } from '@quayside/testkit/receiver';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { startTestApp, type TestApp } from '../../../test/harness.ts';

/** The ten recipes that users of automations know (spec/actions.md §4.7), against real receivers and the portal itself. */
vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

let test: TestApp;
let target: Receiver;
beforeAll(async () => {
  target = await startReceiver();
  test = await startTestApp({ QUAYSIDE_ALLOW_PRIVATE_TARGETS: 'true' });
  const text = { type: 'string' as const };
  await test.machine.call(blueprintRoutes.create, {
    body: {
      identifier: 'service',
      title: 'Service',
      schema: {
        properties: { health: text, ttl: { ...text, format: 'timer' }, owner: text, verified: { type: 'boolean' } },
      },
    },
  });
  await test.machine.call(blueprintRoutes.create, {
    body: {
      identifier: 'person',
      title: 'Person',
      schema: { properties: {} },
      relations: { services: { target: 'service', many: true } },
    },
  });
  await test.machine.call(blueprintRoutes.create, {
    body: {
      identifier: 'action_run',
      title: 'Run',
      schema: {
        properties: { status: text, created_at: { ...text, format: 'date-time' }, action: text, answer: text },
      },
    },
  });
  await test.machine.call(secretRoutes.create, { body: { secretName: 'SLACK', secretValue: `${target.url}/slack` } });
});
afterAll(async () => {
  await test.stop();
  await target.close();
});

type Trigger = Extract<ActionBody['trigger'], { type: 'automation' }>;
const automation = (
  identifier: string,
  event: Trigger['event'],
  expressions: string[],
  invocationMethod: ActionBody['invocationMethod'],
) =>
  test.machine.call(actionRoutes.create, {
    body: {
      identifier,
      trigger: { type: 'automation', event, condition: { type: 'JQ', expressions, combinator: 'and' } },
      invocationMethod,
    },
  });

const action = (identifier: string, change: Partial<ActionBody> = {}) =>
  test.machine.call(actionRoutes.create, {
    body: {
      identifier,
      title: `Action ${identifier}`,
      trigger: { type: 'self-service', operation: 'CREATE', userInputs: { properties: { type: { type: 'string' } } } },
      invocationMethod: { type: 'WEBHOOK', url: `${target.url}/${identifier}`, body: {} },
      ...change,
    },
  });

const write = (blueprint: string, identifier: string, properties: Record<string, unknown>) =>
  test.machine.call(entityRoutes.create, {
    params: { blueprint_identifier: blueprint },
    query: { upsert: true, merge: true },
    body: { identifier, properties },
  });

const read = async (blueprint: string, identifier: string): Promise<Entity> =>
  (
    await test.machine.call(entityRoutes.get, {
      params: { blueprint_identifier: blueprint, entity_identifier: identifier },
    })
  ).body.entity;

const execute = async (identifier: string, properties: Record<string, unknown> = {}) =>
  (await test.machine.call(runRoutes.execute, { params: { action_identifier: identifier }, body: { properties } })).body
    .run;

const runsOf = async (identifier: string) =>
  (await test.machine.call(runRoutes.list, { query: { action: identifier } })).body.runs;

const patch = (id: string, body: Record<string, unknown>) =>
  test.machine.call(runRoutes.patch, { params: { run_id: id }, body });

const sent = (path: string) =>
  target.requests
    .filter((request) => request.path === path)
    .map(({ body }) => JSON.parse(body.toString()) as Record<string, unknown>);

const eventually = <T>(check: () => T | Promise<T>): Promise<T> => vi.waitFor(check, { timeout: 30_000, interval: 50 });

const hook = (path: string, body: Record<string, unknown>): ActionBody['invocationMethod'] => ({
  type: 'WEBHOOK',
  url: `${target.url}${path}`,
  synchronized: true,
  body,
});

describe('recipes', () => {
  it('1: a service that becomes unhealthy posts to a webhook', async () => {
    await automation(
      'unhealthy',
      { type: 'ENTITY_UPDATED', blueprintIdentifier: 'service' },
      ['.diff.before.properties.health == "Healthy"', '.diff.after.properties.health == "Unhealthy"'],
      hook('/unhealthy', { entityIdentifier: '{{ .event.context.entityIdentifier }}' }),
    );
    for (const health of ['Healthy', 'Healthy', 'Unhealthy', 'Unhealthy', 'Healthy'])
      await write('service', 'shop', { health });
    await eventually(() => expect(sent('/unhealthy')).toEqual([{ entityIdentifier: 'shop' }]));
    await eventually(async () => expect((await runsOf('unhealthy')).map(({ status }) => status)).toEqual(['SUCCESS']));
  });

  it('2: a time to live that ends calls a webhook with the entity and the run', async () => {
    await automation(
      'ended',
      { type: 'TIMER_PROPERTY_EXPIRED', blueprintIdentifier: 'service', propertyIdentifier: 'ttl' },
      [],
      hook('/ended', { entity_id: '{{ .event.context.entityIdentifier }}', port_context: { run_id: '{{ .run.id }}' } }),
    );
    await write('service', 'temporary', { ttl: new Date(Date.now() + 1_000).toISOString() });
    const [body] = await eventually(() => {
      expect(sent('/ended')).toHaveLength(1);
      return sent('/ended');
    });
    const [run] = await runsOf('ended');
    expect(body).toEqual({ entity_id: 'temporary', port_context: { run_id: run?.id } });
  });

  it('3: a change starts a self-service action through the API, as a person', async () => {
    await action('restart');
    await automation(
      'starts-action',
      { type: 'ENTITY_UPDATED', blueprintIdentifier: 'service' },
      ['.diff.after.properties.owner == "restart-me"'],
      {
        type: 'WEBHOOK',
        url: `${test.app.url}/v1/actions/restart/runs?run_as=admin@example.com`,
        synchronized: true,
        body: { properties: { type: '{{ .event.context.entityIdentifier }}' } },
      },
    );
    await write('service', 'shop', { owner: 'restart-me' });
    const [run] = await eventually(async () => {
      const runs = await runsOf('restart');
      expect(runs).toHaveLength(1);
      return runs;
    });
    expect(run).toMatchObject({ properties: { type: 'shop' }, source: 'API', impersonatedBy: expect.any(String) });
    const [own] = await eventually(async () => {
      const runs = await runsOf('starts-action');
      expect(runs[0]?.status).toBe('SUCCESS');
      return runs;
    });
    // The token is in the request only.
    expect(own?.payload).toMatchObject({ asOrganization: true });
    expect(JSON.stringify(own)).not.toContain('Bearer');
  });

  it('4: a run that fails posts to Slack', async () => {
    await action('fragile');
    await automation(
      'tells-slack',
      { type: 'RUN_UPDATED', actionIdentifier: 'fragile' },
      ['.diff.before.status == "IN_PROGRESS"', '.diff.after.status == "FAILURE"'],
      {
        type: 'SLACK',
        url: '{{ .secrets.SLACK }}',
        synchronized: true,
        body: {
          text: 'Run <{{ .event.diff.after.id }}> of {{ .event.context.action.title }} failed: {{ .event.diff.after.summary }}',
        },
      },
    );
    const run = await execute('fragile');
    await patch(run.id, { statusLabel: 'half way' });
    await patch(run.id, { status: 'FAILURE', summary: 'no disk' });
    await eventually(() =>
      expect(sent('/slack')).toEqual([{ text: `Run <${run.id}> of Action fragile failed: no disk` }]),
    );
  });

  it('5: a run of type Testing is approved by itself', async () => {
    await action('guarded', { requiredApproval: true });
    await automation(
      'approves',
      { type: 'RUN_CREATED', actionIdentifier: 'guarded' },
      ['.diff.after.properties.type == "Testing"'],
      {
        type: 'WEBHOOK',
        url: `${test.app.url}/v1/actions/runs/{{ .event.diff.after.id }}/approval`,
        method: 'PATCH',
        synchronized: true,
        body: { status: 'APPROVE', description: 'Testing needs nobody' },
      },
    );
    const waiting = await execute('guarded', { type: 'Production' });
    const run = await execute('guarded', { type: 'Testing' });
    await eventually(async () =>
      expect((await test.machine.call(runRoutes.get, { params: { run_id: run.id } })).body.run).toMatchObject({
        status: 'IN_PROGRESS',
        approval: { description: 'Testing needs nobody' },
      }),
    );
    expect((await test.machine.call(runRoutes.get, { params: { run_id: waiting.id } })).body.run.status).toBe(
      'WAITING_FOR_APPROVAL',
    );
  });

  it('6: a new service is appended to a relation', async () => {
    await write('person', 'ada', {});
    await automation(
      'appends',
      { type: 'ENTITY_CREATED', blueprintIdentifier: 'service' },
      ['.diff.after.properties.owner == "ada"'],
      {
        type: 'UPSERT_ENTITY',
        blueprintIdentifier: 'person',
        mapping: {
          identifier: '{{ .event.diff.after.properties.owner }}',
          relations: { services: '{{ (.event.diff.after.properties.known // []) + [.event.diff.after.identifier] }}' },
        },
      },
    );
    await test.machine.call(entityRoutes.create, {
      params: { blueprint_identifier: 'service' },
      body: { identifier: 'second', properties: { owner: 'ada', known: ['shop'] } },
    });
    await eventually(async () => expect((await read('person', 'ada')).relations.services).toEqual(['shop', 'second']));
  });

  it('7: a verified service gets seven days from when that happened', async () => {
    await automation(
      'seven-days',
      { type: 'ENTITY_UPDATED', blueprintIdentifier: 'service' },
      ['.diff.before.properties.verified != true', '.diff.after.properties.verified == true'],
      {
        type: 'UPSERT_ENTITY',
        blueprintIdentifier: 'service',
        mapping: {
          identifier: '{{ .event.context.entityIdentifier }}',
          properties: {
            ttl: '{{ .trigger.at | sub("\\\\.[0-9]+Z$"; "Z") | fromdateiso8601 + 604800 | todateiso8601 }}',
          },
        },
      },
    );
    await write('service', 'checked', { verified: false });
    const at = Date.now();
    await write('service', 'checked', { verified: true });
    const ttl = await eventually(async () => {
      const value = (await read('service', 'checked')).properties.ttl;
      expect(value).toEqual(expect.any(String));
      return Date.parse(value as string);
    });
    expect(Math.abs(ttl - at - 7 * 86_400_000)).toBeLessThan(60_000);
  });

  it('8: every run is mirrored into an entity', async () => {
    await action('mirrored');
    await automation('mirrors', { type: 'ANY_RUN_CHANGE', actionIdentifier: 'mirrored' }, [], {
      type: 'UPSERT_ENTITY',
      blueprintIdentifier: 'action_run',
      mapping: {
        identifier: '{{ .event.diff.after.id }}',
        title: '{{ .event.context.action.title }}',
        properties: {
          status: '{{ .event.diff.after.status }}',
          created_at: '{{ .event.diff.after.createdAt }}',
          action: '{{ .event.diff.after.action.identifier }}',
        },
      },
    });
    const run = await execute('mirrored');
    await eventually(async () => expect((await read('action_run', run.id)).properties.status).toBe('IN_PROGRESS'));
    await patch(run.id, { status: 'SUCCESS' });
    await eventually(async () =>
      expect(await read('action_run', run.id)).toMatchObject({
        title: 'Action mirrored',
        properties: { status: 'SUCCESS', action: 'mirrored', created_at: run.createdAt },
      }),
    );
  });

  it('9: the answer of a synchronous webhook is written into an entity when the run succeeds', async () => {
    target.answer = (request, response) =>
      void response
        .setHeader('content-type', 'application/json')
        .end(request.path === '/asks' ? '{"token":"t-1"}' : '{}');
    await action('asks', { invocationMethod: hook('/asks', {}) });
    await automation(
      'writes-answer',
      { type: 'RUN_UPDATED', actionIdentifier: 'asks' },
      ['.diff.after.status == "SUCCESS"'],
      {
        type: 'UPSERT_ENTITY',
        blueprintIdentifier: 'action_run',
        mapping: { identifier: 'answer', properties: { answer: '{{ .event.diff.after.response.token }}' } },
      },
    );
    await execute('asks');
    await eventually(async () => expect((await read('action_run', 'answer')).properties.answer).toBe('t-1'));
    expect(await runsOf('writes-answer')).toHaveLength(1);
  });

  it('10: the outcome of an approval is told', async () => {
    await action('judged', { requiredApproval: true });
    await automation(
      'tells-outcome',
      { type: 'RUN_UPDATED', actionIdentifier: 'judged' },
      ['.diff.before.status == "WAITING_FOR_APPROVAL"', '.diff.after.status | IN("DECLINED", "IN_PROGRESS")'],
      hook('/outcome', {
        text: '{{ .event.context.action.title }}: {{ .event.diff.after.status }}, {{ .event.diff.after.approval.description }}',
      }),
    );
    const run = await execute('judged');
    await test.machine.call(runRoutes.approve, {
      params: { run_id: run.id },
      body: { status: 'DECLINE', description: 'not today' },
    });
    await eventually(() => expect(sent('/outcome')).toEqual([{ text: 'Action judged: DECLINED, not today' }]));
  });
});

describe('a call of the portal itself', () => {
  it('belongs to the chain of the automation: one that comes back to itself ends', async () => {
    await action('echo');
    await automation('echoes', { type: 'RUN_CREATED', actionIdentifier: 'echo' }, [], {
      type: 'WEBHOOK',
      url: `${test.app.url}/v1/actions/echo/runs`,
      method: 'POST',
      synchronized: true,
      body: { properties: {} },
    });
    await execute('echo');
    const refused = await eventually(async () => {
      const failed = (await runsOf('echoes')).filter(({ status }) => status === 'FAILURE');
      expect(failed).not.toEqual([]);
      return failed;
    });
    expect(refused).toHaveLength(1);
    expect((await runsOf('echoes')).length).toBeLessThanOrEqual(26);
  });
});
