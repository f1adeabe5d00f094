import { type Json, readKey, type ValueObject, writeKey } from '../json.ts';
import type { ResourceConfig } from './config.ts';
import { compileQuery, type Fault, faultOf, type ItemOptions } from './field.ts';

/**
 * `itemsToParse`: one raw item becomes as many as the array has that the program gives. Each is the raw item without
 * that array (when `itemsToParseTopLevelTransform`), plus the element under `itemsToParseName` (spec/clients.md §1.11).
 */
export type Expand = (item: Json, options: ItemOptions) => { items: Json[] } | { fault: Fault };

const FIELD = 'itemsToParse';

export function compileExpand(config: ResourceConfig): Expand {
  const source = config.itemsToParse;
  if (source === undefined) return (item) => ({ items: [item] });
  const query = compileQuery(FIELD, source);
  if (!query.ok) return () => ({ fault: query.fault });
  const target = config.itemsToParseTopLevelTransform ? leadingPath(source) : [];
  const name = config.itemsToParseName;
  return (item, options) => {
    const outcome = query.program.first(item, options);
    if (!outcome.ok) {
      return { fault: faultOf(FIELD, source, outcome.error.kind === 'budget' ? 'budget' : 'runtime', outcome.error) };
    }
    const { value } = outcome;
    if (!Array.isArray(value)) {
      const message = `Failed to parse items for JQ expression ${source}, Expected list but got ${kindOf(value)}. Skipping...`;
      return { fault: { field: FIELD, source, reason: 'runtime', message, error: undefined } };
    }
    const rest = isObject(item) ? withoutPath(item, target) : {};
    return {
      items: value.map((element) => {
        const copy: { [key: string]: Json } = { ...rest };
        writeKey(copy as ValueObject, name, element);
        return copy;
      }),
    };
  };
}

export function kindOf(value: Json | undefined): string {
  if (value === undefined || value === null) return 'null';
  return Array.isArray(value) ? 'list' : typeof value;
}

type JsonObject = { [key: string]: Json };
const isObject = (value: Json | undefined): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const STEP = /\s*(?:\.([A-Za-z_][A-Za-z0-9_]*)|\.?\[?\s*"((?:[^"\\])*)"\s*\]?)/y;

/** The keys a program begins with: `.a."b-c" // []` gives a, b-c; a program that begins otherwise gives none. */
export function leadingPath(source: string): string[] {
  const path: string[] = [];
  STEP.lastIndex = 0;
  if (!source.trimStart().startsWith('.')) return path;
  for (;;) {
    const from = STEP.lastIndex;
    const match = STEP.exec(source);
    if (match === null) return path;
    // A quoted key needs its dot or bracket; a string that merely follows is not a step.
    if (match[1] === undefined && !/^\s*(?:\.|\[)/.test(source.slice(from))) return path;
    path.push(match[1] ?? match[2] ?? '');
  }
}

/** A copy of the object without the value at a path; the parts that are not on the path are shared. */
function withoutPath(object: JsonObject, path: readonly string[]): JsonObject {
  const [head, ...rest] = path;
  if (head === undefined || !Object.hasOwn(object, head)) return object;
  const copy: JsonObject = { ...object };
  if (rest.length === 0) {
    delete copy[head];
    return copy;
  }
  const child = readKey(object as ValueObject, head) as Json | undefined;
  if (isObject(child)) writeKey(copy as ValueObject, head, withoutPath(child, rest));
  return copy;
}
