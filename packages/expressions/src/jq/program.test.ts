import { describe, expect, it } from 'vitest';
import type { Json } from '../json.ts';
import type { Ast } from './ast.ts';
import { compile, ExpressionError } from './index.ts';
import { parse } from './parser.ts';
import { childrenOf } from './scope.ts';

/** [program, input, outputs] */
type Case = [program: string, input: Json, outputs: Json[]];

const syntax: Case[] = [
  ['.', 1, [1]],
  ['.a', { a: 1 }, [1]],
  ['.a', null, [null]],
  ['."a-b"', { 'a-b': 1 }, [1]],
  ['."a\\(1)"', { a1: 2 }, [2]],
  ['.["a"]', { a: 1 }, [1]],
  ['.a["b"].c', { a: { b: { c: 3 } } }, [3]],
  ['.a."b".c', { a: { b: { c: 3 } } }, [3]],
  ['.a.[0]', { a: [7] }, [7]],
  ['.[0], .[-1], .[9]', [1, 2], [1, 2, null]],
  ['.[1:], .[:1], .[-1:], .[0:1]', [1, 2, 3], [[2, 3], [1], [3], [1]]],
  ['.[1:3]', 'a😀bc', ['😀b']],
  ['.[]', [1, 2], [1, 2]],
  ['.[]', { a: 1, b: 2 }, [1, 2]],
  ['.a?', 1, []],
  ['.a?//1', 1, [1]],
  ['[.[]?]', 1, [[]]],
  ['..', [[1]], [[[1]], [1], 1]],
  ['1, 2', null, [1, 2]],
  ['1 as $x | 2 as $y | [$x, $y]', null, [[1, 2]]],
  ['. as [$a, {b: $c}] | $a + $c', [1, { b: 2 }], [3]],
  ['. as {$a, b: [$c]} | [$a, $c]', { a: 1, b: [2] }, [[1, 2]]],
  ['. as {("a", "b"): $x} | $x', { a: 1, b: 2 }, [1, 2]],
  ['. as {$a: [$b]} | [$a, $b]', { a: [5] }, [[[5], 5]]],
  ['.[] as [$a] ?// $a | [$a]', [[1], 2], [[1], [2]]],
  ['[.[] as [$a] ?// $a | if ($a | type) == "object" then error("x") else $a end]', [[1]], [[1]]],
  ['if . then "y" else "n" end', false, ['n']],
  ['if . == 1 then "a" elif . == 2 then "b" else "c" end', 2, ['b']],
  ['if false then 1 end', 7, [7]],
  ['[if true, false then 1 else 2 end]', null, [[1, 2]]],
  ['try error("x") catch .', null, ['x']],
  ['try error({a: 1}) catch .a', null, [1]],
  ['[.[] | try tonumber catch "no"]', ['1', 'x'], [[1, 'no']]],
  ['try error("x") // 1', null, [1]],
  ['1 // 2, null // 2, (false, null, 3) // 4, empty // 5', null, [1, 2, 3, 5]],
  ['reduce .[] as $x (0; . + $x)', [1, 2, 3], [6]],
  [
    'reduce .[] as [$a, $b] (0; . + $a * $b)',
    [
      [1, 2],
      [3, 4],
    ],
    [14],
  ],
  ['reduce empty as $x (0; 1)', null, [0]],
  ['reduce range(3) as $x (0; empty)', null, [null]],
  ['reduce range(3) as $x (0, 10; . + $x)', null, [3, 13]],
  ['[foreach .[] as $x (0; . + $x)]', [1, 2, 3], [[1, 3, 6]]],
  [
    '[foreach .[] as $x (0; . + $x; [$x, .])]',
    [1, 2],
    [
      [
        [1, 1],
        [2, 3],
      ],
    ],
  ],
  ['[foreach .[] as $x (0; . + $x, . * 10)]', [1, 2], [[1, 0, 2, 0]]],
  ['[label $out | .[] | if . == 3 then break $out else . end]', [1, 2, 3, 4], [[1, 2]]],
  ['label $a | label $b | 1, break $a, 2', null, [1]],
  ['label $out | (1, error("never")) | [., break $out]', null, []],
  ['def f: . + 1; f | f', 1, [3]],
  ['def f(g): [g, g]; f(.[])', [1, 2], [[1, 2, 1, 2]]],
  [
    'def f($a; $b): [$a, $b, a]; f(1, 2; 3)',
    null,
    [
      [1, 3, 1, 2],
      [2, 3, 1, 2],
    ],
  ],
  ['def f: def g: 3; g; f', null, [3]],
  ['def f(x): x | x; 5 | f(. * .)', null, [625]],
  ['def fac: if . <= 1 then 1 else . * (. - 1 | fac) end; 10 | fac', null, [3628800]],
  ['def g(h): h | h; [1, 2] | [g(. as $y | (.[0], .[1])? // $y)]', null, [[1, 2]]],
  ['"a\\(1 + 1)b\\("c")"', null, ['a2bc']],
  ['"\\(1, 2)-\\(3, 4)"', null, ['1-3', '2-3', '1-4', '2-4']],
  ['@base64 "x\\(.)"', 'hi', ['xaGk=']],
  ['@json, @text', [1], ['[1]', '[1]']],
  ['"\\u00e9\\ud83d\\ude00\\n"', null, ['é😀\n']],
  ['{a: 1}', null, [{ a: 1 }]],
  ['{a, "b c", "x\\(1)": 2, (.k): 3}', { a: 1, 'b c': 2, k: 'z' }, [{ a: 1, 'b c': 2, x1: 2, z: 3 }]],
  ['. as $v | {$v, $__loc__}', 1, [{ v: 1, __loc__: { file: '<top-level>', line: 1 } }]],
  ['"k" as $x | {$x: 1}', null, [{ k: 1 }]],
  [
    '{a: (1, 2), b: (3, 4)}',
    null,
    [
      { a: 1, b: 3 },
      { a: 1, b: 4 },
      { a: 2, b: 3 },
      { a: 2, b: 4 },
    ],
  ],
  ['{a: 1 | . + 1, if: 2}', null, [{ a: 2, if: 2 }]],
  ['{"__proto__": 1}["__proto__"]', null, [1]],
  ['.constructor, .toString', {}, [null, null]],
  ['[1, 2 + 3]', null, [[1, 5]]],
  ['1 + 2 * 3 - 4 / 2 % 3', null, [5]],
  ['[(1, 2) + (10, 20)]', null, [[11, 12, 21, 22]]],
  ['-(1, 2)', null, [-1, -2]],
  ['1 == 1.0, 1 != 2, 1 < 2, 2 <= 2, "b" > "a", [1] >= [0]', null, [true, true, true, true, true, true]],
  ['true and (false, true), (false or true)', null, [false, true, true]],
  ['# a comment\n1 # another \\\n still the comment\n', null, [1]],
  ['.a |= . + 1', { a: 1 }, [{ a: 2 }]],
  [
    '.a = (.b, 5)',
    { b: 2 },
    [
      { b: 2, a: 2 },
      { b: 2, a: 5 },
    ],
  ],
  ['.[] += 1, .[] -= 1, .[] *= 2, .[] /= 2, .[] %= 2', [2], [[3], [1], [4], [1], [0]]],
  ['.a //= 3 | .b //= 4', { b: 1 }, [{ b: 1, a: 3 }]],
  ['.[1:] = ["x"]', [1, 2, 3], [[1, 'x']]],
  ['(.a, .b) |= 1', null, [{ a: 1, b: 1 }]],
  ['(.[] | select(. > 1)) |= empty', [1, 2, 3], [[1]]],
  ['(if .a then .b else .c end) = 1', { a: true }, [{ a: true, b: 1 }]],
  ['(.a // .b) = 1', { a: null }, [{ a: null, b: 1 }]],
  ['(.. | select(type == "number")) |= . + 1', [1, [2]], [[2, [3]]]],
  ['(reduce ("a", "b") as $k (.; .[$k])) = 1', null, [{ a: { b: 1 } }]],
  ['$__loc__.line', null, [1]],
  ['9007199254740993', null, [9007199254740992]],
  ['9007199254740993 | tojson, (. + 0 | tojson)', null, ['9007199254740993', '9007199254740992']],
  ['100000000000000000000, 1E+1000 | tojson', null, ['100000000000000000000', '1E+1000']],
  ['1e-5, 1e17, 0.1, 1.5e300, -0 | tojson', null, ['1e-05', '1e+17', '0.1', '1.5e+300', '-0']],
];

