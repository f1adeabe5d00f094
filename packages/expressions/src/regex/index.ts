import { parseEcmaPattern } from './ecma.ts';
import { isGearChange, Matcher } from './match.ts';
import { parsePattern } from './parse.ts';
import { buildProgram, MAX_INSTRUCTIONS, type Program, WIDTH } from './program.ts';
import { type ParsedPattern, RegexError } from './syntax.ts';
import { readText, type Text } from './text.ts';

export { RegexError } from './syntax.ts';

/** What a regular expression charges its work to; `step` throws when the budget is used up. */
export interface RegexBudget {
  step(count: number): void;
}

interface RegexGroup {
  name: string | null;
  start: number;
  end: number;
}

export interface RegexMatch {
  start: number;
  end: number;
  /** One entry per group of the pattern; null for a group that took no part. */
  groups: (RegexGroup | null)[];
}

export interface Regex {
  /**
   * The leftmost match that begins at or after `from`. Every position, in and out, counts code points.
   * Throws what the budget throws, and RegexError when the matcher's own memory limits are reached.
   */
  exec(text: string, from: number): RegexMatch | null;
  readonly groupNames: readonly (string | null)[];
}

interface Compiled {
  pattern: ParsedPattern;
  quick: Program;
  /** Built when a text first needs it; see match.ts for the two gears. */
  memoized: Program | undefined;
}

/** Programs are kept by pattern and flags: jq compiles a regex on every call, and calls come in loops. */
const CACHE_LIMIT = 500;
const MAX_CACHED_PATTERN = 2000;
const cache = new Map<string, Compiled>();

/** Builds one of the two programs and charges an instruction as a step, a refused program as the largest one. */
function build(pattern: ParsedPattern, spellRuns: boolean, budget: RegexBudget): Program {
  try {
    const program = buildProgram(pattern, spellRuns);
    budget.step(program.code.length / WIDTH);
    return program;
  } catch (error) {
    budget.step(error instanceof RegexError ? MAX_INSTRUCTIONS : 0);
    throw error;
  }
}

function compiled(key: string, pattern: string, budget: RegexBudget, parse: () => ParsedPattern): Compiled {
  const hit = cache.get(key);
  if (hit !== undefined) return hit;
  budget.step(pattern.length);
  const parsed = parse();
  const entry: Compiled = { pattern: parsed, quick: build(parsed, false, budget), memoized: undefined };
  if (pattern.length <= MAX_CACHED_PATTERN) {
    const oldest = cache.size >= CACHE_LIMIT ? cache.keys().next().value : undefined;
    if (oldest !== undefined) cache.delete(oldest);
    cache.set(key, entry);
  }
  return entry;
}

/**
 * Compiles a pattern as jq 1.8 hands it to Oniguruma (Perl syntax with named groups, UTF-8). `flags` are jq's letters;
 * `g` is accepted and left to the caller. Throws RegexError, whose message is Oniguruma's, for a bad pattern.
 *
 * Cost: a search is O(pattern × text) for patterns without back-references, look-around, atomic or possessive parts,
 * conditions and calls; those are stopped by the budget. About one step is charged per instruction executed.
 */
export function compileRegex(pattern: string, flags: string, budget: RegexBudget): Regex {
  budget.step(1);
  return regexOf(
    compiled(`${flags}/${pattern}`, pattern, budget, () => parsePattern(pattern, flags)),
    budget,
  );
}

/** The same for a pattern of JSON Schema, in the dialect of ECMAScript (ecma.ts). */
export function compileEcmaRegex(pattern: string, budget: RegexBudget): Regex {
  budget.step(1);
  return regexOf(
    compiled(`ECMA/${pattern}`, pattern, budget, () => parseEcmaPattern(pattern)),
    budget,
  );
}

function regexOf(entry: Compiled, budget: RegexBudget): Regex {
  const { groupNames } = entry.pattern;
  const charge = (steps: number): void => budget.step(steps);
  let last: Text | undefined;

  const search = (text: Text, from: number): Int32Array | undefined => {
    try {
      return new Matcher(entry.quick, text, from, charge, false).search();
    } catch (error) {
      if (!isGearChange(error)) throw error;
    }
    entry.memoized ??= build(entry.pattern, true, budget);
    return new Matcher(entry.memoized, text, from, charge, true).search();
  };

  return {
    groupNames,
    exec(source, from) {
      // Scanning with "g" comes back with the same string; its code points are read once.
      if (last === undefined || last.source !== source) last = readText(source);
      if (from < 0 || from > last.length) return null;
      if (entry.quick.isLiteral && last.points === undefined)
        return findLiteral(entry.quick.prefix, source, from, budget);
      const slots = search(last, from);
      if (slots === undefined) return null;
      const groups = groupNames.map((name, index): RegexGroup | null => {
        const start = slots[2 * index + 2] ?? -1;
        const end = slots[2 * index + 3] ?? -1;
        return start < 0 || end < 0 ? null : { name, start, end };
      });
      return { start: slots[0] ?? 0, end: slots[1] ?? 0, groups };
    },
  };
}

/** A pattern without anything special in it, such as the separator of a `gsub`, needs no matcher. */
function findLiteral(literal: string, source: string, from: number, budget: RegexBudget): RegexMatch | null {
  const start = source.indexOf(literal, from);
  budget.step(1 + (((start < 0 ? source.length : start) - from) >> 4));
  return start < 0 ? null : { start, end: start + literal.length, groups: [] };
}
