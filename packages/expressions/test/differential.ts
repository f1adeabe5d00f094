/**
 * Runs random programs on random documents here and in jq, and compares all outputs:
 *
 *   node packages/expressions/test/differential.ts [count = 100000] [seed = 1]
 *
 * jq is jq-web (WebAssembly, between 1.7 and 1.8), or the command that the variable JQ names. Programs are evaluated in batches,
 * because jq-web compiles on every call. An error counts as one outcome whatever its wording: the wording changed between
 * jq's versions and is checked against jq's own test files instead.
 *
 * A difference is explained only if one of REASONS proves itself: with the definitions of that reason in front of the
 * program, jq answers as this engine does. Anything else is printed and ends the run with exit code 1.
 */
import { execFileSync } from 'node:child_process';
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

/** Stand for `(`, `*` and `)` of a multiplication, so that it can be written as a call of a function instead. */
const TIMES = ['\u0001', '\u0002', '\u0003'] as const;

function written(marked: string, open: string, times: string, close: string): string {
  return marked.replaceAll(TIMES[0], open).replaceAll(TIMES[1], times).replaceAll(TIMES[2], close);
}

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

  binary(left: string, operator: string, right: string): string {
    return operator === '*' ? `${TIMES[0]}${left}${TIMES[1]}${right}${TIMES[2]}` : `(${left} ${operator} ${right})`;
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
        return this.binary(inner(), this.pick(['+', '-', '*', '/', '%', '==', '!=', '<', '<=', '>', '>=']), inner());
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
];

// ---- known reasons

/** Why jq may answer differently. */
interface Reason {
  why: string;
  /** Whether this may be the reason for what a program answers. */
  applies: (program: string, mine: string[], document: string) => boolean;
  /** Definitions that give this version of jq the meaning the engine follows; null: it cannot be defined away. */
  definitions: string | null;
}

const TIMES_AS_OPERATOR = 'def _times(l; r): r as $r | l as $l | $l * $r;';

