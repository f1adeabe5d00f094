import { formatMistake } from './format.ts';
import { matchPattern, type PatternWork, patternWork } from './pattern.ts';

/**
 * A value against a JSON Schema that a user wrote, without compiling code: pages that forbid `eval` run it as well as the
 * server. Keywords of drafts 4 to 2020 that say something about a value by itself; unknown ones say nothing, and so
 * does one whose own value makes no sense. Not supported: references.
 */
export interface ValueMistake {
  /** Steps below the checked value. */
  path: string[];
  /** Ends a sentence that the name of the value begins; without a full stop. */
  message: string;
}
export type Schema = Record<string, unknown>;

/** Deeper values are refused: schemas and values both come from outside, and the stack ends somewhere. */
const maxDepth = 64;

/** `work` is what patterns may cost, shared with other values that are checked together. */
export function checkValue(schema: Schema, value: unknown, work: PatternWork = patternWork()): ValueMistake[] {
  return check(schema, value, { depth: 0, work });
}

interface At {
  depth: number;
  work: PatternWork;
}
const deeper = ({ depth, work }: At): At => ({ depth: depth + 1, work });

type Keyword = (limit: unknown, value: unknown, at: At, schema: Schema) => ValueMistake[];

function check(schema: unknown, value: unknown, at: At): ValueMistake[] {
  if (schema === true) return [];
  if (schema === false) return one('is not allowed here');
  if (!isObject(schema)) return [];
  if (at.depth > maxDepth) return one('is nested too deeply');
  const typeMistake = mistakeOfType(schema.type, value);
  // With the wrong type the other keywords would only repeat it.
  if (typeMistake) return one(typeMistake);
  const mistakes: ValueMistake[] = [];
  for (const [name, limit] of Object.entries(schema)) {
    const keyword = Object.hasOwn(keywords, name) ? keywords[name] : undefined;
    if (keyword) mistakes.push(...keyword(limit, value, at, schema));
  }
  return mistakes;
}

const typeNames: Readonly<Record<string, string>> = {
  string: 'a text',
  number: 'a number',
  integer: 'a whole number',
  boolean: 'true or false',
  object: 'an object',
  array: 'a list',
  null: 'null',
};

function mistakeOfType(type: unknown, value: unknown): string | undefined {
  const types = (Array.isArray(type) ? type : [type]).filter((each) => typeof each === 'string' && each in typeNames);
  if (types.length === 0 || types.some((each) => isOfType(each, value))) return undefined;
  return `must be ${types.map((each) => typeNames[each]).join(' or ')}`;
}

function isOfType(type: string, value: unknown): boolean {
  switch (type) {
    case 'null':
      return value === null;
    case 'array':
      return Array.isArray(value);
    case 'object':
      return isObject(value);
    case 'integer':
      return Number.isInteger(value);
    case 'number':
      return typeof value === 'number' && Number.isFinite(value);
    default:
      return typeof value === type;
  }
}

const ofText =
  (mistakeIn: (limit: unknown, text: string) => string | undefined | false): Keyword =>
  (limit, value) =>
    typeof value === 'string' ? one(mistakeIn(limit, value)) : [];
const ofNumber =
  (isRight: (value: number, limit: number) => boolean, words: string): Keyword =>
  (limit, value) =>
    typeof value === 'number' && typeof limit === 'number' && !isRight(value, limit)
      ? one(`must be ${words} ${limit}`)
      : [];
const ofList =
  (mistakeIn: (limit: unknown, list: readonly unknown[]) => string | undefined | false): Keyword =>
  (limit, value) =>
    Array.isArray(value) ? one(mistakeIn(limit, value)) : [];

