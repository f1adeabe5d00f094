import { type Sql, sql } from '../../platform/db.ts';
import { QueryMistake } from './model.ts';

/**
 * Rules that follow relations (spec/catalog.md §2.6.2–2.6.3): `relatedTo`, `matchAny`, and rules about one relation. Each is
 * a condition on `entities e`. Cost: walks read one index entry per edge; `union` visits each entity once, so cycles end.
 */
const maxHops = 15;

export function relatedTo(orgId: string, rule: Readonly<Record<string, unknown>>): Sql {
  const { blueprint, direction, required } = rule;
  if (typeof blueprint !== 'string') throw new QueryMistake('relatedTo needs the "blueprint" of its value.');
  if (direction !== undefined && direction !== 'upstream' && direction !== 'downstream')
    throw new QueryMistake('The direction of relatedTo is "upstream" or "downstream".');
  const start = sql`select t.id from entities t join blueprints tb on tb.org_id = t.org_id and tb.id = t.blueprint_id
    where t.org_id = ${orgId} and tb.identifier = ${blueprint} and t.identifier = any(${textsOf(rule.value)})`;
  const edges = edgesOf(orgId, typeof required === 'boolean' ? required : undefined);
  const upstream = sql`e.id in (
    with recursive reached(id) as (
      select edge.target_id from ${edges} where edge.entity_id in (${start})
      union select edge.target_id from ${edges} join reached on edge.entity_id = reached.id
    ) select id from reached)`;
  const downstream = sql`e.id in (
    with recursive reached(id) as (
      select edge.entity_id from ${edges} where edge.target_id in (${start})
      union select edge.entity_id from ${edges} join reached on edge.target_id = reached.id
    ) select id from reached)`;
  if (direction === 'upstream') return upstream;
  if (direction === 'downstream') return downstream;
  return sql`(${upstream} or ${downstream})`;
}

/** All edges, or those of relations that their blueprint does (or does not) require. */
function edgesOf(orgId: string, isRequired: boolean | undefined): Sql {
  if (isRequired === undefined)
    return sql`(select entity_id, target_id from entity_relations where org_id = ${orgId}) edge`;
  return sql`(select link.entity_id, link.target_id from entity_relations link
    join entities source on source.org_id = link.org_id and source.id = link.entity_id
    join blueprints sb on sb.org_id = source.org_id and sb.id = source.blueprint_id
    where link.org_id = ${orgId}
      and coalesce((sb.document #>> array['relations', link.relation, 'required'])::boolean, false) = ${isRequired}) edge`;
}

interface Step {
  relation: string;
  hops: number;
}

/** `property: {path, fromBlueprint?}`: entities at the end of a path from, or to, the named ones. */
export function matchAny(orgId: string, rule: Readonly<Record<string, unknown>>): Sql {
  const { path, fromBlueprint } = rule.property as { path?: unknown; fromBlueprint?: unknown };
  const values = textsOf(rule.value);
  if (!Array.isArray(path) || path.length === 0 || path.length > maxHops)
    throw new QueryMistake(`matchAny needs a property {path: […]} of 1 to ${maxHops} relations.`);
  const endsInTeam = path.at(-1) === '$team';
  const steps = (endsInTeam ? path.slice(0, -1) : path).map(toStep);
  if (steps.filter((step) => step.hops > 1).length > 1)
    throw new QueryMistake('A path may have one element with maxHops.');
  if (fromBlueprint !== undefined) {
    if (typeof fromBlueprint !== 'string' || endsInTeam)
      throw new QueryMistake('A path with fromBlueprint starts at entities of that blueprint and ends at entities.');
    const start = sql`select t.id from entities t join blueprints tb on tb.org_id = t.org_id and tb.id = t.blueprint_id
      where t.org_id = ${orgId} and tb.identifier = ${fromBlueprint} and t.identifier = any(${values})`;
    return sql`e.id in (${walk(orgId, start, steps)})`;
  }
  const end = walk(orgId, sql`select e.id`, steps);
  return endsInTeam
    ? sql`exists (select from entities t where t.org_id = ${orgId} and t.id in (${end}) and t.team && ${values}::text[])`
    : sql`exists (select from entities t where t.org_id = ${orgId} and t.id in (${end}) and t.identifier = any(${values}))`;
}

function toStep(element: unknown): Step {
  if (typeof element === 'string' && element !== '$team') return { relation: element, hops: 1 };
  const { relation, maxHops: hops = 1 } = (element ?? {}) as { relation?: unknown; maxHops?: unknown };
  if (typeof relation !== 'string' || !Number.isInteger(hops) || Number(hops) < 1 || Number(hops) > maxHops)
    throw new QueryMistake(
      `An element of a path is a relation, {relation, maxHops: 1 to ${maxHops}}, or "$team" at the end.`,
    );
  return { relation, hops: Number(hops) };
}

