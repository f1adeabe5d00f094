import { expect, it } from 'vitest';
import { compareWithJq } from './differential.ts';

// A sample with a seed; `node packages/expressions/test/differential.ts` runs a hundred thousand.
it('answers as jq does, except for known reasons that prove themselves', { timeout: 120_000 }, async () => {
  const { same, skipped, explained, unexplained } = await compareWithJq(2000, 42);
  const known = [...explained.values()].reduce((sum, times) => sum + times, 0);
  expect(unexplained).toEqual([]);
  expect(same + known + skipped).toBe(2000);
  expect(same).toBeGreaterThan(1980);
});
