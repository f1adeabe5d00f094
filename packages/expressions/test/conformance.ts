/**
 * Runs jq's own test files and writes CONFORMANCE.md beside this package's README:
 *
 *   node packages/expressions/test/conformance.ts [folder]
 *
 * The files are not part of this repository: `folder` holds them (`jq-1.8.1.test`, …: jq's tests/jq.test of that version),
 * by default `shared/jq` beside the checkout. Some of the tests import modules: they are in `folder`/modules or in
 * JQ_TEST_MODULES, a copy of jq's tests/modules.
 *
 * Ends with exit code 1 when a file passes less than 99 %, when a failure has no reason in REASONS, or when a reason
 * belongs to no failure. A `%%FAIL` group passes when the program is refused; whether the wording is jq's own is not
 * checked.
 */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
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

/** Why a test fails, by its program and input. */
const REASONS: Readonly<Record<string, string>> = {
  'fromjson | isnan on "nan1234"':
    'jq 1.8 refuses a nan with a payload, which 1.7 read as nan; this engine follows 1.8, whose own file tests the refusal.',
};

const isSkipped = (line: string): boolean => /^[ \t]*(#|$)/.test(line);

function readTests(text: string): TestCase[] {
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

const repository = fileURLToPath(new URL('../../../', import.meta.url));
const folder =
  process.argv[2] ??
  ['../shared/jq', '../../shared/jq'].map((path) => join(repository, path)).find((path) => existsSync(path));
const library = process.env.JQ_TEST_MODULES ?? join(folder ?? '', 'modules');

function readModule(path: string): string | null {
  const file = join(library, path);
  return existsSync(file) ? readFileSync(file, 'utf8') : null;
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

function fail(message: string): never {
  process.stderr.write(`${message}\n`);
  process.exit(2);
}

if (folder === undefined) {
  fail(
    "jq's test files are not here. Name the folder that holds them: node packages/expressions/test/conformance.ts <folder>",
  );
}
if (!existsSync(library)) {
  fail(`jq's tests/modules are needed, and ${library} does not exist. Name their folder in JQ_TEST_MODULES.`);
}
const files = readdirSync(folder).filter((name) => name.endsWith('.test'));
if (files.length === 0) fail(`${folder} holds no *.test file.`);

const rows: string[] = [];
const listed: string[] = [];
const unused = new Set(Object.keys(REASONS));
let isGood = true;
for (const file of files.sort().reverse()) {
  const tests = readTests(readFileSync(join(folder, file), 'utf8'));
  const failures = tests.flatMap((test) => {
    const got = runTest(test);
    return got === null ? [] : [{ test, got }];
  });
  for (const { test, got } of failures) {
    const name = `${test.program} on ${test.input}`;
    const reason = REASONS[name];
    unused.delete(name);
    if (reason === undefined) {
      isGood = false;
      process.stdout.write(`${file}:${test.line}: ${test.program}\n    input ${test.input.slice(0, 100)}\n`);
      process.stdout.write(`    expected ${test.outputs.join(' ').slice(0, 300)}\n    ${got.slice(0, 300)}\n`);
    }
    listed.push(
      `- \`${file}\`, line ${test.line}: \`${test.program}\` on \`${test.input}\`. ${reason ?? `No reason known: ${got}`}`,
    );
  }
  const passed = tests.length - failures.length;
  const percent = ((100 * passed) / tests.length).toFixed(1);
  process.stdout.write(`${file}: ${passed}/${tests.length} (${percent} %)\n`);
  rows.push(`| ${basename(file, '.test')} | ${tests.length} | ${passed} | ${percent} % |`);
  if (passed / tests.length < 0.99) isGood = false;
}
for (const name of unused) process.stdout.write(`No test fails like this any more, remove its reason: ${name}\n`);

writeFileSync(
  fileURLToPath(new URL('../CONFORMANCE.md', import.meta.url)),
  `# Conformance

Written by \`node packages/expressions/test/conformance.ts\`. Do not edit by hand.

jq's own tests (\`tests/jq.test\` of each version, not part of this repository): every program is run on its input, and its
outputs are compared as jq's harness compares them. A program that jq must refuse passes when it is refused here, whatever
the wording. Modules are read from jq's \`tests/modules\` through a \`ModuleReader\`; the product hands in none, so there
\`import\` and \`include\` are refused.

| tests of | cases | passed | share |
| -------- | ----: | -----: | ----: |
${rows.join('\n')}

## Every failure, and why

${listed.length === 0 ? 'None.' : listed.join('\n')}
`,
);
process.exitCode = isGood && unused.size === 0 ? 0 : 1;
