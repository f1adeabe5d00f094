import { createHash } from 'node:crypto';
import { join, raw, type Sql, sql, type Tx } from '../../platform/db.ts';
import { QueryMistake } from './model.ts';
import { nothing, resolveContext, type SearchCaller } from './model-search.ts';
import { type EntityRow, entityColumns, fromEntities, type StoredEntity, toStoredEntity } from './store.ts';
import { matchAny, relatedTo, relationCondition, typedCondition } from './store-search-graph.ts';

/**
 * Search: a query of nested rules (spec/catalog.md §2.6.2) becomes one SQL condition over `entities e`. Every value is a
 * parameter. Cost: equality and `in` on text use the GIN index on properties; substring rules scan the blueprint.
 *
 * Rules about scorecards are refused by name until scorecards exist.
 */
export interface SearchRequest {
  blueprintId?: number;
  query?: { combinator: string; rules: readonly unknown[] };
  text?: string;
  sort?: { property: string; order: 'ASC' | 'DESC' };
  limit: number;
  from?: string;
  /** Whose `user` and `userTeams` contextual operands mean; absent = nobody's. */
  caller?: SearchCaller;
}

const maxRules = 200;
const maxDepth = 20;

const metaColumns: Readonly<Record<string, { column: Sql; type: 'text' | 'time' | 'list' }>> = {
  $identifier: { column: sql`e.identifier`, type: 'text' },
  $title: { column: sql`e.title`, type: 'text' },
  $icon: { column: sql`e.icon`, type: 'text' },
  $blueprint: { column: sql`b.identifier`, type: 'text' },
  $team: { column: sql`e.team`, type: 'list' },
  $createdAt: { column: sql`e.created_at`, type: 'time' },
  $updatedAt: { column: sql`e.updated_at`, type: 'time' },
  $createdBy: { column: sql`e.created_by`, type: 'text' },
  $updatedBy: { column: sql`e.updated_by`, type: 'text' },
  $datasource: { column: sql`e.datasource`, type: 'text' },
};

export async function searchEntities(
  tx: Tx,
  orgId: string,
  request: SearchRequest,
): Promise<{ entities: StoredEntity[]; next: string | undefined }> {
  const where: Sql[] = [sql`e.org_id = ${orgId}`];
  if (request.blueprintId !== undefined) where.push(sql`e.blueprint_id = ${request.blueprintId}`);
  if (request.query) where.push(condition(resolveContext(request.query, request.caller), { orgId, rules: 0 }, 0));
  if (request.text) where.push(textCondition(request.text));
  const direction = request.sort?.order === 'DESC' ? raw('desc') : raw('asc');
  const key = sortKey(request.sort?.property);
  const cursor = readCursor(request);
  if (cursor) {
    const compare = request.sort?.order === 'DESC' ? raw('<') : raw('>');
    where.push(sql`(${key}, e.id) ${compare} (${cursor.key}, ${cursor.id})`);
  }
  const rows = await tx.many<EntityRow & { sort_key: string }>(sql`
    select ${entityColumns}, ${key} as sort_key from ${fromEntities}
    where ${join(where, ' and ')}
    order by ${key} ${direction}, e.id ${direction}
    limit ${request.limit + 1}`);
  const page = rows.slice(0, request.limit);
  const last = page.at(-1);
  return {
    entities: page.map(toStoredEntity),
    next: rows.length > request.limit && last ? writeCursor(request, { key: last.sort_key, id: last.id }) : undefined,
  };
}

/** One text per entity, so that one cursor shape serves every order; numbers and instants are padded to sort as text. */
function sortKey(property: string | undefined): Sql {
  if (property === undefined) return sql`e.title`;
  const meta = metaColumns[property];
  if (meta?.type === 'text') return sql`coalesce(${meta.column}, '')`;
  if (meta?.type === 'time') return sql`to_char(${meta.column} at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS.US')`;
  if (meta) mistaken(`body.sort.property: entities can not be sorted by ${property}.`);
  return sql`case jsonb_typeof(e.properties -> ${property})
    when 'number' then to_char((e.properties ->> ${property})::numeric + 1e15, 'FM00000000000000000.000000')
    else coalesce(e.properties ->> ${property}, '') end`;
}

interface Cursor {
  key: string;
  id: number;
}

/** Binds a cursor to its search: continuing a different one would skip or repeat rows without anyone noticing. */
function fingerprint(request: SearchRequest): string {
  const { query, text, sort, blueprintId } = request;
  return createHash('sha256')
    .update(JSON.stringify([query, text, sort, blueprintId]))
    .digest('base64url')
    .slice(0, 12);
}

