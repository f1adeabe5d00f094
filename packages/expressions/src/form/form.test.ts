import type { ActionInput, UserInputs } from '@quayside/contracts';
import { describe, expect, it } from 'vitest';
import { entityKey, findMistakes, resolveForm, type Surroundings } from './index.ts';

const nobody: Surroundings = { entity: null, user: { email: 'mara@example.com' }, entities: new Map() };
const jq = (jqQuery: string) => ({ jqQuery });
const resolve = (properties: unknown, submitted: Record<string, unknown> = {}, rest: Partial<UserInputs> = {}) =>
  resolveForm({ properties, ...rest } as UserInputs, submitted, nobody);
const judge = (properties: unknown, submitted: Record<string, unknown>, rest: Partial<UserInputs> = {}) => {
  const inputs = { properties, ...rest } as UserInputs;
  return findMistakes(inputs, submitted, resolveForm(inputs, submitted, nobody), { areSealed: true }).map(
    ({ name, path, message }) => `${[name, ...path].join('.')} ${message}`,
  );
};

describe('a value', () => {
  it.each<[string, unknown, unknown, string | undefined]>([
    ['text', { type: 'string' }, 'a', undefined],
    ['text that is a number', { type: 'string' }, 1, 'x must be a text'],
    ['a pattern', { type: 'string', pattern: '^a+$' }, 'b', 'x must match the pattern ^a+$'],
    [
      'a pattern that backtracks for ages',
      { type: 'string', pattern: '(a+)+$' },
      `${'a'.repeat(60)}!`,
      'x must match the pattern (a+)+$',
    ],
    [
      'a pattern that can not be made linear',
      { type: 'string', pattern: '^(?=(a+)+$)' },
      `${'a'.repeat(60)}!`,
      'x can not be checked, because its pattern ^(?=(a+)+$) takes too long on this text',
    ],
    ['a pattern that is none', { type: 'string', pattern: '(' }, 'b', 'is not a regular expression'],
    ['a computed pattern', { type: 'string', pattern: jq('"^a"') }, 'b', 'x must match the pattern ^a'],
    ['a computed list for a pattern', { type: 'string', pattern: jq('["a"]') }, 'b', 'x must be one of "a"'],
    ['too short', { type: 'string', minLength: 3 }, 'ab', 'x must have at least 3 characters'],
    ['an emoji is one character', { type: 'string', maxLength: 1 }, '\u{1f6a2}', undefined],
    ['a list to choose from', { type: 'string', enum: ['a', 'b'] }, 'c', 'x must be one of "a", "b"'],
    ['numbers to choose from', { type: 'number', enum: [1, 2] }, 3, 'x must be one of 1, 2'],
    ['objects to choose from', { type: 'object', enum: [{ a: 1, b: 2 }] }, { b: 2, a: 1 }, undefined],
    ['a computed list', { type: 'string', enum: jq('[.user.email]') }, 'mara@example.com', undefined],
    ['a computed list without it', { type: 'string', enum: jq('[.user.email]') }, 'x', 'x must be one of'],
    ['a computed list that fails', { type: 'string', enum: jq('.nothing[') }, 'x', 'x has no choices'],
    ['an exclusive bound', { type: 'number', exclusiveMinimum: 0 }, 0, 'x must be more than 0'],
    ['an inclusive one', { type: 'number', minimum: 0, maximum: 5 }, 5, undefined],
    ['above it', { type: 'number', maximum: 5 }, 5.1, 'x must be 5 or less'],
    ['a switch', { type: 'boolean' }, 'true', 'x must be true or false'],
    ['an e-mail address', { type: 'string', format: 'email' }, 'nobody', 'x must be an e-mail address'],
    ['one beyond ASCII', { type: 'string', format: 'email' }, 'jürg@bücher.example', 'x must be an e-mail address'],
    ['and where that is fine', { type: 'string', format: 'idn-email' }, 'jürg@bücher.example', undefined],
    ['IPv4', { type: 'string', format: 'ipv4' }, '10.0.0.256', 'x must be an IPv4 address'],
    ['IPv6', { type: 'string', format: 'ipv6' }, '::1', undefined],
    ['IPv6 that is none', { type: 'string', format: 'ipv6' }, '1.2.3.4', 'x must be an IPv6 address'],
    ['a URL', { type: 'string', format: 'url' }, 'example', 'x must be a full URL'],
    ['an instant', { type: 'string', format: 'date-time' }, '2026-01-01', 'x must be a date and time'],
    [
      'a day that is none',
      { type: 'string', format: 'date-time' },
      '2026-04-31T00:00:00Z',
      'x must be a date and time',
    ],
    ['an instant with a zone', { type: 'string', format: 'timer' }, '2028-02-29T08:30:00+02:00', undefined],
    ['YAML', { type: 'string', format: 'yaml' }, 'a: [1, 2]\nb: {c: d}', undefined],
    ['YAML that is none', { type: 'string', format: 'yaml' }, 'a: 1\nb: [', 'is not valid YAML: line 2'],
    ['a labelled URL', { type: 'object', format: 'labeled-url' }, { displayText: 'x' }, 'x needs a URL'],
    ['a labelled one that is none', { type: 'object', format: 'labeled-url' }, { url: 'x' }, 'x needs a full URL'],
    ['unique items', { type: 'array', uniqueItems: true }, [{ a: 1 }, { a: 1 }], 'x has an item twice'],
    ['typed items', { type: 'array', items: { type: 'string', pattern: '^a' } }, ['a', 'b'], 'x.1 must match'],
    ['items to choose from', { type: 'array', items: { type: 'string', enum: jq('["a"]') } }, ['b'], 'x.0 must be one'],
    ['lists to choose from', { type: 'array', enum: [[1, 2]] }, [2, 1], 'x must be one of [1,2]'],
    ['a computed number of items', { type: 'array', maxItems: jq('1') }, [1, 2], 'x may have at most 1 item; it has 2'],
    ['one that fails is none', { type: 'array', maxItems: jq('error("x")') }, [1, 2], undefined],
    [
      'keys by pattern',
      { type: 'object', patternProperties: { '^n': { type: 'number' } }, additionalProperties: false },
      { n1: 'x', y: 1 },
      'x.n1 must be a number',
    ],
    ['a required key', { type: 'object', required: ['a'] }, {}, 'x needs "a"'],
    [
      'a nested schema',
      { type: 'object', properties: { a: { type: 'object', minProperties: 1 } } },
      { a: {} },
      'x.a needs',
    ],
    ['one of several forms', { type: 'object', oneOf: [{ required: ['a'] }, { required: ['b'] }] }, {}, 'x fits none'],
    ['a form that is forbidden', { type: 'string', not: { const: 'a' } }, 'a', 'x has a form'],
    [
      'a sealed secret is not looked into',
      { type: 'string', minLength: 9, encryption: { algorithm: 'client-side', key: 'k' } },
      'a',
      undefined,
    ],
  ])('%s', (_name, input, value, mistake) => {
    const found = judge({ x: input }, { x: value });
    if (mistake === undefined) expect(found).toEqual([]);
    else expect(found[0]).toContain(mistake);
  });

  it('as deep as one likes is refused, not followed', () => {
    let schema: Record<string, unknown> = { type: 'object' };
    let value: unknown = {};
    for (let depth = 0; depth < 10_000; depth++) {
      schema = { type: 'object', properties: { a: schema } };
      value = { a: value };
    }
    expect(judge({ x: schema }, { x: value })[0]).toContain('is nested too deeply');
  });
});