const keywords: Readonly<Record<string, Keyword>> = {
  minLength: ofText(
    (limit, text) => lengthOf(text) < Number(limit) && `must have at least ${count(Number(limit), 'character')}`,
  ),
  maxLength: ofText(
    (limit, text) =>
      lengthOf(text) > Number(limit) &&
      `must have at most ${count(Number(limit), 'character')}; it has ${lengthOf(text)}`,
  ),
  pattern: (limit, value, at) =>
    typeof value === 'string' && typeof limit === 'string' ? one(mistakeOfPattern(limit, value, at)) : [],
  format: (limit, value) => one(formatMistake(limit, value)),
  minimum: (limit, value, at, schema) =>
    // Draft 4 wrote `exclusiveMinimum: true` beside it.
    schema.exclusiveMinimum === true ? moreThan(limit, value, at, schema) : atLeast(limit, value, at, schema),
  maximum: (limit, value, at, schema) =>
    schema.exclusiveMaximum === true ? lessThan(limit, value, at, schema) : atMost(limit, value, at, schema),
  exclusiveMinimum: ofNumber((value, limit) => value > limit, 'more than'),
  exclusiveMaximum: ofNumber((value, limit) => value < limit, 'less than'),
  multipleOf: ofNumber((value, limit) => limit <= 0 || Number.isInteger(round(value / limit)), 'a multiple of'),
  enum: (limit, value) => {
    if (!Array.isArray(limit) || limit.some((each) => isSame(each, value))) return [];
    if (limit.length === 0) return one('has no choices at the moment');
    const shown = limit.slice(0, 20).map((each) => JSON.stringify(each));
    return one(`must be one of ${shown.join(', ')}${limit.length > 20 ? ' …' : ''}`);
  },
  const: (limit, value) => (isSame(limit, value) ? [] : one(`must be ${JSON.stringify(limit)}`)),
  minItems: ofList((limit, list) => list.length < Number(limit) && `needs at least ${count(Number(limit), 'item')}`),
  maxItems: ofList(
    (limit, list) =>
      list.length > Number(limit) && `may have at most ${count(Number(limit), 'item')}; it has ${list.length}`,
  ),
  uniqueItems: ofList(
    (limit, list) => limit === true && new Set(list.map(canonical)).size < list.length && 'has an item twice',
  ),
  items: (limit, value, at) =>
    Array.isArray(value) && !Array.isArray(limit) ? value.flatMap((item, index) => below(index, limit, item, at)) : [],
  required: (limit, value) =>
    isObject(value) && Array.isArray(limit)
      ? limit.flatMap((key) => (value[key] === undefined ? one(`needs "${key}"`) : []))
      : [],
  minProperties: (limit, value) =>
    isObject(value) && Object.keys(value).length < Number(limit)
      ? one(`needs at least ${count(Number(limit), 'key')}`)
      : [],
  maxProperties: (limit, value) =>
    isObject(value) && Object.keys(value).length > Number(limit)
      ? one(`may have at most ${count(Number(limit), 'key')}`)
      : [],
  properties: (limit, value, at) =>
    isObject(value) && isObject(limit)
      ? Object.entries(limit).flatMap(([key, schema]) =>
          value[key] === undefined ? [] : below(key, schema, value[key], at),
        )
      : [],
  patternProperties: (limit, value, at) =>
    isObject(value) && isObject(limit)
      ? Object.entries(limit).flatMap(([pattern, schema]) =>
          Object.entries(value).flatMap(([key, each]) =>
            matchPattern(pattern, key, at.work) === true ? below(key, schema, each, at) : [],
          ),
        )
      : [],
  additionalProperties: (limit, value, at, schema) => {
    if (!isObject(value) || limit === true) return [];
    const known = isObject(schema.properties) ? schema.properties : {};
    const patterns = isObject(schema.patternProperties) ? Object.keys(schema.patternProperties) : [];
    const others = Object.entries(value).filter(
      ([key]) =>
        !Object.hasOwn(known, key) && !patterns.some((pattern) => matchPattern(pattern, key, at.work) === true),
    );
    if (limit === false) return others.flatMap(([key]) => one(`does not allow the key "${key}"`));
    return others.flatMap(([key, each]) => below(key, limit, each, at));
  },
  propertyNames: (limit, value, at) =>
    isObject(value)
      ? Object.keys(value).flatMap((key) =>
          check(limit, key, deeper(at)).map(({ message }) => ({
            path: [],
            message: `has the key "${key}", which ${message}`,
          })),
        )
      : [],
  allOf: (limit, value, at) => schemas(limit).flatMap((each) => check(each, value, deeper(at))),
  anyOf: (limit, value, at) => {
    const found = schemas(limit).map((each) => check(each, value, deeper(at)));
    return found.length === 0 || found.some((each) => each.length === 0) ? [] : one('fits none of the allowed forms');
  },
  oneOf: (limit, value, at) => {
    const all = schemas(limit);
    const fitting = all.filter((each) => check(each, value, deeper(at)).length === 0).length;
    return all.length === 0 || fitting === 1
      ? []
      : one(fitting === 0 ? 'fits none of the allowed forms' : 'fits more than one of the allowed forms');
  },
  not: (limit, value, at) =>
    isObject(limit) && check(limit, value, deeper(at)).length === 0 ? one('has a form that is not allowed') : [],
};

const atLeast: Keyword = (limit, value) =>
  typeof value === 'number' && typeof limit === 'number' && value < limit ? one(`must be ${limit} or more`) : [];
const atMost: Keyword = (limit, value) =>
  typeof value === 'number' && typeof limit === 'number' && value > limit ? one(`must be ${limit} or less`) : [];
const moreThan = ofNumber((value, limit) => value > limit, 'more than');
const lessThan = ofNumber((value, limit) => value < limit, 'less than');

function one(message: string | undefined | false): ValueMistake[] {
  return message ? [{ path: [], message }] : [];
}

function below(step: string | number, schema: unknown, value: unknown, at: At): ValueMistake[] {
  return check(schema, value, deeper(at)).map((mistake) => ({ ...mistake, path: [String(step), ...mistake.path] }));
}

function schemas(limit: unknown): readonly unknown[] {
  return Array.isArray(limit) ? limit : [];
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function lengthOf(text: string): number {
  return [...text].length;
}

/** 0.3 / 0.1 is not quite 3. */
function round(quotient: number): number {
  return Math.abs(quotient - Math.round(quotient)) < 1e-9 ? Math.round(quotient) : quotient;
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}

function isSame(left: unknown, right: unknown): boolean {
  return left === right || (typeof left === 'object' && canonical(left) === canonical(right));
}

/** Equal values have equal texts, whatever the order of their keys. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, each: unknown) =>
    isObject(each) ? Object.fromEntries(Object.entries(each).sort(([a], [b]) => (a < b ? -1 : 1))) : each,
  );
}

function mistakeOfPattern(pattern: string, text: string, at: At): string | undefined {
  const isMatch = matchPattern(pattern, text, at.work);
  if (typeof isMatch !== 'boolean') return `can not be checked, because its pattern ${pattern} ${isMatch.reason}`;
  return isMatch ? undefined : `must match the pattern ${pattern}`;
}
