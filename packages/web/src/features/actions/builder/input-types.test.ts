import type { ActionInput } from '@quayside/contracts';
import { expect, it } from 'vitest';
import { inputTypes, rulesOf, typeLabel, typeOf, withType } from './input-types.ts';

it.each(inputTypes.map((type) => [type.label, type] as const))('%s is recognized, also with rules', (_label, type) => {
  expect(typeOf(type.schema)?.key).toBe(type.key);
  const ruled = { ...type.schema, title: 'T', visible: false, minLength: 2, default: 1 } as ActionInput;
  expect(typeOf(ruled)?.key).toBe(type.key);
});

it('another kind keeps what the input says about itself, and nothing about its values', () => {
  const input = { type: 'string', title: 'Size', minLength: 3, default: 'x', visible: false } as ActionInput;
  expect(withType(input, 'number')).toEqual({ type: 'number', title: 'Size', visible: false });
});

it('an unusual schema is named by its control', () => {
  const unusual = { type: 'array', enum: [[1], [2]] } as ActionInput;
  expect([typeOf(unusual), typeLabel(unusual)]).toEqual([undefined, 'select']);
});

it('the rules of a list stand in its items', () => {
  const list = { type: 'array', items: { type: 'string', enum: ['a'] } } as ActionInput;
  expect(rulesOf(list)).toEqual({ path: 'items', rules: list.items });
  expect(rulesOf({ type: 'string' })).toEqual({ path: undefined, rules: { type: 'string' } });
});