const REASONS: readonly Reason[] = [
  {
    why: 'since 1.8 last(f) has no output when f has none; 1.7 gives null',
    applies: (program) => /last\(/.test(program),
    definitions: 'def last(f): if isempty(f) then empty else reduce f as $x (null; $x) end;',
  },
  {
    why: 'since 1.8 bsearch refuses what is not an array, and finds another one of several equal items',
    applies: (program) => /bsearch\(/.test(program),
    definitions:
      'def bsearch($x): if type != "array" then error("x") else . as $in | {from: 0, to: length} | until(.at or .from >= .to; ((.from + .to) / 2 | floor) as $m | $in[$m] as $y | if $x < $y then .to = $m elif $x == $y then .at = $m else .from = $m + 1 end) | .at // -1 - .from end;',
  },
  {
    why: 'since 1.8 offsets in strings count code points',
    applies: (program) => /index\(|indices\(/.test(program),
    definitions:
      'def _indices($x): indices($x); def indices($x): if type == "string" and ($x | type) == "string" then ($x | length) as $n | if $n == 0 then [] else [range(length - $n + 1) as $at | select(.[$at:$at + $n] == $x) | $at] end else _indices($x) end; def index($x): indices($x) | .[0]; def rindex($x): indices($x) | .[-1:][0];',
  },
  {
    why: 'since 1.8 a string may stand on either side of *',
    applies: (program) => / \* /.test(program),
    definitions:
      'def _repeat($s; $n): if ($n | isnan) or $n < 0 then null elif $n > 1000 then error("x") else reduce range($n | floor) as $i (""; . + $s) end; def _times(l; r): r as $r | l as $l | ($l | type) as $x | ($r | type) as $y | if $x == "string" and $y == "number" then _repeat($l; $r) elif $x == "number" and $y == "string" then _repeat($r; $l) else $l * $r end;',
  },
  {
    why: 'jq takes a break that passes a ?// for an error and goes on with the next pattern; here it leaves',
    // The comparison's own limit breaks too.
    applies: (program, mine) =>
      program.includes('?//') &&
      (mine.length === LIMIT ||
        /break|first|any|all|limit|isempty|IN|nth|until|index|map_values|\|=|test/.test(program)),
    definitions: null,
  },
  {
    why: 'since 1.8 a search goes on one character after an empty match; before, one byte',
    applies: (program, _mine, document) =>
      /splits|scan|sub/.test(program) && program.includes('""') && `${program}${document}`.includes('é'),
    definitions: null,
  },
  {
    why: 'a string times infinity: jq runs out of memory',
    applies: (program) => program.includes('infinite') && program.includes('*'),
    definitions: null,
  },
];

interface Case {
  program: string;
  /** The same with its multiplications written as calls of `_times`. */
  withCalls: string;
  document: string;
}

/** All outputs up to a limit, as JSON text; an error ends the list. */
const ERROR = '{"error":true}';
const BUDGET = { steps: 200_000, outputDepth: 10_000 };

function ours(test: Case): string[] {
  const outputs: string[] = [];
  try {
    const program = compile(test.program);
    program.evaluate(parseJson(test.document), { budget: BUDGET }, (value) => {
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

// ---- jq

interface Oracle {
  /** Throws when the program is refused or fails. */
  run(document: string, program: string): string;
  /** After a crash. */
  restart(): Promise<void>;
}

/** A command that takes `-c <program>` and the document on its standard input. */
function commandOracle(command: string): Oracle {
  return {
    run: (document, program) =>
      execFileSync(command, ['-c', program], {
        input: document,
        encoding: 'utf8',
        maxBuffer: 2 ** 28,
        stdio: ['pipe', 'pipe', 'ignore'],
      }),
    restart: async () => undefined,
  };
}

/** jq-web does not recover from running out of memory or from an assertion: it takes a new instance. */
async function webOracle(): Promise<Oracle> {
  const require = createRequire(import.meta.url);
  const path = require.resolve('jq-web');
  let jq = (await require(path)) as Jq;
  return {
    run: (document, program) => jq.raw(document, program, ['-c']) ?? '',
    restart: async () => {
      delete require.cache[path];
      jq = (await require(path)) as Jq;
    },
  };
}

function wrapped(test: Case, at: number): string {
  return `(.[${at}] | [limit(${LIMIT}; try (${test.program}) catch {error: true})])`;
}

/** null: jq refuses the program, or does not survive it. */
async function theirs(oracle: Oracle, tests: Case[]): Promise<(string[] | null)[]> {
  try {
    const document = `[${tests.map((test) => test.document).join(',')}]`;
    const lines = oracle.run(document, tests.map(wrapped).join(',\n')).trim().split('\n');
    if (lines.length === tests.length) {
      return lines.map((line) => (parseJson(line) as Value[]).map((value) => stringify(value)));
    }
  } catch (error) {
    // One of them does not compile or stops jq: find out which.
    if (!String(error).includes('exit code')) await oracle.restart();
  }
  if (tests.length === 1) return [null];
  const middle = tests.length >> 1;
  return [...(await theirs(oracle, tests.slice(0, middle))), ...(await theirs(oracle, tests.slice(middle)))];
}

// ---- comparison

const meter = { step: () => undefined };

function isSame(mine: string[], answer: string[] | null | undefined): boolean {
  if (answer === undefined) return false;
  if (answer === null) return mine[0] === 'syntax';
  if (mine.length !== answer.length) return false;
  return mine.every((text, at) => text === answer[at] || equals(parseJson(text), parseJson(answer[at] ?? ''), meter));
}

async function explanation(oracle: Oracle, test: Case, mine: string[]): Promise<string | null> {
  const possible = REASONS.filter((reason) => reason.applies(test.program, mine, test.document));
  const definable = possible.filter(({ definitions }) => definitions !== null);
  // Each reason on its own, and then all of them, for a program in which two meet.
  for (const reasons of [...definable.map((reason) => [reason]), definable]) {
    const definitions = reasons.map((reason) => reason.definitions).join(' ');
    const [answer] = await theirs(oracle, [
      { ...test, program: `${TIMES_AS_OPERATOR} ${definitions} ${test.withCalls}` },
    ]);
    if (reasons.length > 0 && isSame(mine, answer)) return reasons.map(({ why }) => why).join(', and ');
  }
  return possible.find(({ definitions }) => definitions === null)?.why ?? null;
}

export interface Comparison {
  same: number;
  /** What ran into a budget here, so it may run for ever in jq. */
  skipped: number;
  /** How often each reason held. */
  explained: Map<string, number>;
  unexplained: string[];
}

/** Compares that many cases. With `command`, jq is that program. */
export async function compareWithJq(count: number, seed: number, command?: string): Promise<Comparison> {
  const oracle = command === undefined ? await webOracle() : commandOracle(command);
  const generator = new Generator(randomFrom(seed));
  const result: Comparison = { same: 0, skipped: 0, explained: new Map(), unexplained: [] };
  for (let done = 0; done < count; ) {
    const tests: Case[] = [];
    const answers: string[][] = [];
    while (tests.length < BATCH && done < count) {
      const marked = generator.expression(1 + generator.int(3));
      const program = written(marked, '(', ' * ', ')');
      const test = { program, withCalls: written(marked, '_times(', '; ', ')'), document: generator.document() };
      done++;
      const answer = ours(test);
      if (answer[0] === 'budget') {
        result.skipped++;
        continue;
      }
      tests.push(test);
      answers.push(answer);
    }
    for (const [at, answer] of (await theirs(oracle, tests)).entries()) {
      const test = tests[at] as Case;
      const mine = answers[at] as string[];
      if (isSame(mine, answer)) {
        result.same++;
        continue;
      }
      const why = await explanation(oracle, test, mine);
      if (why !== null) result.explained.set(why, (result.explained.get(why) ?? 0) + 1);
      else {
        const lines = [test.program, `  on   ${test.document}`, `  here ${mine.join(' ').slice(0, 300)}`];
        result.unexplained.push([...lines, `  jq   ${answer?.join(' ').slice(0, 300) ?? 'refused'}`].join('\n'));
      }
    }
  }
  return result;
}

if (import.meta.main) {
  const count = Number(process.argv[2] ?? 100_000);
  const seed = Number(process.argv[3] ?? 1);
  const { same, skipped, explained, unexplained } = await compareWithJq(count, seed, process.env.JQ);
  for (const text of unexplained) process.stdout.write(`${text}\n`);
  for (const [why, times] of explained) process.stdout.write(`explained ${times} × ${why}\n`);
  const known = [...explained.values()].reduce((sum, times) => sum + times, 0);
  process.stdout.write(`${count} cases (seed ${seed}): ${same} same, ${known} explained, `);
  process.stdout.write(`${unexplained.length} unexplained, ${skipped} skipped for a budget\n`);
  process.exitCode = unexplained.length > 0 ? 1 : 0;
}
