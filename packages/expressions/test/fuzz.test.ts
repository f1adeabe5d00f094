import { expect, it } from 'vitest';
import { fuzz } from './fuzz.ts';

// A sample with a seed; `node packages/expressions/test/fuzz.ts` runs a million.
it('neither random text nor mutated programs crash or hang the engine', { timeout: 120_000 }, () => {
  const { compiled, failures } = fuzz(10_000, 7);
  expect(failures).toEqual([]);
  // Most of the text is refused, and much is not: both the parser and the evaluator are reached.
  expect(compiled).toBeGreaterThan(2000);
  expect(compiled).toBeLessThan(8000);
});
