import { describe, expect, it } from 'vitest';
import { completeJq, completeJson, completeTemplate } from './complete-text.ts';

const complete = completeJson({
  templates: { inputs: { name: 'x', 'a-b': 1 }, secrets: { TOKEN: '******' } },
  programs: { diff: { before: null } },
});
/** `▮` is the caret. */
const at = (marked: string) => {
  const caret = marked.indexOf('▮');
  return complete(marked.replace('▮', ''), caret).suggestions.map(({ text }) => text);
};

describe('completion in JSON', () => {
  it.each([
    ['{"a": "{{ .▮ }}"}', ['.inputs', '.secrets']],
    ['{\n "a": "x {{ .inputs.▮', ['.name', '[\\"a-b\\"]']],
    ['{"a": "{{ .inputs.name }} {{ .secrets.T▮ }}"}', ['.TOKEN']],
    ['{"visible": {"jqQuery": ".di▮"}}', ['.diff']],
    ['{"expressions": [".a[0]", ".diff.▮"]}', ['.before']],
    ['{"conditions": [".diff.▮"]}', ['.before']],
    ['{"a": "{{ [.inputs[\\"a-b\\"]] | .▮ }}"}', ['.[]']],
  ])('%s offers %j', (text, expected) => {
    expect(at(text)).toEqual(expected);
  });

  it.each(['{"a": ".▮"}', '{"a": "{{ .inputs }} .▮"}', '▮', '{"jqQuery": ▮', '{"expressions": [".a"], "x": ".▮"}'])(
    '%s offers nothing',
    (text) => {
      expect(at(text)).toEqual([]);
    },
  );
});

it('completion in a plain text with templates', () => {
  const offered = completeTemplate({ inputs: { name: 'x' } });
  expect(offered('https://host/{{ .inputs.', 24).suggestions.map(({ text }) => text)).toEqual(['.name']);
  expect(offered('https://host/.inputs.', 21).suggestions).toEqual([]);
});

it('completion in a program', () => {
  expect(completeJq({ form: { a: 1 } })('.form. | x', 6).suggestions).toEqual([{ text: '.a', about: '1' }]);
});
