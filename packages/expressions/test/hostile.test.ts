import { describe, expect, it } from 'vitest';
import { compile } from '../src/jq/index.ts';
import { costInOwnProcess, HOSTILE, LINEAR, MAX_EXTRA_MB, stoppedBy } from './hostile.ts';

describe('hostile programs', () => {
  it.each(HOSTILE)('%s stops at its %s budget', (program, budget) => {
    expect(stoppedBy(program, null)).toBe(budget);
  });

  it.each(LINEAR)('%s answers within the budget', (program) => {
    expect(stoppedBy(program, null)).toBe('none');
  });

  // The bound on time is for a machine that does ten other things; `node test/hostile.ts` prints the real figures.
  it.each([
    '[range(1e9)]',
    'def f: f; f',
    '"x" * 1e9',
    '[recurse([., .])]',
    'until(false; .)',
    'until(false; [.])',
    'reduce range(100) as $i ([1]; . + .)',
    '("a" * 5000 + "!") | test("^(a+)+\\\\1$")',
  ])('%s leaves its process intact and small', { timeout: 60_000 }, (program) => {
    const { budget, processorMs, extraMb } = costInOwnProcess(program);
    expect(budget).not.toBe('none');
    expect(extraMb).toBeLessThan(MAX_EXTRA_MB);
    expect(processorMs).toBeLessThan(2000);
  });

  it('names the budget and its limit in the message', () => {
    const outcome = compile('[range(1e9)]').first(null, { budget: { steps: 1000 } });
    expect(outcome).toMatchObject({ ok: false, error: { message: expect.stringMatching(/steps \(limit 1000\)/) } });
  });

  it('cannot be caught by the program', () => {
    expect(compile('try ("x" * 1e9) catch "caught"').first(null)).toMatchObject({ ok: false });
    expect(compile('[.[]?, range(1e9)]?').first(null)).toMatchObject({ ok: false });
  });

  it('refuses text that nests too deep', () => {
    for (const program of [
      '('.repeat(1e5),
      '['.repeat(1e5),
      '-'.repeat(1e5),
      `${'1+'.repeat(1e5)}1`,
      '.a'.repeat(1e5),
    ]) {
      expect(() => compile(program)).toThrow();
    }
  });

  it('does not let a document reach inherited properties', () => {
    expect(compile('.["__proto__"], .constructor, has("toString"), (.a.b.__proto__ = 1 | .a.b)').all({})).toEqual([
      null,
      null,
      false,
      JSON.parse('{"__proto__":1}'),
    ]);
    expect(Object.prototype).not.toHaveProperty('polluted');
  });
});

describe('recursion that jq does not stack up', () => {
  const roomy = { budget: { steps: 20_000_000, memoryBytes: 256 * 1024 * 1024 } };
  it.each([
    ['def f: if . > 1e5 then . else . + 1 | f end; 0 | f', 100001],
    ['def f(g): if . > 1e5 then . else g | f(g) end; 0 | f(. + 1)', 100001],
    ['[limit(100000; repeat(1))] | length', 100000],
    ['last(range(1e6))', 999999],
    ['reduce range(1e6) as $i (0; . + 1)', 1000000],
    ['[recurse(if . < 100000 then . + 1 else empty end)] | length', 100001],
    ['def r: ., (if . < 100000 then . + 1 | r else empty end); [0 | r] | length', 100001],
    ['0 | until(. > 1e6; . + 1)', 1000001],
    ['[0 | while(. < 1e5; . + 1)] | length', 100000],
    ['label $out | foreach range(1e9) as $i (0; . + 1; if . == 1e5 then ., break $out else empty end)', 100000],
    ['first(range(1e9) | select(. > 1e5))', 100001],
    ['def id(x): x; def f: if . > 1e5 then . else id(. + 1 | f) end; 0 | f', 100001],
  ])('%s', (program, expected) => {
    expect(compile(program).first(null, roomy)).toEqual({ ok: true, value: expected });
  });
});
