import type { Json } from '../json.ts';
import { formatPath, type JsonPath } from './path.ts';
import type { Rendered } from './render.ts';

/**
 * Masking by rendering twice. What may be stored is a second render in which every secret is the mask, so nothing stored
 * can depend on a secret's value, whatever the program does with it (`@base64`, slices, conditions). Marking tainted
 * strings instead would have to follow every builtin and could forget one. Cost: a second render, only when the
 * organization has secrets.
 *
 * Not covered: a context that already holds a secret elsewhere, and the text of errors a receiver sends back.
 */
export const SECRET_MASK = '******';

export type Secrets = Readonly<Record<string, string>>;

export interface SecretRender {
  /** With the secrets: goes into the outgoing request and nowhere else. */
  sent: Rendered;
  /** With the mask in place of every secret: goes into `run.payload`, logs, audit and previews. */
  stored: Rendered;
  /** Where the two differ, as `$.headers.Authorization`: the outputs that used a secret. */
  secretPaths: string[];
}

/** A context in which every secret is the mask. */
export function maskedContext(context: { [key: string]: Json }, secrets: Secrets): { [key: string]: Json } {
  const masked: { [key: string]: Json } = {};
  for (const name of Object.keys(secrets)) masked[name] = SECRET_MASK;
  return { ...context, secrets: masked };
}

/** Reports at most this many places; a secret used as a condition can change a whole document. */
const MAX_PATHS = 1000;

export function pathsThatDiffer(sent: Rendered, stored: Rendered): string[] {
  if (!sent.ok || !stored.ok) return sent.ok === stored.ok ? [] : ['$'];
  const paths: string[] = [];
  compare(sent.value, stored.value, [], paths);
  return paths;
}

function compare(left: Json | undefined, right: Json | undefined, path: JsonPath, paths: string[]): void {
  if (left === right || paths.length >= MAX_PATHS) return;
  const comparable = isContainer(left) && isContainer(right) && Array.isArray(left) === Array.isArray(right);
  if (!comparable) {
    paths.push(formatPath(path));
    return;
  }
  const isArray = Array.isArray(left);
  for (const key of new Set([...Object.keys(left), ...Object.keys(right)])) {
    compare(own(left, key), own(right, key), [...path, isArray ? Number(key) : key], paths);
  }
}

type Container = Json[] | { [key: string]: Json };

const isContainer = (value: Json | undefined): value is Container => typeof value === 'object' && value !== null;

function own(container: Container, key: string): Json | undefined {
  return Object.hasOwn(container, key) ? (container as { [key: string]: Json })[key] : undefined;
}
