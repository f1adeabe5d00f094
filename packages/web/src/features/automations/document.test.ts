import type { Action } from '@quayside/contracts';
import { describe, expect, it } from 'vitest';
import { type Automation, bodyOf, eventInWords, eventWritten, matches, newAutomation } from './document.ts';

const stored: Action = {
  ...newAutomation,
  description: 'Tells the team',
  id: 'action_1',
  createdAt: '2026-01-01T00:00:00Z',
  createdBy: 'u',
  updatedAt: '2026-01-01T00:00:00Z',
  updatedBy: 'u',
};

describe('an automation', () => {
  it('is written back without what the server set', () => {
    expect(bodyOf(stored)).toEqual({ ...newAutomation, description: 'Tells the team' });
  });

  it.each([
    [{ type: 'ENTITY_DELETED', blueprintIdentifier: 'vm' }, 'an entity of vm is deleted'],
    [{ type: 'ANY_RUN_CHANGE', actionIdentifier: 'deploy' }, 'a run of deploy changes in any way'],
    [
      { type: 'TIMER_PROPERTY_EXPIRED', blueprintIdentifier: 'vm', propertyIdentifier: 'ttl' },
      'the timer ttl of an entity of vm expires',
    ],
  ] as const)('that listens to %j says so', (event, words) => {
    expect(eventInWords(event)).toBe(words);
  });

  it.each([
    ['', true],
    ['MY auto', true],
    ['service updated', true],
    ['team', true],
    ['run', false],
  ])('is found by %j: %s', (text, isFound) => {
    expect(matches(stored as Automation, text)).toBe(isFound);
  });
});

it.each([
  [JSON.stringify(newAutomation), newAutomation.trigger.type === 'automation' && newAutomation.trigger.event],
  [
    '{"type": "automation", "event": {"type": "RUN_UPDATED", "actionIdentifier": "build"}, "condition": {"expressions": [".diff',
    { type: 'RUN_UPDATED', actionIdentifier: 'build' },
  ],
  [
    '{"event": {"type": "TIMER_PROPERTY_EXPIRED", "blueprintIdentifier": "vm", "propertyIdentifier": "ttl"}}',
    { type: 'TIMER_PROPERTY_EXPIRED', blueprintIdentifier: 'vm', propertyIdentifier: 'ttl' },
  ],
  ['{"type": "WEBHOOK", "url": "{{ .event.', undefined],
])('the event that %s names', (text, event) => {
  expect(eventWritten(text)).toEqual(event);
});
