import { randomBytes, randomInt } from 'node:crypto';

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';

/** `length` characters from [A-Za-z0-9], unpredictable, without modulo bias. */
export function randomText(length: number): string {
  let text = '';
  for (let index = 0; index < length; index++) text += alphabet[randomInt(alphabet.length)];
  return text;
}

/** Prefix + 16 alphanumerics, the form published samples have (`r_…`, `action_…`, `org_…`). */
export function newId(prefix: 'm' | 'r' | 'action' | 'org' | 'user' | 'e' | 'migration' | 'replay'): string {
  return `${prefix}_${randomText(16)}`;
}

/** 32 hexadecimal characters, as `X-Trace-Id` carries it. */
export function newTraceId(): string {
  return randomBytes(16).toString('hex');
}
