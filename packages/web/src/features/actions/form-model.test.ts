import type { ActionInput, UserInputs } from '@quayside/contracts';
import { entityKey, type Surroundings } from '@quayside/expressions';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { kindOf, toDraft, toValue } from './field-kinds.ts';
import { type Drafts, dependentsOf, draftsOf, placeDetails, resolveForm } from './form-model.ts';

const nobody: Surroundings = { entity: null, user: { email: 'ana@example.com' }, entities: new Map() };
const resolve = (inputs: UserInputs, drafts: Drafts = {}, about = nobody) => resolveForm(inputs, drafts, about);
const jq = (jqQuery: string) => ({ jqQuery });

describe('what the form shows', () => {
  it('comes in the order that the author gave, what is missing there last, titles in between', () => {
    const { steps } = resolve({
      properties: { a: { type: 'string' }, b: { type: 'string' }, c: { type: 'string' } },
      order: ['c', 'where', 'a'],
      titles: { where: { title: 'Where' }, unlisted: { title: 'More' }, never: { title: 'Never', visible: false } },
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
    const go = resolve(inputs, { language: 'go' });
    expect(go.fields.version?.choices).toEqual(['1.24']);
    expect([go.fields.reason?.isVisible, go.fields.reason?.isRequired, go.fields.locked?.isDisabled]).toEqual([
      true,
      true,
      true,
    ]);
    expect(go.mistakes).toEqual({ reason: 'reason is required.' });
    const node = resolve(inputs, { language: 'node', version: '1.24' });
    expect(node.fields.version?.choices).toEqual(['22', '24']);
    expect(node.mistakes).toEqual({ version: 'version must be one of "22", "24".' });
  });

  it('skips a step that is not visible, and puts inputs of no step into the last that is', () => {
    const { steps } = resolve({
      properties: { a: { type: 'string' }, b: { type: 'string' }, c: { type: 'string' } },
      steps: [
        { title: 'First', order: ['a'] },
        { title: 'Second', order: [] },
        { title: 'Never', order: ['b'], visible: false },
      ],
    } as unknown as UserInputs);
    expect(steps.map((step) => [step.title, step.items.length])).toEqual([
      ['First', 1],
      ['Second', 1],
    ]);
  });
});

describe('what is sent', () => {
  it('is what a person typed; a field that was emptied stays empty though it has a default', () => {
    const inputs = {
      properties: { a: { type: 'string', default: 'x' }, b: { type: 'number', default: 2 }, c: { type: 'string' } },
    } as UserInputs;
    const form = resolve(inputs, { a: 'mine', b: '', c: '' });
    expect(form.submitted).toEqual({ a: 'mine', b: null });
    expect(form.values).toEqual({ a: 'mine' });
  });

  it('leaves defaults to the server, also those of hidden inputs; the form shows them', () => {
    const inputs = { properties: { a: { type: 'string', default: 'x', visible: false } } } as UserInputs;
    const form = resolve(inputs);
    expect([form.submitted, form.values, form.fields.a?.draft]).toEqual([{}, { a: 'x' }, 'x']);
  });

  it('names entities by their identifiers, expressions see them whole', () => {
    const inputs = {
      properties: {
        cluster: { type: 'string', format: 'entity', blueprint: 'cluster' },
        tier: { type: 'string', default: jq('.form.cluster.properties.tier') },
      },
    } as unknown as UserInputs;
    const cluster = { identifier: 'eu', properties: { tier: 'gold' } };
    const about = { ...nobody, entities: new Map([[entityKey('cluster', 'eu'), cluster]]) };
    const form = resolve(inputs, { cluster: 'eu' }, about);
    expect(form.values).toEqual({ cluster: 'eu', tier: 'gold' });
    expect(form.names).toEqual([{ blueprint: 'cluster', identifier: 'eu' }]);
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
  const mistakeOf = (input: ActionInput, draft: unknown): string | undefined =>
    resolve({ properties: { it: input } } as UserInputs, { it: draft }).mistakes.it;
  it.each<[string, ActionInput, unknown, string | undefined]>([
    ['a text of the right form', { type: 'string', pattern: '^[a-z]+$' }, 'abc', undefined],
    ['a pattern', { type: 'string', pattern: '^[a-z]+$' }, 'ABC', 'it must match the pattern ^[a-z]+$.'],
    ['too short', { type: 'string', title: 'Name', minLength: 3 }, 'ab', 'Name must have at least 3 characters.'],
    ['no number', { type: 'number' }, 'many', 'it must be a number.'],
    [
      'an item',
      { type: 'array', items: { type: 'string', pattern: '^a' } } as ActionInput,
      ['b'],
      'it “b” must match the pattern ^a.',
    ],
    ['numbers in a list', { type: 'array', items: { type: 'number' } } as ActionInput, ['x'], 'it has “x”, which is'],
    [
      'below the top',
      { type: 'object', properties: { a: { type: 'number' } } } as ActionInput,
      '{"a": "x"}',
      'it at a must be a number.',
    ],
    ['no JSON', { type: 'object' }, '{', 'it is not valid JSON'],
    ['a list for an object', { type: 'object' }, '[]', 'it must be a JSON object, like {"key": "value"}.'],
    [
      'a secret before it is sealed',
      { type: 'string', encryption: { algorithm: 'client-side', key: 'k' }, minLength: 9 },
      'a',
      'it must have',
    ],
  ])('%s', (_name, input, draft, mistake) => {
    const found = mistakeOf(input, draft);
    if (mistake === undefined) expect(found).toBeUndefined();
    else expect(found?.startsWith(mistake)).toBe(true);
  });

  it('come in the order of the form; those of hidden inputs are the author’s', () => {
    const form = resolve({
      properties: {
        a: { type: 'string' },
        b: { type: 'string' },
        hidden: { type: 'string', title: 'Region', enum: ['eu'], default: 'mars', visible: false },
      },
      order: ['b', 'a'],
      required: ['a', 'b'],
    } as unknown as UserInputs);
    expect(Object.keys(form.mistakes)).toEqual(['b', 'a']);
    expect(form.hiddenMistakes).toEqual(['Region must be one of "eu".']);
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

describe('values on their way through a control', () => {
  const text = fc.string({ minLength: 1 }).filter((value) => value.trim() !== '');
  const instant = fc
    .date({ min: new Date('1971-01-01'), max: new Date('2099-01-01'), noInvalidDate: true })
    .map((date) => date.toISOString());
  const json = fc.dictionary(text, fc.jsonValue(), { noNullPrototype: true });
  const options = [1, 'a', { k: [1] }];
  const samples: [string, unknown, fc.Arbitrary<unknown>][] = [
    ['text', { type: 'string' }, text],
    ['multi-line', { type: 'string', format: 'multi-line' }, text],
    ['markdown', { type: 'string', format: 'markdown' }, text],
    ['code', { type: 'string', format: 'yaml' }, text],
    ['secret', { type: 'string', encryption: 'aes256-gcm' }, text],
    [
      'number',
      { type: 'number' },
      fc.double({ noNaN: true, noDefaultInfinity: true }).filter((each) => !Object.is(each, -0)),
    ],
    ['boolean', { type: 'boolean' }, fc.boolean()],
    ['select', { type: 'string', enum: options }, fc.constantFrom(...options)],
    [
      'multi-select',
      { type: 'array', items: { type: 'string', enum: options } },
      fc.subarray(options, { minLength: 1 }),
    ],
    ['date-time', { type: 'string', format: 'date-time' }, instant],
    ['entity', { type: 'string', format: 'entity', blueprint: 'b' }, text],
    [
      'entities',
      { type: 'array', items: { type: 'string', format: 'entity', blueprint: 'b' } },
      fc.array(text, { minLength: 1 }),
    ],
    ['person', { type: 'string', format: 'user' }, text],
    ['people', { type: 'array', items: { type: 'string', format: 'team' } }, fc.array(text, { minLength: 1 })],
    ['list', { type: 'array', items: { type: 'string' } }, fc.array(text, { minLength: 1 })],
    ['list', { type: 'array', items: { type: 'number' } }, fc.array(fc.integer(), { minLength: 1 })],
    ['labeled-url', { type: 'object', format: 'labeled-url' }, fc.record({ url: text, displayText: text })],
    ['json', { type: 'object' }, json],
    ['json', { type: 'array', items: { type: 'object' } }, fc.array(json, { minLength: 1 })],
  ];
  it.each(samples)('%s: come back as they were', (kind, definition, values) => {
    const input = definition as ActionInput;
    expect(kindOf(input)).toBe(kind);
    fc.assert(
      fc.property(values, (value) => {
        expect(toValue(input, toDraft(input, value))).toEqual({
          kind: 'value',
          value: JSON.parse(JSON.stringify(value)),
        });
      }),
    );
  });
});

it('a prefill never brings a secret back', () => {
  const inputs = {
    properties: { token: { type: 'string', encryption: 'aes256-gcm' }, name: { type: 'string' } },
  } as UserInputs;
  expect(draftsOf(inputs, { token: 'ciphertext', name: 'shop', unknown: 1 })).toEqual({ name: 'shop' });
});
