import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { compileExpression, evaluate, evaluateOutcome } from './expression.ts';
import { rewriteQuotes } from './quotes.ts';

describe('rewriteQuotes does what the clients do (spec/clients.md §1.11)', () => {
  test.each([
    [".a == 'x'", '.a == "x"'],
    ["'x'", '"x"'],
    [".a=='x'", `.a=='x"`],
    ["split(',')", "split(',')"],
    ['"it\'s"', '"it\'s"'],
    ["'it's'", '"it\'s"'],
    ["' x'", '" x"'],
    ["x ' y", "x ' y"],
    ["'a' , 'b'", '"a" , "b"'],
    ['no quotes', 'no quotes'],
  ])('%s → %s', (source, expected) => {
    expect(rewriteQuotes(source)).toBe(expected);
  });

  test('positions never move', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom("'", '"', ' ', 'a', '\n') }), (source) => {
        const rewritten = rewriteQuotes(source);
        expect(rewritten.length).toBe(source.length);
        for (let index = 0; index < source.length; index++) {
          if (rewritten[index] !== source[index]) expect(source[index] + (rewritten[index] ?? '')).toBe(`'"`);
        }
      }),
    );
  });
});

describe('evaluate', () => {
  const input = { a: 'x', 'b-c': 1, list: [1, 2] };
  test.each([
    ['.a', 'x'],
    ['.list[]', 1],
    ['empty', null],
    ['.a.b', null],
    ['.a |', null],
    ['error("no")', null],
    ['[range(1e9)]', null],
    [".a=='x'", true],
    [".'b-c'", 1],
    [".['b-c']", 1],
    ["{'k': .a}", { k: 'x' }],
    ['\'say "hi"\'', 'say "hi"'],
    ["'it\\'s'", "it's"],
    ['"\'kept\'"', "'kept'"],
    [".list | map(.) | join(', ')", '1, 2'],
    ['env', {}],
  ])('%s', (source, expected) => {
    expect(evaluate(source, input)).toEqual(expected);
  });

  test('errors can be seen', () => {
    expect(evaluateOutcome('.a | keys', input)).toMatchObject({ ok: false, error: { kind: 'runtime' } });
    expect(evaluateOutcome('empty', input)).toEqual({ ok: true, value: undefined });
  });

  test('the documented reading refuses what clients refuse, and says why', () => {
    const compiled = compileExpression(".a=='x'", 'documented');
    expect(compiled).toMatchObject({ ok: false, error: { position: { start: 4 } } });
    expect(compiled.ok ? '' : compiled.error.message).toMatch(/Single quotes only delimit/);
    expect(compileExpression(".'b-c'", 'documented').ok).toBe(true);
  });

  test('a program is compiled once', () => {
    expect(compileExpression('.a + 1')).toBe(compileExpression('.a + 1'));
  });
});
