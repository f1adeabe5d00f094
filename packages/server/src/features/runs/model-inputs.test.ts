import { generateKeyPairSync } from 'node:crypto';
import type { Entity, UserInputs } from '@quayside/contracts';
import { entityKey } from '@quayside/expressions';
import { describe, expect, it } from 'vitest';
import { encryptForAgent, expandEntities, findUnsealed } from './model-inputs.ts';

describe('a secret for the backend alone', () => {
  const { publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const key = publicKey.export({ type: 'spki', format: 'pem' }).toString();
  const inputs: UserInputs = {
    properties: { token: { type: 'string', encryption: { algorithm: 'client-side', key } }, name: { type: 'string' } },
  };
  const blob = (bytes: number) => Buffer.alloc(bytes, 7).toString('base64');
  it.each([
    ['clear text', 'hunter2', false],
    ['a text in base64', Buffer.from('hunter2'.repeat(20)).toString('base64'), false],
    ['too short for the key', blob(12 + 256 + 16), false],
    ['the shortest there is', blob(12 + 256 + 17), true],
    ['no text', { a: 1 }, false],
  ])('%s', (_name, token, isFine) => {
    const found = findUnsealed(inputs, { token, name: 'clear is fine here' });
    expect(found.map(({ name }) => name)).toEqual(isFine ? [] : ['token']);
  });
});

it('inputs that name entities become those entities, single and in lists', () => {
  const inputs: UserInputs = {
    properties: {
      one: { type: 'string', format: 'entity', blueprint: 'service' },
      many: { type: 'array', items: { type: 'string', format: 'entity', blueprint: 'service' } },
      text: { type: 'string' },
    },
  };
  const shop = { identifier: 'shop', title: 'Shop' } as Entity;
  const entities = new Map([[entityKey('service', 'shop'), shop]]);
  expect(expandEntities(inputs, { one: 'shop', many: ['shop'], text: 'shop' }, entities)).toEqual({
    one: shop,
    many: [shop],
    text: 'shop',
  });
});

it('secret inputs are encrypted as the agents decrypt them (vector of spec/actions.md §1.8)', () => {
  const iv = Buffer.from('000102030405060708090a0b0c0d0e0f', 'hex');
  expect(encryptForAgent('hunter2', '0123456789abcdefghijklmnopqrstuvWXYZ', iv)).toBe(
    'AAECAwQFBgcICQoLDA0ODxSP1Ql25STd/dHM8jty4P8HsUTG78Vm',
  );
});
