import { describe, expect, it } from 'vitest';
import { formatAgo, formatCountdown, formatDuration, formatInstant } from './time.tsx';

describe('time in words', () => {
  it.each([
    ['2026-01-01T01:00:02Z', '1 h 0 min left'],
    ['2026-01-01T02:30:00+02:00', '30 min 0 s left'],
    ['2026-01-01T00:00:00.2Z', '1.0 s left'],
    ['2026-01-01T00:00:00Z', 'Expired just now'],
    ['no instant', 'no instant'],
  ])('the timer %s shows %s', (to, words) => {
    expect(formatCountdown(to, Date.parse('2026-01-01T00:00:00Z'))).toBe(words);
  });

  it.each([
    [-5, '0 s'],
    [0, '0 ms'],
    [999, '999 ms'],
    [1_000, '1.0 s'],
    [9_949, '9.9 s'],
    [59_999, '59 s'],
    [60_000, '1 min 0 s'],
    [3_599_000, '59 min 59 s'],
    [3_600_000, '1 h 0 min'],
    [47 * 3_600_000, '47 h 0 min'],
    [48 * 3_600_000, '2 d 0 h'],
  ])('%d ms last %s', (ms, words) => {
    expect(formatDuration(ms)).toBe(words);
  });

  it('how long ago in the largest unit that fits', () => {
    const now = Date.parse('2026-01-10T00:00:00Z');
    const words = new Intl.RelativeTimeFormat(undefined, { numeric: 'auto', style: 'short' });
    expect(formatAgo('2026-01-09T23:59:58Z', now)).toBe('just now');
    expect(formatAgo('2026-01-09T23:59:30Z', now)).toBe(words.format(-30, 'second'));
    expect(formatAgo('2026-01-08T00:00:00Z', now)).toBe(words.format(-2, 'day'));
    expect(formatAgo('2026-01-10T02:00:00Z', now)).toBe(words.format(2, 'hour'));
  });

  it('what is no time is shown as it is', () => {
    expect(formatInstant('soon')).toBe('soon');
    expect(formatAgo('soon', 0)).toBe('soon');
  });
});
