/**
 * Runs random programs on random documents here and in jq 1.7 (jq-web, WebAssembly), and compares all outputs:
 *
 *   node packages/expressions/test/differential.ts [count = 100000] [seed = 1]
 *
 * Programs are evaluated in batches, because jq-web compiles on every call. An error counts as one outcome whatever its
 * wording: the wording changed between jq's versions and is checked against jq's own test files instead. Differences
 * that have a known reason are counted per reason; any other is printed and ends the run with exit code 1.
 */
import { createRequire } from 'node:module';
import { compile, ExpressionError } from '../src/index.ts';
import { equals } from '../src/jq/values.ts';
import type { Value } from '../src/json.ts';
import { parseJson } from '../src/json-parse.ts';
import { stringify } from '../src/json-text.ts';
import { randomFrom } from './random.ts';

interface Jq {
  raw(json: string, filter: string, flags: string[]): string | undefined;
}

const BATCH = 100;
const LIMIT = 30;

// ---- random programs

class Generator {
  readonly #random: () => number;
  #variables: string[] = [];

  constructor(random: () => number) {
    this.#random = random;
  }

  int(below: number): number {
    return Math.floor(this.#random() * below);
  }

  pick<T>(items: readonly T[]): T {
    return items[this.int(items.length)] as T;
  }

  document(depth = 3): string {
    const kind = this.int(depth > 0 ? 10 : 6);
    if (kind < 2) return this.pick(['0', '1', '-1', '2', '3', '10', '1.5', '-0.25', '100', '1000000']);
    if (kind < 4) return this.string();
    if (kind < 5) return this.pick(['true', 'false']);
    if (kind < 6) return 'null';
    const size = this.int(4);
    if (kind < 8) return `[${Array.from({ length: size }, () => this.document(depth - 1)).join(',')}]`;
    const keys = [...new Set(Array.from({ length: size }, () => this.pick(['a', 'b', 'c', 'd'])))];
    return `{${keys.map((key) => `"${key}":${this.document(depth - 1)}`).join(',')}}`;
  }

  string(): string {
    return this.pick([
      '"a"',
      '"b"',
      '"abc"',
      '""',
      '"a,b, c"',
      '"1"',
      '"1.5"',
      '"é😀x"',
      '"ABC abc"',
      '"aXbXa"',
      '"true"',
      '"<&>"',
    ]);
  }

  path(depth: number): string {
    switch (this.int(12)) {
      case 0:
        return '.';
      case 1:
        return '..';
      case 2:
        return '.[]';
      case 3:
        return '.[]?';
      case 4:
        return `.[${this.pick(['0', '1', '-1', '2', '"a"', '1.7'])}]${this.pick(['', '?'])}`;
      case 5:
        return `.[${this.pick(['0', '1', '-2', ''])}:${this.pick(['2', '-1', '3', '1.5'])}]${this.pick(['', '?'])}`;
      case 6:
        return depth > 0 ? `(${this.path(depth - 1)} | ${this.path(depth - 1)})` : '.a';
      case 7:
        return depth > 0 ? `(${this.path(depth - 1)}, ${this.path(depth - 1)})` : '.b?';
      case 8:
        return depth > 0 ? `(${this.path(depth - 1)} | select(${this.expression(depth - 1)}))` : '.c?';
      case 9:
        return depth > 0 ? `(${this.path(depth - 1)} // ${this.path(depth - 1)})` : '.';
      case 10:
        return depth > 0
          ? this.pick([
              `first(${this.path(depth - 1)})`,
              `last(${this.path(depth - 1)})`,
              `limit(2; ${this.path(depth - 1)})`,
              `getpath(${this.pick(['["a"]', '["a","b"]', '[0]', '[]'])})`,
              `recurse(.[]?)`,
              `if ${this.expression(depth - 1)} then ${this.path(depth - 1)} else ${this.path(depth - 1)} end`,
              `(try ${this.path(depth - 1)})`,
            ])
          : '.d?';
      default:
        return `.${this.pick(['a', 'b', 'c', 'd'])}${this.pick(['', '?', '.a', '[]?', '[0]?'])}`;
    }
  }

  withVariable(name: string, make: () => string): string {
    this.#variables.push(name);
    const text = make();
    this.#variables.pop();
    return text;
  }

  expression(depth: number): string {
    if (depth <= 0) {
      const kind = this.int(9);
      if (kind < 3) return this.path(0);
      if (kind < 5)
        return this.pick([
          '0',
          '1',
          '2',
          '-1',
          '1.5',
          'null',
          'true',
          'false',
          '[]',
          '{}',
          '[1,2]',
          '{"a":1}',
          'empty',
        ]);
      if (kind < 6) return this.string();
      if (kind < 7 && this.#variables.length > 0) return `$${this.pick(this.#variables)}`;
      return this.pick(ZERO_ARGUMENTS);
    }
    const inner = (): string => this.expression(depth - 1 - this.int(2));
    switch (this.int(22)) {
      case 0:
        return `(${inner()} | ${inner()})`;
      case 1:
        return `(${inner()}, ${inner()})`;
      case 2:
      case 3:
        return `(${inner()} ${this.pick(['+', '-', '*', '/', '%', '==', '!=', '<', '<=', '>', '>='])} ${inner()})`;
      case 4:
        return `(${inner()} ${this.pick(['and', 'or', '//'])} ${inner()})`;
      case 5:
        return `[${inner()}]`;
      case 6:
        return `{a: ${inner()}, ${this.pick(['b', '"c d"', '(.a?)', '"x\\(1,2)"', '@base64 "z"'])}: ${inner()}}`;
      case 7:
        return `(if ${inner()} then ${inner()} ${this.pick(['', `else ${inner()} `])}end)`;
      case 8:
        return `(try ${inner()}${this.pick(['', ` catch ("E" | ${inner()})`])})`;
      case 9:
        return `((${inner()})?)`;
      case 10: {
        const name = this.pick(['x', 'y', 'z']);
        return `((${inner()}) as $${name} | ${this.withVariable(name, inner)})`;
      }
      case 11:
        return `((${inner()}) as ${this.pick(['[$x, $y]', '{a: $x, $y}', '[$x, [$y]] ?// {a: $x, b: $y} ?// $x'])} | ${this.pick(['[$x]', '$x', '[.]'])})`;
      case 12:
        return `(reduce (${inner()}) as $x (first(${inner()}, null); ${this.withVariable('x', inner)}))`;
      case 13:
        return `(foreach (${inner()}) as $x (first(${inner()}, null); ${this.withVariable('x', inner)}${this.pick(['', `; ${inner()}`])}))`;
      case 14:
        return `(${this.path(depth - 1)} ${this.pick(['=', '|=', '+=', '-=', '*=', '//=', '|='])} ${inner()})`;
      case 15:
        return `(label $l | ${inner()} | ${this.pick(['., break $l', `if ${inner()} then break $l else . end`, 'break $l'])})`;
      case 16:
        return `(def f: ${inner()}; ${this.pick(['f', '[f] | f', 'f, f'])})`;
      case 17:
        return `(def f(g; $v): ${this.pick(['g | [., $v]', '[g, g] | .[$v]?', '$v, g', 'g as $q | [$q, v]'])}; f(${inner()}; ${inner()}))`;
      case 18:
        return `"${this.pick(['', 'x'])}\\(${inner()})${this.pick(['', ' \\(.)'])}"`;
      case 19:
        return `(${this.path(depth - 1)} | ${this.pick(ZERO_ARGUMENTS)})`;
      default: {
        const [name, kinds] = this.pick(WITH_ARGUMENTS);
        const args = [...kinds].map((kind) =>
          kind === 'p'
            ? this.path(depth - 1)
            : kind === 's'
              ? this.string()
              : kind === 'n'
                ? this.pick(['0', '1', '2', '3'])
                : inner(),
        );
        return `(${this.pick(['', `${inner()} | `])}${name}(${args.join('; ')}))`;
      }
    }
  }
}

const ZERO_ARGUMENTS =
  'length keys values type add any all flatten tostring tojson sort unique reverse min max to_entries not floor sqrt first last ascii_downcase ascii_upcase explode utf8bytelength tonumber isnan infinite nulls strings numbers booleans arrays objects iterables scalars transpose paths leaf_paths tostream keys_unsorted from_entries fromjson @json @text @csv @tsv @html @uri @sh @base64 @base64d abs? isempty(.[]?) isnormal isvalid(1)? ceil round fabs trunc'
    .split(' ')
    .filter((name) => !['abs?', 'isvalid(1)?', 'leaf_paths'].includes(name));

/** Arguments: e any expression, p a path, s a string, n a small number. */
const WITH_ARGUMENTS: readonly (readonly [string, string])[] = [
  ['map', 'e'],
  ['map_values', 'e'],
  ['select', 'e'],
  ['has', 'e'],
  ['contains', 'e'],
  ['inside', 'e'],
  ['any', 'e'],
  ['all', 'e'],
  ['any', 'ee'],
  ['all', 'ee'],
  ['range', 'n'],
  ['range', 'nn'],
  ['first', 'e'],
  ['last', 'e'],
  ['limit', 'ne'],
  ['nth', 'n'],
  ['nth', 'ne'],
  ['until', 'ee'],
  ['sort_by', 'e'],
  ['group_by', 'e'],
  ['unique_by', 'e'],
  ['min_by', 'e'],
  ['max_by', 'e'],
  ['path', 'p'],
  ['paths', 'e'],
  ['del', 'p'],
  ['to_entries | map', 'e'],
  ['with_entries', 'e'],
  ['getpath', 'e'],
  ['setpath', 'ee'],
  ['delpaths', 'e'],
  ['walk', 'e'],
  ['recurse', 'p'],
  ['join', 's'],
  ['split', 's'],
  ['startswith', 's'],
  ['endswith', 's'],
  ['index', 'e'],
  ['rindex', 's'],
  ['indices', 'e'],
  ['test', 's'],
  ['match', 's'],
  ['scan', 's'],
  ['splits', 's'],
  ['sub', 'se'],
  ['gsub', 'se'],
  ['ascii_downcase | ltrimstr', 's'],
  ['flatten', 'n'],
  ['isempty', 'e'],
  ['error', 'e'],
  ['IN', 'e'],
  ['INDEX', 'e'],
  ['in', 'e'],
  ['bsearch', 'e'],
  ['tojson | test', 's'],
  ['pow', 'ee'],
  ['while', 'ee'],
  ['combinations', 'n'],
  ['splits', 's'],
  ['input_line_number | select', 'e'],
];

// ---- known reasons

/** Why jq 1.7 may answer differently from jq 1.8, which is what this engine follows; null: no reason known. */
const REASONS: readonly (readonly [RegExp, string])[] = [
  [/ltrimstr|rtrimstr/, 'ltrimstr and rtrimstr raise an error for what is not a string since 1.8'],
  [/limit\(|nth\(|first\(|until\(/, 'negative counts of limit and nth raise an error since 1.8; nth reads on in 1.7'],
  [/indices|index\(|_strindices/, 'index of an empty string is null since 1.8; offsets count code points since 1.8'],
  [
    /\?\/\//,
    'jq takes a break (of first, limit, label, |=) that passes a ?// for an error and goes on with the next pattern',
  ],
  [/bsearch\(/, 'bsearch refuses what is not an array since 1.8'],
  [/infinite/, 'a string times infinity: jq-web runs out of memory'],
  [/last\(/, 'last(empty) has no output since 1.8'],
  [/\*/, 'a string times a number: 0 gives "" and fractions are cut since 1.8'],
  [/add\(|pick\(|abs|have_|toarray|trim\b|ltrim|rtrim/, 'not in jq 1.7'],
  [
    /tojson|tostring|@json|@text|@csv|@tsv|@sh|@html|@base64|\\\(|join/,
    'numbers print with 17 digits, the shortest that reads back; 1.7 prints literals as written',
  ],
  [/@base64d/, 'invalid base64 is refused since 1.8'],
];

interface Case {
  program: string;
  document: string;
}

/** All outputs up to a limit, as JSON text; an error ends the list. */
const ERROR = '{"error":true}';

function ours(test: Case): string[] {
  const outputs: string[] = [];
  try {
    const program = compile(test.program);
    program.evaluate(parseJson(test.document), { budget: { steps: 200_000 } }, (value) => {
      outputs.push(stringify(value));
      return outputs.length < LIMIT;
    });
  } catch (error) {
    if (!(error instanceof ExpressionError)) throw error;
    if (error.kind === 'budget') return ['budget'];
    if (error.kind === 'syntax') return ['syntax'];
    outputs.push(ERROR);
  }
  return outputs;
}

function wrapped(test: Case, at: number): string {
  return `(.[${at}] | [limit(${LIMIT}; try (${test.program}) catch {error: true})])`;
}

/** null: jq refuses the program, or does not survive it. */
async function theirs(tests: Case[]): Promise<(string[] | null)[]> {
  const input = `[${tests.map((test) => test.document).join(',')}]`;
  const filter = tests.map(wrapped).join(',\n');
  try {
    const lines = (jq.raw(input, filter, ['-c']) ?? '').trim().split('\n');
    if (lines.length === tests.length) {
      return lines.map((line) => (parseJson(line) as Value[]).map((value) => stringify(value)));
    }
  } catch (error) {
    // One of them does not compile or stops jq: find out which.
    if (!String(error).includes('exit code')) await reload();
  }
  if (tests.length === 1) return [null];
  const middle = tests.length >> 1;
  return [...(await theirs(tests.slice(0, middle))), ...(await theirs(tests.slice(middle)))];
}

const meter = { step: () => undefined };

function isSame(left: string[], right: string[]): boolean {
  if (left.length !== right.length) return false;
  return left.every((text, at) => text === right[at] || equals(parseJson(text), parseJson(right[at] ?? ''), meter));
}

const count = Number(process.argv[2] ?? 100_000);
const seed = Number(process.argv[3] ?? 1);
const require = createRequire(import.meta.url);
let jq = (await require('jq-web')) as Jq;

/** jq-web does not recover from running out of memory or from an assertion: it takes a new instance. */
async function reload(): Promise<void> {
  delete require.cache[require.resolve('jq-web')];
  jq = (await require('jq-web')) as Jq;
}
const generator = new Generator(randomFrom(seed));
const explained = new Map<string, number>();
const tally = { same: 0, skipped: 0, explained: 0, unexplained: 0 };

for (let done = 0; done < count; ) {
  const tests: Case[] = [];
  const answers: string[][] = [];
  while (tests.length < BATCH && done < count) {
    const test = { program: generator.expression(1 + generator.int(3)), document: generator.document() };
    done++;
    const answer = ours(test);
    // What runs into a budget here may run for ever in jq.
    if (answer[0] === 'budget') {
      tally.skipped++;
      continue;
    }
    tests.push(test);
    answers.push(answer);
  }
  (await theirs(tests)).forEach((answer, at) => {
    const test = tests[at] as Case;
    const mine = answers[at] as string[];
    if (answer === null ? mine[0] === 'syntax' : isSame(mine, answer)) {
      tally.same++;
      return;
    }
    const reason =
      answer === null && !test.program.includes('infinite')
        ? null
        : (REASONS.find(([pattern]) => pattern.test(test.program))?.[1] ?? null);
    if (reason !== null) {
      tally.explained++;
      explained.set(reason, (explained.get(reason) ?? 0) + 1);
      if (process.env.SHOW_EXPLAINED === undefined) return;
    } else tally.unexplained++;
    process.stdout.write(`${test.program}\n  on   ${test.document}\n  here ${mine.join(' ').slice(0, 300)}\n`);
    process.stdout.write(`  jq   ${answer === null ? 'refused' : answer.join(' ').slice(0, 300)}\n`);
  });
}
for (const [reason, times] of explained) process.stdout.write(`explained ${times} × ${reason}\n`);
process.stdout.write(`${count} cases (seed ${seed}): ${tally.same} same, ${tally.explained} explained, `);
process.stdout.write(`${tally.unexplained} unexplained, ${tally.skipped} skipped for a budget\n`);
process.exitCode = tally.unexplained > 0 ? 1 : 0;
