import { describe, expect, it } from 'vitest';
import { errors } from './errors.ts';
import { refusalsOf, toOpenApi } from './openapi.ts';
import { routes } from './routes.ts';

const document = toOpenApi(routes);
type Operation = Record<string, unknown> & {
  operationId: string;
  responses: Record<string, unknown>;
  parameters?: { name: string; in: string; required: boolean }[];
};
const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]) => ({ path, method, operation: operation as Operation })),
);

function referencesIn(value: unknown): string[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) => (key === '$ref' ? [String(inner)] : referencesIn(inner)));
}

describe('the OpenAPI document', () => {
  it('has every route, once', () => {
    expect(operations.map(({ operation }) => operation.operationId).sort()).toEqual(routes.map(({ id }) => id).sort());
  });

  it('refers only to what it contains, and contains nothing that is not referred to', () => {
    const references = new Set(referencesIn(document));
    const components = (['schemas', 'responses'] as const).flatMap((kind) =>
      Object.keys(document.components[kind]).map((name) => `#/components/${kind}/${name}`),
    );
    expect([...references].sort()).toEqual(components.sort());
  });

  it('declares each parameter of a path', () => {
    for (const { path, operation } of operations) {
      const inPath = [...path.matchAll(/\{(\w+)\}/g)].map((match) => match[1]);
      const declared = (operation.parameters ?? []).filter((parameter) => parameter.in === 'path');
      expect(declared.map(({ name }) => name).sort(), path).toEqual(inPath.sort());
    }
  });

  it('answers each refusal with the status of the catalog', () => {
    for (const route of routes) {
      const { operation } = operations.find((candidate) => candidate.operation.operationId === route.id) ?? {};
      const statuses = new Set([route.status, ...refusalsOf(route).map((name) => errors[name].status)].map(String));
      expect(Object.keys(operation?.responses ?? {}).sort(), route.id).toEqual([...statuses].sort());
    }
  });

  it('asks for nothing where the route is public, and for a token or a session elsewhere', () => {
    for (const route of routes) {
      const { operation } = operations.find((candidate) => candidate.operation.operationId === route.id) ?? {};
      expect(operation?.security, route.id).toEqual(route.can === 'public' ? [] : [{ bearer: [] }, { session: [] }]);
    }
  });

  it('is the same text every time', () => {
    expect(JSON.stringify(toOpenApi(routes))).toBe(JSON.stringify(document));
  });

  it('spells out constants as an enumeration and maps as additional properties', () => {
    const text = JSON.stringify(document);
    expect(text).toContain('"enum":["WAITING_FOR_APPROVAL","IN_PROGRESS","SUCCESS","FAILURE","DECLINED"]');
    expect(text).not.toContain('"patternProperties":{"^.*$"');
  });
});
