import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { compile } from '../jq/index.ts';
import { BUILTIN_HELP, FORMATS, lint, lintTemplate } from './index.ts';

/** `severity code underlined-text`, which is what matters to an editor. */
const found = (source: string, quotes?: 'documented' | 'superset'): string[] =>
  lint(source, quotes === undefined ? {} : { quotes }).map(
    (one) => `${one.severity} ${one.code} ${source.slice(one.start, one.end)}`,
  );

describe('findings', () => {
  test.each<[string, string[]]>([
    ['.a | map(.b)', []],
    ['def f(g; $x): g + $x; f(.a; 1)', []],
    ['def f: def g: 1; g; f', []],
    ['[.[] | select(.a == "x")] | lenght', ['error unknown-function lenght']],
    ['.name | toLowerCase', ['error unknown-function toLowerCase']],
    ['def f: 1; f | g', ['error unknown-function g']],
    ['split', ['error wrong-argument-count split']],
    ['join(", "; 1)', ['error wrong-argument-count join']],
    ['if .a = 1 then 2 else 3 end', ['warning assignment-in-condition .a = 1']],
    ['select(.a = "x")', ['warning assignment-in-condition .a = "x"']],
    ['.a == 1 and .b = 2', []],
    ['.a = 1', []],
    ['if true then 1 else 2 end', ['warning unreachable-else 2']],
    ['if null then 1 else 2 end', ['warning unreachable-then 1']],
    ['if .a == 1 then 1 elif .a == 2 then 2 elif .a == 1 then 3 else 4 end', ['warning unreachable-else 3']],
    ['if .a then 1 elif .b then 2 else 3 end', []],
    ['"x" // .a', ['warning unreachable-alternative .a']],
    [".a=='x'", ["warning single-quote 'x'"]],
    [".a == 'x'", []],
    [".a.'b-c'", []],
    ["split(',')", ["warning single-quote ','"]],
    ['.a | $x', ['error undefined-variable $x']],
    ['. as $x | .a | $x', []],
    ['.a | test("(a")', ['error bad-regex "(a"']],
    ['.a | gsub("a"; "b"; "q")', ['error bad-regex "a"']],
    ['.a | gsub("\\\\h+"; "b")', ['warning foreign-regex "\\\\h+"']],
    ['.a | test("(?P<n>a)")', ['error bad-regex "(?P<n>a)"']],
    ['.a | test("^v(?<n>\\\\d+)$")', []],
    ['.my-key', ['error dashed-key .my-key']],
    ['.n-m | .a-b-c', ['error dashed-key .n-m', 'error dashed-key .a-b-c']],
    ['input', ['error refused input']],
    ['{a:}', ['error unexpected-token }']],
    ['if .a then .b', ['error unbalanced-braces b']],
    ['', ['warning empty ']],
  ])('%s', (source, expected) => {
    expect(found(source)).toEqual(expected);
  });

  test.each<[string, string]>([
    ['.a.b.0.c', 'array-index'],
    ['.a && .b', 'foreign-operator'],
    ['.a || .b', 'foreign-operator'],
    ['.a ? 1 : 2', 'ternary'],
    ['.a === 1', 'foreign-operator'],
    ['.a.length()', 'method-call'],
    ['if .a then 1 else if .b then 2 else 3 end', 'else-if'],
    ['.items[0', 'unbalanced-braces'],
    ['{a: 1', 'unbalanced-braces'],
    ['.a)', 'unbalanced-braces'],
    ['.a == "x', 'unbalanced-quotes'],
    ['"a \\(.b"', 'unbalanced-quotes'],
  ])('%s is explained as %s', (source, code) => {
    expect(lint(source)).toMatchObject([{ severity: 'error', code }]);
  });

  test('a quote trap is an error where clients run the text', () => {
    expect(found(".a=='x'", 'documented')).toEqual(["error single-quote 'x'"]);
  });

  test('suggestions name the nearest function', () => {
    expect(lint('.a | lenght')[0]?.message).toContain('Did you mean length?');
    expect(lint('.a | to_entry')[0]?.message).toContain('Did you mean to_entries?');
    expect(lint('.a | toLowerCase')[0]?.message).toContain('Did you mean ascii_downcase?');
    expect(lint('foo_bar_baz_qux')[0]?.message).toContain('"foo_bar_baz_qux"');
  });

  test('lines and columns', () => {
    expect(lint('.a |\n  lenght')).toMatchObject([{ line: 2, column: 3, start: 7, end: 13 }]);
  });

  test('never throws', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom(...'.|()[]{}"\'\\=<>?:;,+-*/%$@ab01 \n', 'if ', 'then ', 'end ') }),
        (source) => {
          for (const one of [...lint(source), ...lintTemplate(source)]) {
            expect(one.start).toBeGreaterThanOrEqual(0);
            expect(one.end).toBeLessThanOrEqual(source.length);
          }
        },
      ),
      { numRuns: 2000 },
    );
    expect(lint('['.repeat(50_000))).toHaveLength(1);
    expect(lint('x'.repeat(200_000))).toMatchObject([{ code: 'too-long' }]);
    expect(lint(`.a${'|.a'.repeat(30_000)}`)).toMatchObject([{ code: 'too-long' }]);
    expect(lint(`x${'|x'.repeat(500)}`)).toHaveLength(100);
    expect(lintTemplate('{{ x }}'.repeat(10_000))).toHaveLength(100);
  });
});

describe('templates', () => {
  test('offsets are those of the whole string', () => {
    const text = 'Hi {{ .a | lenght }} and {{ .b';
    expect(lintTemplate(text).map((one) => [one.code, text.slice(one.start, one.end)])).toEqual([
      ['unknown-function', 'lenght'],
      ['unclosed-braces', '{{'],
    ]);
  });

  test('spreadValue() is not a function but a word of templates', () => {
    expect(lintTemplate('{{ spreadValue() }}')).toEqual([]);
    expect(lintTemplate("{{ .a == 'x' }}")).toEqual([]);
  });
});

describe('completion data', () => {
  const words = BUILTIN_HELP.map(({ name, arity }) => `${name}/${arity}`);

  test('every builtin of the engine has a line, and every line a builtin', () => {
    const known = compile('builtins').all(null)[0] as string[];
    expect(known.filter((name) => !name.startsWith('_') && !words.includes(name))).toEqual([]);
    const extra = ['true/0', 'false/0', 'null/0', '$__loc__/0', '$ENV/0'];
    expect(words.filter((name) => !known.includes(name) && !extra.includes(name))).toEqual([]);
    expect(new Set(words).size).toBe(words.length);
  });

  test('lines are sentences of one line', () => {
    for (const { help } of BUILTIN_HELP) expect(help).toMatch(/^\S.{3,110}\.$/);
  });

  test('every format is known to the engine', () => {
    for (const name of Object.keys(FORMATS)) expect(() => compile(name)).not.toThrow();
  });
});
