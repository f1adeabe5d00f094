import type { Action } from '@quayside/contracts';
import { describe, expect, it } from 'vitest';
import { draftOf, duplicateOf, emptyDraft, findObvious, readDraft, slugOf, tabOf, withKey } from './document.ts';

it.each([
  ['Scaffold a service', 'scaffold_a_service'],
  ['  Über-Dienst 2! ', 'uber_dienst_2'],
  ['日本', '日本'],
  ['!!!', ''],
])('%j is called %s', (title, slug) => {
  expect(slugOf(title)).toBe(slug);
});

describe('a document as JSON', () => {
  it('comes back as it was', () => {
    expect(readDraft(JSON.stringify(emptyDraft))).toEqual({ kind: 'read', draft: emptyDraft });
  });

  it.each([
    ['{', 'not valid JSON'],
    ['[]', 'is a JSON object'],
    ['{"trigger": {"type": "automation"}}', 'self-service'],
    ['{"trigger": {"type": "self-service", "operation": "X"}}', 'trigger.operation'],
    ['{"trigger": {"type": "self-service", "operation": "CREATE", "userInputs": {}}}', 'userInputs.properties'],
    [
      '{"trigger": {"type": "self-service", "operation": "CREATE", "userInputs": {"properties": {"a": 1}}}}',
      'Every input',
    ],
    [
      '{"trigger": {"type": "self-service", "operation": "CREATE", "userInputs": {"properties": {}}}}',
      'invocationMethod',
    ],
  ])('%s can not be shown', (text, message) => {
    expect(readDraft(text)).toEqual({ kind: 'unreadable', message: expect.stringContaining(message) });
  });
});

const action = {
  ...emptyDraft,
  identifier: 'scale',
  title: 'Scale',
  id: 'action_1',
  createdAt: 'then',
  createdBy: 'somebody',
  updatedAt: 'now',
  updatedBy: 'somebody',
} as Action;

it('what the server added is not written back; a duplicate has a name of its own', () => {
  expect(draftOf(action)).toEqual({ ...emptyDraft, identifier: 'scale', title: 'Scale' });
  expect(duplicateOf(action)).toMatchObject({ identifier: 'scale_copy', title: 'Scale (copy)' });
});

it('a key is set in its place, or taken out', () => {
  expect(Object.keys(withKey({ a: 1, b: 2 }, 'a', 3))).toEqual(['a', 'b']);
  expect(withKey({ a: 1, b: 2 }, 'a', undefined)).toEqual({ b: 2 });
});

it.each([
  ['body.title', 'basic'],
  ['body.trigger.blueprintIdentifier', 'basic'],
  ['body.trigger.condition.rules', 'basic'],
  ['body.trigger.userInputs.properties.name.pattern', 'form'],
  ['body.invocationMethod.url', 'backend'],
  ['body.approvalNotification.url', 'permissions'],
  ['body.execute.policy.conditions.0', 'permissions'],
])('%s is mended in %s', (path, tab) => {
  expect(tabOf(path)).toBe(tab);
});

it('title, identifier and the length of a button are told before the server is asked', () => {
  const draft = { ...emptyDraft, trigger: { ...emptyDraft.trigger, actionCardButtonText: 'sixteen letters!' } };
  expect(findObvious(draft).map(({ path }) => path)).toEqual([
    'body.title',
    'body.identifier',
    'body.trigger.actionCardButtonText',
  ]);
  expect(findObvious({ ...emptyDraft, title: 'A', identifier: 'a' })).toEqual([]);
});
