import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { portableJson } from './kafka-rules.ts';

describe('portableJson', () => {
  it.each<[unknown, string]>([
    [{ b: 1, a: [true, null, 'ü'] }, '{"b":1,"a":[true,null,"ü"]}'],
    [1e-7, '1e-07'],
    [-0.00001234, '-1.234e-05'],
    [1e-300, '1e-300'],
    [0.0001, '0.0001'],
    [1e21, '1e+21'],
    [-0, '0'],
    ['a\ud800b\u2028', '"a\ufffdb\u2028"'],
    [{ '\udc00': undefined, x: undefined, y: '\u0001"' }, '{"y":"\\u0001\\""}'],
    [[undefined], '[null]'],
  ])('%o', (value, text) => {
    expect(portableJson(value)).toBe(text);
  });

  it('is JSON of the same value, and the same text when it is written again', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const text = portableJson(value);
        const parsed: unknown = JSON.parse(text);
        // What JSON itself does not keep (-0, lone surrogates) is gone after the first time.
        expect(portableJson(parsed)).toBe(text);
      }),
    );
  });
});
