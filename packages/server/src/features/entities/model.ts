import type { Blueprint, BlueprintProperty, EntityBody, ErrorDetail } from '@quayside/contracts';

/** Rules of an entity against its blueprint (spec/catalog.md §2). */

/** What is stored of an entity: team, properties and relations in one shape, whatever shape the client sent. */
export interface EntityDraft {
  identifier: string;
  title: string;
  icon: string | null;
  team: string[];
  properties: Record<string, unknown>;
  /** Identifiers in the target blueprint; single relations hold at most one. */
  relations: Record<string, string[]>;
}

/** Checks a value against a schema; platform/user-schemas.ts is the one that is passed in. */
export type CheckValue = (
  schema: Readonly<Record<string, unknown>>,
  value: unknown,
) => { path: string[]; message: string }[];

/** Formats that only say how to show a value, or need other tables, do not constrain the stored text. */
const checkedFormats = new Set(['date-time', 'url', 'email', 'idn-email', 'ipv4', 'ipv6', 'timer']);

const keywords = [
  'type',
  'enum',
  'minLength',
  'maxLength',
  'pattern',
  'minimum',
  'maximum',
  'exclusiveMinimum',
  'exclusiveMaximum',
  'minItems',
  'maxItems',
  'uniqueItems',
  'properties',
  'patternProperties',
  'additionalProperties',
  'required',
] as const;

function toJsonSchema(property: BlueprintProperty): Record<string, unknown> {
  const source = property as Record<string, unknown>;
  const schema: Record<string, unknown> = {};
  for (const keyword of keywords) if (source[keyword] !== undefined) schema[keyword] = source[keyword];
  if (typeof source.format === 'string' && checkedFormats.has(source.format)) schema.format = source.format;
  if (property.items) schema.items = toJsonSchema(property.items as BlueprintProperty);
  return schema;
}

/**
 * Everything wrong with the properties. Properties the blueprint does not declare are kept as they are (real integrations
 * send them, spec/clients.md §9.12); values that the portal computes can not be written.
 */
export function findPropertyMistakes(
  blueprint: Blueprint,
  draft: EntityDraft,
  isCreated: boolean,
  check: CheckValue,
): ErrorDetail[] {
  const mistakes: ErrorDetail[] = [];
  for (const map of ['mirrorProperties', 'calculationProperties', 'aggregationProperties'] as const)
    for (const key of Object.keys(blueprint[map] ?? {}))
      if (key in draft.properties)
        mistakes.push({
          path: `body.properties.${key}`,
          message: `is computed by the portal (${map}) and can not be written.`,
        });
  const properties = Object.fromEntries(
    Object.entries(blueprint.schema.properties).map(([key, property]) => [key, toJsonSchema(property)]),
  );
  for (const { path, message } of check({ type: 'object', properties }, draft.properties))
    mistakes.push({ path: ['body.properties', ...path].join('.'), message });
  if (isCreated)
    for (const key of blueprint.schema.required ?? [])
      if (draft.properties[key] === undefined || draft.properties[key] === null)
        mistakes.push({ path: `body.properties.${key}`, message: 'is required.' });
  for (const [key, relation] of Object.entries(blueprint.relations ?? {}))
    if (relation.required && (draft.relations[key] ?? []).length === 0)
      mistakes.push({ path: `body.relations.${key}`, message: 'is required.' });
  return mistakes;
}

/** A new entity, or a full replacement: what the body does not name is empty; defaults apply only to new ones. */
export function draftFrom(
  blueprint: Blueprint,
  body: EntityBody,
  identifier: string,
  applyDefaults: boolean,
): EntityDraft {
  const defaults: Record<string, unknown> = {};
  if (applyDefaults)
    for (const [key, property] of Object.entries(blueprint.schema.properties))
      if (property.default !== undefined) defaults[key] = property.default;
  return mergeDraft(
    { identifier, title: identifier, icon: null, team: [], properties: defaults, relations: {} },
    { ...body, identifier },
  );
}

/** What the body names changes; null clears. */
export function mergeDraft(before: EntityDraft, body: EntityBody): EntityDraft {
  const properties = { ...before.properties };
  for (const [key, value] of Object.entries(body.properties ?? {})) {
    if (value === null || value === undefined) delete properties[key];
    else properties[key] = value;
  }
  const relations = { ...before.relations };
  for (const [key, value] of Object.entries(body.relations ?? {})) {
    if (value === null || value === '' || (Array.isArray(value) && value.length === 0)) delete relations[key];
    else relations[key] = Array.isArray(value) ? [...new Set(value)] : [value as string];
  }
  return {
    identifier: body.identifier ?? before.identifier,
    title: body.title === undefined ? before.title : (body.title ?? body.identifier ?? before.identifier),
    icon: body.icon === undefined ? before.icon : body.icon,
    team: body.team === undefined ? before.team : teamsOf(body.team),
    properties,
    relations,
  };
}

function teamsOf(team: EntityBody['team']): string[] {
  if (team === null || team === undefined || team === '') return [];
  return Array.isArray(team) ? [...new Set(team)] : [team];
}

/** The same content, whatever the order of keys? Then a write is no event (spec/catalog.md §2.2). */
export function isSameDraft(left: EntityDraft, right: EntityDraft): boolean {
  return canonical(contentOf(left)) === canonical(contentOf(right));
}

/** A stored entity is a draft with more to it. */
function contentOf({ identifier, title, icon, team, properties, relations }: EntityDraft): EntityDraft {
  return { identifier, title, icon, team, properties, relations };
}

function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) =>
    inner && typeof inner === 'object' && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  );
}

/** The properties of a blueprint that are timers. */
export function timerProperties(blueprint: Pick<Blueprint, 'schema'>): string[] {
  return Object.entries(blueprint.schema.properties)
    .filter(([, property]) => property.format === 'timer')
    .map(([key]) => key);
}

/** The instant of a timer, in milliseconds; undefined where the value is none. */
export function instantOf(value: unknown): number | undefined {
  const instant = typeof value === 'string' ? Date.parse(value) : Number.NaN;
  return Number.isNaN(instant) ? undefined : instant;
}

/** A search that can not be carried out; the message says which rule and why. */
export class QueryMistake extends Error {}
