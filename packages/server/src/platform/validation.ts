import type { ErrorDetail, Route } from '@quayside/contracts';
import { Ajv, type ErrorObject, type ValidateFunction } from 'ajv';
import addFormats from 'ajv-formats';
import type { TSchema } from 'typebox';
import { refuse } from './refusal.ts';

/**
 * Requests are checked against the route's row: bodies strictly, query strings after the sloppiness of real clients has
 * been taken out (spec/clients.md §0.5–0.6): `x[]`, repeated or comma-joined lists, empty values, booleans in any case.
 */
// The package's default export is typed for CommonJS.
const withFormats = addFormats as unknown as (ajv: Ajv) => Ajv;
const options = { allErrors: true, verbose: false, strict: false, discriminator: false } as const;
const exact = withFormats(new Ajv(options));
const coercing = withFormats(new Ajv({ ...options, coerceTypes: 'array' }));

export interface RequestChecks {
  params(value: unknown): unknown;
  query(value: unknown): unknown;
  body(value: unknown): unknown;
}

export function compileChecks(route: Route): RequestChecks {
  const params = coercing.compile(route.params);
  const query = coercing.compile(route.query);
  const body = exact.compile(route.body);
  return {
    params: (value) => check(params, value, 'path'),
    query: (value) => check(query, tidyQuery(value as Record<string, unknown>, route.query), 'query'),
    body: (value) => check(body, value ?? {}, 'body'),
  };
}

/** For replies, in tests: what is sent must be what the row promises. */
export function compileReplyCheck(route: Route, schema: TSchema): (reply: unknown) => void {
  const validate = exact.compile(schema);
  return (reply) => {
    if (validate(reply)) return;
    const [first] = explain(validate.errors ?? [], 'reply');
    throw new Error(`The reply of ${route.id} breaks its contract at ${first?.path}: ${first?.message}`);
  };
}

function check(validate: ValidateFunction, value: unknown, root: string): unknown {
  if (validate(value)) return value;
  const details = explain(validate.errors ?? [], root);
  const [first] = details;
  const more = details.length > 1 ? ` (and ${details.length - 1} more)` : '';
  refuse('invalid_request', first ? `${first.path} ${first.message}${more}` : 'The request is invalid.', details);
}

function tidyQuery(query: Record<string, unknown>, schema: TSchema): Record<string, unknown> {
  const properties = (schema as { properties?: Record<string, { type?: string }> }).properties ?? {};
  const tidy: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(query)) {
    if (value === '') continue;
    const name = key.endsWith('[]') ? key.slice(0, -2) : key;
    const type = properties[name]?.type;
    if (type === 'array')
      tidy[name] = (Array.isArray(value) ? value : String(value).split(',')).filter((item) => item !== '');
    else {
      const last = Array.isArray(value) ? value.at(-1) : value;
      tidy[name] = type === 'boolean' && typeof last === 'string' ? last.toLowerCase() : last;
    }
  }
  return tidy;
}

/**
 * Ajv reports every branch of a union that did not match. A person wants the branch they meant: where a branch fails at a
 * constant (`type: "WEBHOOK"`), it was not meant; if that leaves branches, only their errors are told. A union of constants,
 * or of branches of one type, is told as what it is.
 */
function explain(errors: readonly ErrorObject[], root: string): ErrorDetail[] {
  const told = meantBranches(errors);
  const seen = new Set<string>();
  const details: ErrorDetail[] = [];
  for (const error of told) {
    const path = pathOf(error, root);
    const message = sentence(error);
    const key = `${path} ${message}`;
    if (seen.has(key)) continue;
    seen.add(key);
    details.push({ path, message });
    if (details.length === 20) break;
  }
  return details;
}

const branchPattern = /^(.*?\/(?:anyOf|oneOf))\/(\d+)\//;

function meantBranches(errors: readonly ErrorObject[]): ErrorObject[] {
  const unions = errors.filter((error) => error.keyword === 'anyOf' || error.keyword === 'oneOf');
  let kept = [...errors];
  for (const union of unions) {
    const inside = kept.filter(
      (error) =>
        error !== union &&
        error.instancePath.startsWith(union.instancePath) &&
        error.schemaPath.startsWith(`${union.schemaPath}/`),
    );
    if (inside.length === 0) continue;
    const branches = new Map<string, ErrorObject[]>();
    for (const error of inside) {
      const branch = branchPattern.exec(error.schemaPath.slice(union.schemaPath.length - '/anyOf'.length))?.[2] ?? '0';
      branches.set(branch, [...(branches.get(branch) ?? []), error]);
    }
    const isAside = (error: ErrorObject) =>
      ((error.keyword === 'const' || error.keyword === 'enum') &&
        error.instancePath === `${union.instancePath}/type`) ||
      (error.keyword === 'type' && error.instancePath === union.instancePath);
    const meant = [...branches.values()].filter((branch) => !branch.some(isAside));
    const drop = new Set(inside);
    const allAre = (keyword: string) =>
      inside.every((error) => error.keyword === keyword && error.instancePath === union.instancePath);
    const types = new Set(inside.map((error) => error.params.type));
    if (allAre('const')) union.params = { allowedValues: inside.map((error) => error.params.allowedValue) };
    else if (allAre('type') && types.size === 1) union.params = { type: inside[0]?.params.type };
    if (meant.length === 1) {
      drop.add(union);
      for (const error of meant[0] ?? []) drop.delete(error);
    }
    kept = kept.filter((error) => !drop.has(error));
  }
  return kept;
}

function pathOf(error: ErrorObject, root: string): string {
  const steps = error.instancePath
    .split('/')
    .slice(1)
    .map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'));
  if (error.keyword === 'required') steps.push(String(error.params.missingProperty));
  if (error.keyword === 'additionalProperties') steps.push(String(error.params.additionalProperty));
  return [root, ...steps].join('.');
}

function sentence(error: ErrorObject): string {
  switch (error.keyword) {
    case 'required':
      return 'is required.';
    case 'additionalProperties':
      return 'is not known here.';
    case 'const':
      return `must be ${JSON.stringify(error.params.allowedValue)}.`;
    case 'enum':
      return `must be one of ${(error.params.allowedValues as unknown[]).map((value) => JSON.stringify(value)).join(', ')}.`;
    case 'type':
      return `must be ${article(String(error.params.type))}.`;
    case 'pattern':
      return `must match ${String(error.params.pattern)}.`;
    case 'format':
      return `must be a valid ${String(error.params.format)}.`;
    case 'anyOf':
    case 'oneOf':
      if (error.params.allowedValues) return sentence({ ...error, keyword: 'enum' });
      if (error.params.type) return sentence({ ...error, keyword: 'type' });
      return 'has none of the allowed shapes.';
    default:
      return `${error.message ?? 'is invalid'}.`;
  }
}

function article(type: string): string {
  return /^[aeiou]/.test(type) ? `an ${type}` : `a ${type}`;
}
