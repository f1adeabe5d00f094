import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { compileEcmaRegex, compileRegex, type RegexBudget } from './index.ts';
import { isGearChange, Matcher } from './match.ts';
import { parsePattern } from './parse.ts';
import { buildProgram } from './program.ts';
import { readText } from './text.ts';

function budgetOf(limit: number): RegexBudget & { used: number } {
  return {
    used: 0,
    step(count) {
      this.used += count;
      if (this.used > limit) throw new Error('budget: steps');
    },
  };
}

/** `match(pattern; flags)` written flat: "offset:text" and one "offset:text" or "-" per group, `name=` first if named. */
function found(text: string, pattern: string, flags = ''): string[] {
  const regex = compileRegex(pattern, flags, budgetOf(1e6));
  const points = Array.from(text);
  const slice = (start: number, end: number): string => `${start}:${points.slice(start, end).join('')}`;
  const results: string[] = [];
  for (let from = 0; from <= points.length; ) {
    const match = regex.exec(text, from);
    if (match === null) break;
    const groups = match.groups.map((group) =>
      group === null ? '-' : `${group.name === null ? '' : `${group.name}=`}${slice(group.start, group.end)}`,
    );
    results.push([slice(match.start, match.end), ...groups].join(' '));
    if (!flags.includes('g')) break;
    from = match.end === match.start ? match.end + 1 : match.end;
  }
  return results;
}

describe('matches as jq does', () => {
  test.each<[text: string, pattern: string, flags: string, expected: string[]]>([
    ['foo bar foo', 'foo', 'g', ['0:foo', '8:foo']],
    ['foo bar foo', '^foo', 'g', ['0:foo']],
    ['test TEST', 'test', 'gi', ['0:test', '5:TEST']],
    ['xyz-14', '(?<a>[a-z]+)-(?<n>[0-9]+)', '', ['0:xyz-14 a=0:xyz n=4:14']],
    ['abc', '', 'g', ['0:', '1:', '2:', '3:']],
    ['abc', '( )*', 'g', ['0: -', '1: -', '2: -', '3: -']],
    ['abc', '( )*', 'gn', []],
    ['qux', '(?=u)', 'g', ['1:']],
    ['a😀b😀', '😀', 'g', ['1:😀', '3:😀']],
    ['a😀b', '.', 'g', ['0:a', '1:😀', '2:b']],
    ['ā bar', 'bar', '', ['2:bar']],
    ['éa٣', '\\w', 'g', ['0:é', '1:a', '2:٣']],
    ['٣x', '\\d', '', ['0:٣']],
    ['aaa', 'a{2}', 'g', ['0:aa']],
    ['aaa', 'a{2,}?', 'g', ['0:aa']],
    ['a{,2}', 'a{,2}', '', ['0:a{,2}']],
    ['x]', ']', '', ['1:]']],
    ['ab', '(|a)*b', '', ['0:ab 1:']],
    ['ab', '(a|b*)*', '', ['0:ab 2:']],
    ['aaab', '(?>a+)ab', '', []],
    ['aaab', 'a++b', '', ['0:aaab']],
    ['abab', '(?<x>ab)\\k<x>', '', ['0:abab x=0:ab']],
    ['abab', '(ab)\\1', '', ['0:abab 0:ab']],
    ['aBab', '(?i)(ab)\\1', '', ['0:aBab 0:aB']],
    ['aXY', '(?i:x)Y', '', ['1:XY']],
    ['abC', 'a(?i)bc', '', ['0:abC']],
    ['a b', 'a b # blanks do not count', 'x', []],
    ['ab', 'a b # blanks do not count', 'x', ['0:ab']],
    ['a\nb', 'a.b', '', []],
    ['a\nb', 'a.b', 'p', ['0:a\nb']],
    ['a\nb', '(?s)a.b', '', ['0:a\nb']],
    ['a\nb', '^b', '', []],
    ['a\nb', '(?m)^b', '', ['2:b']],
    ['a\n', 'a$', '', ['0:a']],
    ['a\n', 'a\\z', '', []],
    ['aab', '\\Ga', 'g', ['0:a', '1:a']],
    ['foo bar', '\\bb', '', ['4:b']],
    ['foobar', 'foo\\Kbar', '', ['3:bar']],
    ['foo', '(?<=f)o', 'g', ['1:o']],
    ['foo', '(?<=fo*)o', 'g', ['1:o', '2:o']],
    ['foo', '(?<!f)o', 'g', ['2:o']],
    ['a\r\nb', 'a\\Rb', '', ['0:a\r\nb']],
    ['Ab', '\\p{Lu}', '', ['0:A']],
    ['Ab', '\\p{^Lu}', '', ['1:b']],
    ['Ab', '\\P{upper case letter}', '', ['1:b']],
    ['αa', '\\p{greek}', '', ['0:α']],
    ['Ab1', '[[:alpha:]]+', '', ['0:Ab']],
    ['Ab1', '[[:^alpha:]]', '', ['2:1']],
    ['a-b]', '[a\\]-]', 'g', ['0:a', '1:-', '3:]']],
    ['a.b', '\\Qa.b\\E', '', ['0:a.b']],
    ['é', '\\xc3\\xa9', '', ['0:é']],
    ['é', '\\x{e9}', '', ['0:é']],
    ['ab', '(a)?(?(1)b|c)', '', ['0:ab 0:a']],
    ['c', '(a)?(?(1)b|c)', '', ['0:c -']],
    ['((a))', '\\((?:[^()]|\\g<0>)*\\)', '', ['0:((a))']],
    ['a(b)c', '(?<p>\\((?<q>[a-z])\\)){0}a\\g<p>', '', ['0:a(b) p=1:(b) q=2:b']],
    ['ΣΑΣ', 'σας', 'i', ['0:ΣΑΣ']],
    ['\u212a', 'k', 'i', ['0:\u212a']],
    ['a aaa aa', 'a+', 'l', ['2:aaa']],
    ['Bar', '[^a-z]', 'i', []],
    ['abcd', 'b(?#comment)c', '', ['1:bc']],
  ])('%j / %j / %s', (text, pattern, flags, expected) => {
    expect(found(text, pattern, flags)).toEqual(expected);
  });

  // jq gives Oniguruma its Perl syntax, which has none of Ruby's extras.
  test('what is not special in that syntax is literal', () => {
    expect(found('h', '\\h')).toEqual(['0:h']);
    expect(found('a&b', '[a&&b]', 'g')).toEqual(['0:a', '1:&', '2:b']);
  });
});

