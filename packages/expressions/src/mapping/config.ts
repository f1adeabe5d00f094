import type { Json } from '../json.ts';

/**
 * The shape of one resource of an integration's configuration (spec/clients.md §1.11), read from JSON that a user wrote.
 * Two dialects exist: Ocean has one object under `mappings`, the Kubernetes exporter a list.
 */
export type MappingClient = 'ocean' | 'exporter';

/** A field of an entity and the program that fills it. */
export interface FieldSource {
  /** As the event log names it: `identifier`, `properties.url`, `relations.team.rules[0].value`. */
  name: string;
  source: string;
}

/** What fills a field: a program, a search object whose leaves are programs, or a list of either. */
export type Shape =
  | { kind: 'program'; field: FieldSource }
  | { kind: 'object'; entries: { key: string; shape: Shape }[] }
  | { kind: 'list'; items: Shape[] }
  | { kind: 'constant'; value: Json };

export interface EntityConfig {
  identifier: Shape;
  blueprint: Shape;
  /** `title`, `icon`, `team` and whatever else stands beside them, in the order written. */
  fields: { key: string; shape: Shape }[];
  properties: { key: string; shape: Shape }[];
  relations: { key: string; shape: Shape }[];
}

export interface ResourceConfig {
  client: MappingClient;
  kind: string;
  selector: string | undefined;
  itemsToParse: string | undefined;
  itemsToParseName: string;
  itemsToParseTopLevelTransform: boolean;
  entities: EntityConfig[];
}

/** A configuration that no mapping can be made of. `path` says where, in the words of the configuration. */
export interface ConfigMistake {
  path: string;
  message: string;
}

export type ReadConfig = { ok: true; config: ResourceConfig } | { ok: false; mistakes: ConfigMistake[] };

type JsonObject = { [key: string]: Json };

const isObject = (value: Json | undefined): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Reads `{ kind, selector, port }`. Keys it does not know belong to the integration and are ignored. */
export function readResource(resource: Json): ReadConfig {
  const mistakes: ConfigMistake[] = [];
  const complain = (path: string, message: string): void => {
    mistakes.push({ path, message });
  };
  const root = isObject(resource) ? resource : {};
  if (!isObject(resource)) complain('', 'a resource must be an object');
  const { kind } = root;
  if (typeof kind !== 'string' || kind === '') complain('kind', 'must be a non-empty string');
  const selector = isObject(root.selector) ? root.selector : {};
  const port = isObject(root.port) ? root.port : {};
  const entity = isObject(port.entity) ? port.entity : {};
  const { mappings } = entity;
  const client: MappingClient = Array.isArray(mappings) ? 'exporter' : 'ocean';
  const query = selector.query;
  if (query !== undefined && query !== null && typeof query !== 'string')
    complain('selector.query', 'must be a string');
  if (client === 'ocean' && typeof query !== 'string') complain('selector.query', 'is required');
  const listed = Array.isArray(mappings) ? mappings : [mappings ?? null];
  if (listed.length === 0) complain('port.entity.mappings', 'must not be empty');
  const entities = listed.map((mapping, index) => {
    const path = client === 'exporter' ? `port.entity.mappings[${index}]` : 'port.entity.mappings';
    return readEntity(mapping, path, complain);
  });
  const itemsToParse = optionalText(port.itemsToParse, 'port.itemsToParse', complain);
  const itemsToParseName = optionalText(port.itemsToParseName, 'port.itemsToParseName', complain) ?? 'item';
  if (mistakes.length > 0) return { ok: false, mistakes };
  const config: ResourceConfig = {
    client,
    kind: typeof kind === 'string' ? kind : '',
    selector: typeof query === 'string' && query !== '' ? query : undefined,
    itemsToParse,
    itemsToParseName,
    itemsToParseTopLevelTransform: port.itemsToParseTopLevelTransform !== false,
    entities,
  };
  return { ok: true, config };
}

type Complain = (path: string, message: string) => void;

function optionalText(value: Json | undefined, path: string, complain: Complain): string | undefined {
  if (value === undefined || value === null || value === '') return undefined;
  if (typeof value === 'string') return value;
  complain(path, 'must be a string');
  return undefined;
}

function readEntity(mapping: Json, path: string, complain: Complain): EntityConfig {
  const source = isObject(mapping) ? mapping : {};
  if (!isObject(mapping)) complain(path, 'must be an object');
  for (const required of ['identifier', 'blueprint']) {
    if (isObject(mapping) && (source[required] === undefined || source[required] === null)) {
      complain(`${path}.${required}`, 'is required');
    }
  }
  const group = (name: string): { key: string; shape: Shape }[] => {
    const value = source[name];
    if (value === undefined || value === null) return [];
    if (!isObject(value)) {
      complain(`${path}.${name}`, 'must be an object');
      return [];
    }
    return Object.keys(value).map((key) => ({ key, shape: shapeOf(value[key] ?? null, `${name}.${key}`) }));
  };
  const grouped = new Set(['identifier', 'blueprint', 'properties', 'relations']);
  return {
    identifier: shapeOf(source.identifier ?? null, 'identifier'),
    blueprint: shapeOf(source.blueprint ?? null, 'blueprint'),
    fields: Object.keys(source)
      .filter((key) => !grouped.has(key))
      .map((key) => ({ key, shape: shapeOf(source[key] ?? null, key) })),
    properties: group('properties'),
    relations: group('relations'),
  };
}

/** Search objects are shallow; what is nested deeper is taken as it is instead of searched for programs. */
const MAX_SHAPE_DEPTH = 20;

/** Every string leaf is a program, also inside search objects (`combinator: '"and"'`). */
function shapeOf(value: Json, name: string, depth = 0): Shape {
  if (typeof value === 'string') return { kind: 'program', field: { name, source: value } };
  if (value === null || typeof value !== 'object' || depth > MAX_SHAPE_DEPTH) return { kind: 'constant', value };
  if (Array.isArray(value)) {
    return { kind: 'list', items: value.map((item, index) => shapeOf(item, `${name}[${index}]`, depth + 1)) };
  }
  const entries = Object.keys(value).map((key) => ({
    key,
    shape: shapeOf(value[key] ?? null, `${name}.${key}`, depth + 1),
  }));
  return { kind: 'object', entries };
}
