import {
  type ActionBody,
  actionRoutes,
  auditRoutes,
  type BlueprintBody,
  blueprintRoutes,
  entityRoutes,
  permissionRoutes,
  runRoutes,
} from '@quayside/contracts';
import { startReceiver } from '@quayside/testkit/receiver';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestApp, type TestApp } from './harness.ts';

/**
 * What tools that keep the portal in step with files rely on: what was written is read back, absent stays absent, a second
 * apply changes nothing. Each case is a request that Port's Terraform provider sends.
 */
let test: TestApp;
beforeAll(async () => {
  test = await startTestApp({ QUAYSIDE_ALLOW_PRIVATE_TARGETS: 'true' });
});
afterAll(() => test.stop());

const createBlueprint = async (body: BlueprintBody) =>
  (await test.machine.call(blueprintRoutes.create, { body })).body.blueprint;
const createEntity = async (blueprint_identifier: string, body: Record<string, unknown>) =>
  (await test.machine.call(entityRoutes.create, { params: { blueprint_identifier }, body: body as never })).body.entity;

describe('a blueprint', () => {
  // The resource for aggregations reads the blueprint, adds to it, and writes it back whole.
  it('may be written back with the stamps it was read with; they are not believed', async () => {
    const read = await createBlueprint({ identifier: 'echoed', title: 'Echoed', schema: { properties: {} } });
    const aggregationProperties = {
      many: { target: 'echoed', calculationSpec: { func: 'count', calculationBy: 'entities' } },
    };
    const body = { ...read, aggregationProperties, createdAt: '1999-01-01T00:00:00Z', createdBy: 'somebody else' };
    const params = { blueprint_identifier: 'echoed' };
    await test.machine.call(blueprintRoutes.replace, { params, body: body as never });
    const { blueprint } = (await test.machine.call(blueprintRoutes.get, { params })).body;
    expect(blueprint).toMatchObject({ aggregationProperties, createdAt: read.createdAt, createdBy: read.createdBy });

    const { aggregationProperties: _gone, ...without } = read;
    await test.machine.call(blueprintRoutes.replace, { params, body: without as never });
    expect((await test.machine.call(blueprintRoutes.get, { params })).body.blueprint.aggregationProperties).toEqual({});
  });
});

describe('all entities of a blueprint', () => {
  const schema = { properties: { size: { type: 'number' as const } } };

  it('stay where another blueprint needs them', async () => {
    await createBlueprint({ identifier: 'needed', title: 'Needed', schema });
    await createBlueprint({
      identifier: 'needing',
      title: 'Needing',
      schema,
      relations: { on: { target: 'needed', required: true } },
    });
    await createEntity('needed', { identifier: 'one' });
    const params = { blueprint_identifier: 'needed' };
    const answer = await test.machine.refused(entityRoutes.removeAll, { params });
    expect(answer).toMatchObject({ status: 409, body: { error: 'has_dependents' } });
    expect((await test.machine.call(entityRoutes.count, { params })).body.count).toBe(1);
  });

  // The entities go in the same transaction as the blueprint: when it can not go, neither do they.
  it('stay when the blueprint was to go with them and can not', async () => {
    await createBlueprint({ identifier: 'wanted', title: 'Wanted', schema });
    await createBlueprint({ identifier: 'wanting', title: 'W', schema, relations: { on: { target: 'wanted' } } });
    await createEntity('wanted', { identifier: 'one' });
    const params = { blueprint_identifier: 'wanted' };
    await test.machine.refused(entityRoutes.removeAll, { params, query: { delete_blueprint: 'true' } });
    expect((await test.machine.call(entityRoutes.count, { params })).body.count).toBe(1);
  });

  it('are for those who may change the blueprint', async () => {
    const answer = await test.nobody.refused(entityRoutes.removeAll, { params: { blueprint_identifier: 'needed' } });
    expect(answer.status).toBe(401);
  });

  it('go with their blueprint, each with its event, and the record says how many', { timeout: 60_000 }, async () => {
    await createBlueprint({
      identifier: 'gone',
      title: 'Gone',
      schema,
      relations: { next: { target: 'gone', many: true } },
    });
    const next = Array.from({ length: 1_203 }, (_, index) => `e${index}`);
    await test.machine.call(entityRoutes.create, {
      params: { blueprint_identifier: 'gone' },
      query: { create_missing_related_entities: true },
      body: { identifier: 'last', relations: { next } },
    });
    const params = { blueprint_identifier: 'gone' };
    const { migrationId } = (
      await test.machine.call(entityRoutes.removeAll, { params, query: { delete_blueprint: true } })
    ).body;
    const { migration } = (
      await test.machine.call(entityRoutes.getMigration, { params: { migration_id: migrationId } })
    ).body;
    expect(migration).toMatchObject({
      status: 'COMPLETED',
      sourceBlueprint: 'gone',
      deleteEntities: true,
      deleteBlueprint: true,
      successCount: next.length + 1,
      failureCount: 0,
    });
    expect((await test.machine.refused(blueprintRoutes.get, { params })).status).toBe(404);
    const { audits } = (
      await test.machine.call(auditRoutes.list, {
        query: { entity: 'last', blueprint: 'gone', resources: ['entity'], action: 'DELETE' },
      })
    ).body;
    expect(audits).toHaveLength(1);
    const other = await test.otherOrganization();
    expect((await other.refused(entityRoutes.getMigration, { params: { migration_id: migrationId } })).status).toBe(
      404,
    );
  });
});