describe('bad patterns are refused in Oniguruma’s words', () => {
  test.each([
    ['*', 'target of repeat operator is not specified'],
    ['a)', 'unmatched close parenthesis'],
    ['(a', 'end pattern with unmatched parenthesis'],
    ['[a', 'premature end of char-class'],
    ['[]', 'empty char-class'],
    ['[b-a]', 'empty range in char class'],
    ['[a-\\d]', 'char-class value at end of range'],
    ['[[:foo:]]', 'invalid POSIX bracket type'],
    ['a\\', 'end pattern at escape'],
    ['(?z)a', 'undefined group option'],
    ['(?P<n>a)', 'undefined group option'],
    ['(?<1n>a)', 'invalid group name <1n>'],
    ['(?<n', 'invalid group name <n>'],
    ['\\p{Foo}', 'invalid character property name {Foo}'],
    ['a{2,1}', 'upper is smaller than lower in repeat range'],
    ['a{100001}', 'too big number for repeat range'],
    ['(a)\\2', 'invalid backref number/name'],
    ['\\k<x>', 'undefined name <x> reference'],
    ['(?~a)', 'absent groups (?~…) are not supported'],
    ['((((a{99}){99}){99}){99})', 'too large after its repetitions are written out'],
    ['('.repeat(1000), 'parse depth limit over'],
    ['a', 'q is not a valid modifier string', 'q'],
  ])('%s → %s', (pattern, message, flags = '') => {
    expect(() => compileRegex(pattern, flags, budgetOf(1e9))).toThrow(message);
  });
});

