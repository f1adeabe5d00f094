import type { ActionInput, Entity, UserInputs } from '@quayside/contracts';
import { describe, expect, it } from 'vitest';
import {
  type Drafts,
  dependentsOf,
  entityKey,
  type Field,
  findMistakes,
  limitsOf,
  placeDetails,
  resolveForm,
  type Surroundings,
} from './form-model.ts';
import { evaluate } from './jq.ts';

const nobody: Surroundings = { entity: null, user: { email: 'ana@example.com' }, entities: new Map() };
const resolve = (inputs: UserInputs, drafts: Drafts = {}, about = nobody) =>
  resolveForm(inputs, drafts, about, evaluate);
const jq = (jqQuery: string) => ({ jqQuery });

const cluster = {
  identifier: 'eu',
  blueprint: 'cluster',
  title: 'EU',
  properties: { tier: 'gold' },
} as unknown as Entity;

describe('what the form shows', () => {
  it('comes in the order that the author gave, what is missing there last, titles in between', () => {
    const { steps } = resolve({
      properties: { a: { type: 'string' }, b: { type: 'string' }, c: { type: 'string' } },
      order: ['c', 'where', 'a'],
      titles: { where: { title: 'Where' }, unlisted: { title: 'More' } },
    } as UserInputs);
    expect(steps[0]?.items.map((item) => (item.kind === 'field' ? item.field.name : item.title))).toEqual([
      'c',
      'Where',
      'a',
      'More',
      'b',
    ]);
  });

  it('follows expressions over the other inputs: visible, disabled, required, choices', () => {
    const inputs = {
      properties: {
        language: { type: 'string', enum: ['go', 'node'] },
        version: { type: 'string', enum: jq('if .form.language == "go" then ["1.24"] else ["22", "24"] end') },
        reason: { type: 'string', visible: jq('.form.language == "go"') },
        locked: { type: 'string', disabled: jq('.user.email == "ana@example.com"') },
      },
      required: jq('if .form.language == "go" then ["reason"] else [] end'),
    } as unknown as UserInputs;
    const go = resolve(inputs, { language: 'go' }).fields;
    expect(go.version?.options).toEqual(['1.24']);
    expect([go.reason?.isVisible, go.reason?.isRequired, go.locked?.isDisabled]).toEqual([true, true, true]);
    const node = resolve(inputs, { language: 'node' }).fields;
    expect(node.version?.options).toEqual(['22', '24']);
    expect([node.reason?.isVisible, node.reason?.isRequired]).toEqual([false, false]);
  });

  it('an expression that fails leaves an input visible, enabled and without choices', () => {
    const { fields } = resolve({
      properties: { a: { type: 'string', enum: jq('error("no")'), visible: jq('1 + {}'), disabled: jq('nonsense(') } },
    } as unknown as UserInputs);
    expect(fields.a).toMatchObject({ isVisible: true, isDisabled: false, options: [] });
  });

  it('skips a step that is not visible, and puts inputs of no step into the last', () => {
    const { steps } = resolve({
      properties: { a: { type: 'string' }, b: { type: 'string' }, c: { type: 'string' } },
      steps: [
        { title: 'First', order: ['a'] },
        { title: 'Never', order: ['b'], visible: false },
        { title: 'Last', order: [] },
      ],
    } as unknown as UserInputs);
    expect(steps.map((step) => [step.title, step.items.length])).toEqual([
      ['First', 1],
      ['Last', 1],
    ]);
  });
});

describe('values', () => {
  it('default by default: an expression may build on another default', () => {
    const { values } = resolve({
      properties: {
        name: { type: 'string', default: 'shop' },
        repository: { type: 'string', default: jq('"git/" + .form.name') },
        url: { type: 'string', default: jq('"https://" + .form.repository') },
      },
    } as unknown as UserInputs);
    expect(values).toEqual({ name: 'shop', repository: 'git/shop', url: 'https://git/shop' });
  });

  it('that never settle stop', () => {
    const { values } = resolve({
      properties: {
        a: { type: 'string', default: jq('.form.b + "x"') },
        b: { type: 'string', default: jq('.form.a + "y"') },
      },
    } as unknown as UserInputs);
    expect(String(values.a).length).toBeLessThan(30);
  });

  it('that a person typed win over defaults, and an emptied field is left out', () => {
    const inputs = {
      properties: { a: { type: 'string', default: 'x' }, b: { type: 'number', default: 2 } },
    } as UserInputs;
    expect(resolve(inputs, { a: 'mine', b: '' }).values).toEqual({ a: 'mine' });
  });

  it('of hidden inputs are sent all the same', () => {
    const inputs = { properties: { a: { type: 'string', default: 'x', visible: false } } } as UserInputs;
    expect(resolve(inputs).values).toEqual({ a: 'x' });
  });

  it('of entity inputs are objects to expressions, and identifiers to the server', () => {
    const inputs = {
      properties: {
        cluster: { type: 'string', format: 'entity', blueprint: 'cluster' },
        tier: { type: 'string', default: jq('.form.cluster.properties.tier') },
      },
    } as unknown as UserInputs;
    const about = { ...nobody, entities: new Map([[entityKey('cluster', 'eu'), cluster]]) };
    expect(resolve(inputs, { cluster: 'eu' }, about).values).toEqual({ cluster: 'eu', tier: 'gold' });
  });
});

