import {
  type ActionBody,
  actionRoutes,
  blueprintRoutes,
  entityRoutes,
  permissionRoutes,
  runRoutes,
  type UserInputs,
} from '@quayside/contracts';
import { entityKey, findMistakes, identifiersIn, resolveForm } from '@quayside/expressions';
import { testOrganization } from '@quayside/testkit';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { webhookAction } from '../../../test/documents.ts';
import { startTestApp, type TestApp } from '../../../test/harness.ts';

let test: TestApp;
const clusters = ['eu', 'us', 'test'] as const;
beforeAll(async () => {
  test = await startTestApp();
  await test.machine.call(blueprintRoutes.create, {
    body: {
      identifier: 'cluster',
      title: 'Cluster',
      schema: { properties: { tier: { type: 'string' }, nodes: { type: 'number' } } },
    },
  });
  for (const [index, identifier] of clusters.entries())
    await test.machine.call(entityRoutes.create, {
      params: { blueprint_identifier: 'cluster' },
      body: { identifier, properties: { tier: identifier === 'eu' ? 'gold' : 'iron', nodes: index } },
    });
});
afterAll(() => test.stop());

const jq = (jqQuery: string) => ({ jqQuery });

let actions = 0;
async function createForm(userInputs: UserInputs, change: Partial<ActionBody> = {}): Promise<string> {
  const identifier = `form_${actions++}`;
  await test.machine.call(actionRoutes.create, {
    body: webhookAction({
      identifier,
      trigger: { type: 'self-service', operation: 'CREATE', userInputs },
      body: {},
      ...change,
    }),
  });
  return identifier;
}

/** What the server says about the inputs, as an administrator in the browser gets it. */
async function execute(action: string, properties: Record<string, unknown>) {
  const input = { params: { action_identifier: action }, body: { properties } };
  const path = runRoutes.execute.path.replace(':action_identifier', action);
  const response = await test.admin.fetch(path, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(input.body),
  });
  const answer = (await response.json()) as {
    message: string;
    details?: { path: string; message: string }[];
    run?: { rawProperties: unknown };
  };
  if (response.status !== 422 && response.status !== 201 && response.status !== 202)
    throw new Error(`${response.status}: ${JSON.stringify(answer)}`);
  return {
    mistakes: (answer.details ?? []).map(
      ({ path: where, message }) => `${where.slice('body.properties.'.length)} ${message}`,
    ),
    values: answer.run?.rawProperties,
  };
}

describe('the server judges the form once more', () => {
  const dataset = (rule: Record<string, unknown>) => ({ combinator: 'and' as const, rules: [rule] });
  const cluster = { type: 'string' as const, format: 'entity' as const, blueprint: 'cluster' };
  it.each<[string, UserInputs['properties'], Record<string, unknown>, string | undefined]>([
    ['an entity that exists', { x: cluster }, { x: 'eu' }, undefined],
    [
      'a pattern that would hold a backtracking engine for ages',
      { x: { type: 'string', pattern: '(a+)+$' } },
      { x: `${'a'.repeat(5_000)}!` },
      'x must match the pattern (a+)+$.',
    ],
    [
      'a hundred that can not be made linear',
      Object.fromEntries(
        Array.from({ length: 100 }, (_, index) => [`x${index}`, { type: 'string', pattern: '^(?=(a+)+$)' }]),
      ),
      Object.fromEntries(Array.from({ length: 100 }, (_, index) => [`x${index}`, `${'a'.repeat(60)}!`])),
      'x99 can not be checked, because its pattern ^(?=(a+)+$) takes too long on this text.',
    ],
    [
      'one that does not',
      { x: cluster },
      { x: 'mars' },
      'x names the entity "mars" of blueprint "cluster", which was not found.',
    ],
    [
      'one in a list',
      { x: { type: 'array', items: { ...cluster } } },
      { x: ['eu', 'mars'] },
      'x names the entity "mars"',
    ],
    [
      'one outside a dataset',
      { x: { ...cluster, dataset: dataset({ property: 'tier', operator: '=', value: 'gold' }) } },
      { x: 'us' },
      'which is not one of the choices that the rules of this input leave',
    ],
    [
      'one that another input rules out',
      {
        tier: { type: 'string' },
        x: { ...cluster, dataset: dataset({ property: 'tier', operator: '=', value: jq('.form.tier') }) },
      },
      { tier: 'iron', x: 'eu' },
      'x names the entity "eu"',
    ],
    [
      'one in a list outside its dataset',
      { x: { type: 'array', items: { ...cluster, dataset: dataset({ property: 'nodes', operator: '>', value: 0 }) } } },
      { x: ['us', 'eu'] },
      'x names the entity "eu"',
    ],
    [
      'choices that follow from a chosen entity',
      { x: cluster, size: { type: 'number', enum: jq('[range(.form.x.properties.nodes + 1)]') } },
      { x: 'us', size: 2 },
      'size must be one of 0, 1.',
    ],
    ['a user', { x: { type: 'string', format: 'user' } }, { x: testOrganization.adminEmail }, undefined],
    [
      'nobody',
      { x: { type: 'string', format: 'user' } },
      { x: 'nobody@example.com' },
      'x names the user "nobody@example.com"',
    ],
    [
      'a team that is none',
      { x: { type: 'array', items: { type: 'string', format: 'team' } } },
      { x: ['ghosts'] },
      'x names the team',
    ],
    [
      'choices that follow from the person',
      { x: { type: 'string', enum: jq('[.user.roles[].name]') } },
      { x: 'Admin' },
      undefined,
    ],
  ])('%s', async (_name, properties, values, mistake) => {
    const answer = await execute(await createForm({ properties }), values);
    if (mistake === undefined) expect(answer.mistakes).toEqual([]);
    else expect(answer.mistakes.join()).toContain(mistake);
  });

  it('fills in defaults that follow from an entity which is itself a default', async () => {
    const action = await createForm({
      properties: {
        nodes: { type: 'number', default: jq('.form.x.properties.nodes') },
        x: { ...cluster, default: jq('"us"') },
      },
    });
    expect(await execute(action, {})).toEqual({ mistakes: [], values: { x: 'us', nodes: 1 } });
    expect(await execute(action, { nodes: null })).toEqual({ mistakes: [], values: { x: 'us' } });
  });
});

