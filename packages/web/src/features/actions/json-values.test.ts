import type { UserInputs } from '@quayside/contracts';
import { expect, it } from 'vitest';
import { readValues } from './json-values.ts';

const inputs = {
  properties: { name: { type: 'string' }, token: { type: 'string', encryption: 'aes256-gcm' } },
} as UserInputs;

it.each([
  ['{"name": "shop"}', { kind: 'read', values: { name: 'shop' } }],
  ['', { kind: 'read', values: {} }],
  ['{"name"', { kind: 'unreadable', message: 'This is not valid JSON.' }],
  ['[]', { kind: 'unreadable', message: 'Write one JSON object, with a key for each input.' }],
  ['{"nmae": 1}', { kind: 'unreadable', message: '“nmae” is not an input of this action.' }],
  ['{"toString": 1}', { kind: 'unreadable', message: '“toString” is not an input of this action.' }],
  ['{"token": "x"}', { kind: 'unreadable', message: '“token” is a secret; fill it in in the form.' }],
])('%s', (text, read) => {
  expect(readValues(inputs, text)).toEqual(read);
});
