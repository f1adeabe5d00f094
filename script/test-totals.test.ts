import { describe, expect, it } from 'vitest';
import { totals } from './test-totals.ts';

const report = (passed: number, failed: number, skipped = 0, testResults: unknown[] = []) =>
  JSON.stringify({ numPassedTests: passed, numFailedTests: failed, numPendingTests: skipped, testResults });

describe('totals of a test run', () => {
  it.each([
    ['what Vitest counted', report(12, 2), 1, false, 12, 2],
    ['a good run', report(12, 0), 0, false, 12, 0],
    ['no test at all', report(0, 0), 0, false, 0, 1],
    [
      'a file that could not be loaded',
      report(3, 0, 0, [{ name: 'a', status: 'failed', assertionResults: [] }]),
      1,
      false,
      3,
      1,
    ],
    ['an unhandled error beside good tests', report(3, 0), 1, false, 3, 1],
    ['no report', '', 1, false, 0, 1],
    ['skipped tests of a person', report(3, 0, 2), 0, false, 3, 0],
    ['skipped tests in CI', report(3, 0, 2), 0, true, 3, 2],
  ])('%s', (_name, text, exitCode, isCi, passed, failed) => {
    expect(totals(text, exitCode, isCi)).toMatchObject({ passed, failed });
  });

  it('a test file that no project ran', () => {
    const ran = [{ name: '/repo/packages/a/src/a.test.ts', status: 'passed', assertionResults: [{}] }];
    const expected = ['packages/a/src/a.test.ts', 'packages/b/src/b.test.ts'];
    const { failed, notes } = totals(report(1, 0, 0, ran), 0, true, expected);
    expect([failed, notes]).toEqual([1, [expect.stringContaining('packages/b/src/b.test.ts did not run')]]);
  });
});
