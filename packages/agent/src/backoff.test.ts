import { expect, it } from 'vitest';
import { Backoff } from './backoff.ts';

it('doubles up to the maximum, with jitter on top, and starts over after a success', () => {
  const backoff = new Backoff({ initialMs: 1_000, factor: 2, maxMs: 5_000, jitter: 0.1 });
  for (const base of [1_000, 2_000, 4_000, 5_000, 5_000]) {
    const delayMs = backoff.next();
    expect(delayMs).toBeGreaterThanOrEqual(base);
    expect(delayMs).toBeLessThanOrEqual(base * 1.1);
  }
  expect(backoff.failingMs).toBeGreaterThan(0);
  backoff.reset();
  expect(backoff.failingMs).toBe(0);
  expect(backoff.next()).toBeLessThanOrEqual(1_100);
});
