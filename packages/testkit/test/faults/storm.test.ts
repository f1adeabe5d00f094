import { runStorm } from '@quayside/testkit/faults';
import { afterAll, expect, it } from 'vitest';
import { makeFolder } from './lab.ts';

/** `script/bench faults` in the size of a test. */
const folder = makeFolder();
afterAll(() => folder.remove());

it('a storm of kills loses nothing', async () => {
  const { violations, isOver, summary } = await runStorm({
    seed: 11,
    runs: 100,
    faults: 10,
    faultEveryMs: 700,
    dir: folder.path,
    report: () => {},
  });
  expect({ violations, isOver }).toEqual({ violations: [], isOver: true });
  expect(summary['runs in the record']).toBeGreaterThanOrEqual(100);
}, 300_000);
