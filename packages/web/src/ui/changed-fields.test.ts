import { expect, it } from 'vitest';
import { changedFields } from './changed-fields.ts';

it('names the fields that differ, and only those', () => {
  expect(changedFields({ a: 1, b: 'x', c: [1] }, { a: 1, b: 'y', d: null, e: true })).toEqual([
    { name: 'b', before: 'x', after: 'y' },
    { name: 'c', before: '[\n  1\n]', after: undefined },
    { name: 'e', before: undefined, after: 'true' },
  ]);
});

it('has nothing to say about records without states', () => {
  expect(changedFields(null, null)).toEqual([]);
  expect(changedFields(null, { a: 1 })).toEqual([{ name: 'a', before: undefined, after: '1' }]);
});
