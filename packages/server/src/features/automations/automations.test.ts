import {
  type ActionBody,
  actionRoutes,
  automationRoutes,
  blueprintRoutes,
  entityRoutes,
  runRoutes,
} from '@quayside/contracts';
import { administer } from '@quayside/testkit';
import { type Receiver, startReceiver } from '@quayside/testkit/receiver';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { serviceBlueprint, webhookAction } from '../../../test/documents.ts';
import { startTestApp, type TestApp } from '../../../test/harness.ts';
import { sql } from '../../platform/db.ts';

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

let test: TestApp;
let target: Receiver;
beforeAll(async () => {
  target = await startReceiver();
  test = await startTestApp({ QUAYSIDE_ALLOW_PRIVATE_TARGETS: 'true' });
  await test.machine.call(blueprintRoutes.create, { body: serviceBlueprint });
  await test.machine.call(blueprintRoutes.create, {
    body: {
      identifier: 'note',
      title: 'Note',
      schema: { properties: { text: { type: 'string' }, count: { type: 'number' } } },
      relations: { about: { target: 'service' } },
      mirrorProperties: { tier: { path: 'about.tier' } },
    },
  });
});
afterAll(async () => {
  await test.stop();
  await target.close();
});

type Trigger = Extract<ActionBody['trigger'], { type: 'automation' }>;

/** Sends what it saw to the receiver, unless `change` says otherwise. */
async function automation(
  identifier: string,
  event: Trigger['event'],
  condition?: string[] | Trigger['condition'],
  change: Partial<ActionBody> = {},
): Promise<void> {
  const whole = Array.isArray(condition) ? { type: 'JQ' as const, expressions: condition } : condition;
  await test.machine.call(actionRoutes.create, {
    body: {
      identifier,
      title: identifier,
      trigger: { type: 'automation', event, ...(whole ? { condition: whole } : {}) },
      invocationMethod: {
        type: 'WEBHOOK',
        url: `${target.url}/${identifier}`,
        synchronized: true,
        body: {
          event: '{{ .event }}',
          trigger: '{{ .trigger }}',
          run: '{{ .run }}',
          action: '{{ .action }}',
          inputs: '{{ .inputs }}',
          entity: '{{ .entity }}',
        },
      },
      ...change,
    },
  });
}

const remove = (identifier: string) =>
  test.machine.call(actionRoutes.remove, { params: { action_identifier: identifier } });

const note = (identifier: string, properties: Record<string, unknown>, relations?: Record<string, string>) =>
  test.machine.call(entityRoutes.create, {
    params: { blueprint_identifier: 'note' },
    query: { upsert: true, merge: true },
    body: { identifier, title: identifier, properties, ...(relations ? { relations } : {}) },
  });

const evaluations = async (identifier: string, query = {}) =>
  (await test.machine.call(automationRoutes.evaluations, { params: { action_identifier: identifier }, query })).body;

const runsOf = async (identifier: string) =>
  (await test.machine.call(runRoutes.list, { query: { action: identifier, limit: 1000 } })).body.runs;

/** Until the automation has dealt with `count` events in all. */
async function dealtWith(identifier: string, count: number) {
  return vi.waitFor(
    async () => {
      const answer = await evaluations(identifier);
      const { fired, notFired, failed, blocked } = answer.counts;
      expect(fired + notFired + failed + blocked).toBe(count);
      return answer;
    },
    { timeout: 30_000, interval: 50 },
  );
}

/** What the receiver got for this automation. */
const sentBy = (identifier: string) =>
  target.requests
    .filter(({ path }) => path === `/${identifier}`)
    .map(({ body }) => JSON.parse(body.toString()) as Record<string, Record<string, unknown>>);

