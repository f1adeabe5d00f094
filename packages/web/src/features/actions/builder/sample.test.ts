import { expect, it } from 'vitest';
import { emptyDraft } from './document.ts';
import { inputTypes } from './input-types.ts';
import { contextOfRun, sampleContext } from './sample.ts';

const me = { id: 'user_1', email: 'ana@example.com', firstName: 'Ana', lastName: 'Ruiz' };
const now = new Date('2026-11-21T08:00:00.000Z');
const properties = Object.fromEntries(inputTypes.map(({ key, schema }) => [key.replaceAll('-', '_'), schema]));
const draft = { ...emptyDraft, identifier: 'a', trigger: { ...emptyDraft.trigger, userInputs: { properties } } };

it('a sample has a value of the right type for every kind of input, and no secret', () => {
  const { inputs } = sampleContext(draft, me, now);
  for (const { key, schema } of inputTypes) {
    const value = inputs[key.replaceAll('-', '_')];
    if (schema.enum) expect(value).toBeNull();
    else if (schema.encryption) expect(value).toBe('******');
    else if (schema.format === 'entity') expect(value).toMatchObject({ identifier: expect.any(String) });
    else if (schema.type === 'array') expect(Array.isArray(value)).toBe(true);
    else expect(typeof value).toBe(schema.type);
  }
});

it('a default is a better sample than a made-up one, and a real run the best', () => {
  const withDefault = {
    ...draft,
    trigger: { ...draft.trigger, userInputs: { properties: { size: { type: 'number' as const, default: 7 } } } },
  };
  expect(sampleContext(withDefault, me, now).inputs).toEqual({ size: 7 });
  const run = { id: 'r_1', rawProperties: { size: 9 }, properties: { size: 9 }, createdAt: now.toISOString() };
  expect(contextOfRun(withDefault, run, me)).toMatchObject({ inputs: { size: 9 }, run: { id: 'r_1' } });
});

it('an action on an entity has one', () => {
  const day2 = { ...draft, trigger: { ...draft.trigger, operation: 'DAY-2' as const, blueprintIdentifier: 'service' } };
  expect(sampleContext(day2, me, now).entity).toMatchObject({ blueprint: 'service' });
  expect(sampleContext(draft, me, now).entity).toEqual({});
});
