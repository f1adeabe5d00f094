import { createCipheriv, createPublicKey, randomBytes } from 'node:crypto';
import type { Entity, ErrorDetail, UserInputs } from '@quayside/contracts';
import {
  entityBlueprint,
  entityKey,
  type FormMistake,
  identifiersIn,
  isSealedByClient,
  SECRET_MASK,
} from '@quayside/expressions';

/** Inputs on their way into a run: secrets sealed, entities whole. What the form allows is judged by expressions/form. */

export function toDetail(mistake: FormMistake): ErrorDetail {
  return { path: ['body.properties', mistake.name, ...mistake.path].join('.'), message: `${mistake.message}.` };
}

/** Clear text where only the backend may read: it must not get further than here. */
export function findUnsealed(inputs: UserInputs, values: Readonly<Record<string, unknown>>): FormMistake[] {
  const message = 'must be encrypted by the client with the public key of this input; a clear value is not accepted';
  return Object.entries(inputs.properties).flatMap(([name, input]) =>
    isSealedByClient(input) &&
    values[name] !== undefined &&
    !isPlausiblySealed(values[name], (input.encryption as { key: string }).key)
      ? [{ name, path: [], message }]
      : [],
  );
}

/** IV[12] | wrapped key[as long as the modulus] | ciphertext and tag[at least 17], in base64 (§1.8). */
function isPlausiblySealed(value: unknown, key: string): boolean {
  return (
    typeof value === 'string' &&
    /^[A-Za-z0-9+/]+={0,2}$/.test(value) &&
    Buffer.from(value, 'base64').length >= 12 + modulusBytes(key) + 17
  );
}

/** Of an unreadable key: the smallest that anybody uses. */
function modulusBytes(key: string): number {
  try {
    return (createPublicKey(key).asymmetricKeyDetails?.modulusLength ?? 1024) / 8;
  } catch {
    return 128;
  }
}

/**
 * Secret inputs of the portal's own scheme: AES-256-GCM, key = first 32 bytes of the organization's client secret, 16-byte
 * IV, base64(IV | ciphertext | tag). The clear value is replaced before anything is stored (§1.8).
 */
export function encryptSecretInputs(
  inputs: UserInputs,
  values: Readonly<Record<string, unknown>>,
  clientSecret: () => string,
): Record<string, unknown> {
  const result = { ...values };
  for (const name of secretInputNames(inputs)) {
    const value = result[name];
    if (inputs.properties[name]?.encryption !== 'aes256-gcm' || value === undefined) continue;
    result[name] = encryptForAgent(
      typeof value === 'string' ? value : JSON.stringify(value),
      clientSecret(),
      randomBytes(16),
    );
  }
  return result;
}

export function encryptForAgent(clear: string, clientSecret: string, iv: Buffer): string {
  const cipher = createCipheriv('aes-256-gcm', Buffer.from(clientSecret).subarray(0, 32), iv);
  const body = Buffer.concat([cipher.update(clear, 'utf8'), cipher.final()]);
  return Buffer.concat([iv, body, cipher.getAuthTag()]).toString('base64');
}

export function secretInputNames(inputs: UserInputs): string[] {
  return Object.entries(inputs.properties)
    .filter(([, input]) => input.encryption !== undefined)
    .map(([name]) => name);
}

/** Entity inputs as templates see them: whole, and lists of them. */
export function expandEntities(
  inputs: UserInputs,
  values: Readonly<Record<string, unknown>>,
  entities: ReadonlyMap<string, Entity | null>,
): Record<string, unknown> {
  const expanded = { ...values };
  for (const [name, input] of Object.entries(inputs.properties)) {
    const blueprint = entityBlueprint(input);
    if (blueprint === undefined || values[name] === undefined) continue;
    const found = identifiersIn(values[name]).map(
      (identifier) => entities.get(entityKey(blueprint, identifier)) ?? null,
    );
    expanded[name] = input.type === 'array' ? found : (found[0] ?? null);
  }
  return expanded;
}

/** For notifications: what was submitted, without the ciphertext of its secrets. */
export function maskSecretInputs(
  values: Readonly<Record<string, unknown>>,
  secretInputs: readonly string[],
): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(values).map(([name, value]) => [name, secretInputs.includes(name) ? SECRET_MASK : value]),
  );
}
