import { describe, expect, it } from 'vitest';
import { errors } from './errors.ts';
import { permissions, type Route } from './route.ts';
import { routes } from './routes.ts';

/** Rules over the whole table: a row that breaks one would be found by a client, not by a compiler. */
interface ObjectSchema {
  properties?: Record<string, { const?: unknown }>;
  required?: string[];
  additionalProperties?: unknown;
}
const schema = (value: unknown) => value as ObjectSchema;
const fields = (value: unknown) => schema(value).properties ?? {};
const parametersIn = (path: string) => [...path.matchAll(/:(\w+)/g)].map((match) => match[1] ?? '');
const snakeCase = /^[a-z]+(?:_[a-z]+)*$/;

function duplicates(values: readonly string[]): string[] {
  return values.filter((value, index) => values.indexOf(value) !== index);
}

describe('the route table', () => {
  it('has unique ids', () => {
    expect(duplicates(routes.map(({ id }) => id))).toEqual([]);
  });

  it('has each method and path once, however the parameter is called', () => {
    expect(duplicates(routes.map(({ method, path }) => `${method} ${path.replace(/:\w+/g, ':')}`))).toEqual([]);
  });
});

/** Each rule gives the rows that break it. */
const rules: [string, (route: Route) => boolean][] = [
  ['is named noun.verb', ({ id }) => /^[a-z][A-Za-z]*\.[a-z][A-Za-z]*$/.test(id)],
  [
    'declares exactly the parameters of its path, in snake_case',
    ({ path, params }) =>
      Object.keys(fields(params)).sort().join() === parametersIn(path).sort().join() &&
      parametersIn(path).every((name) => snakeCase.test(name)),
  ],
  [
    'has a query in snake_case, where it is ours to say',
    ({ dialect, query }) =>
      dialect === 'compatible' || Object.keys(fields(query)).every((name) => snakeCase.test(name)),
  ],
  [
    'lies under /v1, or is for operators',
    ({ path }) => /^\/v1\/[a-z].*[^/]$|^\/(?:healthz|readyz|metrics)$/.test(path),
  ],
  ['has a summary of one line without a full stop', ({ summary }) => /^[A-Z][^\n]*[^.\s]$/.test(summary)],
  ['names a permission of the list', ({ can }) => can === 'public' || can === 'signed-in' || permissions.includes(can)],
  ['answers 2xx', ({ status }) => status >= 200 && status < 300],
  [
    'answers ok: true, unless it is a stream',
    ({ kind, reply }) =>
      kind === 'stream' || (fields(reply).ok?.const === true && schema(reply).required?.includes('ok') === true),
  ],
  [
    'refuses with names of the catalog, each once',
    ({ refusals }) => duplicates(refusals).length === 0 && refusals.every((name) => name in errors),
  ],
  [
    'says that a thing of its path may be missing',
    ({ path, refusals }) => parametersIn(path).length === 0 || refusals.includes('not_found'),
  ],
  [
    'reads no body with GET and DELETE',
    ({ method, body }) => (method !== 'GET' && method !== 'DELETE') || Object.keys(fields(body)).length === 0,
  ],
  [
    'takes no unknown key, where it is ours to say',
    ({ dialect, body }) =>
      dialect === 'compatible' || Object.keys(fields(body)).length === 0 || schema(body).additionalProperties === false,
  ],
];

describe('every row of the route table', () => {
  it.each(rules)('%s', (_name, isKept) => {
    expect(routes.filter((route) => !isKept(route)).map(({ id }) => id)).toEqual([]);
  });
});