describe('an automation', () => {
  it('is not executed by a call', async () => {
    await automation('uncallable', { type: 'ENTITY_CREATED', blueprintIdentifier: 'note' }, ['false']);
    const { status, body } = await test.machine.refused(runRoutes.execute, {
      params: { action_identifier: 'uncallable' },
      body: { properties: {} },
    });
    expect(status).toBe(422);
    expect(body.message).toContain('started by its event');
    await remove('uncallable');
  });

  it('is refused with a condition that is no jq', async () => {
    const { status, body } = await test.machine.refused(actionRoutes.create, {
      body: {
        identifier: 'broken',
        trigger: {
          type: 'automation',
          event: { type: 'ENTITY_CREATED', blueprintIdentifier: 'note' },
          condition: { type: 'JQ', expressions: ['true', '.diff.('] },
        },
        invocationMethod: { type: 'WEBHOOK', url: target.url },
      },
    });
    expect(status).toBe(422);
    expect(body.message).toMatch(/^body.trigger.condition.expressions.1 does not compile/);
  });

  it('shows its evaluations to those who may change it', async () => {
    await automation('shown', { type: 'ENTITY_CREATED', blueprintIdentifier: 'note' }, ['false']);
    const params = { action_identifier: 'shown' };
    expect((await test.admin.call(automationRoutes.evaluations, { params })).body.evaluations).toEqual([]);
    expect((await test.nobody.refused(automationRoutes.evaluations, { params })).status).toBe(401);
    expect((await (await test.otherOrganization()).refused(automationRoutes.evaluations, { params })).status).toBe(404);
    await remove('shown');
  });
});

describe('events of entities', () => {
  it('fire for what they name, and carry before and after', async () => {
    await automation('created', { type: 'ENTITY_CREATED', blueprintIdentifier: 'note' });
    await automation('updated', { type: 'ENTITY_UPDATED', blueprintIdentifier: 'note' });
    await automation('deleted', { type: 'ENTITY_DELETED', blueprintIdentifier: 'note' });
    await automation('any', { type: 'ANY_ENTITY_CHANGE', blueprintIdentifier: 'note' });
    await automation('elsewhere', { type: 'ANY_ENTITY_CHANGE', blueprintIdentifier: 'service' });
    await automation('silent', { type: 'ANY_ENTITY_CHANGE', blueprintIdentifier: 'note' }, undefined, {
      publish: false,
    });
    await note('n1', { text: 'one' });
    await note('n1', { text: 'two' });
    // Nothing changes: no event.
    await note('n1', { text: 'two' });
    await test.machine.call(entityRoutes.remove, {
      params: { blueprint_identifier: 'note', entity_identifier: 'n1' },
    });
    await dealtWith('any', 3);
    await vi.waitFor(() => expect(sentBy('any')).toHaveLength(3), 30_000);
    await vi.waitFor(() => expect(target.requests).toHaveLength(6), 30_000);
    expect((await evaluations('elsewhere')).counts.fired).toBe(0);
    expect(await runsOf('silent')).toEqual([]);

    const [created] = sentBy('created');
    expect(created?.event).toMatchObject({
      action: 'CREATE',
      resourceType: 'entity',
      trigger: { by: { orgId: 'org_test' }, origin: 'API' },
      context: { blueprintIdentifier: 'note', entityIdentifier: 'n1', propertyIdentifier: null },
      diff: { before: null, after: { identifier: 'n1', blueprint: 'note', properties: { text: 'one' } } },
    });
    expect(created).toMatchObject({
      inputs: null,
      entity: null,
      trigger: { origin: 'AUTOMATION', at: expect.stringMatching(/^\d{4}-/) },
      action: { identifier: 'created' },
      run: { id: expect.stringMatching(/^r_/) },
    });
    expect(created?.trigger).not.toHaveProperty('operation');
    expect(sentBy('updated')).toMatchObject([
      {
        event: {
          action: 'UPDATE',
          diff: { before: { properties: { text: 'one' } }, after: { properties: { text: 'two' } } },
        },
      },
    ]);
    expect(sentBy('deleted')).toMatchObject([
      { event: { action: 'DELETE', diff: { before: { identifier: 'n1' }, after: null } } },
    ]);

    const [run] = await runsOf('created');
    expect(run).toMatchObject({
      source: 'AUTOMATION',
      status: 'SUCCESS',
      blueprint: { identifier: 'note' },
      entity: { identifier: 'n1' },
    });
    for (const identifier of ['created', 'updated', 'deleted', 'any', 'elsewhere', 'silent']) await remove(identifier);
  });

  it('do not fire where a mirror property follows, or a relation is emptied by a deletion', async () => {
    const service = (tier: number) =>
      test.machine.call(entityRoutes.create, {
        params: { blueprint_identifier: 'service' },
        query: { upsert: true },
        body: { identifier: 'mirrored', properties: { tier } },
      });
    await service(1);
    await note('mirror', { text: 'x' }, { about: 'mirrored' });
    await automation('mirrors', { type: 'ANY_ENTITY_CHANGE', blueprintIdentifier: 'note' });
    await automation('mirrored', { type: 'ANY_ENTITY_CHANGE', blueprintIdentifier: 'service' });
    await service(2);
    await test.machine.call(entityRoutes.remove, {
      params: { blueprint_identifier: 'service', entity_identifier: 'mirrored' },
    });
    await dealtWith('mirrored', 2);
    expect((await evaluations('mirrors')).counts).toEqual({ fired: 0, notFired: 0, failed: 0, blocked: 0 });
    await remove('mirrors');
    await remove('mirrored');
  });
});