function writeCursor(request: SearchRequest, cursor: Cursor): string {
  return Buffer.from(JSON.stringify([fingerprint(request), cursor.key, cursor.id])).toString('base64url');
}

function readCursor(request: SearchRequest): Cursor | undefined {
  if (!request.from) return undefined;
  try {
    const [print, key, id] = JSON.parse(Buffer.from(request.from, 'base64url').toString()) as [
      unknown,
      unknown,
      unknown,
    ];
    if (print === fingerprint(request) && typeof key === 'string' && typeof id === 'number') return { key, id };
  } catch {
    // Refused below, like a cursor of another search.
  }
  return mistaken('body.from is not the `next` of this search. Start again without it.');
}

function escapeLike(text: string): string {
  return text.replace(/[\\%_]/g, '\\$&');
}

function textCondition(text: string): Sql {
  const pattern = `%${escapeLike(text)}%`;
  return sql`(e.identifier ilike ${pattern} or e.title ilike ${pattern}
    or exists (select from jsonb_each_text(e.properties) field where field.value ilike ${pattern}))`;
}

function condition(
  group: { combinator: string; rules: readonly unknown[] },
  budget: { orgId: string; rules: number },
  depth: number,
): Sql {
  if (depth > maxDepth) mistaken(`A search may be nested ${maxDepth} levels deep.`);
  const parts = group.rules.map((rule) => {
    budget.rules++;
    if (budget.rules > maxRules) mistaken(`A search may have ${maxRules} rules.`);
    const record = rule as Record<string, unknown>;
    if (Array.isArray(record.rules)) {
      if (record.combinator !== 'and' && record.combinator !== 'or')
        mistaken('A group of rules needs the combinator "and" or "or".');
      if (rule === nothing) return sql`false`;
      return condition(record as { combinator: string; rules: unknown[] }, budget, depth + 1);
    }
    return ruleCondition(record, budget.orgId);
  });
  if (parts.length === 0) return sql`true`;
  return sql`(${join(parts, group.combinator === 'or' ? ' or ' : ' and ')})`;
}

function ruleCondition(rule: Record<string, unknown>, orgId: string): Sql {
  const operator = String(rule.operator ?? '');
  const { property, value } = rule;
  if (operator === 'relatedTo') return relatedTo(orgId, rule);
  if (rule.relation !== undefined) return relationCondition(orgId, rule);
  if (rule.propertySchema !== undefined) return typedCondition(rule);
  if (operator === 'matchAny' && typeof property === 'object' && property !== null) return matchAny(orgId, rule);
  if (typeof property !== 'string')
    mistaken(`The rule ${JSON.stringify(rule).slice(0, 200)} needs a "property", a "relation" or a "propertySchema".`);
  const meta = metaColumns[property];
  const target = meta ? metaTarget(meta) : propertyTarget(property);
  switch (operator) {
    case '=':
      return value === null ? sql`${target.json} is null` : equals(target, meta !== undefined, value);
    case '!=':
      return value === null
        ? sql`${target.json} is not null`
        : sql`not coalesce(${equals(target, meta !== undefined, value)}, false)`;
    case 'isEmpty':
      return sql`${target.json} is null`;
    case 'isNotEmpty':
      return sql`${target.json} is not null`;
    case 'contains':
      return contains(target, value);
    case 'doesNotContains':
      return sql`not coalesce(${contains(target, value)}, false)`;
    case 'containsAny':
      return sql`coalesce(${anyOf(target, listOf(value, operator))}, false)`;
    case 'in':
    case 'matchAny':
      return sql`coalesce(${anyOf(target, listOf(value, operator))}, false)`;
    case 'notIn':
      return sql`not coalesce(${anyOf(target, listOf(value, operator))}, false)`;
    case 'beginsWith':
      return sql`starts_with(${target.text}, ${String(value)})`;
    case 'doesNotBeginsWith':
      return sql`not coalesce(starts_with(${target.text}, ${String(value)}), false)`;
    case 'endsWith':
      return sql`right(${target.text}, ${String(value).length}) = ${String(value)}`;
    case 'doesNotEndsWith':
      return sql`not coalesce(right(${target.text}, ${String(value).length}) = ${String(value)}, false)`;
    case '>':
    case '>=':
    case '<':
    case '<=':
      return compares(target, operator, value);
    case 'between':
      return between(target, value);
    case 'notBetween':
      return sql`not coalesce(${between(target, value)}, false)`;
    case 'isExpired':
      return sql`coalesce(quayside_instant(${target.text}) < now(), false)`;
    case 'isNotExpired':
      return sql`coalesce(quayside_instant(${target.text}) >= now(), false)`;
    default:
      return mistaken(`The operator "${operator}" is not known here.`);
  }
}

