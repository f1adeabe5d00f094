import type { UserInputs } from '@quayside/contracts';
import { expect, it } from 'vitest';
import { draftKey, forgetForm, keepForm, readForm } from './draft-store.ts';

const inputs = {
  properties: { name: { type: 'string' }, token: { type: 'string', encryption: 'aes256-gcm' } },
} as UserInputs;

function storage() {
  const kept = new Map<string, string>();
  return {
    kept,
    getItem: (key: string) => kept.get(key) ?? null,
    setItem: (key: string, value: string) => void kept.set(key, value),
    removeItem: (key: string) => void kept.delete(key),
  };
}

it('a form is found again, without its secrets', () => {
  const store = storage();
  keepForm(store, 'key', inputs, { drafts: { name: 'shop', token: 'hunter2', gone: 1 }, target: 'eu', step: 2 });
  expect(readForm(store, 'key')).toEqual({ drafts: { name: 'shop' }, target: 'eu', step: 2 });
  expect([...store.kept.values()].join()).not.toContain('hunter2');
  forgetForm(store, 'key');
  expect(readForm(store, 'key')).toBeUndefined();
});

it('what somebody else left there is not taken for a form', () => {
  const store = storage();
  for (const text of ['nonsense', '7', '{"drafts":1,"step":0}', '{"drafts":{}}']) {
    store.setItem('key', text);
    expect(readForm(store, 'key')).toBeUndefined();
  }
});

it('a full storage is no reason to fail', () => {
  const full = {
    ...storage(),
    setItem: () => {
      throw new DOMException('full', 'QuotaExceededError');
    },
  };
  expect(() => keepForm(full, 'key', inputs, { drafts: {}, step: 0 })).not.toThrow();
});

it('every person, action, version, entity and link has a form of its own', () => {
  const action = { identifier: 'a', updatedAt: '2026-01-01' };
  const keys = [
    draftKey(action, 'u1', undefined, undefined),
    draftKey(action, 'u2', undefined, undefined),
    draftKey({ ...action, updatedAt: '2026-01-02' }, 'u1', undefined, undefined),
    draftKey(action, 'u1', 'eu', undefined),
    draftKey(action, 'u1', undefined, { name: 'x' }),
  ];
  expect(new Set(keys).size).toBe(keys.length);
});
