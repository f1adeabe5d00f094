import { runStorm } from '@quayside/testkit/faults';
import { afterAll, expect, it } from 'vitest';
import { makeFolder } from './lab.ts';

/** `script/bench faults` in the size of a test. */
const folder = makeFolder();
afterAll(() => folder.remove());

it('a storm loses nothing', async () => {
  const { violations, isOver, summary, missing } = await runStorm({
    seed: 11,
    runs: 50,
    faults: 25,
    faultEveryMs: 250,
    dir: folder.path,
    hasKafka: false,
    report: () => {},
  });
  expect({ violations, isOver }).toEqual({ violations: [], isOver: true });
  expect(summary['runs in the record']).toBeGreaterThanOrEqual(50);
  for (const line of missing) process.stderr.write(`Not part of this storm: ${line}\n`);
}, 600_000);