describe('cost', () => {
  test.each([
    ['(a+)+$', `${'a'.repeat(50_000)}b`],
    ['^(a|a)*$', `${'a'.repeat(50_000)}b`],
    ['(a|aa)+$', `${'a'.repeat(50_000)}b`],
    ['(.*)(.*)(.*)(.*)(.*)x', 'a'.repeat(20_000)],
    ['^(([a-z])+.)+[A-Z]([a-z])+$', 'a'.repeat(20_000)],
    ['(?:a?){50}a{50}', 'a'.repeat(50)],
    ['\\d+x', '1'.repeat(50_000)],
  ])('%s is linear in the text', (pattern, text) => {
    const instructions = buildProgram(parsePattern(pattern, ''), true).code.length / 5;
    const budget = budgetOf(Number.POSITIVE_INFINITY);
    compileRegex(pattern, '', budget).exec(text, 0);
    expect(budget.used).toBeLessThan(4096 + text.length * (32 + 4 * instructions));
  });

  test.each([
    ['(a*)*\\1b', 'a'.repeat(40)],
    ['(?=(a+)+$)b|(?:(?=(a|a)*b)a)*c', 'a'.repeat(40)],
    ['(?>(a|a)*b)', 'a'.repeat(40)],
    ['(?<r>a\\g<r>?\\g<r>?b?)+c', 'a'.repeat(60)],
  ])('%s is stopped by the budget', (pattern, text) => {
    expect(() => compileRegex(pattern, '', budgetOf(200_000)).exec(text, 0)).toThrow('budget: steps');
  });

  test('a search over a megabyte keeps its memory limits', () => {
    const text = 'ab'.repeat(500_000);
    expect(() => compileRegex('(?:(a)|(b))*c', '', budgetOf(1e9)).exec(text, 0)).toThrow(/limit|large/);
  });

  test('left recursion ends', () => {
    expect(() => compileRegex('(?<r>\\g<r>a|b)', '', budgetOf(1e7)).exec('ba', 0)).toThrow('subexp-call-limit');
  });
});

/** Random regular patterns over a small alphabet. */
const pattern = fc.letrec<{ node: string }>((tie) => ({
  node: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.constantFrom('a', 'b', 'é', '.', '\\w', '[^a]', '[ab]', '^', '$', '\\b', ''),
    fc.tuple(tie('node'), tie('node')).map(([left, right]) => `${left}${right}`),
    fc.tuple(tie('node'), tie('node')).map(([left, right]) => `(?:${left}|${right})`),
    fc.tuple(tie('node')).map(([body]) => `(${body})`),
    fc
      .tuple(tie('node'), fc.constantFrom('*', '+', '?', '*?', '+?', '??', '{2}', '{1,2}'))
      .map(([body, quantifier]) => `(?:${body})${quantifier}`),
  ),
})).node;
const text = fc.string({ unit: fc.constantFrom('a', 'b', 'é', ' ', '😀', '\n'), maxLength: 12 });

describe('properties', () => {
  test('both gears find the same match', () => {
    const matchOf = (source: string, input: string, memoized: boolean): string | undefined => {
      const program = buildProgram(parsePattern(source, ''), memoized);
      const match = new Matcher(program, readText(input), 0, () => {}, memoized).search();
      return match?.slice(0, program.firstRound).join();
    };
    fc.assert(
      fc.property(pattern, text, (source, input) => {
        fc.pre((source.match(/\)[*+{?]/g) ?? []).length <= 6);
        let quick: string | undefined;
        try {
          quick = matchOf(source, input, false);
        } catch (error) {
          // The quick gear gave up, which is what the other is for.
          expect(isGearChange(error)).toBe(true);
          return;
        }
        expect(matchOf(source, input, true)).toBe(quick);
      }),
      { numRuns: 5000 },
    );
  });

  test('the host agrees on patterns both understand', () => {
    fc.assert(
      fc.property(pattern, text, (source, input) => {
        // `$` before a final newline, ASCII `\b`, and rounds that consume nothing differ by design.
        fc.pre(!/\$|\\b|\\w|\)[*+?{]/.test(source));
        const host = new RegExp(source, 'u').exec(input);
        const ours = compileRegex(source, '', budgetOf(1e6)).exec(input, 0);
        expect(ours === null ? null : ours.end - ours.start).toBe(host === null ? null : Array.from(host[0]).length);
      }),
      { numRuns: 1000 },
    );
  });

  test('any text as a pattern compiles or is refused, and never runs away', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(...'ab(){}[]*+?|\\^$<>=!:-,1dkg&~#') }), text, (source, input) => {
        try {
          compileRegex(source, '', budgetOf(1e5)).exec(input, 0);
        } catch (error) {
          expect(error).toBeInstanceOf(Error);
          expect((error as Error).name).toMatch(/^(RegexError|Error)$/);
        }
      }),
      { numRuns: 3000 },
    );
  });
});