it('a dataset whose expression yields nothing offers nothing', () => {
  const inputs = {
    properties: {
      cluster: {
        type: 'string',
        format: 'entity',
        blueprint: 'cluster',
        dataset: { combinator: 'and', rules: [{ property: 'tier', operator: '=', value: jq('.form.missing') }] },
      },
    },
  } as unknown as UserInputs;
  expect(resolve(inputs).fields.cluster?.query).toEqual({
    combinator: 'and',
    rules: [{ property: '$identifier', operator: '=', value: '' }],
  });
});

describe('inputs that depend on others', () => {
  const inputs = {
    properties: {
      cluster: { type: 'string', title: 'Cluster' },
      namespace: { type: 'string', dependsOn: ['cluster'] },
      pod: { type: 'string', dependsOn: ['namespace'] },
    },
  } as unknown as UserInputs;

  it('wait for them, and say for which', () => {
    expect(resolve(inputs).fields.namespace).toMatchObject({ isDisabled: true, hint: 'First fill in Cluster' });
    expect(resolve(inputs, { cluster: 'eu' }).fields.namespace).toMatchObject({ isDisabled: false, hint: undefined });
  });

  it('are found down the line', () => {
    expect([...dependentsOf(inputs, 'cluster')]).toEqual(['namespace', 'pod']);
    expect([...dependentsOf(inputs, 'pod')]).toEqual([]);
  });
});

describe('mistakes', () => {
  const mistakesOf = (input: ActionInput, draft: unknown, required = false): string | undefined => {
    const inputs = { properties: { it: input }, ...(required ? { required: ['it'] } : {}) } as UserInputs;
    const { fields } = resolve(inputs, { it: draft });
    const settle = limitsOf(inputs, { it: draft }, nobody, evaluate);
    return findMistakes(Object.values(fields) as Field[], settle).it;
  };
  const cases: [string, ActionInput, unknown, string | undefined][] = [
    ['a text of the right form', { type: 'string', pattern: '^[a-z]+$' }, 'abc', undefined],
    ['a pattern', { type: 'string', pattern: '^[a-z]+$' }, 'ABC', 'it must match the pattern ^[a-z]+$.'],
    ['too short', { type: 'string', title: 'Name', minLength: 3 }, 'ab', 'Name must have at least 3 characters.'],
    ['an emoji is one character', { type: 'string', maxLength: 1 }, '🚢', undefined],
    ['no URL', { type: 'string', format: 'url' }, 'example', 'it must be a full URL, like https://example.com.'],
    ['no e-mail', { type: 'string', format: 'email' }, 'ana', 'it must be an e-mail address, like ana@example.com.'],
    ['an exclusive bound', { type: 'number', exclusiveMinimum: 0 }, 0, 'it must be more than 0.'],
    ['no number', { type: 'number' }, 'many', 'it must be a number.'],
    [
      'too few',
      { type: 'array', items: { type: 'string' }, minItems: 2 } as ActionInput,
      ['a'],
      'it needs at least 2 items.',
    ],
    [
      'twice',
      { type: 'array', items: { type: 'string' }, uniqueItems: true } as ActionInput,
      ['a', 'a'],
      'it has an item twice.',
    ],
    [
      'an item',
      { type: 'array', items: { type: 'string', pattern: '^a' } } as ActionInput,
      ['b'],
      'it “b” must match the pattern ^a.',
    ],
    ['no JSON', { type: 'object' }, '{', 'it is not valid JSON'],
    ['a list for an object', { type: 'object' }, '[]', 'it must be a JSON object, like {"key": "value"}.'],
  ];
  it.each(cases)('%s', (_name, input, draft, mistake) => {
    const found = mistakesOf(input, draft);
    if (mistake === undefined) expect(found).toBeUndefined();
    else expect(found?.startsWith(mistake)).toBe(true);
  });

  it('a required input must be there, a hidden one is not asked of the person', () => {
    expect(mistakesOf({ type: 'string' }, '', true)).toBe('it is required.');
    expect(mistakesOf({ type: 'string', visible: false } as ActionInput, '', true)).toBeUndefined();
  });

  it('of the server land beside their fields, the rest above the form', () => {
    const { fields } = resolve({ properties: { name: { type: 'string', title: 'Name' } } } as UserInputs);
    const details = [
      { path: 'body.properties.name', message: 'is taken.' },
      { path: 'body.entity', message: 'does not exist' },
      { path: 'body.properties.unknown', message: 'is not an input' },
    ];
    expect(placeDetails(details, fields)).toEqual({
      byField: { name: 'Name is taken.', $target: 'The target entity does not exist.' },
      others: [details[2]],
    });
  });
});