describe('syntax', () => {
  it.each(syntax)('%s', (program, input, outputs) => {
    expect(compile(program).all(input)).toEqual(outputs);
  });

  it('every form of the language has a case', () => {
    const forms: Record<Ast['kind'], boolean> = {
      identity: false,
      recurse: false,
      literal: false,
      template: false,
      format: false,
      index: false,
      slice: false,
      iterate: false,
      variable: false,
      location: false,
      call: false,
      negate: false,
      pipe: false,
      comma: false,
      binary: false,
      logical: false,
      alternative: false,
      assign: false,
      if: false,
      try: false,
      reduce: false,
      foreach: false,
      label: false,
      break: false,
      bind: false,
      define: false,
      array: false,
      object: false,
    };
    const mark = (ast: Ast): void => {
      forms[ast.kind] = true;
      childrenOf(ast).forEach(mark);
    };
    for (const [program] of syntax) {
      const { body, definitions } = parse(program);
      if (definitions.length > 0) forms.define = true;
      for (const definition of definitions) mark(definition.body);
      if (body !== null) mark(body);
    }
    expect(Object.entries(forms).filter(([, isCovered]) => !isCovered)).toEqual([]);
  });

  it('keeps number literals only until something is computed with them', () => {
    expect(compile('[9007199254740993] | .[0] == 9007199254740993').all(null)).toEqual([true]);
  });
});

