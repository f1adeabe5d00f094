import { expect, it } from 'vitest';
import { jsonMistake } from './json-mistake.ts';

it.each([
  ['{"a": 1}', undefined],
  ['  ', undefined],
  ['{"a": 1,\n "b": }', [2, 7]],
  ['{"a": 1', [1, 7]],
  ['{\n  a: 1\n}', [2, 3]],
])('%j', (text, place) => {
  const mistake = jsonMistake(text);
  expect(mistake && [mistake.line, mistake.column]).toEqual(place);
  if (mistake) expect(mistake.message).not.toMatch(/position|JSON\.parse/);
});
