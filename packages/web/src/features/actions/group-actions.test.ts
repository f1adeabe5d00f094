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
  expect(by()).toEqual([['Actions', ['ask', 'create', 'scale']]]);
  expect([groupingFor(12), groupingFor(13)]).toEqual(['none', 'blueprint']);
});

it('finds every word, in any order, also in the name of the blueprint', () => {
  expect(by({ text: 'ment SCALE' })).toEqual([['Actions', ['scale']]]);
  expect(by({ text: 'scale service' })).toEqual([]);
  expect(by({ operation: 'CREATE' })).toEqual([['Actions', ['ask', 'create']]]);
});