describe("ECMAScript's dialect, for JSON Schema", () => {
  const isMatch = (pattern: string, text: string, limit = 1e6): boolean =>
    compileEcmaRegex(pattern, budgetOf(limit)).exec(text, 0) !== null;

  test.each([
    ['^a$', 'a\n'],
    ['^.$', '\r'],
    ['^.$', '\u2028'],
    ['^\\d$', '\u0663'],
    ['^\\w$', 'é'],
    ['^[\\w-]+$', 'a-b_C'],
    ['\\bé', 'aé'],
    ['a\\B', 'ab'],
    ['^[[a&&b]$', '&'],
    ['^[^]$', '\n'],
    ['[]', 'a'],
    ['^\\p{Script=Greek}+\\P{L}$', 'λγ1'],
    ['^\\u{1F600}\\uD83D\\uDE00\\x41\\cA\\0\\/$', '😀😀A\u0001\u0000/'],
    ['^(?:(a)|b)\\1c$', 'bc'],
    ['^(?<x>a|b)\\k<x>$', 'bb'],
    ['(?<=ab*)c', 'abbc'],
    ['(?<!a)c', 'bc'],
    ['^(?!.*--)[a-z]{2,3}?$', 'abc'],
    ['^[a-z0-9]([-a-z0-9]*[a-z0-9])?$', 'my-service-1'],
    ['^(?:25[0-5]|2[0-4]\\d|1?\\d?\\d)(?:\\.(?:25[0-5]|2[0-4]\\d|1?\\d?\\d)){3}$', '10.0.255.7'],
  ])('%s says of %j what the host says', (pattern, text) => {
    expect(isMatch(pattern, text)).toBe(new RegExp(pattern, 'u').test(text));
  });

  test('the host agrees on any pattern', () => {
    const atom = fc.constantFrom('a', 'b', '.', '[ab]', '[^a]', '\\w', '\\s', '\\D', '^', '$', '\\b', '\\B', '-', 'é');
    const { pattern } = fc.letrec<{ pattern: string }>((tie) => ({
      pattern: fc.oneof(
        { maxDepth: 4 },
        atom,
        fc.tuple(tie('pattern'), tie('pattern')).map(([left, right]) => left + right),
        fc.tuple(tie('pattern'), tie('pattern')).map(([left, right]) => `(?:${left}|${right})`),
        fc
          .tuple(fc.constantFrom('', '?:', '?=', '?!', '?<=', '?<!'), tie('pattern'))
          .map(([mark, body]) => `(${mark}${body})`),
        fc
          .tuple(tie('pattern'), fc.constantFrom('*', '+', '?', '{1,2}', '*?', '+?'))
          .map(([body, quantifier]) => `(?:${body})${quantifier}`),
      ),
    }));
    const short = fc.string({ unit: fc.constantFrom('a', 'b', '-', ' ', '\n', 'é'), maxLength: 6 });
    fc.assert(
      fc.property(pattern, short, (source, input) => {
        expect(isMatch(source, input)).toBe(new RegExp(source, 'u').test(input));
      }),
      { numRuns: 2000 },
    );
  });

  test.each(['(a+)+$', '^(a|a)*$', '(a|aa)+$', '^(([a-z])+.)+[A-Z]([a-z])+$', '(.*a){20}$'])(
    '%s, which holds a backtracking engine for ages, is linear',
    (pattern) => {
      const budget = budgetOf(1e7);
      expect(compileEcmaRegex(pattern, budget).exec(`${'a'.repeat(5_000)}!`, 0)).toBeNull();
    },
  );

  test('what can not be made linear ends with the budget', () => {
    expect(() => isMatch('^(?=(a+)+$)', `${'a'.repeat(40)}!`)).toThrow('budget: steps');
  });

  test.each([
    ['(', 'is not a regular expression'],
    ['a{2', 'is not a regular expression'],
    ['(?i:a)', 'sets options in a group, which is not supported'],
    ['a{100001}', 'repeats something more than 100000 times'],
  ])('%s is refused: it %s', (pattern, message) => {
    expect(() => isMatch(pattern, '')).toThrow(message);
  });
});
