import type { BlueprintBody, BlueprintPatch, BlueprintStructure, ErrorDetail } from '@quayside/contracts';

/** Rules of a blueprint document (spec/catalog.md §1). */

const systemPrefix = '_';

export function isSystemBlueprint(identifier: string): boolean {
  return identifier.startsWith(systemPrefix);
}

/** What replies add, and clients send back. */
type Stamps = 'createdAt' | 'createdBy' | 'updatedAt' | 'updatedBy';
export type BlueprintDocument = Omit<BlueprintBody, Stamps>;

export function withoutStamps<T extends { [key in Stamps]?: unknown }>(body: T): Omit<T, Stamps> {
  const { createdAt: _ca, createdBy: _cb, updatedAt: _ua, updatedBy: _ub, ...document } = body;
  return document;
}

/** Real clients expect `relations` and the three computed maps to be there, with `required` and `many` filled in. */
export function complete(body: BlueprintBody): BlueprintDocument {
  return {
    ...withoutStamps(body),
    schema: { ...body.schema, required: body.schema.required ?? [] },
    relations: Object.fromEntries(
      Object.entries(body.relations ?? {}).map(([key, relation]) => [
        key,
        { ...relation, required: relation.required ?? false, many: relation.many ?? false },
      ]),
    ),
    mirrorProperties: body.mirrorProperties ?? {},
    calculationProperties: body.calculationProperties ?? {},
    aggregationProperties: body.aggregationProperties ?? {},
  };
}

/** PATCH merges top-level keys; `null` and absence are not distinguished by the contract, so a key can only be replaced. */
export function merge(before: BlueprintDocument, patch: BlueprintPatch): BlueprintDocument {
  const changes = Object.fromEntries(Object.entries(patch).filter(([, value]) => value !== undefined));
  return complete({ ...before, ...changes });
}

/** Everything wrong with the document itself; relation targets are checked by the service. */
export function findMistakes(body: BlueprintDocument, before?: BlueprintDocument): ErrorDetail[] {
  const mistakes: ErrorDetail[] = [];
  const properties = body.schema.properties;
  for (const name of body.schema.required ?? [])
    if (!(name in properties))
      mistakes.push({ path: 'body.schema.required', message: `names "${name}", which is not among the properties.` });
  const taken = new Map<string, string>();
  for (const [map, keys] of [
    ['schema.properties', Object.keys(properties)],
    ['mirrorProperties', Object.keys(body.mirrorProperties ?? {})],
    ['calculationProperties', Object.keys(body.calculationProperties ?? {})],
    ['aggregationProperties', Object.keys(body.aggregationProperties ?? {})],
  ] as const)
    for (const key of keys) {
      const other = taken.get(key);
      if (other)
        mistakes.push({
          path: `body.${map}.${key}`,
          message: `is already a key of ${other}; their values share one object.`,
        });
      taken.set(key, map);
    }
  for (const [key, relation] of Object.entries(body.relations ?? {}))
    if (relation.required && relation.many)
      mistakes.push({ path: `body.relations.${key}`, message: 'can not be both required and many.' });
  for (const [key, property] of Object.entries(before?.schema.properties ?? {})) {
    const next = properties[key];
    if (next && next.type !== property.type)
      mistakes.push({
        path: `body.schema.properties.${key}.type`,
        message: `can not change from ${property.type} to ${next.type}. Remove the property, save, and add it again.`,
      });
  }
  return mistakes;
}

/**
 * What is built in stays as it is, and nothing that is added may be required: people are invited by those who know
 * nothing of it.
 */
export function findSystemMistakes(body: BlueprintDocument, structure: BlueprintStructure): ErrorDetail[] {
  const mistakes: ErrorDetail[] = [];
  for (const [key, builtIn] of Object.entries(structure.schema.properties)) {
    const property = body.schema.properties[key];
    const isKept =
      property?.type === builtIn.type &&
      property.format === builtIn.format &&
      JSON.stringify(property.enum) === JSON.stringify(builtIn.enum);
    if (!isKept)
      mistakes.push({
        path: `body.schema.properties.${key}`,
        message: `is built into ${structure.identifier} and can not be changed or removed.`,
      });
  }
  const message = `can not be required: ${structure.identifier} is filled by the portal itself.`;
  for (const name of body.schema.required ?? [])
    mistakes.push({ path: 'body.schema.required', message: `${name} ${message}` });
  for (const [key, relation] of Object.entries(body.relations ?? {}))
    if (relation.required) mistakes.push({ path: `body.relations.${key}.required`, message });
  return mistakes;
}