/**
 * A browser knows what the API tells it: the person, the entities that the inputs name, and which entities a dataset
 * leaves. With that it must come to the same verdict as the server, on any form.
 */
async function askBrowser(inputs: UserInputs, submitted: Record<string, unknown>) {
  const { user } = (await test.admin.call(permissionRoutes.caller)).body;
  const entities = new Map<string, unknown>();
  const about = { entity: null, user, entities };
  let form = resolveForm(inputs, submitted, about);
  for (let turn = 0; turn < 10; turn++) {
    const wanted = form.names.filter((name) => !entities.has(entityKey(name.blueprint, name.identifier)));
    if (wanted.length === 0) break;
    for (const { blueprint, identifier } of wanted)
      entities.set(
        entityKey(blueprint, identifier),
        (await choices(blueprint)).find((each) => each.identifier === identifier) ?? null,
      );
    form = resolveForm(inputs, submitted, about);
  }
  const mistakes = findMistakes(inputs, submitted, form, { areSealed: true });
  const names = new Set(mistakes.map(({ name }) => name));
  for (const [name, { blueprint, dataset, value }] of Object.entries(form.inputs)) {
    if (blueprint === undefined || names.has(name)) continue;
    const offered = (await choices(blueprint, dataset)).map(({ identifier }) => identifier);
    if (identifiersIn(value).some((identifier) => !offered.includes(identifier))) names.add(name);
  }
  return { names: [...names].sort(), values: form.values };
}

async function choices(blueprint: string, query?: { combinator: 'and' | 'or'; rules: Record<string, unknown>[] }) {
  const { body } = await test.admin.call(entityRoutes.search, {
    params: { blueprint_identifier: blueprint },
    body: query ? { query } : {},
  });
  return body.entities;
}

const inputNames = ['a', 'b', 'c', 'd'] as const;
const other = fc.constantFrom(...inputNames);
const words = ['', 'eu', 'us', 'mars', 'gold', '7'];

