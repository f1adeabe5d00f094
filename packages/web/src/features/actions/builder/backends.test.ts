import { InvocationMethod } from '@quayside/contracts';
import { Value } from 'typebox/value';
import { describe, expect, it } from 'vitest';
import { backendOf, backends, valueAt, withValueAt } from './backends.ts';

describe('a backend', () => {
  it.each(backends.map((backend) => [backend.label, backend] as const))('%s', (_label, backend) => {
    expect(backendOf(backend.start)?.key).toBe(backend.key);
    // Once what is required is filled in, the contract takes it.
    let filled: object = backend.start;
    for (const { path, isRequired } of backend.fields)
      if (isRequired && valueAt(filled, path) === '') filled = withValueAt(filled, path, 'https://example.com/filled');
    expect([...Value.Errors(InvocationMethod, filled)].slice(0, 1)).toEqual([]);
  });

  it('that the builder does not know is none', () => {
    expect(backendOf({ type: 'CARRIER_PIGEON' })).toBeUndefined();
  });
});

it('a value is set deep down, and its key taken out again', () => {
  const document = { type: 'X', a: { b: 1 } };
  expect(withValueAt(document, ['a', 'c'], 2)).toEqual({ type: 'X', a: { b: 1, c: 2 } });
  expect(withValueAt(document, ['a', 'b'], undefined)).toEqual({ type: 'X', a: {} });
  expect(withValueAt(document, ['new', 'deep'], true)).toMatchObject({ new: { deep: true } });
  expect(valueAt(document, ['a', 'b', 'c'])).toBeUndefined();
});