describe('conditions', () => {
  it('combine with and unless they say or; only exactly true counts, errors are false, and the record says which', async () => {
    const event = { type: 'ENTITY_CREATED' as const, blueprintIdentifier: 'note' };
    await automation('and', event, ['.diff.after.properties.text == "x"', '.diff.before == null', '1']);
    await automation('or', event, {
      type: 'JQ',
      combinator: 'or',
      expressions: ['.diff.after | error("no")', '.action == "CREATE"'],
    });
    await automation('failing', event, ['.action + 1']);
    await automation('endless', event, ['[range(1e12)] | length > 0']);
    await automation('huge', event, ['.diff.after.properties.text * 400 | length > 0 | tostring']);
    await automation('empty', event, []);
    await note('c1', { text: 'x' });
    for (const identifier of ['and', 'or', 'failing', 'endless', 'huge', 'empty']) await dealtWith(identifier, 1);
    const only = async (identifier: string) => (await evaluations(identifier)).evaluations[0];
    expect(await only('and')).toMatchObject({
      outcome: 'not_fired',
      because: 'condition 3 is not true',
      conditions: [{ value: true }, { value: true }, { value: 1 }],
      event: { name: 'entity.created', blueprint: 'note', entity: 'c1', origin: 'API' },
    });
    const [run] = await runsOf('or');
    expect(await only('or')).toMatchObject({
      outcome: 'fired',
      because: 'condition 2 is true',
      conditions: [{ error: expect.any(String) }, { value: true }],
      runId: run?.id,
    });
    expect(await only('failing')).toMatchObject({ outcome: 'not_fired', because: 'condition 1 failed' });
    expect((await only('endless'))?.conditions[0]?.error).toMatch(/steps|memory|budget|limit/i);
    expect(await only('huge')).toMatchObject({ outcome: 'not_fired', conditions: [{ value: 'true' }] });
    expect(await only('empty')).toMatchObject({ outcome: 'fired', because: 'it has no conditions' });
    for (const identifier of ['and', 'or', 'failing', 'endless', 'huge', 'empty']) await remove(identifier);
  });

  it('are recorded as samples where they are not met, and counted exactly', async () => {
    await automation('quiet', { type: 'ENTITY_UPDATED', blueprintIdentifier: 'note' }, [
      '.diff.after.properties.count == 40',
    ]);
    await note('many', { count: 0 });
    // In one transaction, so that they come as one batch.
    await test.app.systemWorld('org_test').transaction(async (ctx) => {
      for (let count = 1; count <= 60; count++)
        await ctx.emit({
          name: 'entity.updated',
          subject: 'many',
          blueprint: 'note',
          entity: 'many',
          before: { properties: { count: count - 1 } },
          after: { properties: { count } },
        });
    });
    const { counts } = await dealtWith('quiet', 60);
    expect(counts).toEqual({ fired: 1, notFired: 59, failed: 0, blocked: 0 });
    expect((await evaluations('quiet', { outcome: 'fired' })).evaluations).toHaveLength(1);
    const quiet = (await evaluations('quiet', { outcome: 'not_fired' })).evaluations;
    expect(quiet.length).toBeGreaterThan(0);
    expect(quiet.length).toBeLessThan(59);
    await remove('quiet');
  });
});