describe('defaults', () => {
  it('fill what is absent; null is nothing on purpose', () => {
    const properties = {
      a: { type: 'string', default: 'x' },
      b: { type: 'string', default: jq('.user.email') },
      c: { type: 'string', default: jq('.nothing') },
    };
    expect(resolve(properties).values).toEqual({ a: 'x', b: 'mara@example.com' });
    expect(resolve(properties, { a: null, b: 'mine' }).values).toEqual({ b: 'mine' });
  });

  it('build on each other in any order of definition, however many', () => {
    const properties: Record<string, ActionInput> = {};
    for (let index = 30; index > 0; index--)
      properties[`i${index}`] = { type: 'string', default: jq(`.form.i${index - 1} + "x"`) };
    properties.i0 = { type: 'string', default: '' };
    expect(String(resolve(properties).values.i30)).toHaveLength(30);
  });

  it('that never settle stop', () => {
    const { values } = resolve({
      a: { type: 'string', default: jq('.form.b + "x"') },
      b: { type: 'string', default: jq('.form.a + "y"') },
    });
    expect(String(values.a).length).toBeLessThan(30);
  });
});

describe('expressions see', () => {
  const cluster = { identifier: 'eu', blueprint: 'cluster', properties: { tier: 'gold' } };
  it('entities whole, and the identifier until they are there', () => {
    const inputs = {
      properties: {
        cluster: { type: 'string', format: 'entity', blueprint: 'cluster' },
        others: { type: 'array', items: { type: 'string', format: 'entity', blueprint: 'cluster' } },
        tier: { type: 'string', default: jq('.form.cluster.properties.tier // "unknown"') },
        names: { type: 'array', default: jq('.form.others | map(.identifier)') },
      },
    } as unknown as UserInputs;
    const submitted = { cluster: 'eu', others: ['eu', 'us'] };
    const known = { ...nobody, entities: new Map([[entityKey('cluster', 'eu'), cluster]]) };
    expect(resolveForm(inputs, submitted, nobody).values).toMatchObject({ tier: 'unknown', names: ['eu', 'us'] });
    const form = resolveForm(inputs, submitted, known);
    expect(form.values).toMatchObject({ tier: 'gold' });
    expect(form.names.map(({ identifier }) => identifier)).toEqual(['eu', 'eu', 'us']);
  });

  it('"" for an empty text, false for a switch, null for everything else', () => {
    const all = { type: 'object', default: jq('.form | del(.all)') };
    const { values } = resolve({
      text: { type: 'string' },
      pick: { type: 'string', enum: ['a'] },
      flag: { type: 'boolean' },
      list: { type: 'array' },
      when: { type: 'string', format: 'date-time' },
      all,
    });
    expect(values.all).toEqual({ text: '', pick: null, flag: false, list: null, when: null });
  });

  it('no secret, only that there is one', () => {
    const { values } = resolve(
      {
        password: { type: 'string', encryption: 'aes256-gcm' },
        copy: { type: 'string', default: jq('.form.password') },
      },
      { password: 'hunter2' },
    );
    expect(values.copy).toBe('******');
  });
});