const createAction = async (body: ActionBody) => (await test.machine.call(actionRoutes.create, { body })).body.action;
const readAction = async (action_identifier: string) =>
  (await test.machine.call(actionRoutes.get, { params: { action_identifier } })).body.action;
/** The document without what the portal added. */
const documentOf = ({
  id: _id,
  createdAt: _ca,
  createdBy: _cb,
  updatedAt: _ua,
  updatedBy: _ub,
  ...document
}: Awaited<ReturnType<typeof readAction>>): ActionBody => document as ActionBody;

const selfService = (change: Record<string, unknown> = {}) =>
  ({ type: 'self-service', operation: 'DAY-2', userInputs: { properties: {} }, ...change }) as ActionBody['trigger'];
const automation = (event: Record<string, unknown>, more: Record<string, unknown> = {}) =>
  ({ type: 'automation', event, ...more }) as ActionBody['trigger'];
const kafka: ActionBody['invocationMethod'] = { type: 'KAFKA' };
const jq = (jqQuery: string) => ({ jqQuery });

const kinds: [string, Omit<ActionBody, 'identifier'>][] = [
  ['KAFKA without a payload', { trigger: selfService(), invocationMethod: kafka }],
  [
    'KAFKA with a payload, not published',
    {
      trigger: selfService(),
      publish: false,
      invocationMethod: { type: 'KAFKA', payload: { runId: '{{ .run.id }}' } },
    },
  ],
  [
    'WEBHOOK with a URL only',
    { trigger: selfService(), invocationMethod: { type: 'WEBHOOK', url: 'https://a.example' } },
  ],
  [
    'WEBHOOK with everything, its switches off',
    {
      title: 'T',
      icon: 'I',
      description: '',
      trigger: selfService({ actionCardButtonText: 'Go', executeActionButtonText: 'Do it' }),
      requiredApproval: false,
      approvalNotification: { type: 'webhook', url: 'https://hooks.example/x', format: 'slack' },
      allowAnyoneToViewRuns: false,
      invocationMethod: {
        type: 'WEBHOOK',
        url: 'https://a.example',
        agent: false,
        synchronized: false,
        method: 'PUT',
        headers: { 'X-Run': '{{ .run.id }}' },
        body: { nested: [1, null, { a: [] }] },
      },
    },
  ],
  [
    'GITHUB with nested inputs',
    {
      trigger: selfService(),
      requiredApproval: { type: 'ALL' },
      approvalNotification: { type: 'email' },
      invocationMethod: {
        type: 'GITHUB',
        org: 'o',
        repo: 'r',
        workflow: 'w.yml',
        workflowInputs: { list: [1, true, 'a', { a: [] }, null, [2]] },
        reportWorkflowStatus: false,
      },
    },
  ],
  [
    'GITLAB',
    {
      trigger: selfService(),
      requiredApproval: true,
      invocationMethod: {
        type: 'GITLAB',
        groupName: 'g',
        projectName: 'p',
        defaultRef: 'x',
        pipelineVariables: { a: null },
      },
    },
  ],
  [
    'AZURE_DEVOPS',
    {
      trigger: selfService(),
      invocationMethod: { type: 'AZURE_DEVOPS', org: 'o', webhook: 'https://w.example', payload: {} },
    },
  ],
  [
    'INTEGRATION_ACTION',
    {
      trigger: selfService(),
      invocationMethod: {
        type: 'INTEGRATION_ACTION',
        installationId: 'i',
        integrationActionType: 'dispatch_workflow',
        integrationActionExecutionProperties: {
          org: 'o',
          repo: 'r',
          workflow: 'w',
          workflowInputs: {},
          reportWorkflowStatus: true,
        },
      },
    },
  ],
  [
    'UPSERT_ENTITY with properties and relations that the blueprint lacks, and no team',
    {
      trigger: selfService(),
      invocationMethod: {
        type: 'UPSERT_ENTITY',
        blueprintIdentifier: 'managed',
        mapping: { identifier: 'x', team: [], icon: 'I', properties: { nowhere: 'x' }, relations: { 'no-rel': 'y' } },
      },
    },
  ],
  [
    'UPSERT_ENTITY with a template for the team, and no identifier',
    {
      trigger: selfService(),
      invocationMethod: {
        type: 'UPSERT_ENTITY',
        blueprintIdentifier: 'managed',
        mapping: { team: '{{ .entity.team }}' },
      },
    },
  ],
  ...(['ENTITY_CREATED', 'ENTITY_UPDATED', 'ENTITY_DELETED', 'ANY_ENTITY_CHANGE'] as const).map(
    (type): (typeof kinds)[number] => [
      type,
      { publish: true, trigger: automation({ type, blueprintIdentifier: 'managed' }), invocationMethod: kafka },
    ],
  ),
  [
    'TIMER_PROPERTY_EXPIRED with a condition',
    {
      trigger: automation(
        { type: 'TIMER_PROPERTY_EXPIRED', blueprintIdentifier: 'managed', propertyIdentifier: 'ttl' },
        { condition: { type: 'JQ', combinator: 'or', expressions: ['.diff.after.title == "x"', 'true'] } },
      ),
      invocationMethod: kafka,
    },
  ],
  ...(['RUN_CREATED', 'RUN_UPDATED', 'ANY_RUN_CHANGE'] as const).map((type): (typeof kinds)[number] => [
    type,
    { trigger: automation({ type, actionIdentifier: 'not-there-yet' }), invocationMethod: kafka },
  ]),
  [
    'inputs of every type, with jq wherever it may stand',
    {
      trigger: selfService({
        blueprintIdentifier: 'managed',
        condition: {
          type: 'SEARCH',
          combinator: 'and',
          rules: [{ property: '$identifier', operator: '=', value: 'one' }],
        },
        userInputs: {
          properties: {
            text: {
              type: 'string',
              title: 'Text',
              pattern: jq('if .form.number == 1 then "^a" else ["b", "c"] end'),
              default: jq("'single quotes'"),
              enum: jq('"example" | [ . ]'),
              visible: jq('1==1'),
              disabled: false,
              dependsOn: ['number'],
            },
            chosen: { type: 'string', enum: ['b', 'a'], enumColors: { b: 'red', a: 'green' }, default: 'a' },
            number: { type: 'number', default: 0, minimum: -1.5, maximum: 10 },
            flag: { type: 'boolean', default: false, visible: false },
            document: { type: 'object', default: {}, encryption: 'aes256-gcm' },
            sealed: { type: 'string', encryption: { algorithm: 'client-side', key: 'a-key' } },
            entity: {
              type: 'string',
              format: 'entity',
              blueprint: 'managed',
              sort: { property: '$updatedAt', order: 'DESC' },
              dataset: {
                combinator: 'and',
                rules: [
                  { blueprint: 'managed', property: '$team', operator: 'containsAny', value: jq('.user.team') },
                  // No program; the provider's own tests write such.
                  { combinator: 'or', rules: [{ property: '$title', operator: '=', value: jq('Test') }] },
                ],
              },
            },
            list: {
              type: 'array',
              minItems: jq('2'),
              maxItems: 5,
              items: { type: 'number', default: [1, 2], enum: [1, 2] },
            },
          },
          required: jq('["text"]'),
          order: ['heading', 'text', 'number'],
          titles: { heading: { title: 'Heading', description: 'D', visible: jq('true') } },
        },
      }),
      invocationMethod: kafka,
    },
  ],
  [
    'steps',
    {
      trigger: selfService({
        userInputs: {
          properties: { a: { type: 'string' }, b: { type: 'string' } },
          required: ['b'],
          steps: [
            { title: 'First', order: ['a'] },
            { title: 'Second', order: ['b'], visible: jq('.form.a == "x"') },
          ],
        },
      }),
      invocationMethod: kafka,
    },
  ],
];

