import type { UserInputs } from '@quayside/contracts';
import { describe, expect, it } from 'vitest';
import { createValueCheck } from '../../platform/user-schemas.ts';
import { encryptForAgent, entityInputs, resolveInputs } from './model-inputs.ts';

const check = createValueCheck();
const about = { entity: null, user: { email: 'mara@example.com' } };
const resolve = (
  properties: UserInputs['properties'],
  submitted: Record<string, unknown>,
  rest: Partial<UserInputs> = {},
) => resolveInputs({ properties, ...rest }, submitted, about, check);

describe('inputs', () => {
  it.each<[string, UserInputs['properties'], unknown, string | undefined]>([
    ['text', { x: { type: 'string' } }, 'a', undefined],
    ['text that is a number', { x: { type: 'string' } }, 1, 'must be string'],
    ['a pattern', { x: { type: 'string', pattern: '^a+$' } }, 'b', 'must match pattern'],
    ['a list to choose from', { x: { type: 'string', enum: ['a', 'b'] } }, 'c', 'must be one of "a", "b".'],
    ['a computed list', { x: { type: 'string', enum: { jqQuery: '[.user.email]' } } }, 'mara@example.com', undefined],
    [
      'a computed list without the value',
      { x: { type: 'string', enum: { jqQuery: '[.user.email]' } } },
      'x',
      'must be one of',
    ],
    ['a computed list that fails', { x: { type: 'string', enum: { jqQuery: '.nothing[' } } }, 'x', 'no choices'],
    [
      'a schema that is none',
      { x: { type: 'object', properties: { a: { type: 'nonsense' } } } as never },
      { a: 1 },
      'not a valid schema',
    ],
    ['an exclusive bound', { x: { type: 'number', exclusiveMinimum: 0 } }, 0, 'must be > 0'],
    ['an e-mail address', { x: { type: 'string', format: 'email' } }, 'nobody', 'must match format'],
    ['an address of IPv6', { x: { type: 'string', format: 'ipv6' } }, '::1', undefined],
    ['an instant', { x: { type: 'string', format: 'date-time' } }, '2026-01-01', 'must match format'],
    ['unique items', { x: { type: 'array', uniqueItems: true } }, [1, 1], 'duplicate'],
    [
      'typed items',
      { x: { type: 'array', items: { type: 'string', pattern: '^a' } } },
      ['a', 'b'],
      'must match pattern',
    ],
    [
      'a computed number of items',
      { x: { type: 'array', maxItems: { jqQuery: '1' } } },
      [1, 2],
      'must NOT have more than 1',
    ],
    [
      'a labelled URL',
      { x: { type: 'object', format: 'labeled-url' } },
      { displayText: 'x' },
      "required property 'url'",
    ],
    [
      'clear text for a client-side secret',
      { x: { type: 'string', encryption: { algorithm: 'client-side', key: 'k' } } },
      'clear',
      'must be encrypted by the client',
    ],
  ])('%s', (_name, properties, value, mistake) => {
    const resolution = resolve(properties, { x: value });
    if (mistake === undefined) expect(resolution).toEqual({ kind: 'valid', values: { x: value } });
    else
      expect(resolution).toMatchObject({ kind: 'invalid', mistakes: [{ message: expect.stringContaining(mistake) }] });
  });

  it('fill in defaults, given or computed, and let null mean absent', () => {
    const properties: UserInputs['properties'] = {
      a: { type: 'string', default: 'x' },
      b: { type: 'string', default: { jqQuery: '.user.email' } },
      c: { type: 'string', default: { jqQuery: '.nothing' } },
      d: { type: 'number' },
    };
    expect(resolve(properties, { d: null })).toEqual({ kind: 'valid', values: { a: 'x', b: 'mara@example.com' } });
  });

  it('are required by list, by program, or by a boolean; a hidden one is not missed', () => {
    const properties: UserInputs['properties'] = {
      a: { type: 'string' },
      b: { type: 'string' },
      c: { type: 'string', visible: false },
    };
    const missing = (required: UserInputs['required']) => {
      const resolution = resolve(properties, {}, required === undefined ? {} : { required });
      return resolution.kind === 'invalid' ? resolution.mistakes.map((mistake) => mistake.path.split('.').at(-1)) : [];
    };
    expect(missing(['a', 'c'])).toEqual(['a']);
    expect(missing({ jqQuery: '["b"]' })).toEqual(['b']);
    expect(missing({ jqQuery: 'true' })).toEqual(['a', 'b']);
    expect(missing(undefined)).toEqual([]);
  });

  it('tell every mistake at once', () => {
    const resolution = resolve({ a: { type: 'number' }, b: { type: 'string' } }, { a: 'x', z: 1 }, { required: ['b'] });
    expect(resolution.kind === 'invalid' && resolution.mistakes.map((mistake) => mistake.path)).toEqual([
      'body.properties.z',
      'body.properties.a',
      'body.properties.b',
    ]);
  });

  it('that name entities are found, single and in lists', () => {
    const properties: UserInputs['properties'] = {
      one: { type: 'string', format: 'entity', blueprint: 'service' },
      many: { type: 'array', items: { type: 'string', format: 'entity', blueprint: 'team' } },
      text: { type: 'string' },
    };
    expect(entityInputs({ properties })).toEqual([
      { name: 'one', blueprint: 'service', isList: false },
      { name: 'many', blueprint: 'team', isList: true },
    ]);
  });
});

it('secret inputs are encrypted as the agents decrypt them (vector of spec/actions.md §1.8)', () => {
  const iv = Buffer.from('000102030405060708090a0b0c0d0e0f', 'hex');
  expect(encryptForAgent('hunter2', '0123456789abcdefghijklmnopqrstuvWXYZ', iv)).toBe(
    'AAECAwQFBgcICQoLDA0ODxSP1Ql25STd/dHM8jty4P8HsUTG78Vm',
  );
});
