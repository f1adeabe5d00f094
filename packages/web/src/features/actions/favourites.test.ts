import { expect, it } from 'vitest';
import { readFavourites, toggleFavourite } from './favourites.ts';

function storage(start?: string) {
  const kept = new Map(start === undefined ? [] : [['quayside.favourites u1', start]]);
  return {
    getItem: (key: string) => kept.get(key) ?? null,
    setItem: (key: string, value: string) => void kept.set(key, value),
  };
}

it('a star is put on, found again, and taken off; each person has their own', () => {
  const store = storage();
  expect([...toggleFavourite(store, 'u1', 'a')]).toEqual(['a']);
  toggleFavourite(store, 'u1', 'b');
  expect([...readFavourites(store, 'u1')]).toEqual(['a', 'b']);
  expect([...readFavourites(store, 'u2')]).toEqual([]);
  expect([...toggleFavourite(store, 'u1', 'a')]).toEqual(['b']);
});

it.each(['nonsense', '{}', '[1, null]'])('what is no list of names is none: %s', (text) => {
  expect([...readFavourites(storage(text), 'u1')]).toEqual([]);
});
