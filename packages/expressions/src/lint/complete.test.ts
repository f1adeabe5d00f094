import { describe, expect, it } from 'vitest';
import { completeProgram } from './complete.ts';

const sample = {
  inputs: { name: 'shop', tags: ['a'], 'my-key': 1, service: { identifier: 's', properties: { tier: 'gold' } } },
  entity: { identifier: 'e', relations: {} },
  list: [{ id: 1, name: 'x' }],
};
const at = (before: string): string[] => completeProgram(before, sample).suggestions.map(({ text }) => text);

describe('completion of a program', () => {
  it.each([
    ['.', ['.inputs', '.entity', '.list']],
    ['.in', ['.inputs']],
    ['.inputs.', ['.name', '.tags', '["my-key"]', '.service']],
    ['.inputs["service"].properties.', ['.tier']],
    ['.inputs.service.properties.ti', ['.tier']],
    ['.inputs | .na', ['.name']],
    ['.inputs.service | .properties | .', ['.tier']],
    ['.list | map(.', ['.id', '.name']],
    ['.list | map(select(.id == 1 and .n', ['.name']],
    ['.inputs | with_entries(.', ['.key', '.value']],
    ['{a: .inputs.name, b: .ent', ['.entity']],
    ['if .inputs | .name then .ent', ['.entity']],
    ['[.inputs.tags[] | ascii_downcase] | .', ['.[]']],
    ['.list[0].', ['.id', '.name']],
    ['.list.', ['[]']],
    ['.inputs.name == "a.b" or .inputs.n', ['.name']],
    ['ascii_d', ['ascii_downcase']],
    ['.inputs.name | spl', ['split(', 'splits(']],
    ['.x | @base64', ['@base64', '@base64d']],
  ])('%s offers %j', (before, expected) => {
    expect(at(before)).toEqual(expected);
  });

  it.each(['', '.inputs.name.', '"text .', '# comment .', '.missing.', '$x.', 'f(1).', '.a.b | .', '$nam'])(
    '%s offers nothing',
    (before) => {
      expect(at(before)).toEqual([]);
    },
  );

  it('says what the sample holds, and what a function does', () => {
    expect(completeProgram('.inputs.na', sample)).toEqual({
      replaces: 3,
      suggestions: [{ text: '.name', about: '"shop"' }],
    });
    expect(completeProgram('tonum', sample).suggestions[0]?.about).toContain('number');
  });

  it('offers the start of a function once, however many arguments it can take', () => {
    expect(at('any').filter((text) => text === 'any(')).toHaveLength(1);
  });
});
