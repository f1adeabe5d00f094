import { type ActionBody, actionRoutes, blueprintRoutes, type Run, runRoutes } from '@quayside/contracts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { serviceBlueprint, webhookAction } from '../../../test/documents.ts';
import { startTestApp, type TestApp } from '../../../test/harness.ts';

/** The document of an action: what may be written and what comes back (spec/actions.md §1.1–1.10, §1.18). */
let test: TestApp;
beforeAll(async () => {
  test = await startTestApp();
  await test.machine.call(blueprintRoutes.create, { body: serviceBlueprint });
}, 60_000);
afterAll(() => test.stop());

const create = async (body: ActionBody) => (await test.machine.call(actionRoutes.create, { body })).body.action;
const remove = (action_identifier: string) => test.machine.call(actionRoutes.remove, { params: { action_identifier } });
const list = async (query: Record<string, unknown>) =>
  (await test.machine.call(actionRoutes.list, { query: query as never })).body.actions.map((one) => one.identifier);
const form = (userInputs: object, more: object = {}) => ({
  trigger: { type: 'self-service', operation: 'CREATE', userInputs: { properties: {}, ...userInputs }, ...more },
});
const inputs = (properties: object) => form({ properties });

describe('refused is', () => {
  it.each<[string, object, string, string]>([
    ['an identifier with a blank', { identifier: 'a b' }, 'body.identifier', 'must match'],
    ['an identifier that is a path', { identifier: '..' }, 'body.identifier', 'must match'],
    [
      'a long label',
      form({}, { actionCardButtonText: 'sixteen letters!' }),
      'body.trigger.actionCardButtonText',
      'must NOT have more than 15 characters.',
    ],
    [
      'a label that begins with a blank',
      form({}, { executeActionButtonText: ' Go' }),
      'body.trigger.executeActionButtonText',
      'must match',
    ],
    [
      'a condition without a blueprint',
      form({}, { operation: 'DAY-2', condition: { type: 'SEARCH', combinator: 'and', rules: [] } }),
      'body.trigger.condition',
      'needs trigger.blueprintIdentifier.',
    ],
    [
      'an approval of another kind',
      { requiredApproval: { type: 'SOME' } },
      'body.requiredApproval.type',
      'must be one of "ANY", "ALL".',
    ],
    [
      'a notification without its address',
      { approvalNotification: { type: 'webhook', format: 'slack' } },
      'body.approvalNotification.url',
      'is required.',
    ],
    ['a notification by fax', { approvalNotification: { type: 'fax' } }, 'body.approvalNotification', 'shapes'],
    [
      'an order beside steps',
      form({ properties: { x: { type: 'string' } }, order: ['x'], steps: [{ title: 'One', order: ['x'] }] }),
      'body.trigger.userInputs.order',
      'can not stand beside steps; each step has its own order.',
    ],
    [
      'a required input that is none',
      form({ required: ['x'] }),
      'body.trigger.userInputs.required',
      'names "x", which is not an input.',
    ],
    [
      'an input that waits for none',
      inputs({ x: { type: 'string', dependsOn: ['y'] } }),
      'body.trigger.userInputs.properties.x.dependsOn',
      'names "y", which is not an input.',
    ],
    [
      'an entity of no blueprint',
      inputs({ x: { type: 'array', items: { type: 'string', format: 'entity' } } }),
      'body.trigger.userInputs.properties.x.items.blueprint',
      'is required for the format entity.',
    ],
    [
      'a secret number',
      inputs({ x: { type: 'number', encryption: 'aes256-gcm' } }),
      'body.trigger.userInputs.properties.x.encryption',
      'is only possible for text and objects.',
    ],
    [
      'jq of items that does not compile',
      inputs({ x: { type: 'array', items: { type: 'string', enum: { jqQuery: '[1' } } } }),
      'body.trigger.userInputs.properties.x.items.enum.jqQuery',
      'does not compile: ',
    ],
    // The document of before actions had triggers.
    ['the flat document of old', { trigger: 'CREATE', userInputs: { properties: {} } }, 'body.trigger', 'an object.'],
  ])('%s, and nothing is stored', async (_name, change, path, message) => {
    const { status, body } = await test.machine.refused(actionRoutes.create, {
      body: { ...webhookAction({ identifier: 'refused' }), ...change },
    });
    expect(status).toBe(422);
    expect(body.details).toContainEqual({ path, message: expect.stringContaining(message) });
    expect(await list({ action_identifier: ['refused', 'a b'] })).toEqual([]);
  });
});