describe('events of runs', () => {
  it('fire for creation, reports and approval, and not for log lines', async () => {
    await test.machine.call(actionRoutes.create, {
      body: webhookAction({ identifier: 'watched', title: 'Watched', requiredApproval: true }),
    });
    await automation('run-created', { type: 'RUN_CREATED', actionIdentifier: 'watched' });
    await automation('run-updated', { type: 'RUN_UPDATED', actionIdentifier: 'watched' });
    await automation('run-any', { type: 'ANY_RUN_CHANGE', actionIdentifier: 'watched' });
    await automation('run-other', { type: 'ANY_RUN_CHANGE', actionIdentifier: 'another' });
    const { run } = (
      await test.machine.call(runRoutes.execute, {
        params: { action_identifier: 'watched' },
        body: { properties: { name: 'shop' } },
      })
    ).body;
    const params = { run_id: run.id };
    await test.machine.call(runRoutes.approve, { params, body: { status: 'APPROVE' } });
    await test.machine.call(runRoutes.addLog, { params, body: { message: 'a line' } });
    await test.machine.call(runRoutes.patch, { params, body: { status: 'SUCCESS', summary: 'done' } });
    await dealtWith('run-any', 3);
    await vi.waitFor(() => expect(sentBy('run-any')).toHaveLength(3), 30_000);
    await vi.waitFor(() => expect(sentBy('run-updated')).toHaveLength(2), 30_000);
    await vi.waitFor(() => expect(sentBy('run-created')).toHaveLength(1), 30_000);
    expect(sentBy('run-created')[0]?.event).toMatchObject({
      id: expect.stringMatching(/^event_\d+$/),
      resourceType: 'run',
      action: 'CREATE',
      context: { action: { identifier: 'watched', title: 'Watched', trigger: { operation: 'CREATE' } } },
      diff: {
        before: null,
        after: { id: run.id, status: 'WAITING_FOR_APPROVAL', action: { identifier: 'watched' }, payload: null },
      },
    });
    const changes = sentBy('run-updated').map(
      ({ event }) => event?.diff as { before: { status: string }; after: { status: string; payload: unknown } },
    );
    expect(changes.map(({ before, after }) => [before.status, after.status])).toEqual(
      expect.arrayContaining([
        ['WAITING_FOR_APPROVAL', 'IN_PROGRESS'],
        ['IN_PROGRESS', 'SUCCESS'],
      ]),
    );
    expect(changes.find(({ after }) => after.status === 'SUCCESS')?.after.payload).toMatchObject({ type: 'WEBHOOK' });
    expect((await evaluations('run-other')).counts.fired).toBe(0);
    for (const identifier of ['run-created', 'run-updated', 'run-any', 'run-other', 'watched'])
      await remove(identifier);
  });

  it('of automations fire others', async () => {
    await automation('first', { type: 'ENTITY_CREATED', blueprintIdentifier: 'note' });
    await automation('second', { type: 'RUN_UPDATED', actionIdentifier: 'first' }, ['.diff.after.status == "SUCCESS"']);
    await note('chain', {});
    await vi.waitFor(() => expect(sentBy('second')).toHaveLength(1), 30_000);
    expect(sentBy('second')[0]?.event).toMatchObject({
      diff: { after: { source: 'AUTOMATION' } },
      context: { action: { identifier: 'first' } },
    });
    await remove('first');
    await remove('second');
  });
});

