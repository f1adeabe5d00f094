import { expect, it } from 'vitest';
import { freezeMistakes, phaseOf } from './freezes.ts';

const freeze = { from: '2026-12-24T00:00:00Z', to: '2026-12-27T00:00:00Z' };

it.each([
  ['2026-12-23T23:59:59Z', 'coming'],
  ['2026-12-24T00:00:00Z', 'now'],
  ['2026-12-26T23:59:59Z', 'now'],
  ['2026-12-27T00:00:00Z', 'over'],
] as const)('at %s it is %s', (now, phase) => {
  expect(phaseOf(freeze, new Date(now))).toBe(phase);
});

it('needs a beginning, an end after it, and a reason', () => {
  expect(freezeMistakes({ ...freeze, reason: 'Holidays' })).toEqual({});
  expect(Object.keys(freezeMistakes({ from: '', to: '', reason: ' ' }))).toEqual(['from', 'to', 'reason']);
  expect(Object.keys(freezeMistakes({ from: freeze.to, to: freeze.from, reason: 'x' }))).toEqual(['to']);
});
