import { createDecipheriv } from 'node:crypto';
import type { Incoming, Note } from './mapping.ts';

/**
 * Secret inputs (spec/actions.md §1.8): base64( IV[16] | ciphertext | tag[16] ), AES-256-GCM under the first 32 bytes of the
 * client secret. Decrypted here, on the customer's side, just before the request is built; what was decrypted is masked in
 * everything that goes back to the portal or into the log.
 */
export interface Opened {
  /** The message with the fields in the clear. */
  message: Incoming;
  /** The plaintexts. */
  secrets: string[];
}

const ivLength = 16;
const tagLength = 16;
const keyLength = 32;

/** A field that can not be decrypted is left as it is, and noted; a path that leads nowhere is not an error. */
export function openSecretInputs(
  message: Incoming,
  paths: readonly string[],
  clientSecret: string,
  note: Note,
): Opened {
  const opened: Opened = { message, secrets: [] };
  for (const path of paths) {
    const steps = path.split('.');
    const value = steps.reduce<unknown>(stepInto, opened.message);
    if (value === undefined || value === null) continue;
    const plain = typeof value === 'string' ? decrypt(value, clientSecret) : { problem: 'it is not a text' };
    if (typeof plain === 'string') {
      opened.secrets.push(plain);
      opened.message = replaceAt(opened.message, steps, plain) as Incoming;
    } else note(`fieldsToDecryptPaths: ${path} stays encrypted: ${plain.problem}`);
  }
  return opened;
}

function decrypt(value: string, clientSecret: string): string | { problem: string } {
  const key = Buffer.from(clientSecret, 'utf8').subarray(0, keyLength);
  if (key.length < keyLength) return { problem: `PORT_CLIENT_SECRET is shorter than ${keyLength} bytes` };
  const bytes = Buffer.from(value, 'base64');
  if (bytes.length < ivLength + tagLength) return { problem: 'it is too short to be an encrypted value' };
  try {
    const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, ivLength), { authTagLength: tagLength });
    decipher.setAuthTag(bytes.subarray(-tagLength));
    const text = Buffer.concat([decipher.update(bytes.subarray(ivLength, -tagLength)), decipher.final()]);
    return text.toString('utf8');
  } catch {
    return { problem: 'it was not encrypted under PORT_CLIENT_SECRET of this agent' };
  }
}

function stepInto(value: unknown, step: string): unknown {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, step)
    ? (value as Record<string, unknown>)[step]
    : undefined;
}

/** A copy along the path; the rest is shared. */
function replaceAt(value: unknown, [step = '', ...rest]: readonly string[], leaf: unknown): unknown {
  const inner = rest.length === 0 ? leaf : replaceAt(stepInto(value, step), rest, leaf);
  if (Array.isArray(value)) return value.with(Number(step), inner);
  return { ...(value as Record<string, unknown>), [step]: inner };
}

const mask = '******';
/** Shorter ones would mask ordinary words. */
const shortestSecret = 6;

/** In every text below `value`, each secret becomes the mask: as it is, in a URL, and inside JSON. */
export function hideSecrets<T>(value: T, secrets: readonly string[]): T {
  const texts = secrets
    .filter((secret) => secret.length >= shortestSecret)
    .flatMap((secret) => [secret, JSON.stringify(secret).slice(1, -1), encodeURIComponent(secret)]);
  if (texts.length === 0) return value;
  const hide = (part: unknown): unknown => {
    if (typeof part === 'string') return texts.reduce((text, secret) => text.replaceAll(secret, mask), part);
    if (Array.isArray(part)) return part.map(hide);
    if (typeof part === 'object' && part !== null)
      return Object.fromEntries(Object.entries(part).map(([key, item]) => [key, hide(item)]));
    return part;
  };
  return hide(value) as T;
}

const secretVariable = /token|secret|passw|credential|(?:api|access|private|encryption)_?key$/i;

/** Values of variables whose names say that they are secret: a mapping can put them anywhere into a request. */
export function secretsOf(environment: Readonly<Record<string, string | undefined>>): string[] {
  return Object.entries(environment).flatMap(([name, value]) => (value && secretVariable.test(name) ? [value] : []));
}
