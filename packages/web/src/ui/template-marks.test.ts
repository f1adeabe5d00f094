import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { jsonStrings, offsetInText } from './json-strings.ts';
import { failureMarks, programMarks, templateMarks, testTemplate } from './template-marks.ts';

it('every string of any JSON is found where it stands, with its path', () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.constantFrom(0, 2), (value, indent) => {
      const text = JSON.stringify(value, null, indent);
      for (const string of jsonStrings(text)) {
        const end = offsetInText(text, string, string.value.length);
        expect(JSON.parse(text.slice(string.start, end + 1))).toBe(string.value);
        if (string.isKey) continue;
        const at = string.path.reduce<unknown>((each, step) => (each as Record<string, unknown>)[step], value);
        expect(at).toBe(string.value);
      }
    }),
  );
});

describe('what is wrong is marked at its place', () => {
  const marked = (text: string) =>
    templateMarks(text).map(({ start, end, severity }) => [severity, text.slice(start, end)]);
  it.each([
    ['{"a": "{{ .inputs.name }}"}', []],
    ['{"a": "{{ .inputs.name | ascii_downcas }}"}', [['error', 'ascii_downcas']]],
    ['{"a": "say \\"hi\\" {{ .inputs.a | nope }}"}', [['error', 'nope']]],
    ['{"a": {"b": ["x", "open {{ .a"]}}', [['error', '{{']]],
    ['no JSON {{ nope }}', []],
  ])('%s', (text, marks) => {
    const found = marked(text);
    expect(found.map(([severity]) => severity)).toEqual(marks.map(([severity]) => severity));
    for (const [index, [, part]] of marks.entries()) expect(found[index]?.[1]).toContain(part);
  });

  it('also what only fails with the values of the sample', () => {
    const text = JSON.stringify({ body: { fine: '{{ .inputs.n }}', bad: 'x {{ .inputs.n | keys }}' } }, null, 2);
    const result = testTemplate(JSON.parse(text), { inputs: { n: 7 } });
    expect(result).toMatchObject({ kind: 'rendered', value: { body: { fine: 7, bad: 'x null' } } });
    const [mark, ...others] = failureMarks(text, result.failures);
    expect(others).toEqual([]);
    expect(mark?.line).toBe(4);
    expect(mark?.message).toContain('no keys');
    expect(text.slice(mark?.start, mark?.end)).toContain('keys');
  });
});

it('a template that can not be rendered says why', () => {
  expect(testTemplate({ a: '{{ .x' }, {})).toMatchObject({ kind: 'failed', message: expect.stringContaining('a') });
});

it.each([
  ['{"condition": {"expressions": [".a == 1", ".a | nope"]}}', ['nope']],
  ['{"conditions": ["say \\"x"]}', ['\\"']],
  ['{"execute": {"policy": {"conditions": [".a |"]}}}', [expect.anything()]],
  ['{"body": {"conditions": ["rainy, later dry"]}}', []],
])('what is wrong in the conditions of %s', (text, expected) => {
  const wrong = programMarks(text).filter(({ severity }) => severity === 'error');
  expect(wrong.map(({ start, end }) => text.slice(start, end))).toEqual(expected);
});