const upsert = (identifier: string, properties: Record<string, unknown>): ActionBody['invocationMethod'] => ({
  type: 'UPSERT_ENTITY',
  blueprintIdentifier: 'note',
  mapping: { identifier, properties },
});

describe('loops', () => {
  it('end when 25 automations stand in a row, with a run that says so', async () => {
    await automation(
      'counter',
      { type: 'ANY_ENTITY_CHANGE', blueprintIdentifier: 'note' },
      ['.diff.after.identifier == "loop"'],
      {
        invocationMethod: upsert('loop', { count: '{{ (.event.diff.after.properties.count // 0) + 1 }}' }),
      },
    );
    await note('loop', { count: 0 });
    const { counts } = await dealtWith('counter', 26);
    expect(counts).toEqual({ fired: 25, notFired: 0, failed: 0, blocked: 1 });
    const runs = await runsOf('counter');
    expect(runs).toHaveLength(26);
    const refused = runs.filter(({ status }) => status === 'FAILURE');
    expect(refused).toHaveLength(1);
    expect(refused[0]?.summary).toMatch(/automation 26 in a row, and 25 are allowed/);
    const [last] = (await evaluations('counter')).evaluations;
    expect(last).toMatchObject({ outcome: 'blocked', runId: refused[0]?.id, because: refused[0]?.summary });
    await remove('counter');
  });

  it('that grow in width end by their number', async () => {
    await automation('wide', { type: 'ANY_ENTITY_CHANGE', blueprintIdentifier: 'note' }, [
      '.diff.after.identifier == "wide"',
    ]);
    await note('wide', { count: 0 });
    await dealtWith('wide', 1);
    const [first] = await runsOf('wide');
    // What two automations that answer each other's changes reach in ten steps.
    const world = test.app.systemWorld('org_test');
    await world.transaction(async (ctx) => {
      await ctx.db.run(sql`
        insert into runs (org_id, id, action_id, action_identifier, status, ended_at, source, raw_properties, properties, created_by,
          updated_by, depth, root)
        select org_id, 'r_wide' || n, action_id, action_identifier, 'SUCCESS', now(), source, '{}', '{}', 'x', 'x', 2, root
        from runs, generate_series(2, 1000) n where id = ${first?.id}`);
      const about = { subject: 'wide', blueprint: 'note', entity: 'wide', after: { identifier: 'wide' } };
      await ctx.db.run(sql`update runs set status = 'IN_PROGRESS', ended_at = null where id = 'r_wide2'`);
      for (let count = 0; count < 3; count++) await ctx.emit({ ...about, name: 'entity.updated', runId: 'r_wide2' });
    });
    const { counts, evaluations: records } = await dealtWith('wide', 4);
    expect(counts).toEqual({ fired: 1, notFired: 0, failed: 0, blocked: 3 });
    const told = records.filter(({ runId, outcome }) => outcome === 'blocked' && runId !== undefined);
    expect(told).toHaveLength(1);
    expect(told[0]?.because).toContain('one event has set off 1000 runs of automations');
    await remove('wide');
  });
});

