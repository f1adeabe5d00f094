/**
 * Sets of code points. ASCII is a 128-byte table, everything else a predicate with a small cache, so that `\w` over
 * ordinary text never leaves the table. Unicode knowledge comes from the host's own `\p{…}`, asked for one character at
 * a time (constant time; no pattern of a user ever reaches the host's backtracking engine).
 */
export interface CharSet {
  readonly ascii: Uint8Array;
  /** Membership of a code point ≥ 128. */
  other(code: number): boolean;
}

export type Member = { from: number; to: number } | { set: CharSet; negated: boolean };

const CACHE_LIMIT = 4096;

function withCache<Result>(test: (code: number) => Result): (code: number) => Result {
  const known = new Map<number, Result>();
  return (code) => {
    const hit = known.get(code);
    if (hit !== undefined) return hit;
    if (known.size >= CACHE_LIMIT) known.clear();
    const result = test(code);
    known.set(code, result);
    return result;
  };
}

function fromPredicate(test: (code: number) => boolean, other: (code: number) => boolean): CharSet {
  const ascii = new Uint8Array(128);
  for (let code = 0; code < 128; code++) ascii[code] = test(code) ? 1 : 0;
  return { ascii, other };
}

export function contains(set: CharSet, code: number): boolean {
  return code < 128 ? set.ascii[code] === 1 : set.other(code);
}

/** `source` is the inside of a host character class: it looks at one character, so it may come from a user (ecma.ts). */
export function hostSet(source: string): CharSet {
  const pattern = new RegExp(`^[${source}]$`, 'u');
  const test = (code: number) => pattern.test(String.fromCodePoint(code));
  return fromPredicate(test, withCache(test));
}

export function negate(set: CharSet): CharSet {
  return fromPredicate(
    (code) => !contains(set, code),
    (code) => !set.other(code),
  );
}

type Range = { from: number; to: number };

function merged(ranges: readonly Range[]): Range[] {
  const result: Range[] = [];
  for (const range of [...ranges].sort((left, right) => left.from - right.from)) {
    const last = result.at(-1);
    if (last !== undefined && range.from <= last.to + 1) last.to = Math.max(last.to, range.to);
    else result.push({ ...range });
  }
  return result;
}

function inRanges(ranges: readonly Range[], code: number): boolean {
  let low = 0;
  let high = ranges.length - 1;
  while (low <= high) {
    const middle = (low + high) >> 1;
    const range = ranges[middle] as Range;
    if (code < range.from) high = middle - 1;
    else if (code > range.to) low = middle + 1;
    else return true;
  }
  return false;
}

/** A bracket expression. With `fold`, a character belongs when any of its case variants does; negation comes last. */
export function bracket(members: readonly Member[], negated: boolean, fold: boolean): CharSet {
  const ranges = merged(members.filter((member) => 'from' in member));
  const sets = members.filter((member) => 'set' in member);
  const holds = (code: number): boolean =>
    inRanges(ranges, code) || sets.some((member) => contains(member.set, code) !== member.negated);
  const folded = fold ? (code: number) => holds(code) || caseVariants(code).some(holds) : holds;
  const test = (code: number) => folded(code) !== negated;
  return fromPredicate(test, sets.length > 0 || fold ? withCache(test) : test);
}

const single = (text: string, otherwise: number): number => {
  const code = text.codePointAt(0) ?? otherwise;
  return text.length === (code > 0xffff ? 2 : 1) ? code : otherwise;
};

/**
 * Simple case folding of one code point. Folds that change the length (`ß` and `ss`) are not done; Oniguruma does
 * them, and the README lists the difference.
 */
export function foldCase(code: number): number {
  if (code < 128) return code >= 65 && code <= 90 ? code + 32 : code;
  return foldOther(code);
}

const foldOther = withCache((code: number): number => {
  const upper = single(String.fromCodePoint(code).toUpperCase(), code);
  return single(String.fromCodePoint(upper).toLowerCase(), code);
});

/** Code points outside ASCII that fold to an ASCII letter or to `å`: Kelvin, long s, Ångström. */
const UNUSUAL_VARIANTS: Readonly<Record<number, number>> = { 107: 0x212a, 115: 0x17f, 229: 0x212b };

function caseVariants(code: number): number[] {
  const char = String.fromCodePoint(code);
  const lower = single(char.toLowerCase(), code);
  const upper = single(char.toUpperCase(), code);
  const variants = [lower, upper, foldCase(code), single(String.fromCodePoint(lower).toUpperCase(), code)];
  const unusual = UNUSUAL_VARIANTS[foldCase(code)];
  if (unusual !== undefined) variants.push(unusual);
  return variants;
}

export const WORD = hostSet('\\p{Alphabetic}\\p{M}\\p{Nd}\\p{Pc}');
export const DIGIT = hostSet('\\p{Nd}');
export const SPACE = hostSet('\\p{White_Space}');
export const ANY: CharSet = { ascii: new Uint8Array(128).fill(1), other: () => true };
export const NOT_NEWLINE: CharSet = { ascii: new Uint8Array(128).fill(1).fill(0, 10, 11), other: () => true };