/** Programs over the other inputs, some of them broken in some situations, as people write them. */
const program = other.chain((name) =>
  fc.constantFrom(
    `.form.${name}`,
    `.form.${name}.identifier`,
    `.form.${name} == "eu"`,
    `.form.${name} | length`,
    `[.form.${name}, "gold", 7]`,
    `.form.${name} | ascii_downcase`,
    `if .form.${name} == null then "us" else "eu" end`,
    `[.form.${name}.properties.tier]`,
    '.user.roles | any(.name == "Admin")',
    '.user.email',
    '[.user.teams[].name]',
    'error("no")',
  ),
);
const dynamic = program.map(jq);
const flag = fc.oneof(fc.boolean(), dynamic);
const list = fc.oneof(fc.constant(['eu', 'gold', 7]), dynamic);
const entityRules = fc.record({
  combinator: fc.constantFrom('and', 'or'),
  rules: fc.array(
    fc.record({
      property: fc.constantFrom('tier', '$identifier'),
      operator: fc.constant('='),
      value: fc.oneof(fc.constant('gold'), dynamic),
    }),
    { minLength: 1, maxLength: 2 },
  ),
});
const shape = fc.oneof(
  fc.record({
    type: fc.constant('string'),
    minLength: fc.constantFrom(0, 2),
    pattern: fc.oneof(fc.constant('^[a-z]*$'), dynamic),
  }),
  fc.record({ type: fc.constant('string'), enum: list }),
  fc.record({ type: fc.constant('string'), format: fc.constantFrom('url', 'email', 'date-time', 'ipv4', 'yaml') }),
  fc.record({ type: fc.constant('number'), maximum: fc.constantFrom(3, 9) }),
  fc.record({ type: fc.constant('boolean') }),
  fc.record({
    type: fc.constant('array'),
    items: fc.constant({ type: 'string' }),
    minItems: fc.oneof(fc.nat(2), dynamic),
    maxItems: fc.oneof(fc.nat(3), dynamic),
  }),
  fc.record({ type: fc.constant('object'), required: fc.constant(['k']) }),
  fc.record({
    type: fc.constant('string'),
    format: fc.constant('entity'),
    blueprint: fc.constant('cluster'),
    dataset: entityRules,
  }),
  fc.record({
    type: fc.constant('array'),
    items: fc.constant({ type: 'string', format: 'entity', blueprint: 'cluster' }),
  }),
);
const rules = fc.record(
  {
    visible: flag,
    disabled: flag,
    default: fc.oneof(
      { weight: 4, arbitrary: fc.constant(undefined) },
      fc.constantFrom<unknown>('eu', 7, true, ['eu']),
      dynamic,
    ),
    dependsOn: fc.array(other, { maxLength: 1 }),
  },
  { requiredKeys: [] },
);
/** A value that may well be right: forms of nothing but mistakes would prove little. */
const fitting = { string: 'eu', number: 2, boolean: true, array: ['eu'], object: { k: 1 } } as Record<string, unknown>;
const anything = fc.constantFrom<unknown>(...words, 7, true, null, ['eu'], ['eu', 'us', 'us'], { k: 1 }, {});
const input = fc
  .tuple(shape, rules, fc.oneof({ weight: 3, arbitrary: fc.constant(undefined) }, anything), fc.nat(2))
  .map(([what, how, odd, isGiven]) => ({
    definition: JSON.parse(JSON.stringify({ ...what, ...how })) as Record<string, unknown>,
    value: isGiven === 0 ? undefined : odd === undefined ? fitting[what.type] : odd,
  }));
const formOf = fc
  .record({
    inputs: fc.array(input, { minLength: 1, maxLength: 4 }),
    required: fc.oneof(fc.constant([]), fc.constant(['a']), dynamic),
    isStray: fc.nat(19).map((dice) => dice === 0),
  })
  .map(({ inputs, required, isStray }) => {
    const named = inputs.map((each, index) => [inputNames[index] ?? 'a', each] as const);
    const names: string[] = named.map(([name]) => name);
    const properties = named.map(([name, { definition }]) => {
      const dependsOn = ((definition.dependsOn as string[] | undefined) ?? []).filter((each) => names.includes(each));
      return [name, { ...definition, dependsOn }] as const;
    });
    const values = named.flatMap(([name, { value }]) => (value === undefined ? [] : [[name, value] as const]));
    return {
      inputs: { properties: Object.fromEntries(properties), required },
      submitted: { ...Object.fromEntries(values), ...(isStray ? { unknown: 1 } : {}) },
    };
  });

it('browser and server answer the same on any form', { timeout: 120_000 }, async () => {
  const verdicts = { allowed: 0, refused: 0 };
  await fc.assert(
    fc.asyncProperty(formOf, async ({ inputs, submitted }) => {
      const userInputs = inputs as unknown as UserInputs;
      const browser = await askBrowser(userInputs, submitted);
      const server = await execute(await createForm(userInputs), submitted);
      const named = new Set(server.mistakes.map((mistake) => /^[a-z]+/.exec(mistake)?.[0] ?? ''));
      expect([...named].sort()).toEqual(browser.names);
      if (browser.names.length === 0) expect(server.values).toEqual(browser.values);
      verdicts[browser.names.length === 0 ? 'allowed' : 'refused']++;
    }),
    // The same forms every time, because the counts below depend on them.
    { numRuns: 100, seed: 1959 },
  );
  // A generator that only makes broken forms would prove little.
  expect(verdicts.allowed).toBeGreaterThan(10);
  expect(verdicts.refused).toBeGreaterThan(10);
});
