import { expect, it } from 'vitest';
import { parseSelfServeSearch } from '../../search.ts';
import { formLink } from './form-link.ts';

it('a link brings back what was in the form, whatever it was', () => {
  const values = { name: 'ü & ~ (x) *!', list: ['a', ''], deep: { n: -1.5, none: null, yes: true } };
  const link = new URL(formLink('https://portal.example', 'scale up', values, 'eu/1'));
  expect(parseSelfServeSearch(Object.fromEntries(link.searchParams))).toEqual({
    action: 'scale up',
    actionInputs: { ...values, $targetEntity: 'eu/1' },
  });
  expect(formLink('https://portal.example', 'a', {}, undefined)).toBe('https://portal.example/self-serve?action=a');
});

it.each([
  ['(name~shop_it~n~2)~', { name: 'shop it', n: 2 }],
  ['{"name": "shop"}', { name: 'shop' }],
  ['(name~', { name: true }],
  ['just text', undefined],
  ['!a~b~', undefined],
])('the inputs of an address written elsewhere: %s', (text, inputs) => {
  expect(parseSelfServeSearch({ actionInputs: text }).actionInputs).toEqual(inputs);
});