/** [program, code, part of the message] */
const refused: [string, string, RegExp][] = [
  ['.a.', 'unexpected-token', /unexpected '\.'/],
  ['{', 'unexpected-token', /unexpected the end/],
  ['}', 'unbalanced', /unexpected '}'/],
  ['(1', 'unexpected-token', /expecting '\)'/],
  ['[1)', 'unbalanced', /'\[' is still open/],
  ['"abc', 'unbalanced', /never closed/],
  ['"\\x"', 'invalid-escape', /Invalid escape/],
  ['$x', 'undefined-variable', /\$x is not defined/],
  ['foo(1; 2)', 'undefined-function', /foo\/2 is not defined/],
  ['break $x', 'undefined-label', /\*label-x is not defined/],
  ['{(1): 2}', 'object-key', /Cannot use number \(1\) as object key/],
  ['{1 + 2: 3}', 'object-key', /May need parentheses/],
  ['1 == 2 == 3', 'not-associative', /cannot be chained/],
  ["'a'", 'unexpected-character', /double quotes/],
  ['. as [] | 1', 'unexpected-token', /expecting/],
  ['@nope', 'format', /not a valid format/],
  ['import "a" as a; 1', 'refused', /refused/],
  ['if 1 then 2', 'unbalanced', /no 'end'/],
  ['.5.a.', 'unexpected-token', /unexpected/],
];

describe('mistakes', () => {
  it.each(refused)('%s', (program, code, message) => {
    const error = (() => {
      try {
        compile(program);
      } catch (thrown) {
        return thrown;
      }
      return null;
    })();
    expect(error).toBeInstanceOf(ExpressionError);
    expect(error).toMatchObject({ kind: 'syntax', code, message: expect.stringMatching(message) });
    expect((error as ExpressionError).position).toBeDefined();
  });

  it('says where a program failed and which expression had the wrong value', () => {
    const outcome = compile('{x: .a}\n| .x | map(.b)').first({ a: 'text' });
    expect(outcome).toMatchObject({
      ok: false,
      error: {
        kind: 'runtime',
        code: 'iterate',
        position: { line: 2, column: 8 },
        value: 'Cannot iterate over string ("text")',
      },
    });
    if (!outcome.ok) expect(outcome.error.message).toContain('`.x` is a string here, an array or an object is needed');
  });

  it('reads single-quoted strings when asked to', () => {
    expect(compile(`.a == 'it "is"'`, { singleQuotes: true }).all({ a: 'it "is"' })).toEqual([true]);
  });
});

describe('options', () => {
  it('has an empty environment unless one is handed in', () => {
    expect(compile('[env, $ENV]').all(null)).toEqual([[{}, {}]]);
    expect(compile('env.A + $ENV.A').all(null, { env: { A: 'x' } })).toEqual(['xx']);
  });

  it('binds named variables', () => {
    expect(compile('$a + 1', { variables: ['a'] }).all(null, { variables: { a: 2 } })).toEqual([3]);
  });

  it('takes its clock from the caller', () => {
    expect(compile('now').all(null, { now: () => 1500 })).toEqual([1.5]);
  });

  it('stops at the first output', () => {
    expect(compile('1, error("never")').first(null)).toEqual({ ok: true, value: 1 });
    expect(compile('empty').first(null)).toEqual({ ok: true, value: undefined });
  });
});
