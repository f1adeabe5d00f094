import { constants, createDecipheriv, generateKeyPairSync, privateDecrypt } from 'node:crypto';
import type { UserInputs } from '@quayside/contracts';
import { expect, it } from 'vitest';
import { sealInputs } from './seal.ts';

it('only the holder of the private key reads a sealed input; the others stay as they are', async () => {
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const key = publicKey.export({ type: 'spki', format: 'pem' });
  const inputs = {
    properties: {
      token: { type: 'string', encryption: { algorithm: 'client-side', key } },
      settings: { type: 'object', encryption: { algorithm: 'client-side', key } },
      usual: { type: 'string', encryption: { algorithm: 'client-side', key }, default: 'start' },
      name: { type: 'string' },
    },
  } as unknown as UserInputs;
  const sealed = await sealInputs(
    inputs,
    { token: 'köstlich', settings: { a: 1 }, name: 'shop' },
    { token: 'köstlich', settings: { a: 1 }, name: 'shop', usual: 'start', colour: 'a default' },
  );
  expect(Object.keys(sealed)).toEqual(['token', 'settings', 'name', 'usual']);
  expect(sealed.name).toBe('shop');

  const open = (value: unknown): string => {
    const bytes = Buffer.from(String(value), 'base64');
    const aes = privateDecrypt(
      { key: privateKey, padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: 'sha256' },
      bytes.subarray(12, 12 + 256),
    );
    const decipher = createDecipheriv('aes-256-gcm', aes, bytes.subarray(0, 12));
    decipher.setAuthTag(bytes.subarray(-16));
    return decipher.update(bytes.subarray(12 + 256, -16), undefined, 'utf8') + decipher.final('utf8');
  };
  expect(open(sealed.token)).toBe('köstlich');
  expect(open(sealed.usual)).toBe('start');
  expect(JSON.parse(open(sealed.settings))).toEqual({ a: 1 });
});