describe('an action', () => {
  it.each<[string, object]>([
    ['of letters beyond ASCII', { identifier: 'á.b-1' }],
    ['CREATE, without a blueprint', form({})],
    ['DAY-2', form({}, { operation: 'DAY-2', blueprintIdentifier: 'service' })],
    ['DELETE', form({}, { operation: 'DELETE', blueprintIdentifier: 'service' })],
    [
      'with labels as long as they may be',
      form({}, { actionCardButtonText: 'fifteen letters', executeActionButtonText: 'x' }),
    ],
    ['that anyone approves', { requiredApproval: { type: 'ANY' }, approvalNotification: { type: 'email' } }],
    [
      'that all approve',
      {
        requiredApproval: { type: 'ALL' },
        approvalNotification: { type: 'webhook', url: 'https://hooks.example/x', format: 'json' },
      },
    ],
  ])('%s is stored, read and listed as it was written', async (_name, change) => {
    const document = { ...webhookAction({ identifier: 'written' }), ...change } as ActionBody;
    expect(await create(document)).toMatchObject(document);
    const params = { action_identifier: document.identifier };
    expect((await test.machine.call(actionRoutes.get, { params })).body.action).toMatchObject(document);
    expect(await list({})).toContain(document.identifier);
    await remove(document.identifier);
    expect((await test.machine.refused(actionRoutes.get, { params })).status).toBe(404);
  });

  it('is found by filters that all have to fit', async () => {
    const of = (operation: string, blueprintIdentifier?: string) =>
      form({}, { operation, ...(blueprintIdentifier && { blueprintIdentifier }) });
    const listens = { event: { type: 'ENTITY_CREATED', blueprintIdentifier: 'service' } };
    const documents: Record<string, object> = {
      'create-service': of('CREATE', 'service'),
      'change-service': of('DAY-2', 'service'),
      'change-anything': of('DAY-2'),
      'on-service': { trigger: { type: 'automation', ...listens } },
      'on-service-off': { trigger: { type: 'automation', ...listens }, publish: false },
    };
    for (const [identifier, change] of Object.entries(documents))
      await create({ ...webhookAction({ identifier }), ...change } as ActionBody);
    const found = async (query: object) => (await list({ ...query })).sort();
    expect(await found({ blueprint_identifier: ['service'] })).toEqual([
      'change-service',
      'create-service',
      'on-service',
      'on-service-off',
    ]);
    expect(await found({ operation: ['DAY-2'], blueprint_identifier: ['service'] })).toEqual(['change-service']);
    expect(await found({ operation: ['DAY-2', 'CREATE'], trigger_type: 'self-service' })).toHaveLength(3);
    expect(await found({ trigger_type: 'automation', published: true })).toEqual(['on-service']);
    expect(await found({ trigger_event: ['ENTITY_CREATED'], published: false })).toEqual(['on-service-off']);
    expect(await found({ operation: ['DAY-2'], trigger_type: 'automation' })).toEqual([]);
    for (const identifier of Object.keys(documents)) await remove(identifier);
  });

  it('that is deleted leaves its runs, which say so', async () => {
    await create(webhookAction({ identifier: 'gone', title: 'Gone', icon: 'Rocket' }));
    const params = { action_identifier: 'gone' };
    const { run } = (await test.machine.call(runRoutes.execute, { params, body: { properties: { name: 'shop' } } }))
      .body;
    expect(run.action).toEqual({ identifier: 'gone', title: 'Gone', icon: 'Rocket', deleted: false });
    await remove('gone');
    const read = (await test.machine.call(runRoutes.get, { params: { run_id: run.id } })).body.run;
    expect(read.action).toEqual({ identifier: 'gone', title: null, icon: null, deleted: true });
  });

  it('does the same whether a person or a program executes it; the run says which', async () => {
    await create(webhookAction({ identifier: 'both' }));
    const request = { params: { action_identifier: 'both' }, body: { properties: { name: 'shop' } } };
    const [byPerson, byProgram] = [
      (await test.admin.call(runRoutes.execute, request)).body.run,
      (await test.machine.call(runRoutes.execute, request)).body.run,
    ];
    expect([byPerson.source, byProgram.source]).toEqual(['UI', 'API']);
    const same = ({ properties, rawProperties, status, payload, id }: Run) =>
      JSON.parse(JSON.stringify({ properties, rawProperties, status, payload }).replaceAll(id, 'r_'));
    expect(same(byProgram)).toEqual(same(byPerson));
  });
});