describe('an action', () => {
  beforeAll(async () => {
    await createBlueprint({
      identifier: 'managed',
      title: 'Managed',
      schema: { properties: { ttl: { type: 'string', format: 'timer' } } },
    });
  });

  // After each apply the provider reads the action, and plans a change for every key that is not as it was written.
  it.each(kinds)(
    'of the kind %s comes back as it was written, nothing added, after POST and after PUT',
    async (_kind, rest) => {
      const body = { identifier: 'echo', ...rest };
      try {
        const created = await createAction(body);
        expect(JSON.stringify(documentOf(created))).toBe(JSON.stringify(body));
        expect(await readAction('echo')).toEqual(created);
        const params = { action_identifier: 'echo' };
        const replaced = (await test.machine.call(actionRoutes.replace, { params, body })).body.action;
        expect(documentOf(replaced)).toEqual(body);
        expect(replaced).toMatchObject({ createdAt: created.createdAt, createdBy: created.createdBy });
      } finally {
        await test.machine.call(actionRoutes.remove, { params: { action_identifier: 'echo' } });
      }
    },
  );

  it('is renamed by PUT, and loses what the new document does not say', async () => {
    await createAction({ identifier: 'before', title: 'T', trigger: selfService(), invocationMethod: kafka });
    const params = { action_identifier: 'before' };
    const body = { identifier: 'after', trigger: selfService(), invocationMethod: kafka };
    await test.machine.call(actionRoutes.replace, { params, body });
    expect(documentOf(await readAction('after'))).toEqual(body);
    expect((await test.machine.refused(actionRoutes.get, { params })).status).toBe(404);
    await test.machine.call(actionRoutes.remove, { params: { action_identifier: 'after' } });
  });

  // Terraform renames a blueprint before the actions that name it; between the two, and for what others made, all must hold.
  it('follows a blueprint and an action that are renamed, in its form, its trigger and its policy, not in its data', async () => {
    await createBlueprint({ identifier: 'old/kind', title: 'Kind', schema: { properties: {} } });
    await createBlueprint({
      identifier: 'counting',
      title: 'C',
      schema: { properties: {} },
      aggregationProperties: {
        n: { target: 'old/kind', calculationSpec: { func: 'count', calculationBy: 'entities' } },
      },
    });
    const document = (kind: string): ActionBody => ({
      identifier: 'following',
      trigger: selfService({
        blueprintIdentifier: kind,
        userInputs: {
          properties: {
            one: {
              type: 'string',
              format: 'entity',
              blueprint: kind,
              dataset: { combinator: 'and', rules: [{ property: '$blueprint', operator: '=', value: kind }] },
            },
            data: { type: 'object', default: { blueprint: 'old/kind' } },
          },
        },
      }),
      invocationMethod: { type: 'KAFKA', payload: { blueprint: 'old/kind' } },
    });
    await createAction(document('old/kind'));
    await createAction({
      identifier: 'listening',
      trigger: automation({ type: 'RUN_CREATED', actionIdentifier: 'following' }),
      invocationMethod: { type: 'UPSERT_ENTITY', blueprintIdentifier: 'old/kind', mapping: {} },
    });
    const policy = (kind: string) => ({
      queries: { q: { combinator: 'and' as const, rules: [{ property: '$blueprint', operator: '=', value: kind }] } },
      conditions: ['.results.q.entities | length == 0'],
    });
    const params = { action_identifier: 'following' };
    await test.machine.call(permissionRoutes.patch, { params, body: { execute: { policy: policy('old/kind') } } });

    await test.machine.call(blueprintRoutes.patch, {
      params: { blueprint_identifier: 'old/kind' },
      body: { identifier: 'kind' },
    });
    expect(documentOf(await readAction('following'))).toEqual(document('kind'));
    const { permissions } = (await test.machine.call(permissionRoutes.get, { params })).body;
    expect(permissions.execute.policy).toEqual(policy('kind'));
    const counting = (await test.machine.call(blueprintRoutes.get, { params: { blueprint_identifier: 'counting' } }))
      .body;
    expect(counting.blueprint.aggregationProperties).toMatchObject({ n: { target: 'kind' } });

    await test.machine.call(actionRoutes.replace, { params, body: { ...document('kind'), identifier: 'followed' } });
    expect(await readAction('listening')).toMatchObject({
      trigger: { event: { actionIdentifier: 'followed' } },
      invocationMethod: { blueprintIdentifier: 'kind' },
    });
  });

  it('keeps its permissions as they were sent; the policy goes with null', async () => {
    await createAction({ identifier: 'guarded', trigger: selfService(), invocationMethod: kafka });
    const params = { action_identifier: 'guarded' };
    const policy = {
      queries: { q: { combinator: 'and' as const, rules: [{ value: 'x', property: '$title', operator: '=' }] } },
      conditions: ['.results.q.entities | length == 0'],
    };
    const given = {
      execute: { users: [], roles: ['Member'], teams: ['nobody-yet'], ownedByTeam: true, policy },
      approve: { users: ['a@example.com'], roles: [], teams: [], policy: null },
    };
    const answered = (await test.machine.call(permissionRoutes.patch, { params, body: given })).body.permissions;
    const read = async () => (await test.machine.call(permissionRoutes.get, { params })).body.permissions;
    expect(answered).toEqual(given);
    expect(await read()).toEqual(given);
    const without = { ...given, execute: { ...given.execute, policy: null } };
    await test.machine.call(permissionRoutes.patch, { params, body: without });
    expect(await read()).toEqual(without);
  });
});

