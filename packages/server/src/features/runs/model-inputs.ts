import { createCipheriv, randomBytes } from 'node:crypto';
import type { ActionInput, ErrorDetail, UserInputs } from '@quayside/contracts';
import { evaluate, SECRET_MASK } from '@quayside/expressions';

/**
 * What a person submitted against what the form allows (spec/actions.md §1.4, §1.7): defaults, unknown names, types and
 * validators, required. Everything wrong is told at once, each with its path.
 */
const checkedFormats = new Set(['date-time', 'email', 'idn-email', 'ipv4', 'ipv6', 'url']);
const keywords = [
  'type',
  'minLength',
  'maxLength',
  'minimum',
  'maximum',
  'exclusiveMinimum',
  'exclusiveMaximum',
  'uniqueItems',
  'properties',
  'patternProperties',
  'additionalProperties',
  'required',
];

/** Checks a value against a schema; platform/user-schemas.ts is the one that is passed in. */
export type CheckValue = (
  schema: Readonly<Record<string, unknown>>,
  value: unknown,
) => { path: string[]; message: string }[];

/** `form`, `entity` and `user`, as dynamic fields see them (§1.6). */
export interface FormContext {
  form: Record<string, unknown>;
  entity: unknown;
  user: unknown;
}

const isJq = (value: unknown): value is { jqQuery: string } =>
  typeof value === 'object' && value !== null && typeof (value as { jqQuery?: unknown }).jqQuery === 'string';

/** The value itself, or what its jq program yields (null when it fails). */
function settled(value: unknown, context: FormContext): unknown {
  return isJq(value) ? evaluate(value.jqQuery, context as never) : value;
}

export type Resolution =
  | { kind: 'valid'; values: Record<string, unknown> }
  | { kind: 'invalid'; mistakes: ErrorDetail[] };

export function resolveInputs(
  inputs: UserInputs,
  submitted: Readonly<Record<string, unknown>>,
  about: { entity: unknown; user: unknown },
  check: CheckValue,
): Resolution {
  const declared = Object.entries(inputs.properties);
  const mistakes: ErrorDetail[] = [];
  // An action without declared inputs takes anything: published clients pass what they have (ADR 0011).
  if (declared.length > 0)
    for (const name of Object.keys(submitted))
      if (!(name in inputs.properties))
        mistakes.push({
          path: `body.properties.${name}`,
          message: `is not an input of this action; it has ${declared.map(([key]) => `"${key}"`).join(', ')}.`,
        });

  const values: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(submitted))
    if (value !== null && value !== undefined) values[name] = value;
  const context: FormContext = { form: values, ...about };
  for (const [name, input] of declared) {
    if (values[name] !== undefined || input.default === undefined) continue;
    const value = settled(input.default, context);
    if (value !== null && value !== undefined) values[name] = value;
  }

  const required = requiredNames(inputs, context);
  for (const [name, input] of declared) {
    const path = `body.properties.${name}`;
    const value = values[name];
    if (value === undefined || value === '') {
      // A hidden input can not be filled in, so its absence is no mistake.
      if (required.has(name) && settled(input.visible, context) !== false)
        mistakes.push({ path, message: 'is required.' });
      continue;
    }
    mistakes.push(...findValueMistakes(input, value, path, context, check));
  }
  return mistakes.length > 0 ? { kind: 'invalid', mistakes } : { kind: 'valid', values };
}

function requiredNames(inputs: UserInputs, context: FormContext): ReadonlySet<string> {
  const required = settled(inputs.required, context);
  if (required === true) return new Set(Object.keys(inputs.properties));
  return new Set(Array.isArray(required) ? required.filter((name): name is string => typeof name === 'string') : []);
}

function findValueMistakes(
  input: ActionInput,
  value: unknown,
  path: string,
  context: FormContext,
  check: CheckValue,
): ErrorDetail[] {
  if (typeof input.encryption === 'object')
    return isSealedByClient(value)
      ? []
      : [
          {
            path,
            message:
              'must be encrypted by the client with the public key of this input; a clear value is not accepted.',
          },
        ];
  return check(schemaOf(input, context), value).map((mistake) => ({
    path: [path, ...mistake.path].join('.'),
    message: mistake.message,
  }));
}

function schemaOf(input: ActionInput, context: FormContext): Record<string, unknown> {
  const source = input as Record<string, unknown>;
  const schema: Record<string, unknown> = {};
  for (const keyword of keywords) if (source[keyword] !== undefined) schema[keyword] = source[keyword];
  if (input.format && checkedFormats.has(input.format)) schema.format = input.format;
  if (input.format === 'timer') schema.format = 'date-time';
  if (input.format === 'labeled-url') schema.required = ['url'];
  if (input.enum !== undefined) schema.enum = asList(settled(input.enum, context));
  for (const keyword of ['minItems', 'maxItems'] as const) {
    const bound = settled(input[keyword], context);
    if (typeof bound === 'number') schema[keyword] = bound;
  }
  const pattern = settled(input.pattern, context);
  if (typeof pattern === 'string') schema.pattern = pattern;
  else if (Array.isArray(pattern)) schema.enum = pattern;
  if (input.items) schema.items = schemaOf(input.items as ActionInput, context);
  return schema;
}

function asList(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}

/** IV[12] | wrapped key[at least 128] | ciphertext and tag[at least 17], in base64 (§1.8). */
function isSealedByClient(value: unknown): boolean {
  return (
    typeof value === 'string' &&
    /^[A-Za-z0-9+/]+={0,2}$/.test(value) &&
    Buffer.from(value, 'base64').length >= 12 + 128 + 17
  );
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

/** Which inputs name entities: input → blueprint, and whether it is a list. */
export function entityInputs(inputs: UserInputs): { name: string; blueprint: string; isList: boolean }[] {
  const found: { name: string; blueprint: string; isList: boolean }[] = [];
  for (const [name, input] of Object.entries(inputs.properties)) {
    const items = input.items as ActionInput | undefined;
    if (input.format === 'entity' && input.blueprint) found.push({ name, blueprint: input.blueprint, isList: false });
    else if (items?.format === 'entity' && items.blueprint)
      found.push({ name, blueprint: items.blueprint, isList: true });
  }
  return found;
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