describe('what goes wrong', () => {
  it('a template that can not be filled in fails the run, and the engine goes on', async () => {
    await automation('unfillable', { type: 'ENTITY_CREATED', blueprintIdentifier: 'note' }, undefined, {
      invocationMethod: { type: 'WEBHOOK', url: '{{ .event.nothing }}' },
    });
    await automation('after', { type: 'ENTITY_CREATED', blueprintIdentifier: 'note' });
    await note('w1', {});
    await note('w2', {});
    await dealtWith('after', 2);
    const runs = await runsOf('unfillable');
    expect(runs).toHaveLength(2);
    expect(runs[0]).toMatchObject({ status: 'FAILURE', summary: expect.stringContaining('yields no text') });
    await remove('unfillable');
    await remove('after');
  });

  it('a run that can not be made is told in the history, and the others are made', async () => {
    const world = test.app.systemWorld('org_test');
    await automation('unlucky', { type: 'ENTITY_CREATED', blueprintIdentifier: 'note' });
    await automation('lucky', { type: 'ENTITY_CREATED', blueprintIdentifier: 'note' });
    const { id } = (await test.machine.call(actionRoutes.get, { params: { action_identifier: 'unlucky' } })).body
      .action;
    // The second wall: a run of this automation for this event is there already.
    await world.transaction(async (ctx) => {
      await ctx.emit({
        name: 'entity.created',
        subject: 'twice',
        blueprint: 'note',
        entity: 'twice',
        after: { identifier: 'twice' },
      });
      await ctx.db.run(sql`
        insert into runs (org_id, id, action_id, action_identifier, status, ended_at, source, raw_properties, properties, created_by,
          updated_by, event_seq)
        select 'org_test', 'r_twice', ${id}, 'unlucky', 'SUCCESS', now(), 'AUTOMATION', '{}', '{}', 'x', 'x', seq from events where subject = 'twice'`);
    });
    const { evaluations: records } = await dealtWith('unlucky', 1);
    expect(records[0]).toMatchObject({ outcome: 'failed', because: expect.stringContaining('runs_by_event') });
    expect((await dealtWith('lucky', 1)).counts.fired).toBe(1);
    await remove('unlucky');
    await remove('lucky');
  });

  // A storm filled the database's disk for a second, and the automation counted as one that fails.
  it('a full disk is nobody’s failure: the run is made when there is room', async () => {
    await automation('patient', { type: 'ENTITY_CREATED', blueprintIdentifier: 'note' });
    await administer(
      test.databaseUrl,
      // What is drawn from a sequence stays drawn when its transaction is undone.
      `create sequence tries_on_full_disk;
       grant usage on sequence tries_on_full_disk to public;
       create function refuse_room() returns trigger language plpgsql as $$ begin
         if nextval('tries_on_full_disk') <= 2 then
           raise exception 'could not extend file: No space left on device' using errcode = 'disk_full';
         end if;
         return new;
       end $$;
       create trigger full_disk before insert on runs for each row when (new.action_identifier = 'patient')
         execute function refuse_room()`,
    );
    await note('f1', {});
    expect((await dealtWith('patient', 1)).counts).toMatchObject({ fired: 1, failed: 0 });
    expect(await runsOf('patient')).toHaveLength(1);
    await remove('patient');
  });

  it('an automation that is renamed goes on with its history; one that is deleted takes it along', async () => {
    await automation('old-name', { type: 'ENTITY_CREATED', blueprintIdentifier: 'note' }, ['false']);
    await note('d1', {});
    await dealtWith('old-name', 1);
    const { action } = (await test.machine.call(actionRoutes.get, { params: { action_identifier: 'old-name' } })).body;
    const { title, trigger, invocationMethod } = action;
    await test.machine.call(actionRoutes.replace, {
      params: { action_identifier: 'old-name' },
      body: { identifier: 'new-name', ...(title ? { title } : {}), trigger, invocationMethod },
    });
    await note('d2', {});
    await dealtWith('new-name', 2);
    await remove('new-name');
    await note('d3', {});
    await automation('new-name', { type: 'ENTITY_CREATED', blueprintIdentifier: 'note' }, ['false']);
    await note('d4', {});
    expect((await dealtWith('new-name', 1)).evaluations[0]?.event).toMatchObject({ entity: 'd4' });
    await remove('new-name');
  });
});
