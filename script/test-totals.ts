import { readFileSync } from 'node:fs';

/**
 * Prints the totals of a Vitest run as its last line, `N passed, N failed`, and sets the exit code.
 * Usage: node script/test-totals.ts <Vitest's JSON report> <Vitest's exit code> <file with the test files that had to run>
 *
 * A run is good only if something ran and nothing failed. What Vitest does not count as a test still counts here as one
 * failure: a file that could not be loaded or that no project runs, an unhandled error, a missing report. In CI a skipped test fails too,
 * because there it means that a real part (a browser, a broker) was missing.
 */
interface Report {
  numPassedTests: number;
  numFailedTests: number;
  numPendingTests: number;
  testResults: { name: string; status: string; assertionResults: unknown[] }[];
}

export interface Totals {
  passed: number;
  failed: number;
  notes: string[];
}

export function totals(reportText: string, exitCode: number, isCi: boolean, expected: readonly string[] = []): Totals {
  const report = parse(reportText);
  if (!report) return { passed: 0, failed: 1, notes: [`Vitest ended with ${exitCode} and left no report.`] };
  const notes: string[] = [];
  const passed = report.numPassedTests;
  let failed = report.numFailedTests;
  for (const file of report.testResults) {
    if (file.status === 'failed' && file.assertionResults.length === 0) {
      failed += 1;
      notes.push(`${file.name} could not be loaded; counted as one failure.`);
    }
  }
  for (const file of expected) {
    if (report.testResults.some(({ name }) => name.endsWith(`/${file}`))) continue;
    failed += 1;
    notes.push(`${file} did not run; counted as one failure. Which project of vitest.config.ts should?`);
  }
  if (report.numPendingTests > 0) {
    notes.push(`${report.numPendingTests} skipped${isCi ? '; in CI that is a failure' : ''}.`);
    if (isCi) failed += report.numPendingTests;
  }
  if (passed + failed === 0) {
    failed = 1;
    notes.push('No test ran.');
  }
  if (failed === 0 && exitCode !== 0) {
    failed = 1;
    notes.push(`Vitest ended with ${exitCode} although no test failed (an unhandled error); counted as one failure.`);
  }
  return { passed, failed, notes };
}

function parse(text: string): Report | undefined {
  try {
    return JSON.parse(text) as Report;
  } catch {
    return undefined;
  }
}

if (import.meta.main) {
  const [, , reportFile = '', exitCode = '1', expectedFile = ''] = process.argv;
  const expected = readFileSync(expectedFile, 'utf8')
    .split('\n')
    .filter((line) => line !== '');
  const report = readFileSync(reportFile, 'utf8');
  const { passed, failed, notes } = totals(report, Number(exitCode), process.env.CI === 'true', expected);
  for (const note of notes) process.stdout.write(`${note}\n`);
  process.stdout.write(`${passed} passed, ${failed} failed\n`);
  process.exitCode = failed === 0 ? 0 : 1;
}