describe('required', () => {
  const properties = { a: { type: 'string' }, b: { type: 'string' }, c: { type: 'string', visible: false } };
  it.each([
    ['by list; a hidden one is not missed', ['a', 'c'], ['a is required']],
    ['by program', jq('["b"]'), ['b is required']],
    ['all, by a program that says true', jq('true'), ['a is required', 'b is required']],
    ['nothing, by a program that fails', jq('nonsense('), []],
  ])('%s', (_name, required, mistakes) => {
    expect(judge(properties, {}, { required } as Partial<UserInputs>)).toEqual(mistakes);
  });

  it('not in a step that is hidden', () => {
    const steps = [
      { title: 'One', order: ['a'] },
      { title: 'Two', order: ['b'], visible: jq('.form.a == "more"') },
    ];
    const rest = { required: ['b'], steps } as Partial<UserInputs>;
    expect(judge(properties, { a: 'no' }, rest)).toEqual([]);
    expect(judge(properties, { a: 'more' }, rest)).toEqual(['b is required']);
  });
});

it('rules that fail leave the input visible, enabled and without choices', () => {
  const { inputs } = resolve({
    a: { type: 'string', enum: jq('error("no")'), visible: jq('1 + {}'), disabled: jq('nonsense(') },
  });
  expect(inputs.a).toMatchObject({ isVisible: true, isDisabled: false, choices: [] });
});

it('an input waits for those it depends on', () => {
  const properties = { cluster: { type: 'string' }, pod: { type: 'string', dependsOn: ['cluster'] } };
  expect(resolve(properties).inputs.pod).toMatchObject({ isDisabled: true, waitsFor: ['cluster'] });
  expect(resolve(properties, { cluster: 'eu' }).inputs.pod).toMatchObject({ isDisabled: false, waitsFor: [] });
});

it('a dataset takes what its expressions yield, and one that yields nothing matches nothing', () => {
  const rules = [
    { property: 'tier', operator: '=', value: jq('.form.tier') },
    { combinator: 'or', rules: [{ property: '$team', operator: '=', value: jq('.form.missing') }] },
    { property: 'owner', operator: '=', value: { context: 'user', property: 'email' } },
  ];
  const { inputs } = resolve(
    {
      tier: { type: 'string' },
      it: { type: 'string', format: 'entity', blueprint: 'cluster', dataset: { combinator: 'and', rules } },
    },
    { tier: 'gold' },
  );
  expect(inputs.it?.dataset).toEqual({
    combinator: 'and',
    rules: [
      { property: 'tier', operator: '=', value: 'gold' },
      { combinator: 'or', rules: [{ property: '$identifier', operator: '=', value: '' }] },
      { property: 'owner', operator: '=', value: { context: 'user', property: 'email' } },
    ],
  });
});

it('an unknown input is named together with those there are; an action without inputs takes anything', () => {
  expect(judge({ a: { type: 'string' } }, { z: 1 })).toEqual(['z is not an input of this action; it has "a"']);
  expect(judge({}, { z: 1 })).toEqual([]);
});
