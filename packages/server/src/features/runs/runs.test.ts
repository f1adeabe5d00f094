import { generateKeyPairSync } from 'node:crypto';
import {
  actionRoutes,
  auditRoutes,
  blueprintRoutes,
  entityRoutes,
  type QueryOf,
  type RunStatus,
  runRoutes,
} from '@quayside/contracts';
import { testOrganization } from '@quayside/testkit';
import { startReceiver } from '@quayside/testkit/receiver';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { serviceBlueprint, webhookAction } from '../../../test/documents.ts';
import { startTestApp, type TestApp } from '../../../test/harness.ts';
import { sql } from '../../platform/db.ts';

let test: TestApp;
beforeAll(async () => {
  test = await startTestApp();
  await test.machine.call(blueprintRoutes.create, { body: serviceBlueprint });
  await test.machine.call(actionRoutes.create, { body: webhookAction() });
});
afterAll(() => test.stop());

const execute = async (action = 'scaffold', properties: Record<string, unknown> = { name: 'shop' }, entity?: string) =>
  (
    await test.machine.call(runRoutes.execute, {
      params: { action_identifier: action },
      body: { properties, ...(entity ? { entity } : {}) },
    })
  ).body.run;

describe('execute refuses', () => {
  const refused = (action: string, body: unknown) =>
    test.machine.refused(runRoutes.execute, { params: { action_identifier: action }, body });

  it.each([
    ['an unknown action', 'nothing', { properties: {} }, 404, 'Action with identifier "nothing" was not found.'],
    [
      'an unknown input',
      'scaffold',
      { properties: { name: 'shop', colour: 'red' } },
      422,
      'body.properties.colour is not an input',
    ],
    ['a wrong type', 'scaffold', { properties: { name: 5 } }, 422, 'body.properties.name must be a text.'],
    ['a broken rule', 'scaffold', { properties: { name: 'ab' } }, 422, 'must have at least 3 characters'],
    ['a missing input', 'scaffold', { properties: {} }, 422, 'body.properties.name is required.'],
    [
      'an unknown field',
      'scaffold',
      { properties: { name: 'shop' }, colour: 1 },
      422,
      'body.colour is not known here.',
    ],
    ['an entity for CREATE', 'scaffold', { properties: { name: 'shop' }, entity: 'x' }, 422, 'has no target entity'],
    ['a body without properties', 'scaffold', {}, 422, 'body.properties is required.'],
  ])('%s', async (_name, action, body, status, message) => {
    const { status: got, body: answer } = await refused(action, body);
    expect(got).toBe(status);
    expect(answer.ok).toBe(false);
    expect(answer.message).toContain(message);
  });

  it('and leaves nothing behind', async () => {
    const before = (await test.machine.call(runRoutes.list)).body.runs.length;
    await refused('scaffold', { properties: { name: 'ab' } });
    expect((await test.machine.call(runRoutes.list)).body.runs).toHaveLength(before);
  });

  it('a person without a session', async () => {
    expect(
      (await test.nobody.refused(runRoutes.execute, { params: { action_identifier: 'scaffold' }, body: {} })).status,
    ).toBe(401);
  });
});

