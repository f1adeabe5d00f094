import { createCipheriv, randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { hideSecrets, openSecretInputs, secretsOf } from './secret-inputs.ts';

const secret = '0123456789abcdefghijklmnopqrstuvWXYZ';
/** The vector of spec/actions.md §1.8, computed apart from this code: IV bytes 00..0f, plaintext `hunter2`. */
const hunter2 = 'AAECAwQFBgcICQoLDA0ODxSP1Ql25STd/dHM8jty4P8HsUTG78Vm';

function encrypt(text: string, key = secret): string {
  const iv = randomBytes(16);
  const cipher = createCipheriv('aes-256-gcm', Buffer.from(key).subarray(0, 32), iv);
  return Buffer.concat([iv, cipher.update(text, 'utf8'), cipher.final(), cipher.getAuthTag()]).toString('base64');
}
function open(message: Record<string, unknown>, paths: string[], key = secret) {
  const notes: string[] = [];
  return { ...openSecretInputs(message, paths, key, (sentence) => notes.push(sentence)), notes };
}

describe('openSecretInputs', () => {
  it('decrypts the published vector, in place, and leaves the message it was given alone', () => {
    const message = { payload: { properties: { password: hunter2, name: 'shop' } } };
    const opened = open(message, ['payload.properties.password']);
    expect(opened.message).toEqual({ payload: { properties: { password: 'hunter2', name: 'shop' } } });
    expect(opened.secrets).toEqual(['hunter2']);
    expect(message.payload.properties.password).toBe(hunter2);
  });

  it('reaches into lists by index, and any text comes back as it was', () => {
    const text = '{"user":"ü","n":[1,2]}';
    const message = { list: [{ a: 1 }, { key: encrypt(text) }], empty: encrypt('') };
    const opened = open(message, ['list.1.key', 'empty']);
    expect(opened.message).toEqual({ list: [{ a: 1 }, { key: text }], empty: '' });
    expect(Array.isArray(opened.message.list)).toBe(true);
  });

  it.each<[string, unknown, string, RegExp]>([
    ['of another secret', encrypt('x', 'another secret that is long enough'), secret, /not encrypted under/],
    ['that was changed', `${hunter2.slice(0, -4)}AAAA`, secret, /not encrypted under/],
    ['too short', 'AAAA', secret, /too short/],
    ['that is no text', 7, secret, /not a text/],
    ['under a short secret', hunter2, 'short', /shorter than 32 bytes/],
  ])('leaves a value %s as it is and says so', (_, value, key, problem) => {
    const opened = open({ a: { b: value } }, ['a.b'], key);
    expect(opened.message).toEqual({ a: { b: value } });
    expect(opened.secrets).toEqual([]);
    expect(opened.notes).toEqual([expect.stringMatching(/^fieldsToDecryptPaths: a\.b stays encrypted/) as string]);
    expect(opened.notes[0]).toMatch(problem);
  });

  it.each(['a.c', 'a.b.c', 'x', 'a.constructor', ''])('ignores the path %j, which leads nowhere', (path) => {
    expect(open({ a: { b: null } }, [path])).toEqual({ message: { a: { b: null } }, secrets: [], notes: [] });
  });
});

describe('hideSecrets', () => {
  it('masks a secret as text, in a URL and inside JSON', () => {
    const value = { url: 'http://h/p%40ss%22word', body: '{"p":"p@ss\\"word"}', list: ['p@ss"word!'] };
    expect(hideSecrets(value, ['p@ss"word'])).toEqual({
      url: 'http://h/******',
      body: '{"p":"******"}',
      list: ['******!'],
    });
  });

  it('leaves short ones alone', () => {
    expect(hideSecrets(['yes'], ['yes'])).toEqual(['yes']);
  });
});

it('knows the variables of the agent that are secret by their names', () => {
  const environment = {
    PORT_CLIENT_SECRET: 'a',
    JENKINS_TOKEN: 'b',
    DB_PASSWORD: 'c',
    AWS_ACCESS_KEY: 'd',
    EMPTY_TOKEN: '',
  };
  expect(secretsOf(environment)).toEqual(['a', 'b', 'c', 'd']);
  expect(secretsOf({ PWD: '/app', SSH_AUTH_SOCK: '/tmp/s', HOME: '/root', KEYBOARD: 'de' })).toEqual([]);
});
