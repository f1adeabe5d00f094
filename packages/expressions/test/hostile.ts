/**
 * Programs written to take a process down, and what each costs when it is stopped:
 *
 *   node packages/expressions/test/hostile.ts
 *
 * Each runs in a process of its own, cold, under the default budgets. Prints processor time (all threads), growth of the
 * resident memory at its peak, and the budget that stopped it; ends with exit code 1 when one takes more than 64 MB.
 */
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { compile, ExpressionError, type Json } from '../src/index.ts';

export const MAX_EXTRA_MB = 64;

/** [program, the budget that stops it] */
export const HOSTILE: readonly (readonly [program: string, budget: string])[] = [
  // Loops without an end.
  ['[range(1e9)]', 'steps'],
  ['last(range(1e12))', 'steps'],
  ['until(false; .)', 'steps'],
  ['[repeat(1)]', 'steps'],
  ['first(repeat(empty))', 'steps'],
  ['[range(1e12) | select(false)]', 'steps'],
  ['any(range(1e12); false)', 'steps'],
  ['label $out | range(infinite) | if . < 0 then break $out else empty end', 'steps'],
  // Recursion.
  ['def f: f; f', 'steps'],
  ['def f: 1 + f; f', 'depth'],
  ['def f: [f]; f', 'depth'],
  ['def f: f | f; f', 'depth'],
  ['def f(x): f(x | x); f(.)', 'steps'],
  ['def f(g): if . > 1e9 then . else g | f(g | g) end; 0 | f(. + 1)', 'depth'],
  // Large values, and values that double.
  ['"x" * 1e9', 'memoryBytes'],
  ['[range(1e6) | "x" * 1e6]', 'memoryBytes'],
  ['[recurse([., .])]', 'memoryBytes'],
  ['.[5e8] = 1', 'memoryBytes'],
  ['reduce range(100) as $i ("x"; . + .)', 'memoryBytes'],
  ['reduce range(100) as $i ([1]; . + .)', 'memoryBytes'],
  ['[range(300)] | until(false; tojson)', 'steps'],
  ['[range(1e9) | {"\\(.)": .}]', 'steps'],
  ['reduce range(1e9) as $i ({}; .["k\\($i)"] = $i)', 'steps'],
  ['[foreach range(1e9) as $i ([]; . + [$i])]', 'steps'],
  ['[range(1000)] | [combinations(3)] | length', 'steps'],
  ['[range(200000)] | map([range(100)]) | length', 'steps'],
  // Small values that write out as large ones: a tree whose branches are all the same.
  ['reduce range(60) as $i (1; [., .])', 'outputBytes'],
  ['reduce range(100) as $i (1; [., .]) | tojson', 'steps'],
  ['reduce range(100) as $i (1; [., .]) | . == (. | map(.))', 'steps'],
  ['reduce range(100) as $i (1; [., .]) | [..] | length', 'steps'],
  // Deep data.
  ['until(false; [.])', 'memoryBytes'],
  ['reduce range(1e5) as $i (1; [.])', 'outputDepth'],
  ['reduce range(1e5) as $i (1; {a: .})', 'outputDepth'],
  ['reduce range(1e5) as $i (1; [.]) | [paths]', 'steps'],
  ['setpath([range(1e5) | "a"]; 1)', 'depth'],
  // Work hidden in one builtin.
  ['[range(1e6) | try error catch .]', 'steps'],
  ['[range(1000)] | until(false; transpose? // .)', 'steps'],
  ['("a" * 50000) | indices("a" * 25000)', 'steps'],
  ['[range(1000) | {k: "k\\(.)", v: .}] | INDEX(.k) | until(false; .x = 1)', 'steps'],
  ['[range(1000) | {k: "k\\(.)", v: .}] | INDEX(.k) | until((keys | length) < 1; .)', 'steps'],
  ['[range(3000)] - [range(3000) | . + 0.5]', 'steps'],
  ['("a" * 1000) | until(false; @base64 | .[:1000])', 'steps'],
  ['0 | until(false; strftime("%A %c") | 0)', 'steps'],
  // Regular expressions.
  ['("a" * 5000 + "!") | test("^(a+)+\\\\1$")', 'regexSteps'],
  ['("a" * 2000 + "!") | test("(?:(a|aa)+)\\\\1$")', 'regexSteps'],
  ['("a" * 500 + "!") | test("^(?=((a|aa)+)+$)")', 'regexSteps'],
  ['("a" * 5000) | test("(a?){5000}a{5000}")', 'regexSteps'],
  ['"a" | until(false; sub("a"; "a"))', 'depth'],
];

/** Answers linear-time, so nothing has to stop them. */
export const LINEAR: readonly string[] = [
  '("a" * 20000 + "!") | test("^(a+)+$")',
  '("a" * 30000 + "!") | test("^(a|a|a)*$")',
  '("a" * 5000 + "!") | test("^(a*)*(a*)*$")',
];

export interface Cost {
  budget: string;
  processorMs: number;
  extraMb: number;
}

/** Runs one program in a fresh process. Throws when that process does not survive it. */
export function costInOwnProcess(program: string): Cost {
  const file = fileURLToPath(import.meta.url);
  return JSON.parse(execFileSync(process.execPath, [file, program], { encoding: 'utf8', timeout: 60_000 })) as Cost;
}

function costHere(program: string): Cost {
  // What the engine itself loads is not the program's.
  compile('.a | map(.b)').first({ a: [{ b: 1 }] });
  const residentKb = process.resourceUsage().maxRSS;
  const started = process.cpuUsage();
  const budget = stoppedBy(program, null);
  const { user, system } = process.cpuUsage(started);
  const extraMb = (process.resourceUsage().maxRSS - residentKb) / 1024;
  return { budget, processorMs: Math.round((user + system) / 1000), extraMb: Math.round(extraMb) };
}

/** The budget that stops a program; `none` when nothing has to. */
export function stoppedBy(program: string, input: Json): string {
  const outcome = compile(program).first(input);
  if (outcome.ok) return 'none';
  return outcome.error instanceof ExpressionError && outcome.error.kind === 'budget'
    ? outcome.error.code
    : outcome.error.message;
}

if (import.meta.main) {
  const [program] = process.argv.slice(2);
  if (program !== undefined) process.stdout.write(JSON.stringify(costHere(program)));
  else {
    const costs = [...HOSTILE.map(([text]) => text), ...LINEAR].map((text) => ({ text, ...costInOwnProcess(text) }));
    for (const { text, budget, processorMs, extraMb } of costs) {
      process.stdout.write(
        `${String(processorMs).padStart(4)} ms ${String(extraMb).padStart(3)} MB  ${budget.padEnd(12)} ${text}\n`,
      );
    }
    const slowest = Math.max(...costs.map((cost) => cost.processorMs));
    const largest = Math.max(...costs.map((cost) => cost.extraMb));
    process.stdout.write(`${costs.length} programs: at most ${slowest} ms of processor time, ${largest} MB\n`);
    process.exitCode = largest > MAX_EXTRA_MB ? 1 : 0;
  }
}
