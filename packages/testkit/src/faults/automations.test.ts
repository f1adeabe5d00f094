import { expect, it } from 'vitest';
import { type AutomationRecord, checkAutomations } from './automations.ts';

const story = (change: Partial<AutomationRecord> = {}): AutomationRecord => ({
  identifier: 'a',
  events: [1, 2, 3, 4],
  counts: { fired: 2, notFired: 2, failed: 0, blocked: 0 },
  runs: [
    { id: 'r_2', eventSeq: 2 },
    { id: 'r_4', eventSeq: 4 },
  ],
  ...change,
});
const check = (record: AutomationRecord) => checkAutomations([record], (_identifier, seq) => seq % 2 === 0);

it('finds nothing where all is well', () => {
  expect(check(story())).toEqual([]);
});

it.each<[string, Partial<AutomationRecord>, RegExp]>([
  [
    'an event skipped',
    { counts: { fired: 2, notFired: 1, failed: 0, blocked: 0 } },
    /looked at 3 events, and 4 concern/,
  ],
  ['an event looked at twice', { counts: { fired: 2, notFired: 3, failed: 0, blocked: 0 } }, /looked at 5 events/],
  ['a run lost', { runs: [{ id: 'r_2', eventSeq: 2 }] }, /not started by the event 4/],
  ['a run doubled', { runs: [...story().runs, { id: 'r_5', eventSeq: 4 }] }, /started twice by the event 4: r_4, r_5/],
  ['a run made up', { runs: [...story().runs, { id: 'r_6', eventSeq: 3 }] }, /was started by the event 3/],
  ['a run without event', { runs: [...story().runs, { id: 'r_7', eventSeq: null }] }, /was started by the event null/],
  ['a failure', { counts: { fired: 1, notFired: 2, failed: 1, blocked: 0 } }, /fired 1 times, and was to 2/],
])('%s', (_name, change, sentence) => {
  expect(check(story(change)).join('\n')).toMatch(sentence);
});