/** Ids at the end of the steps; a step of n hops gives every entity that is 1 to n hops away. */
function walk(orgId: string, start: Sql, steps: readonly Step[]): Sql {
  return steps.reduce(
    (from, { relation, hops }) =>
      hops === 1
        ? sql`select l.target_id from entity_relations l
            where l.org_id = ${orgId} and l.relation = ${relation} and l.entity_id in (${from})`
        : sql`with recursive hop(id, n) as (
            select l.target_id, 1 from entity_relations l
              where l.org_id = ${orgId} and l.relation = ${relation} and l.entity_id in (${from})
            union select l.target_id, hop.n + 1 from entity_relations l join hop on l.entity_id = hop.id
              where l.org_id = ${orgId} and l.relation = ${relation} and hop.n < ${hops}
          ) select id from hop`,
    start,
  );
}

/** `{relation, targetProperty?, operator, value}`: about the entities that one relation points at. */
export function relationCondition(orgId: string, rule: Readonly<Record<string, unknown>>): Sql {
  const { relation, targetProperty = '$identifier', value } = rule;
  const operator = String(rule.operator ?? '');
  if (typeof relation !== 'string') throw new QueryMistake('A rule about a relation needs its name as text.');
  if (targetProperty !== '$identifier' && targetProperty !== '$title')
    throw new QueryMistake('targetProperty is "$identifier" or "$title".');
  const column = targetProperty === '$title' ? sql`t.title` : sql`t.identifier`;
  const some = (condition: Sql) => sql`exists (
    select from entity_relations l join entities t on t.org_id = l.org_id and t.id = l.target_id
    where l.org_id = ${orgId} and l.entity_id = e.id and l.relation = ${relation} and ${condition})`;
  const text = String(value);
  switch (operator) {
    case 'isEmpty':
      return sql`not ${some(sql`true`)}`;
    case 'isNotEmpty':
      return some(sql`true`);
    case '=':
      return value === null ? sql`not ${some(sql`true`)}` : some(sql`${column} = ${text}`);
    case '!=':
      return value === null ? some(sql`true`) : sql`not ${some(sql`${column} = ${text}`)}`;
    case 'in':
    case 'containsAny':
      return some(sql`${column} = any(${textsOf(value)})`);
    case 'notIn':
      return sql`not ${some(sql`${column} = any(${textsOf(value)})`)}`;
    case 'contains':
      return some(sql`strpos(${column}, ${text}) > 0`);
    case 'doesNotContains':
      return sql`not ${some(sql`strpos(${column}, ${text}) > 0`)}`;
    case 'beginsWith':
      return some(sql`starts_with(${column}, ${text})`);
    case 'doesNotBeginsWith':
      return sql`not ${some(sql`starts_with(${column}, ${text})`)}`;
    case 'endsWith':
      return some(sql`right(${column}, ${text.length}) = ${text}`);
    case 'doesNotEndsWith':
      return sql`not ${some(sql`right(${column}, ${text.length}) = ${text}`)}`;
    default:
      throw new QueryMistake(`The operator "${operator}" is not possible for a relation.`);
  }
}

/** `{propertySchema, operator, value}`: any property of that type. */
export function typedCondition(rule: Readonly<Record<string, unknown>>): Sql {
  const { type, format, items } = (rule.propertySchema ?? {}) as Record<string, unknown>;
  const operator = String(rule.operator ?? '');
  if (typeof type !== 'string') throw new QueryMistake('propertySchema needs a "type".');
  const json = JSON.stringify(rule.value ?? null);
  const matches =
    operator === 'contains'
      ? sql`case when jsonb_typeof(e.properties -> p.key) = 'array' then e.properties -> p.key @> ${JSON.stringify([rule.value])}::jsonb
          else strpos(e.properties ->> p.key, ${String(rule.value)}) > 0 end`
      : operator === '=' || operator === '!='
        ? sql`e.properties -> p.key = ${json}::jsonb`
        : undefined;
  if (!matches) throw new QueryMistake('A rule with propertySchema has the operator "=", "!=" or "contains".');
  const itemType = (items as { type?: unknown } | undefined)?.type;
  const itemFormat = (items as { format?: unknown } | undefined)?.format;
  const some = sql`exists (select from json_each(b.document #> '{schema,properties}') p
    where p.value ->> 'type' = ${type}
      and (${typeof format === 'string' ? format : null}::text is null or p.value ->> 'format' = ${typeof format === 'string' ? format : null})
      and (${typeof itemType === 'string' ? itemType : null}::text is null or p.value #>> '{items,type}' = ${typeof itemType === 'string' ? itemType : null})
      and (${typeof itemFormat === 'string' ? itemFormat : null}::text is null or p.value #>> '{items,format}' = ${typeof itemFormat === 'string' ? itemFormat : null})
      and ${matches})`;
  return operator === '!=' ? sql`not ${some}` : some;
}

function textsOf(value: unknown): string[] {
  const list = Array.isArray(value) ? value : [value];
  if (list.some((item) => typeof item !== 'string'))
    throw new QueryMistake('The value of this rule is an identifier or a list of identifiers.');
  return list as string[];
}