interface Target {
  /** NULL exactly when the value is absent or null. */
  json: Sql;
  text: Sql;
  type: 'text' | 'time' | 'list' | 'json';
}

function metaTarget(meta: { column: Sql; type: 'text' | 'time' | 'list' }): Target {
  if (meta.type === 'list')
    return {
      json: sql`nullif(to_jsonb(${meta.column}), '[]'::jsonb)`,
      text: sql`array_to_string(${meta.column}, ',')`,
      type: 'list',
    };
  if (meta.type === 'time')
    return { json: sql`to_jsonb(${meta.column})`, text: sql`${meta.column}::text`, type: 'time' };
  return { json: sql`to_jsonb(${meta.column})`, text: meta.column, type: 'text' };
}

function propertyTarget(property: string): Target {
  return {
    json: sql`nullif(e.properties -> ${property}, 'null'::jsonb)`,
    text: sql`(e.properties ->> ${property})`,
    type: 'json',
  };
}

function equals(target: Target, isMeta: boolean, value: unknown): Sql {
  if (target.type === 'time') return sql`${target.text}::timestamptz = ${instant(value)}`;
  const exact = sql`${target.json} = ${JSON.stringify(value)}::jsonb`;
  return !isMeta && typeof value === 'string' && isInstant(value)
    ? sql`(${exact} or quayside_instant(${target.text}) = ${new Date(value)})`
    : exact;
}

function contains(target: Target, value: unknown): Sql {
  return sql`case when jsonb_typeof(${target.json}) = 'array' then ${target.json} @> ${JSON.stringify([value])}::jsonb
    else strpos(${target.text}, ${String(value)}) > 0 end`;
}

function anyOf(target: Target, values: unknown[]): Sql {
  const list = JSON.stringify(values);
  return sql`case when jsonb_typeof(${target.json}) = 'array'
    then exists (select from jsonb_array_elements(${target.json}) item where ${list}::jsonb @> jsonb_build_array(item.value))
    else ${list}::jsonb @> jsonb_build_array(${target.json}) end`;
}

function compares(target: Target, operator: '>' | '>=' | '<' | '<=', value: unknown): Sql {
  const sign = raw(operator);
  if (typeof value === 'number')
    return sql`(case when jsonb_typeof(${target.json}) = 'number' then (${target.json})::text::numeric ${sign} ${value} else false end)`;
  return sql`coalesce(quayside_instant(${target.text}) ${sign} ${instant(value)}, false)`;
}

function between(target: Target, value: unknown): Sql {
  const range = value as { from?: unknown; to?: unknown; preset?: unknown } | null;
  if (!range || typeof range !== 'object') mistaken('between needs a value {from, to} or {preset}.');
  const [from, to] =
    range.preset === undefined
      ? [instant(range.from), instant(range.to)]
      : presetRange(String(range.preset), new Date());
  return sql`quayside_instant(${target.text}) between ${from} and ${to}`;
}

const dayMs = 86_400_000;
const rollingDays: Readonly<Record<string, number>> = {
  lastDay: 1,
  lastWeek: 7,
  last2Weeks: 14,
  lastMonth: 30,
  last3Months: 90,
  last6Months: 180,
  last12Months: 365,
  last2Years: 730,
  last3Years: 1095,
};

/** Windows roll back from now; today, yesterday and tomorrow are calendar days in UTC. */
function presetRange(preset: string, now: Date): [Date, Date] {
  const midnight = Date.UTC(now.getUTCFullYear(), now.getUTCMonth(), now.getUTCDate());
  const offset = { today: 0, yesterday: -1, tomorrow: 1 }[preset];
  if (offset !== undefined) return [new Date(midnight + offset * dayMs), new Date(midnight + (offset + 1) * dayMs - 1)];
  const days = rollingDays[preset];
  if (days !== undefined) return [new Date(now.getTime() - days * dayMs), now];
  return mistaken(`"${preset}" is not a known preset of a date range.`);
}

function listOf(value: unknown, operator: string): unknown[] {
  if (Array.isArray(value)) return value;
  if (operator === 'containsAny') return [value];
  return mistaken(`The operator "${operator}" needs a list of values.`);
}

function isInstant(text: string): boolean {
  return /^\d{4}-\d{2}-\d{2}T/.test(text) && !Number.isNaN(Date.parse(text));
}

function instant(value: unknown): Date {
  const date = new Date(String(value));
  return Number.isNaN(date.getTime()) ? mistaken(`"${String(value)}" is not a date.`) : date;
}

/** The service turns it into a refusal. */
function mistaken(message: string): never {
  throw new QueryMistake(message);
}
