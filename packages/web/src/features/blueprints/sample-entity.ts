import type { Blueprint } from '@quayside/contracts';

const values = { string: 'text', number: 1, boolean: true, object: {}, array: [] } as const;

/** An entity as it could be, with every property and relation that its blueprint has: for expressions to be tried on. */
export function sampleEntity(identifier: string, blueprint: Blueprint | undefined) {
  const properties = Object.entries(blueprint?.schema.properties ?? {});
  const relations = Object.entries(blueprint?.relations ?? {});
  return {
    identifier: `my-${identifier}`,
    title: `My ${identifier}`,
    icon: null,
    blueprint: identifier,
    team: [],
    properties: Object.fromEntries(
      properties.map(([key, { type, enum: choices }]) => [
        key,
        choices?.[0] ?? values[type as keyof typeof values] ?? null,
      ]),
    ),
    relations: Object.fromEntries(relations.map(([key, { many }]) => [key, many ? [] : null])),
  };
}
