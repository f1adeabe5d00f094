import type { ActionInput, UserInputs } from '@quayside/contracts';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  changeStep,
  changeTitle,
  isRequiredByList,
  move,
  moveTo,
  placesOf,
  withInput,
  withoutPlace,
  withStep,
  withTitle,
} from './form-layout.ts';

const text: ActionInput = { type: 'string' };
const start: UserInputs = {
  properties: { a: text, b: { type: 'string', dependsOn: ['a'] }, c: text },
  required: ['a'],
  order: ['b', 't'],
  titles: { t: { title: 'Where' } },
};
const names = (inputs: UserInputs): string[] =>
  placesOf(inputs).map(({ kind, key }) => (kind === 'step' ? `#${inputs.steps?.[Number(key)]?.title}` : key));

describe('places', () => {
  it('are the order, and after it what it does not name', () => {
    expect(names(start)).toEqual(['b', 't', 'a', 'c']);
  });

  it('can be moved; the ends hold', () => {
    expect(names(move(start, 0, 1))).toEqual(['t', 'b', 'a', 'c']);
    expect(names(moveTo(start, 3, 0))).toEqual(['c', 'b', 't', 'a']);
    expect(move(start, 0, -1)).toBe(start);
    expect(move(start, 3, 1)).toBe(start);
  });

  it('go into steps, out of them, and back', () => {
    const one = withStep(start, 'First');
    expect(one.order).toBeUndefined();
    expect(names(one)).toEqual(['#First', 'b', 't', 'a', 'c']);
    const two = move(withStep(one, 'Second'), 5, -1);
    expect(names(two)).toEqual(['#First', 'b', 't', 'a', '#Second', 'c']);
    expect(changeStep(two, 1, { visible: false }).steps?.[1]).toEqual({
      title: 'Second',
      order: ['c'],
      visible: false,
    });
    const none = withoutPlace(withoutPlace(two, 4), 0);
    expect([none.steps, none.order]).toEqual([undefined, ['b', 't', 'a', 'c']]);
  });

  it('before the first step count as its own', () => {
    const steps = withStep(start, 'First');
    expect(moveTo(steps, 0, 2).steps).toEqual([{ title: 'First', order: ['b', 't', 'a', 'c'] }]);
  });
});

describe('inputs', () => {
  it('are added at the end', () => {
    const next = withInput(start, undefined, 'd', { type: 'number' }, true);
    expect(names(next)).toEqual(['b', 't', 'a', 'c', 'd']);
    expect(isRequiredByList(next, 'd')).toBe(true);
  });

  it('are renamed wherever they are named, in their place', () => {
    const next = withInput(withStep(start, 'First'), 'a', 'z', { type: 'number' }, false);
    expect(Object.keys(next.properties)).toEqual(['z', 'b', 'c']);
    expect(next).toMatchObject({
      properties: { b: { dependsOn: ['z'] }, z: { type: 'number' } },
      required: [],
      steps: [{ order: ['b', 't', 'z', 'c'] }],
    });
  });

  it('leave nothing behind that names them', () => {
    const next = withoutPlace(start, names(start).indexOf('a'));
    expect(next).toMatchObject({ properties: { b: { dependsOn: [] } }, required: [] });
    expect(JSON.stringify(next)).not.toContain('"a"');
  });

  it('keep a program that says which are required', () => {
    const required = { jqQuery: '["a"]' };
    expect(withInput({ ...start, required }, undefined, 'd', text, true).required).toEqual(required);
    expect(withoutPlace({ ...start, required }, 2).required).toEqual(required);
  });
});

it('titles get a key that is free, and can be changed', () => {
  const two = withTitle(withTitle(start, 'One'), 'Two');
  expect(Object.keys(two.titles ?? {})).toEqual(['t', 'title', 'title_2']);
  expect(changeTitle(two, 'title', { title: 'Uno', description: 'more' }).titles?.title).toEqual({
    title: 'Uno',
    description: 'more',
  });
});

it('whatever one does, the document stays whole: every name exists, none is lost or doubled', () => {
  const step = fc.record({ what: fc.nat(6), at: fc.nat(8), to: fc.nat(8) });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 25 }), (steps) => {
      let inputs: UserInputs = { properties: {}, required: [], order: [] };
      let made = 0;
      for (const { what, at, to } of steps) {
        if (what <= 1) inputs = withInput(inputs, undefined, `i${made++}`, text, at % 2 === 0);
        else if (what === 2) inputs = withTitle(inputs, 'T');
        else if (what === 3) inputs = withStep(inputs, 'S');
        else if (what === 4) inputs = moveTo(inputs, at, to);
        else if (what === 5) inputs = withoutPlace(inputs, at);
        else {
          const name = Object.keys(inputs.properties)[at];
          if (name) inputs = withInput(inputs, name, `i${made++}`, text, true);
        }
        const keys = [...Object.keys(inputs.properties), ...Object.keys(inputs.titles ?? {})].sort();
        const listed = inputs.steps ? inputs.steps.flatMap(({ order }) => order) : (inputs.order ?? []);
        expect([...listed].sort()).toEqual(keys);
        expect(inputs.steps && inputs.order).toBeUndefined();
        for (const name of inputs.required as string[]) expect(Object.keys(inputs.properties)).toContain(name);
      }
    }),
  );
});