describe('execute', () => {
  it('creates a run that waits for its agent, with defaults and templates filled in', async () => {
    const run = await execute();
    expect(run).toMatchObject({
      status: 'IN_PROGRESS',
      source: 'API',
      pendingExecution: true,
      rawProperties: { name: 'shop', count: 2 },
    });
    expect(run.id).toMatch(/^r_[A-Za-z0-9]{16}$/);
    expect(run.payload).toMatchObject({
      type: 'WEBHOOK',
      agent: true,
      method: 'POST',
      headers: { RUN_ID: run.id },
      body: { name: 'shop', count: 2, runId: run.id },
    });
  });

  it('sends the classic message when the action has no body', async () => {
    const invocationMethod = { type: 'WEBHOOK' as const, agent: true, url: 'http://internal/hook' };
    await test.machine.call(actionRoutes.create, { body: webhookAction({ identifier: 'bodiless', invocationMethod }) });
    const run = await execute('bodiless');
    expect(run.payload?.body).toMatchObject({
      action: 'bodiless',
      resourceType: 'run',
      status: 'TRIGGERED',
      context: { runId: run.id, entity: null, blueprint: null },
      payload: {
        properties: { name: 'shop', count: 2 },
        action: { identifier: 'bodiless', invocationMethod: { url: 'http://internal/hook' } },
      },
    });
  });

  it('fails a run whose template can not be filled in, and says why', async () => {
    const invocationMethod = {
      type: 'WEBHOOK' as const,
      agent: true,
      url: 'http://x/',
      body: { '{{ .inputs.count }}': 1 },
    };
    await test.machine.call(actionRoutes.create, { body: webhookAction({ identifier: 'broken', invocationMethod }) });
    const run = await execute('broken');
    expect(run.status).toBe('FAILURE');
    expect(run.summary).toContain('templates could not be filled in');
    const { runLogs } = (await test.machine.call(runRoutes.listLogs, { params: { run_id: run.id } })).body;
    expect(runLogs.map((log) => log.message)).toEqual([run.summary]);
  });

  it('does not pretend to dispatch what this version can not', async () => {
    await test.machine.call(actionRoutes.create, {
      body: webhookAction({ identifier: 'kafka', invocationMethod: { type: 'KAFKA' } }),
    });
    expect(await execute('kafka')).toMatchObject({ status: 'FAILURE', summary: expect.stringContaining('KAFKA') });
  });

  it('tells its templates who asked, that CREATE has no entity, and takes its switches from inputs', async () => {
    await test.machine.call(actionRoutes.create, {
      body: webhookAction({
        identifier: 'told',
        agent: '{{ .inputs.name == "private" }}' as never,
        body: { by: '{{ .trigger.by.user.email }}', origin: '{{ .trigger.origin }}', entity: '{{ .entity }}' },
      }),
    });
    const params = { action_identifier: 'told' };
    for (const [name, agent] of [
      ['private', true],
      ['public', false],
    ] as const) {
      const { run } = (await test.admin.call(runRoutes.execute, { params, body: { properties: { name } } })).body;
      expect(run.payload).toMatchObject({
        agent,
        body: { by: testOrganization.adminEmail, origin: 'UI', entity: {} },
      });
    }
  });

  it('takes no secret in clear that only the backend may read', async () => {
    const { publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const key = publicKey.export({ type: 'spki', format: 'pem' }).toString();
    const token = { type: 'string' as const, encryption: { algorithm: 'client-side' as const, key } };
    await test.machine.call(actionRoutes.create, {
      body: webhookAction({
        identifier: 'sealed',
        trigger: { type: 'self-service', operation: 'CREATE', userInputs: { properties: { token } } },
        body: { token: '{{ .inputs.token }}' },
      }),
    });
    const params = { action_identifier: 'sealed' };
    const { status, body } = await test.machine.refused(runRoutes.execute, {
      params,
      body: { properties: { token: 'hunter2-in-clear' } },
    });
    expect([status, body.message]).toEqual([
      422,
      'body.properties.token must be encrypted by the client with the public key of this input; a clear value is not accepted.',
    ]);
    expect((await test.machine.call(runRoutes.list, { query: { action: 'sealed' } })).body.runs).toEqual([]);
    const { audits } = (await test.machine.call(auditRoutes.list, { query: { status: 'FAILURE' } })).body;
    expect(JSON.stringify([body, audits])).not.toContain('hunter2');
    const sealed = Buffer.alloc(12 + 256 + 17, 7).toString('base64');
    expect((await execute('sealed', { token: sealed })).payload?.body).toEqual({ token: sealed });
  });

  it('binds DAY-2 to an entity, and gives its templates the whole of it', async () => {
    await test.machine.call(entityRoutes.create, {
      params: { blueprint_identifier: 'service' },
      body: { identifier: 'shop', title: 'Shop', properties: { tier: 1 } },
    });
    const trigger = {
      type: 'self-service' as const,
      operation: 'DAY-2' as const,
      blueprintIdentifier: 'service',
      userInputs: { properties: {} },
    };
    await test.machine.call(actionRoutes.create, {
      body: webhookAction({ identifier: 'rollback', trigger, body: { tier: '{{ .entity.properties.tier }}' } }),
    });
    const params = { action_identifier: 'rollback' };
    expect(
      (await test.machine.refused(runRoutes.execute, { params, body: { properties: {} } })).body.message,
    ).toContain('body.entity is required');
    expect(
      (await test.machine.refused(runRoutes.execute, { params, body: { properties: {}, entity: 'none' } })).status,
    ).toBe(404);
    const run = await execute('rollback', {}, 'shop');
    expect(run).toMatchObject({
      entity: { identifier: 'shop', title: 'Shop', deleted: false },
      payload: { body: { tier: 1 } },
    });
  });

  it('expands entity inputs for templates, keeps identifiers as submitted, refuses those that do not exist', async () => {
    const userInputs = {
      properties: { service: { type: 'string' as const, format: 'entity' as const, blueprint: 'service' } },
    };
    const trigger = { type: 'self-service' as const, operation: 'CREATE' as const, userInputs };
    await test.machine.call(actionRoutes.create, {
      body: webhookAction({
        identifier: 'for_service',
        trigger,
        body: { tier: '{{ .inputs.service.properties.tier }}' },
      }),
    });
    const run = await execute('for_service', { service: 'shop' });
    expect(run).toMatchObject({
      rawProperties: { service: 'shop' },
      properties: { service: { identifier: 'shop' } },
      payload: { body: { tier: 1 } },
    });
    const { body } = await test.machine.refused(runRoutes.execute, {
      params: { action_identifier: 'for_service' },
      body: { properties: { service: 'none' } },
    });
    expect(body.details?.[0]?.path).toBe('body.properties.service');
  });

  it('stores secret inputs as ciphertext only', async () => {
    const userInputs = { properties: { token: { type: 'string' as const, encryption: 'aes256-gcm' as const } } };
    await test.machine.call(actionRoutes.create, {
      body: webhookAction({
        identifier: 'secret',
        trigger: { type: 'self-service', operation: 'CREATE', userInputs },
        body: { token: '{{ .inputs.token }}' },
      }),
    });
    const run = await execute('secret', { token: 'hunter2-in-clear' });
    expect(JSON.stringify(run)).not.toContain('hunter2-in-clear');
    const audit = await test.machine.call(auditRoutes.list, { query: { run_id: run.id } });
    expect(JSON.stringify(audit.body)).not.toContain('hunter2-in-clear');
    expect(Buffer.from(run.rawProperties.token as string, 'base64').length).toBe(16 + 'hunter2-in-clear'.length + 16);
  });

  it('accepts anything when the action declares no inputs', async () => {
    await test.machine.call(actionRoutes.create, {
      body: webhookAction({
        identifier: 'open',
        trigger: { type: 'self-service', operation: 'DELETE', userInputs: { properties: {} } },
      }),
    });
    expect(await execute('open', { whatever: [1] })).toMatchObject({ rawProperties: { whatever: [1] } });
  });

  it('waits for approval where the action asks for it, and goes on when an administrator agrees', async () => {
    await test.machine.call(actionRoutes.create, {
      body: webhookAction({ identifier: 'careful', requiredApproval: true }),
    });
    const run = await execute('careful');
    expect(run).toMatchObject({ status: 'WAITING_FOR_APPROVAL', payload: null, pendingExecution: false });
    const params = { run_id: run.id };
    expect((await test.machine.refused(runRoutes.patch, { params, body: { status: 'SUCCESS' } })).body.error).toBe(
      'invalid_transition',
    );
    const approved = (
      await test.admin.call(runRoutes.approve, { params, body: { status: 'APPROVE', description: 'fine' } })
    ).body.run;
    expect(approved).toMatchObject({
      status: 'IN_PROGRESS',
      pendingExecution: true,
      approval: { state: 'APPROVED', description: 'fine' },
    });
    expect((await test.admin.refused(runRoutes.approve, { params, body: { status: 'DECLINE' } })).body.error).toBe(
      'invalid_transition',
    );
  });

  it('is never dispatched after a decline', async () => {
    const run = await execute('careful');
    const declined = (
      await test.admin.call(runRoutes.approve, { params: { run_id: run.id }, body: { status: 'DECLINE' } })
    ).body.run;
    expect(declined).toMatchObject({ status: 'DECLINED', pendingExecution: false, payload: null });
    expect(declined.endedAt).toBeDefined();
  });
});

describe('reports', () => {
  it('overwrite what was reported before, and end the run once', async () => {
    const run = await execute();
    const params = { run_id: run.id };
    await test.machine.call(runRoutes.patch, { params, body: { link: 'https://a', statusLabel: 'building' } });
    const second = (await test.machine.call(runRoutes.patch, { params, body: { link: ['https://b', 'https://c'] } }))
      .body.run;
    expect(second).toMatchObject({ status: 'IN_PROGRESS', link: ['https://b', 'https://c'], statusLabel: 'building' });
    const done = (
      await test.machine.call(runRoutes.patch, {
        params,
        query: { runId: run.id },
        body: { status: 'SUCCESS', summary: 'done' },
      })
    ).body.run;
    expect(done).toMatchObject({ status: 'SUCCESS', summary: 'done', endedAt: expect.any(String) });
    expect((await test.machine.refused(runRoutes.patch, { params, body: { status: 'FAILURE' } })).status).toBe(422);
    expect((await test.machine.refused(runRoutes.patch, { params, body: { link: 'https://late' } })).body.error).toBe(
      'run_finished',
    );
  });

  it('of which two at once close a run exactly once', async () => {
    const run = await execute();
    const patch = (status: 'SUCCESS' | 'FAILURE') =>
      test.machine.fetch(`/v1/actions/runs/${run.id}`, {
        method: 'PATCH',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ status }),
      });
    const statuses = (await Promise.all([patch('SUCCESS'), patch('FAILURE'), patch('SUCCESS'), patch('FAILURE')])).map(
      (response) => response.status,
    );
    expect(statuses.sort()).toEqual([200, 422, 422, 422]);
  });

  it('write log lines in order; a terminating line ends the run, plain lines are kept after it', async () => {
    const run = await execute();
    const params = { run_id: run.id };
    for (const message of ['one', 'two\nlines', 'dré 🚢'])
      await test.machine.call(runRoutes.addLog, { params, body: { message } });
    await test.machine.call(runRoutes.addLog, {
      params,
      body: { message: 'failed', terminationStatus: 'FAILURE', statusLabel: 'no quota' },
    });
    expect(
      (
        await test.machine.refused(runRoutes.addLog, {
          params,
          body: { message: 'again', terminationStatus: 'SUCCESS' },
        })
      ).body.error,
    ).toBe('run_finished');
    await test.machine.call(runRoutes.addLog, { params, body: { message: 'late' } });
    const { runLogs } = (await test.machine.call(runRoutes.listLogs, { params })).body;
    expect(runLogs.map((log) => log.message)).toEqual(['one', 'two\nlines', 'dré 🚢', 'failed', 'late']);
    const page = (await test.machine.call(runRoutes.listLogs, { params, query: { limit: 2, offset: 1 } })).body.runLogs;
    expect(page.map((log) => log.message)).toEqual(['two\nlines', 'dré 🚢']);
    const tooMany = await test.machine.refused(runRoutes.listLogs, { params, query: { limit: '51' } });
    expect([tooMany.status, tooMany.body.message]).toEqual([422, 'query.limit must be <= 50.']);
    expect((await test.machine.call(runRoutes.get, { params })).body.run).toMatchObject({
      status: 'FAILURE',
      statusLabel: 'no quota',
    });
  });

  it('tie catalog changes to the run while it is in progress', async () => {
    const run = await execute();
    const params = { blueprint_identifier: 'service' };
    await test.machine.call(entityRoutes.create, {
      params,
      query: { run_id: run.id },
      body: { identifier: 'tied', properties: { tier: 2 } },
    });
    const { entities } = (await test.machine.call(runRoutes.affectedEntities, { params: { run_id: run.id } })).body;
    expect(entities).toMatchObject([{ blueprint: 'service', entity: 'tied', operation: 'CREATE' }]);
    const { audits } = (await test.machine.call(auditRoutes.list, { query: { run_id: run.id, entity: 'tied' } })).body;
    expect(audits.find(({ identifier }) => identifier === entities[0]?.record)?.diff).toMatchObject({
      before: null,
      after: { properties: { tier: 2 } },
    });
    const { changes } = (
      await test.machine.call(entityRoutes.history, { params: { ...params, entity_identifier: 'tied' } })
    ).body;
    expect(changes).toMatchObject([{ operation: 'CREATE', runId: run.id }]);
    const ofEntity = { resources: ['entity'], entity: 'tied', blueprint: 'service' };
    const records = async (query: object) =>
      (await test.machine.call(auditRoutes.list, { query: { ...ofEntity, ...query } })).body.audits;
    expect(await records({ run_id: run.id })).toMatchObject([{ action: 'CREATE', context: { runId: run.id } }]);
    await test.machine.call(runRoutes.patch, { params: { run_id: run.id }, body: { status: 'SUCCESS' } });
    await test.machine.call(entityRoutes.patch, {
      params: { ...params, entity_identifier: 'tied' },
      query: { run_id: run.id },
      body: { properties: { tier: 3 } },
    });
    expect(
      (await test.machine.call(runRoutes.affectedEntities, { params: { run_id: run.id } })).body.entities,
    ).toHaveLength(1);
    // The late write stands, and the log says why it is not the run's.
    const [late] = await records({ action: 'UPDATE' });
    expect(late).toMatchObject({
      status: 'SUCCESS',
      message: `Not tied to the run ${run.id}, which was not in progress.`,
      diff: { after: { properties: { tier: 3 } } },
    });
    expect(late?.context).not.toHaveProperty('runId');
    expect(
      (
        await test.machine.refused(entityRoutes.create, {
          params,
          query: { run_id: 'r_0000000000000000' },
          body: { identifier: 'no', properties: { tier: 1 } },
        })
      ).status,
    ).toBe(404);
  });

  it('take the shape that a caller asks for: before version 2 the action was a name', async () => {
    const { action } = (await test.machine.call(actionRoutes.get, { params: { action_identifier: 'rollback' } })).body;
    const { title, trigger, invocationMethod } = action;
    await test.machine.call(actionRoutes.create, {
      body: { identifier: 'older', ...(title ? { title } : {}), trigger, invocationMethod },
    });
    const run = await execute('older', {}, 'shop');
    const read = async (path: string) => ((await (await test.machine.fetch(path)).json()) as { run: object }).run;
    const older = await read(`/v1/actions/runs/${run.id}?version=v1`);
    expect(older).toMatchObject({
      action: 'older',
      blueprint: { identifier: 'service' },
      relatedEntityExists: true,
      relatedBlueprintExists: true,
      endedAt: null,
      status: 'IN_PROGRESS',
    });
    for (const version of ['', '?version=v2'])
      expect(await read(`/v1/actions/runs/${run.id}${version}`)).toMatchObject({ action: { identifier: 'older' } });
    const { runs } = (await (await test.machine.fetch('/v1/actions/runs?action=older&version=v1')).json()) as {
      runs: object[];
    };
    expect(runs).toEqual([older]);
  });

  // The requests of Port's GitHub action, operation by operation.
  it('come from a workflow of GitHub: it starts a run, writes an entity with it, and reports', async () => {
    const send = async (method: string, path: string, body: object) => {
      const answer = await test.machine.fetch(path, {
        method,
        headers: { 'content-type': 'application/json', 'user-agent': 'github-action/v1.0' },
        body: JSON.stringify(body),
      });
      return { status: answer.status, body: (await answer.json()) as Record<string, Record<string, unknown>> };
    };
    const created = await send('POST', '/v1/actions/scaffold/runs', { properties: { name: 'from-ci' } });
    const id = String(created.body.run?.id);
    const query = `upsert=true&merge=true&run_id=${id}`;
    const entity = { identifier: 'built', blueprint: 'service', properties: { tier: 1 }, relations: {} };
    await send('POST', `/v1/blueprints/service/entities?${query}`, entity);
    const line = await send('POST', `/v1/actions/runs/${id}/logs`, { message: 'built' });
    expect(line).toMatchObject({ status: 201, body: { runLog: { message: 'built', runId: id } } });
    const link = ['https://ci.example/1', 'https://ci.example/2'];
    const report = { status: 'SUCCESS', statusLabel: 'green', link, summary: 'All is well.', externalRunId: '99' };
    const patched = await send('PATCH', `/v1/actions/runs/${id}?runId=${id}`, report);
    expect(patched).toMatchObject({ status: 200, body: { run: { id, ...report } } });
    expect((await send('PATCH', `/v1/actions/runs/${id}?runId=${id}`, { status: 'FAILURE' })).status).toBe(422);
    const { entities } = (await test.machine.call(runRoutes.affectedEntities, { params: { run_id: id } })).body;
    expect(entities).toMatchObject([{ entity: 'built', operation: 'CREATE', origin: 'GITHUB_ACTION' }]);
  });

  it('of another organization see nothing', async () => {
    const run = await execute();
    const other = await test.otherOrganization();
    const params = { run_id: run.id };
    for (const [route, body] of [
      [runRoutes.get, undefined],
      [runRoutes.patch, { status: 'SUCCESS' }],
      [runRoutes.addLog, { message: 'x' }],
      [runRoutes.listLogs, undefined],
      [runRoutes.deliveries, undefined],
    ] as const)
      expect((await other.refused(route, { params, ...(body ? { body } : {}) })).status, route.id).toBe(404);
    expect((await test.machine.call(runRoutes.get, { params })).body.run.status).toBe('IN_PROGRESS');
  });

  it('filter runs by action, entity, state and source', async () => {
    const runs = (
      await test.machine.call(runRoutes.list, {
        query: { action: 'rollback', entity: 'shop', blueprint: 'service', active: true, source: ['API'] },
      })
    ).body.runs;
    expect(runs).toHaveLength(1);
    expect(
      (await test.machine.call(runRoutes.list, { query: { action: 'rollback', active: false } })).body.runs,
    ).toEqual([]);
    const withStatus = async (status: RunStatus[]) =>
      (await test.machine.call(runRoutes.list, { query: { action: 'rollback', status } })).body.runs.length;
    expect([await withStatus(['FAILURE', 'IN_PROGRESS']), await withStatus(['FAILURE'])]).toEqual([1, 0]);
  });

  it('are searched, sorted and grouped, page by page', async () => {
    for (const [identifier, title] of [
      ['z-first', 'Alpha'],
      ['a-last', 'Omega_1'],
    ] as const)
      await test.machine.call(actionRoutes.create, { body: webhookAction({ identifier, title }) });
    const started: string[] = [];
    for (const [action, name] of [
      ['a-last', 'orders'],
      ['z-first', 'orders'],
      ['a-last', 'parcels'],
      ['z-first', 'needle%'],
    ] as const)
      started.push((await execute(action, { name })).id);
    const [one, two, three, four] = started;
    await test.machine.call(runRoutes.patch, { params: { run_id: three ?? '' }, body: { status: 'SUCCESS' } });
    const found = async (query: QueryOf<typeof runRoutes.list>) =>
      (await test.machine.call(runRoutes.list, { query })).body.runs
        .map((run) => run.id)
        .filter((id) => started.includes(id));
    // By inputs, by the title that people see, by id; a sign of patterns is only a sign.
    expect(await found({ search: 'ORDERS' })).toEqual([two, one]);
    expect(await found({ search: 'omega_1' })).toEqual([three, one]);
    expect(await found({ search: 'omegax1' })).toEqual([]);
    expect(await found({ search: 'needle%' })).toEqual([four]);
    expect(await found({ search: two ?? '' })).toEqual([two]);
    expect(await found({ search: 'orders', action: 'z-first' })).toEqual([two]);
    expect(await found({ sort: 'started', order: 'ASC' })).toEqual([one, two, three, four]);
    // Names from A, times from the latest; what has no end yet comes last.
    expect(await found({ sort: 'action' })).toEqual([four, two, three, one]);
    expect((await found({ sort: 'ended' }))[0]).toBe(three);
    expect(await found({ sort: 'duration', active: true })).toEqual([one, two, four]);
    expect(await found({ group: 'action', sort: 'started', order: 'ASC' })).toEqual([two, four, one, three]);
    expect(await found({ group: 'status' })).toEqual([four, two, one, three]);
    const all = (await test.machine.call(runRoutes.list, { query: { group: 'source', search: 'a-last' } })).body.runs;
    const pages = [0, 1].map((offset) => found({ group: 'source', search: 'a-last', limit: 1, offset }));
    expect((await Promise.all(pages)).flat()).toEqual(all.map((run) => run.id));
    // Runs of one transaction share their instant; pages of one run each leave none of them out.
    await test.app.database.system((tx) => tx.run(sql`update runs set created_at = now() where id = any(${started})`));
    const walked: (string | undefined)[] = [four];
    for (let page = 0; page < 3; page++) walked.push(...(await found({ limit: 1, before_run: walked.at(-1) ?? '' })));
    expect(walked).toEqual([four, three, two, one]);
    for (const query of [{ sort: 'colour' }, { offset: 10_001 }, { group: 'by' }] as Record<string, unknown>[])
      expect((await test.machine.refused(runRoutes.list, { query: query as Record<string, string> })).status).toBe(422);
  });
});

