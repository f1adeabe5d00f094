import type { EvaluateOptions } from '../jq/index.ts';
import { type Json, type ValueObject, writeKey } from '../json.ts';
import {
  type ConfigMistake,
  type EntityConfig,
  type MappingClient,
  type ResourceConfig,
  readResource,
} from './config.ts';
import { compileQuery, compileShape, type Fault, type Fill, faultOf, type ItemOptions } from './field.ts';
import { compileExpand, kindOf } from './items.ts';

export type { ConfigMistake, MappingClient } from './config.ts';
export { type EventLine, eventLines } from './event-log.ts';
export type { Fault, FaultReason } from './field.ts';

/** An entity as the bulk route takes it; what a mapping names beside the known fields is kept. */
export interface MappedEntity {
  identifier: Json;
  blueprint: Json;
  properties: { [key: string]: Json };
  relations: { [key: string]: Json };
  [field: string]: Json;
}

export type ItemResult =
  /** `faults` are the fields that have no value, with the reason. */
  | { outcome: 'mapped'; entity: MappedEntity; faults: readonly Fault[] }
  /** The selector said no. */
  | { outcome: 'filtered' }
  /** Identifier or blueprint is empty, or (exporter) some field failed. */
  | { outcome: 'dropped'; faults: readonly Fault[] }
  /** The selector gave no boolean, or `itemsToParse` no list; the kind must not delete anything afterwards. */
  | { outcome: 'failed'; fault: Fault };

export interface MappingCounts {
  raw: number;
  /** After `itemsToParse`. */
  items: number;
  mapped: number;
  filtered: number;
  dropped: number;
  failed: number;
}

/** A fault of a whole batch: the first one of its field and reason, and how many items had it. */
export interface FaultSummary extends Fault {
  count: number;
}

export interface MappingReport {
  entities: MappedEntity[];
  counts: MappingCounts;
  faults: FaultSummary[];
}

export interface Mapping {
  readonly kind: string;
  readonly client: MappingClient;
  /** Programs that are not valid. Their fields are null on every item; the rest works. */
  readonly compileFaults: readonly Fault[];
  /** One raw item: expansion, then selector, then fields (the order of spec/clients.md §1.11). */
  map(item: Json, options?: EvaluateOptions): ItemResult[];
  /** A batch, with counts and with each field's faults said once, as the event log wants them. */
  run(items: Iterable<Json>, options?: EvaluateOptions): MappingReport;
}

export type CompiledMapping = { ok: true; mapping: Mapping } | { ok: false; mistakes: ConfigMistake[] };

/**
 * Compiles one resource `{ kind, selector, port }` of an integration's configuration. Every program of it is bounded by
 * the budget of `options`, all programs of an item together by ITEM_STEPS; what exceeds either is a fault of its field.
 */
export function compileMapping(resource: Json): CompiledMapping {
  const read = readResource(resource);
  return read.ok ? { ok: true, mapping: new ResourceMapping(read.config) } : read;
}

type Select = (item: Json, options: ItemOptions) => boolean | Fault;
type Build = (item: Json, options: ItemOptions) => ItemResult;

const NO_FAULTS: readonly Fault[] = [];

class ResourceMapping implements Mapping {
  readonly kind: string;
  readonly client: MappingClient;
  readonly compileFaults: readonly Fault[];
  private readonly expand: ReturnType<typeof compileExpand>;
  private readonly select: Select;
  private readonly builds: Build[];

  constructor(config: ResourceConfig) {
    this.kind = config.kind;
    this.client = config.client;
    this.expand = compileExpand(config);
    this.select = compileSelect(config.selector);
    this.builds = config.entities.map((entity) => compileBuild(entity, config.client));
    this.compileFaults = this.probe();
  }

  /** Programs that do not compile report so on any item, null included, before they look at it. */
  private probe(): Fault[] {
    const found = new Map<string, Fault>();
    const options: ItemOptions = { budget: { steps: 0 }, usage: { steps: 0 } };
    const keep = (fault: Fault): void => {
      if (fault.reason === 'compile') found.set(`${fault.field} ${fault.source}`, fault);
    };
    const expanded = this.expand(null, options);
    if ('fault' in expanded) keep(expanded.fault);
    const selected = this.select(null, options);
    if (typeof selected !== 'boolean') keep(selected);
    for (const build of this.builds) {
      const result = build(null, options);
      if ('faults' in result) result.faults.forEach(keep);
    }
    return [...found.values()];
  }

  map(item: Json, options?: EvaluateOptions): ItemResult[] {
    return this.mapRaw(item, { ...options, usage: { steps: 0 } });
  }

