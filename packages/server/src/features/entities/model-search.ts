import type { Entity } from '@quayside/contracts';
import type { Person } from '../identity/index.ts';
import { QueryMistake } from './model.ts';

/**
 * Contextual operands (spec/catalog.md §2.6.2) become values before a query becomes SQL: `{context: "user"}` is the caller's
 * `_user` entity, `{context: "userTeams"}` the caller's teams. Values are flattened; an operand without any makes its rule false.
 */
export interface SearchCaller {
  person: Person;
  /** Their entity in the catalog, where it has one. */
  entity: Entity | undefined;
}

export interface Query {
  combinator: string;
  rules: readonly unknown[];
}

/** Rules that are decided already; recognised by identity, so that no request can name them. */
const everything: Query = { combinator: 'and', rules: [] };
export const nothing: Query = { combinator: 'or', rules: [] };

interface Operand {
  context: string;
  property: string;
}

const isOperand = (value: unknown): value is Operand =>
  typeof value === 'object' && value !== null && 'context' in value && 'property' in value;

export function asksAboutCaller(query: Query): boolean {
  return query.rules.some((rule) => {
    const { rules, property, value } = rule as Record<string, unknown>;
    if (Array.isArray(rules)) return asksAboutCaller(rule as Query);
    return isOperand(property) || isOperand(value) || (Array.isArray(value) && value.includes('My Teams'));
  });
}

export function resolveContext(query: Query, caller: SearchCaller | undefined): Query {
  return { ...query, rules: query.rules.map((rule) => resolveRule(rule as Record<string, unknown>, caller)) };
}

function resolveRule(rule: Record<string, unknown>, caller: SearchCaller | undefined): unknown {
  if (Array.isArray(rule.rules)) return resolveContext(rule as unknown as Query, caller);
  if (isOperand(rule.property)) {
    const values = valuesOf(rule.property, caller);
    return values.length > 0 && compareKnown(values, String(rule.operator), rule.value) ? everything : nothing;
  }
  if (isOperand(rule.value)) {
    const values = valuesOf(rule.value, caller);
    return values.length > 0 ? { ...rule, ...withValues(String(rule.operator), values) } : nothing;
  }
  if (rule.property === '$team' && caller && Array.isArray(rule.value) && rule.value.includes('My Teams'))
    return { ...rule, value: rule.value.flatMap((name) => (name === 'My Teams' ? teamNames(caller) : [name])) };
  return rule;
}

const teamNames = ({ person }: SearchCaller): string[] => person.teams.flatMap((team) => [team.identifier, team.name]);

function valuesOf(operand: Operand, caller: SearchCaller | undefined): unknown[] {
  if (operand.context !== 'user' && operand.context !== 'userTeams')
    throw new QueryMistake(`The context "${operand.context}" is not known; there are "user" and "userTeams".`);
  if (!caller) return [];
  const { property } = operand;
  const found =
    operand.context === 'user'
      ? [ofUser(caller, property)]
      : caller.person.teams.map((team) =>
          property === '$title' ? team.name : property === '$identifier' ? team.identifier : null,
        );
  return [...new Set(found.flat())].filter((value) => value !== null && value !== undefined);
}

function ofUser({ person, entity }: SearchCaller, property: string): unknown {
  switch (property) {
    case '$identifier':
      return person.email;
    case '$title':
      return entity?.title ?? person.name;
    case '$team':
      return entity?.team ?? person.teams.map((team) => team.identifier);
    case 'port_role':
      return person.role;
    default:
      return entity?.properties?.[property] ?? entity?.relations?.[property];
  }
}

/** One value keeps its operator; of several, any may match. */
function withValues(operator: string, values: unknown[]): { operator: string; value: unknown } {
  if (operator === 'in' || operator === 'notIn' || operator === 'containsAny' || operator === 'matchAny')
    return { operator, value: values };
  if (operator === 'relatedTo') return { operator, value: values };
  if (values.length === 1) return { operator, value: values[0] };
  const many = { '=': 'in', '!=': 'notIn', contains: 'containsAny' }[operator];
  if (many === undefined)
    throw new QueryMistake(
      `The operator "${operator}" can not compare with the ${values.length} values of its operand.`,
    );
  return { operator: many, value: values };
}

function compareKnown(values: readonly unknown[], operator: string, value: unknown): boolean {
  const wanted = Array.isArray(value) ? value : [value];
  switch (operator) {
    case '=':
    case 'in':
    case 'contains':
    case 'containsAny':
      return values.some((one) => wanted.includes(one));
    case '!=':
    case 'notIn':
    case 'doesNotContains':
      return !values.some((one) => wanted.includes(one));
    default:
      throw new QueryMistake(`The operator "${operator}" is not possible for a property of the caller.`);
  }
}