// The example of the documentation about self-service actions, key by key, with its two holes (address, run id) filled in.
describe("the documentation's example of an action", () => {
  it('is saved, shown in its order, executed with its defaults, and sent as it says', async () => {
    const receiver = await startReceiver();
    try {
      const example: ActionBody = {
        identifier: 'unique_id',
        title: 'Title',
        icon: 'iconIdentifier',
        description: 'Action description',
        trigger: {
          type: 'self-service',
          operation: 'CREATE',
          userInputs: {
            properties: {
              property1: { type: 'string', title: 'Property title', default: 'default value' },
              property2: { type: 'number', title: 'property title', default: 5 },
            },
          },
        },
        invocationMethod: {
          type: 'WEBHOOK',
          url: `${receiver.url}/hook`,
          agent: false,
          synchronized: false,
          method: 'POST',
          headers: { RUN_ID: '{{ .run.id }}' },
          body: { property1: '{{ .inputs.property1 }}', property2: '{{ .inputs.property2 }}' },
        },
      };
      await createAction(example);
      expect(JSON.stringify(documentOf(await readAction('unique_id')))).toBe(JSON.stringify(example));

      const execute = async (properties: Record<string, unknown>) =>
        (await test.admin.call(runRoutes.execute, { params: { action_identifier: 'unique_id' }, body: { properties } }))
          .body.run.id;
      const first = await execute({});
      await expect.poll(() => receiver.requests.length, { timeout: 20_000 }).toBe(1);
      const second = await execute({ property1: 'given', property2: 7 });
      await expect.poll(() => receiver.requests.length, { timeout: 20_000 }).toBe(2);
      expect(
        receiver.requests.map(({ method, path, headers, body }) => [
          method,
          path,
          headers.run_id,
          JSON.parse(String(body)),
        ]),
      ).toEqual([
        ['POST', '/hook', first, { property1: 'default value', property2: 5 }],
        ['POST', '/hook', second, { property1: 'given', property2: 7 }],
      ]);
      const refused = await test.admin.refused(runRoutes.execute, {
        params: { action_identifier: 'unique_id' },
        body: { properties: { property2: 'many' } },
      });
      expect(refused.status).toBe(422);
      expect(refused.body.message).toContain('property2');
    } finally {
      await receiver.close();
    }
  });
});