  private mapRaw(item: Json, options: ItemOptions): ItemResult[] {
    options.usage.steps = 0;
    const expanded = this.expand(item, options);
    if ('fault' in expanded) return [{ outcome: 'failed', fault: expanded.fault }];
    const results: ItemResult[] = [];
    for (const one of expanded.items) this.mapOne(one, options, results);
    return results;
  }

  private mapOne(item: Json, options: ItemOptions, results: ItemResult[]): void {
    options.usage.steps = 0;
    const selected = this.select(item, options);
    if (selected === false) results.push({ outcome: 'filtered' });
    else if (selected !== true) results.push({ outcome: 'failed', fault: selected });
    else for (const build of this.builds) results.push(build(item, options));
  }

  run(items: Iterable<Json>, options?: EvaluateOptions): MappingReport {
    const entities: MappedEntity[] = [];
    const counts: MappingCounts = { raw: 0, items: 0, mapped: 0, filtered: 0, dropped: 0, failed: 0 };
    const faults = new Map<string, FaultSummary>();
    const note = (fault: Fault): void => {
      const key = `${fault.reason} ${fault.field} ${fault.source}`;
      const known = faults.get(key);
      if (known === undefined) faults.set(key, { ...fault, count: 1 });
      else known.count++;
    };
    const shared: ItemOptions = { ...options, usage: { steps: 0 } };
    for (const item of items) {
      counts.raw++;
      for (const result of this.mapRaw(item, shared)) {
        counts.items++;
        counts[result.outcome]++;
        if (result.outcome === 'mapped') entities.push(result.entity);
        if (result.outcome === 'failed') note(result.fault);
        else if (result.outcome !== 'filtered') result.faults.forEach(note);
      }
    }
    return { entities, counts, faults: [...faults.values()] };
  }
}

function compileSelect(source: string | undefined): Select {
  if (source === undefined) return () => true;
  const query = compileQuery('selector.query', source);
  if (!query.ok) return () => query.fault;
  return (item, options) => {
    const outcome = query.program.first(item, options);
    if (!outcome.ok) {
      const reason = outcome.error.kind === 'budget' ? 'budget' : 'runtime';
      return faultOf('selector.query', source, reason, outcome.error);
    }
    const { value } = outcome;
    if (typeof value === 'boolean') return value;
    const message = `Expected boolean value for pattern '${source}', got a value of type ${kindOf(value)} instead`;
    return { field: 'selector.query', source, reason: 'runtime', message, error: undefined };
  };
}

/** What the clients, written in Python and Go, take for "no identifier". */
function isEmpty(value: Json): boolean {
  if (value === null || value === '' || value === false || value === 0) return true;
  return typeof value === 'object' && Object.keys(value).length === 0;
}

function compileBuild(config: EntityConfig, client: MappingClient): Build {
  const identifier = compileShape(config.identifier);
  const blueprint = compileShape(config.blueprint);
  const fields = config.fields.map(({ key, shape }) => ({ key, fill: compileShape(shape) }));
  const properties = compileGroup(config.properties, client === 'exporter');
  const relations = compileGroup(config.relations, false);
  return (item, options) => {
    let faults: Fault[] | undefined;
    let failed = false;
    const onFault = (fault: Fault): void => {
      failed ||= fault.reason !== 'null';
      faults ??= [];
      faults.push(fault);
    };
    const entity: MappedEntity = {
      identifier: identifier(item, options, onFault),
      blueprint: blueprint(item, options, onFault),
      properties: {},
      relations: {},
    };
    for (const { key, fill } of fields) writeKey(entity as ValueObject, key, fill(item, options, onFault));
    entity.properties = properties(item, options, onFault);
    entity.relations = relations(item, options, onFault);
    const dropped = isEmpty(entity.identifier) || isEmpty(entity.blueprint) || (failed && client === 'exporter');
    return { outcome: dropped ? 'dropped' : 'mapped', entity, faults: faults ?? NO_FAULTS };
  };
}

type FillGroup = (...args: Parameters<Fill>) => { [key: string]: Json };

/** With `spreads`, the key `*` merges the entries of its object at its place, as the Kubernetes exporter does. */
function compileGroup(group: EntityConfig['properties'], spreads: boolean): FillGroup {
  const entries = group.map(({ key, shape }) => ({ key, fill: compileShape(shape), isSpread: spreads && key === '*' }));
  return (item, options, onFault) => {
    const result: { [key: string]: Json } = {};
    for (const { key, fill, isSpread } of entries) {
      const value = fill(item, options, onFault);
      if (!isSpread) writeKey(result as ValueObject, key, value);
      else if (typeof value === 'object' && value !== null) {
        for (const name of Object.keys(value)) {
          writeKey(result as ValueObject, name, (value as { [key: string]: Json })[name] ?? null);
        }
      }
    }
    return result;
  };
}
