import { actionRoutes, agentInstallationId, dispatchRoutes, runRoutes } from '@quayside/contracts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { webhookAction } from './documents.ts';
import { startTestApp, type TestApp } from './harness.ts';

/** What nobody should send: each gets a clear error, and the portal goes on. */
let test: TestApp;
beforeAll(async () => {
  test = await startTestApp({ QUAYSIDE_RATE_LIMIT: '0' });
});
afterAll(() => test.stop());

const post = (path: string, body: string | Uint8Array, headers: Record<string, string> = {}) =>
  test.machine.fetch(path, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: body as never,
  });
const answerOf = async (response: Response) => ({
  status: response.status,
  body: (await response.json()) as { ok: boolean; error: string; message: string },
});

describe('bad requests', () => {
  it.each([
    ['malformed JSON', () => post('/v1/actions', '{"identifier": '), 400, 'malformed_json'],
    ['a body that is no object', () => post('/v1/actions', '[]'), 422, 'invalid_request'],
    ['an empty body', () => post('/v1/actions', ''), 422, 'invalid_request'],
    [
      'another content type',
      () => post('/v1/actions', 'a=1', { 'content-type': 'application/x-www-form-urlencoded' }),
      415,
      'unsupported_media_type',
    ],
    [
      'a body of 2 MB',
      () => post('/v1/actions', JSON.stringify({ identifier: 'x'.repeat(2_000_000) })),
      413,
      'payload_too_large',
    ],
    ['an unknown route', () => test.machine.fetch('/v1/nothing'), 404, 'not_found'],
    ['another method', () => test.machine.fetch('/v1/actions', { method: 'DELETE' }), 405, 'method_not_allowed'],
    ['a broken path', () => test.machine.fetch('/v1/actions/%E0%A4%A'), 422, 'invalid_request'],
    [
      'a scheme that is not Bearer',
      () => test.nobody.fetch('/v1/actions', { headers: { authorization: 'Basic eDp5' } }),
      401,
      'unauthorized',
    ],
    ['nobody', () => test.nobody.fetch('/v1/actions'), 401, 'unauthorized'],
  ])('%s', async (_name, send, status, error) => {
    const response = await send();
    expect(response.headers.get('x-trace-id')).toMatch(/^[0-9a-f]{32}$/);
    expect(response.headers.get('content-type')).toContain('application/json');
    expect(await answerOf(response)).toMatchObject({ status, body: { ok: false, error } });
  });

  it('tells every mistake of a document, each with its path', async () => {
    const { body } = await test.machine.refused(actionRoutes.create, {
      body: {
        identifier: 'a b',
        trigger: { type: 'self-service', operation: 'MAKE', userInputs: { properties: { x: { type: 'text' } } } },
        invocationMethod: { type: 'WEBHOOK', colour: 1 },
        unknown: true,
      },
    });
    expect(body.details?.map((detail) => detail.path).sort()).toEqual([
      'body.identifier',
      'body.invocationMethod.colour',
      'body.invocationMethod.url',
      'body.trigger.operation',
      'body.trigger.userInputs.properties.x.type',
      'body.unknown',
    ]);
  });

  it.each([
    ['a template with unbalanced braces', { url: 'http://x/{{ .a' }, 'invalid_expression'],
    [
      'an order that names no input',
      { trigger: { type: 'self-service', operation: 'CREATE', userInputs: { properties: {}, order: ['x'] } } },
      'invalid_request',
    ],
    [
      'a condition on CREATE',
      {
        trigger: {
          type: 'self-service',
          operation: 'CREATE',
          userInputs: { properties: {} },
          condition: { combinator: 'and', rules: [] },
        },
      },
      'invalid_request',
    ],
    [
      'jq that does not compile',
      {
        trigger: {
          type: 'self-service',
          operation: 'CREATE',
          userInputs: { properties: { x: { type: 'string', default: { jqQuery: '.a |' } } } },
        },
      },
      'invalid_expression',
    ],
    [
      'a blueprint that is not there',
      {
        trigger: {
          type: 'self-service',
          operation: 'DAY-2',
          blueprintIdentifier: 'nowhere',
          userInputs: { properties: {} },
        },
      },
      'invalid_request',
    ],
  ])('an action with %s', async (_name, change, error) => {
    const answer = await test.machine.refused(actionRoutes.create, {
      body: webhookAction({ identifier: 'bad', ...(change as object) }),
    });
    expect(answer).toMatchObject({ status: 422, body: { error } });
    expect((await test.machine.refused(actionRoutes.get, { params: { action_identifier: 'bad' } })).status).toBe(404);
  });

  it.each([
    ['an endless jq program', '{{ [range(1e9)] | length }}'],
    ['a loop without an end', '{{ until(false; .) }}'],
    ['a template that yields 50 MB', '{{ "0123456789" * 5000000 }}'],
  ])('%s ends at its budget; the run says which and where, and the portal goes on', async (name, template) => {
    const identifier = name.replaceAll(' ', '_');
    await test.machine.call(actionRoutes.create, { body: webhookAction({ identifier, body: { value: template } }) });
    const startedAt = performance.now();
    const execution = { params: { action_identifier: identifier }, body: { properties: { name: 'shop' } } };
    const { run } = (await test.machine.call(runRoutes.execute, execution)).body;
    expect(performance.now() - startedAt).toBeLessThan(5_000);
    expect(run).toMatchObject({ status: 'FAILURE', payload: null });
    expect(run.summary).toMatch(/budget exceeded.*\$\.body\.value/);
    expect(run.pendingExecution).toBe(false);
    const { deliveries } = (await test.machine.call(runRoutes.deliveries, { params: { run_id: run.id } })).body;
    expect(deliveries).toEqual([]);
  });

  it('keeps the key order of what users wrote', async () => {
    const properties = {
      zebra: { type: 'string' as const },
      apple: { type: 'string' as const },
      '10': { type: 'string' as const },
      mango: { type: 'string' as const },
    };
    await test.machine.call(actionRoutes.create, {
      body: webhookAction({
        identifier: 'ordered',
        trigger: { type: 'self-service', operation: 'CREATE', userInputs: { properties } },
      }),
    });
    const { action } = (await test.machine.call(actionRoutes.get, { params: { action_identifier: 'ordered' } })).body;
    const trigger = action.trigger as { userInputs: { properties: Record<string, unknown> } };
    // JavaScript puts keys that are whole numbers first; all others stay as written.
    expect(Object.keys(trigger.userInputs.properties)).toEqual(['10', 'zebra', 'apple', 'mango']);
  });

  it('tolerates what real clients send: unknown query parameters, empty values, lists in three spellings', async () => {
    for (const query of [
      'oceanCoreVersion=1&isPolling=true&run_id=',
      'action_identifier=a&action_identifier=ordered',
      'action_identifier=a,ordered',
      'action_identifier[]=ordered',
      'published=TRUE',
    ])
      expect((await test.machine.fetch(`/v1/actions?${query}`)).status, query).toBe(200);
    const { actions } = (await (await test.machine.fetch('/v1/actions?action_identifier=a,ordered')).json()) as {
      actions: unknown[];
    };
    expect(actions).toHaveLength(1);
  });

  it('limits a runaway client, with headers it can act on, and never the agents’ claims', async () => {
    const limited = await startTestApp({ QUAYSIDE_RATE_LIMIT: '5' });
    const statuses: number[] = [];
    let last: Response | undefined;
    for (let index = 0; index < 8; index++) {
      last = await limited.machine.fetch('/v1/actions');
      statuses.push(last.status);
    }
    expect(statuses).toContain(200);
    expect(statuses.at(-1)).toBe(429);
    expect(await last?.json()).toMatchObject({ ok: false, error: 'too_many_requests' });
    for (const name of [
      'x-ratelimit-period',
      'x-ratelimit-limit',
      'x-ratelimit-remaining',
      'x-ratelimit-reset',
      'retry-after',
    ])
      expect(last?.headers.get(name), name).toMatch(/^\d+$/);
    await limited.machine.call(dispatchRoutes.claim, { body: { installationId: agentInstallationId } });
    await limited.stop();
  });
});
