/**
 * Runs jq's own test files (tests/jq.test and its kin), which are not part of this repository:
 *
 *   node packages/expressions/test/conformance.ts <file.test>…        (or paths in JQ_TEST_FILES, separated by ":")
 *
 * JQ_TEST_MODULES names jq's tests/modules folder, which some of the tests import from; without it those fail.
 *
 * Prints pass/total per file and each failure. A `%%FAIL` group passes when the program is refused; whether the wording
 * is jq's own is not checked.
 */
import { existsSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { compile, ExpressionError } from '../src/jq/index.ts';
import { equals } from '../src/jq/values.ts';
import type { Value } from '../src/json.ts';
import { parseJson } from '../src/json-parse.ts';
import { stringify } from '../src/json-text.ts';

interface TestCase {
  line: number;
  program: string;
  input: string;
  outputs: string[];
  mustFail: boolean;
}

const isSkipped = (line: string): boolean => /^[ \t]*(#|$)/.test(line);

export function readTests(text: string): TestCase[] {
  const lines = text.split('\n');
  const tests: TestCase[] = [];
  for (let at = 0; at < lines.length; ) {
    if (isSkipped(lines[at] ?? '')) {
      at++;
      continue;
    }
    const test: TestCase = { line: at + 1, program: '', input: 'null', outputs: [], mustFail: false };
    if ((lines[at] ?? '').startsWith('%%FAIL')) {
      test.mustFail = true;
      test.line++;
      test.program = lines[++at] ?? '';
      at++;
      while (at < lines.length && !/^\s*$/.test(lines[at] ?? '')) at++;
    } else {
      test.program = lines[at++] ?? '';
      test.input = lines[at++] ?? '';
      while (at < lines.length && !isSkipped(lines[at] ?? '')) test.outputs.push(lines[at++] ?? '');
    }
    tests.push(test);
  }
  return tests;
}

const meter = { step: () => undefined };
const budget = { steps: 1e9, memoryBytes: 1e9, outputBytes: 1e9, outputDepth: 20_000, regexSteps: 1e9, depth: 10_000 };

const library = process.env.JQ_TEST_MODULES ?? '';

function readModule(path: string): string | null {
  const file = join(library, path);
  return library !== '' && existsSync(file) ? readFileSync(file, 'utf8') : null;
}

/** null: passed. */
function runTest(test: TestCase): string | null {
  try {
    const program = compile(test.program, { modules: readModule });
    if (test.mustFail) return 'compiled, but must be refused';
    const outputs: Value[] = [];
    let failure: string | null = null;
    try {
      program.evaluate(parseJson(test.input), { budget }, (value) => outputs.push(value) > 0);
    } catch (error) {
      // jq's own harness compares the outputs only: an error after the last of them is part of some tests.
      failure = error instanceof ExpressionError ? error.message : String(error);
    }
    const expected = test.outputs.map((line) => parseJson(line));
    const same =
      outputs.length === expected.length && expected.every((value, at) => equals(value, outputs[at] as Value, meter));
    if (same) return null;
    return `got ${outputs.map((value) => stringify(value)).join(' ')}${failure === null ? '' : ` error: ${failure}`}`;
  } catch (error) {
    if (test.mustFail && error instanceof ExpressionError) return null;
    return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  }
}

const files = [...process.argv.slice(2), ...(process.env.JQ_TEST_FILES ?? '').split(':')].filter((path) => path !== '');
let isGood = files.length > 0;
for (const file of files) {
  const tests = readTests(readFileSync(file, 'utf8'));
  const failures = tests.flatMap((test) => {
    const reason = runTest(test);
    return reason === null ? [] : [{ test, reason }];
  });
  for (const { test, reason } of failures) {
    process.stdout.write(`${basename(file)}:${test.line}: ${test.program}\n    input ${test.input.slice(0, 100)}\n`);
    process.stdout.write(`    expected ${test.outputs.join(' ').slice(0, 300)}\n    ${reason.slice(0, 300)}\n`);
  }
  const passed = tests.length - failures.length;
  const percent = ((100 * passed) / tests.length).toFixed(1);
  process.stdout.write(`${basename(file)}: ${passed}/${tests.length} (${percent} %)\n`);
  if (passed / tests.length < 0.99) isGood = false;
}
process.exitCode = isGood ? 0 : 1;
