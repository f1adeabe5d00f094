import { type Argon2Parameters, argon2, randomBytes, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';

/**
 * Passwords: argon2id (RFC 9106) from Node's own crypto, with the parameters OWASP recommends (19 MiB, 2 passes), stored in
 * PHC form so that the parameters can grow. One hash costs about 20 ms off the event loop.
 */
const derive = promisify(argon2) as (algorithm: string, parameters: Argon2Parameters) => Promise<Buffer>;
const current = { memory: 19_456, passes: 2, parallelism: 1, tagLength: 32 };

export async function hashPassword(password: string): Promise<string> {
  const nonce = randomBytes(16);
  const tag = await derive('argon2id', { message: password, nonce, ...current });
  const encode = (bytes: Buffer) => bytes.toString('base64').replace(/=+$/, '');
  return `$argon2id$v=19$m=${current.memory},t=${current.passes},p=${current.parallelism}$${encode(nonce)}$${encode(tag)}`;
}

/** False also for an unknown user (`undefined`), after the same work, so that timing does not tell who exists. */
export async function verifyPassword(password: string, stored: string | undefined): Promise<boolean> {
  const match = /^\$argon2id\$v=19\$m=(\d+),t=(\d+),p=(\d+)\$([A-Za-z0-9+/]+)\$([A-Za-z0-9+/]+)$/.exec(stored ?? '');
  const expected = Buffer.from(match?.[5] ?? '', 'base64');
  const tag = await derive('argon2id', {
    message: password,
    nonce: match ? Buffer.from(match[4] ?? '', 'base64') : randomBytes(16),
    memory: Number(match?.[1] ?? current.memory),
    passes: Number(match?.[2] ?? current.passes),
    parallelism: Number(match?.[3] ?? current.parallelism),
    tagLength: expected.length || current.tagLength,
  });
  return match !== null && tag.length === expected.length && timingSafeEqual(tag, expected);
}