describe('direct delivery', () => {
  it('refuses a private address unless the setting allows it; the run says so', async () => {
    await test.machine.call(actionRoutes.create, {
      body: webhookAction({ identifier: 'direct', agent: false, url: 'http://127.0.0.1:9/hook' }),
    });
    const run = await execute('direct');
    await expect
      .poll(async () => (await test.machine.call(runRoutes.get, { params: { run_id: run.id } })).body.run.status)
      .toBe('FAILURE');
    const { deliveries } = (await test.machine.call(runRoutes.deliveries, { params: { run_id: run.id } })).body;
    expect(deliveries).toMatchObject([{ attempt: 1, state: 'settled', outcome: { kind: 'forbidden' } }]);
  });

  describe('with private addresses allowed', () => {
    let open: TestApp;
    beforeAll(async () => {
      open = await startTestApp({ QUAYSIDE_ALLOW_PRIVATE_TARGETS: 'true', QUAYSIDE_WEBHOOK_TIMEOUT_MS: '2000' });
    });
    afterAll(() => open.stop());

    const runTo = async (identifier: string, url: string, synchronized: boolean) => {
      await open.machine.call(actionRoutes.create, {
        body: webhookAction({ identifier, agent: false, synchronized, url }),
      });
      const { run } = (
        await open.machine.call(runRoutes.execute, {
          params: { action_identifier: identifier },
          body: { properties: { name: 'shop' } },
        })
      ).body;
      return {
        run,
        read: async () => (await open.machine.call(runRoutes.get, { params: { run_id: run.id } })).body.run,
      };
    };

    it('closes a synchronous run with the answer', async () => {
      const receiver = await startReceiver({
        answer: (_request, response) => void response.setHeader('content-type', 'application/json').end('{"id":7}'),
      });
      const { run, read } = await runTo('sync', `${receiver.url}/hook`, true);
      await expect.poll(async () => (await read()).status).toBe('SUCCESS');
      expect((await read()).response).toEqual({ id: 7 });
      expect(receiver.requests[0]?.headers).toMatchObject({
        run_id: run.id,
        'idempotency-key': run.id,
        'x-quayside-attempt': '1',
      });
      await receiver.close();
    });

    it('leaves an asynchronous run to its target after a 2xx', async () => {
      const receiver = await startReceiver();
      const { run, read } = await runTo('async', receiver.url, false);
      const deliveries = async () =>
        (await open.machine.call(runRoutes.deliveries, { params: { run_id: run.id } })).body.deliveries;
      await expect.poll(async () => (await deliveries())[0]?.state).toBe('settled');
      expect(await read()).toMatchObject({ status: 'IN_PROGRESS', pendingExecution: false });
      await receiver.close();
    });

    it('fails a synchronous run at a 500, once', async () => {
      const receiver = await startReceiver({
        answer: (_request, response) => void response.writeHead(500).end('boom'),
      });
      const { read } = await runTo('sync500', receiver.url, true);
      await expect.poll(async () => (await read()).status).toBe('FAILURE');
      expect((await read()).summary).toContain('500');
      expect(receiver.requests).toHaveLength(1);
      await receiver.close();
    });

    it('tries an asynchronous delivery again after a 500, with the same key, and records every attempt', async () => {
      const receiver = await startReceiver({
        answer: (_request, response) => void response.writeHead(receiver.requests.length < 2 ? 503 : 200).end('{}'),
      });
      const { run } = await runTo('retried', receiver.url, false);
      await expect.poll(() => receiver.requests.length).toBe(2);
      const deliveries = async () =>
        (await open.machine.call(runRoutes.deliveries, { params: { run_id: run.id } })).body.deliveries;
      await expect.poll(async () => (await deliveries())[1]?.state).toBe('settled');
      expect(
        (await deliveries()).map((delivery) => delivery.outcome?.kind === 'answered' && delivery.outcome.statusCode),
      ).toEqual([503, 200]);
      expect(new Set(receiver.requests.map((request) => request.headers['idempotency-key']))).toEqual(
        new Set([run.id]),
      );
      await receiver.close();
    });

    it('fails a run whose target does not answer in time', async () => {
      const receiver = await startReceiver({ answer: () => undefined });
      const { read } = await runTo('slow', receiver.url, true);
      await expect.poll(async () => (await read()).status).toBe('FAILURE');
      expect((await read()).summary).toContain('did not answer within 2000 ms');
      await receiver.close();
    });
  });
});
