/**
 * Throws random bytes and mutated programs at the parser and the evaluator:
 *
 *   node packages/expressions/test/fuzz.ts [count = 1000000] [seed = 1]
 *
 * A case fails when anything but an ExpressionError comes out, or when it takes more than a second of processor time. Prints each
 * failing program; ends with exit code 1 when there was one.
 */
import { builtinNames, compile, ExpressionError, type Json } from '../src/index.ts';
import { randomFrom } from './random.ts';

const SEEDS = [
  '.a.b[0] | map(select(.x > 1)) | {a, "b": .c, (.d): 1}',
  'reduce .[] as [$a, {b: $c}] (0; . + $a) | foreach range(5) as $i (0; . + $i; [$i, .])',
  'def f(g; $x): if . == null then g else $x | f(g; 1) end; f(.a; 2)',
  'try error({a: 1}) catch .a // (.b?, .c[]?) | label $out | 1, break $out',
  '.a |= (.b += 1) | .[1:3] = ["x"] | del(.c, .d[0]) | to_entries | from_entries',
  '"a\\(.b + 1)c" | @base64 "x\\(.)", @json, ascii_upcase, test("a+b"; "gi"), sub("(?<x>a)"; "\\(.x)!")',
  '. as {a: $x, $y, b: [$z]} ?// [$x, $y, $z] | [$x, $y, $z] | sort_by(.) | group_by(.x) | unique_by(.y)',
  'path(..) , getpath(["a", 0]), [paths], (tostream), limit(3; repeat(.)), first(range(10; 0; -2))',
  'now | strftime("%Y-%m-%dT%H:%M:%SZ") | strptime("%Y-%m-%dT%H:%M:%SZ") | mktime | todate',
  '[.[] | tojson | fromjson | tostring | tonumber? // empty] | add / length * 3 % 2 - 1 | -. | floor | sqrt | pow(.; 2)',
];
const PIECES = [
  ...builtinNames().map((name) => {
    const [word = '', arity = '0'] = name.split('/');
    return arity === '0' ? word : `${word}(${Array(Number(arity)).fill('.').join('; ')})`;
  }),
  ...'. .. .a .[] .[0] .[1:] | , // ?// ? ( ) [ ] { } "x" "\\( ) : ; $x as reduce foreach def f: if then else end try catch'.split(
    ' ',
  ),
  ...'label $l break + - * / % == != < > = |= += //= and or not 1 0 -1 1e1000 null true nan infinite "" [] {} #\n'.split(
    ' ',
  ),
];
const INPUTS: Json[] = [
  null,
  true,
  -1.5,
  'héllo 😀 a,b',
  [],
  {},
  [1, [2, null], { a: 'x', b: [true] }],
  { a: { b: [1, 2, 3], c: null }, x: 'y', d: [{ key: 'k', value: 1 }], __proto__x: 0 },
  JSON.parse('{"__proto__": {"a": 1}, "constructor": [2]}') as Json,
];
const BUDGET = { steps: 5000, memoryBytes: 1 << 20, outputBytes: 1 << 18, regexSteps: 20_000, depth: 500 };

