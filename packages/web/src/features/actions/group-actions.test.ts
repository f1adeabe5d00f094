import { expect, it } from 'vitest';
import { groupActions, groupingFor } from './group-actions.ts';
import type { SelfServiceAction } from './queries.ts';

const action = (identifier: string, operation: string, blueprintIdentifier?: string): SelfServiceAction =>
  ({
    identifier,
    title: identifier,
    trigger: { type: 'self-service', operation, blueprintIdentifier },
  }) as SelfServiceAction;
const actions = [
  action('scale', 'DAY-2', 'deployment'),
  action('create', 'CREATE', 'service'),
  action('ask', 'CREATE'),
];
const by = (fields: Partial<Parameters<typeof groupActions>[1]> = {}) =>
  groupActions(actions, {
    text: '',
    operation: undefined,
    by: 'none',
    titleOf: (blueprint) => blueprint.toUpperCase(),
    ...fields,
  }).map((group) => [group.title, group.actions.map((each) => each.identifier)]);

it('groups by blueprint with the general ones last, by operation in its own order, or not at all', () => {
  expect(by({ by: 'blueprint' })).toEqual([
    ['DEPLOYMENT', ['scale']],
    ['SERVICE', ['create']],
    ['General', ['ask']],
  ]);
  expect(by({ by: 'operation' }).map(([title]) => title)).toEqual(['Create', 'Day-2 operations']);
  expect(by()).toEqual([['', ['ask', 'create', 'scale']]]);
  expect([groupingFor(12), groupingFor(13)]).toEqual(['none', 'blueprint']);
});

it('finds every word, in any order, also in the name of the blueprint', () => {
  expect(by({ text: 'ment SCALE' })).toEqual([['', ['scale']]]);
  expect(by({ text: 'scale service' })).toEqual([]);
  expect(by({ operation: 'CREATE' })).toEqual([['', ['ask', 'create']]]);
});

it('puts favourites first; then the list needs a heading', () => {
  expect(by({ favourites: new Set(['scale', 'gone']) })).toEqual([
    ['Favourites', ['scale']],
    ['All actions', ['ask', 'create', 'scale']],
  ]);
});

it('shows what was used last where there is more than one can see at once', () => {
  const many = Array.from({ length: 13 }, (_, index) => action(`a${String(index).padStart(2, '0')}`, 'CREATE'));
  const options = {
    operation: undefined,
    by: 'none' as const,
    titleOf: (each: string) => each,
    used: ['a07', 'gone', 'a01'],
  };
  const groups = groupActions(many, { ...options, text: '' });
  expect(groups.map((group) => group.title)).toEqual(['Recently used', 'All actions']);
  expect(groups[0]?.actions.map((each) => each.identifier)).toEqual(['a07', 'a01']);
  expect(groupActions(many.slice(0, 12), { ...options, text: '' })).toHaveLength(1);
});