const CALLS = PIECES.filter((piece) => /^[a-z]\w*(\(|$)/i.test(piece));
const FORMS = [
  '(_ | _)',
  '(_, _)',
  '[_]',
  '{a: _, (_ | tostring): _}',
  'if _ then _ else _ end',
  '(try (_) catch _)',
  '(_)?',
  '(_ // _)',
  '(_ + _)',
  '(_ == _)',
  'reduce (_) as $x (_; _)',
  'foreach (_) as [$x, $y] (_; _; _)',
  '(label $l | _ | ., break $l)',
  '(_ as $x | _)',
  '(_ as [$x] ?// {a: $x} | $x)',
  '(def f(g): _ | g; f(_))',
  '(def f: if length > 3 then . else [., _] | f end; f)',
  '(.[_]? |= _)',
  '(.a += _)',
  'path(.. | select(_))',
  'del(.[]? | select(_))',
  '"x\\(_)"',
  '[limit(3; _)]',
  'map(_)?',
  '.[_:_]?',
];

function wellFormed(random: () => number, depth: number): string {
  const pick = <T>(items: readonly T[]): T => items[Math.floor(random() * items.length)] as T;
  if (depth === 0 || random() < 0.2)
    return random() < 0.5 ? pick(CALLS) : pick(['.', '.a', '.[]?', '1', '"a,b"', 'null', '[1,2]']);
  const form = random() < 0.3 ? pick(CALLS).replace(/(?<=\(|; )\.(?=[;)])/g, '_') : pick(FORMS);
  return form.replace(/\b_\b/g, () => wellFormed(random, depth - 1));
}

function makeProgram(random: () => number): string {
  const pick = <T>(items: readonly T[]): T => items[Math.floor(random() * items.length)] as T;
  const kind = random();
  if (kind < 0.2) {
    const length = Math.floor(random() * 30);
    return String.fromCharCode(...Array.from({ length }, () => Math.floor(random() * (random() < 0.9 ? 128 : 65_536))));
  }
  if (kind < 0.5)
    return Array.from({ length: 1 + Math.floor(random() * 8) }, () => pick(PIECES)).join(random() < 0.5 ? ' ' : '');
  if (kind < 0.6) return Array.from({ length: 1 + Math.floor(random() * 4) }, () => pick(PIECES)).join(' | ');
  // Whole programs put together: most of these compile, so the evaluator is reached.
  if (kind < 0.8) return wellFormed(random, 4);
  let text = pick(SEEDS);
  for (let edits = 1 + Math.floor(random() * 4); edits > 0; edits--) {
    const at = Math.floor(random() * (text.length + 1));
    const edit = random();
    if (edit < 0.3) text = text.slice(0, at) + text.slice(at + 1 + Math.floor(random() * 6));
    else if (edit < 0.7) text = `${text.slice(0, at)} ${pick(PIECES)} ${text.slice(at)}`;
    else text = text.slice(0, at) + pick(SEEDS).slice(Math.floor(random() * 40)) + text.slice(at);
  }
  return text.slice(0, 400);
}

export interface FuzzResult {
  compiled: number;
  /** Programs that ended with something else than an ExpressionError, or took longer than `SLOW_MS`. */
  failures: string[];
  slowest: { ms: number; program: string };
}

/** Processor time, all threads: a hundred times what the budget of a case allows. */
const SLOW_MS = 1000;

export function fuzz(count: number, seed: number): FuzzResult {
  const random = randomFrom(seed);
  const result: FuzzResult = { compiled: 0, failures: [], slowest: { ms: 0, program: '' } };
  for (let at = 0; at < count; at++) {
    const source = makeProgram(random);
    const input = INPUTS[Math.floor(random() * INPUTS.length)] as Json;
    const name = `case ${at}: ${JSON.stringify(source)} on ${JSON.stringify(input)}`;
    const before = process.cpuUsage();
    try {
      const program = compile(source, { singleQuotes: random() < 0.2 });
      result.compiled++;
      program.all(input, { budget: BUDGET, now: () => 1_700_000_000_000 });
    } catch (error) {
      if (!(error instanceof ExpressionError)) {
        result.failures.push(`${name}: ${error instanceof Error ? error.stack?.slice(0, 600) : String(error)}`);
      }
    }
    const { user, system } = process.cpuUsage(before);
    const ms = (user + system) / 1000;
    if (ms > result.slowest.ms) result.slowest = { ms, program: source };
    if (ms > SLOW_MS) result.failures.push(`${name}: ${ms.toFixed(0)} ms`);
  }
  if (Object.keys(Object.prototype).length > 0) result.failures.push('Object.prototype was changed');
  return result;
}

if (import.meta.main) {
  const count = Number(process.argv[2] ?? 1_000_000);
  const seed = Number(process.argv[3] ?? 1);
  const started = performance.now();
  const { compiled, failures, slowest } = fuzz(count, seed);
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  for (const failure of failures) process.stdout.write(`${failure}\n`);
  process.stdout.write(
    `${count} programs (seed ${seed}), ${compiled} compiled, ${failures.length} failures, ${seconds} s, `,
  );
  process.stdout.write(`slowest ${slowest.ms.toFixed(0)} ms: ${JSON.stringify(slowest.program.slice(0, 200))}\n`);
  process.exitCode = failures.length > 0 ? 1 : 0;
}
