import type {
  Action,
  ActionPermissions,
  ActionPermissionsPatch,
  Entity,
  ErrorDetail,
  Policy,
  Verdict,
} from '@quayside/contracts';
import { compileExpression, compileTemplate, evaluateOutcome, type Json } from '@quayside/expressions';
import type { Person } from '../identity/index.ts';

/** Pure rules of permissions (spec/actions.md §1.15): grants, policies, and the sentence that says which one decided. */

/** What somebody wants to do, as far as rules look at it. */
export interface Ask {
  action: Action;
  entity: Entity | null;
  inputs: Record<string, unknown>;
  at: Date;
}

export const defaultPermissions: ActionPermissions = {
  execute: { users: [], roles: ['Member'], teams: [], ownedByTeam: false, policy: null },
  approve: { users: [], roles: ['Admin'], teams: [], policy: null },
};

export function applyPatch(before: ActionPermissions, patch: ActionPermissionsPatch): ActionPermissions {
  const lists = (side: { users: string[]; roles: string[]; teams: string[] }, change: typeof patch.approve = {}) => ({
    users: change.users ?? side.users,
    roles: change.roles ?? side.roles,
    teams: change.teams ?? side.teams,
  });
  return {
    execute: {
      ...lists(before.execute, patch.execute),
      ownedByTeam: patch.execute?.ownedByTeam ?? before.execute.ownedByTeam,
      policy: patch.execute?.policy === undefined ? before.execute.policy : patch.execute.policy,
    },
    approve: {
      ...lists(before.approve, patch.approve),
      policy: patch.approve?.policy === undefined ? before.approve.policy : patch.approve.policy,
    },
  };
}

export function findPolicyMistakes(patch: ActionPermissionsPatch): ErrorDetail[] {
  const mistakes: ErrorDetail[] = [];
  for (const side of ['execute', 'approve'] as const) {
    const policy = patch[side]?.policy;
    for (const [index, condition] of (policy?.conditions ?? []).entries()) {
      const compiled = compileExpression(condition);
      if (!compiled.ok)
        mistakes.push({
          path: `body.${side}.policy.conditions.${index}`,
          message: `does not compile: ${compiled.error.message}`,
        });
    }
    for (const [name, query] of Object.entries(policy?.queries ?? {}))
      for (const mistake of compileTemplate(query as never).mistakes)
        mistakes.push({
          path: [`body.${side}.policy.queries.${name}`, ...mistake.path].join('.'),
          message: `does not compile: ${mistake.reason}`,
        });
  }
  return mistakes;
}

/** A role includes those below it: "Member" means everyone. */
const rank: Readonly<Record<string, number>> = { Admin: 3, Moderator: 2, Member: 1 };

interface Grant {
  users: readonly string[];
  roles: readonly string[];
  teams: readonly string[];
  ownedByTeam?: boolean;
}

const sharesTeam = (person: Person, teams: readonly string[]) =>
  person.teams.find((team) => teams.includes(team.identifier) || teams.includes(team.name));

/** Which entry of the lists covers the person, as the end of a sentence; undefined = none. */
export function grantFor(person: Person, grant: Grant, entity: Entity | null): string | undefined {
  if (grant.users.some((email) => email.toLowerCase() === person.email)) return `${person.email} is named`;
  const role = grant.roles.find((name) => (rank[person.role] ?? 0) >= (rank[name] ?? 9));
  if (role !== undefined) return role === 'Member' ? 'everyone may' : `the role ${role} may`;
  const team = sharesTeam(person, grant.teams);
  if (team) return `the team ${team.name} may`;
  const owners = Array.isArray(entity?.team) ? entity.team : [];
  const owner = grant.ownedByTeam ? sharesTeam(person, owners) : undefined;
  return owner ? `the team ${owner.name} owns ${entity?.identifier}` : undefined;
}

/** Whom the lists name, for a person whom they do not cover. */
export function describeGrant(grant: Grant): string {
  const parts = [
    ...grant.roles.map((role) => `the role ${role}`),
    ...grant.teams.map((team) => `the team ${team}`),
    ...(grant.ownedByTeam ? ['the team that owns the entity'] : []),
    ...(grant.users.length > 0
      ? [`${grant.users.length} named ${grant.users.length === 1 ? 'person' : 'people'}`]
      : []),
  ];
  return parts.length > 0 ? parts.join(', ') : 'nobody';
}

/** Could other inputs, or another entity, change what the rules say of this ask? */
export function dependsOnForm(
  { ownedByTeam, policy }: ActionPermissions['execute'],
  ask: Ask,
  person: Person,
): boolean {
  if (policy) {
    const text = JSON.stringify(policy);
    return /\binputs\b/.test(text) || (ask.entity === null && /\bentity\b/.test(text));
  }
  return ownedByTeam && ask.entity === null && person.teams.length > 0;
}

/** What would let in a person whom the lists do not cover. */
export function remedyOf(grant: Grant, person: Person): string {
  const ways = [
    `name ${person.email} in the permissions of the action`,
    ...(grant.teams.length > 0 ? ['add them to one of its teams'] : []),
  ];
  const owned = grant.ownedByTeam ? ' An entity that one of their teams owns needs no such change.' : '';
  return `An administrator can ${ways.join(', or ')}.${owned}`;
}

/** What the templates and conditions of a policy see. */
export interface PolicyContext {
  [key: string]: Json;
}

export function policyContext(about: {
  action: unknown;
  blueprint: string | null;
  inputs: Record<string, unknown>;
  entity: Entity | null;
  user: Record<string, unknown> | null;
  at: string;
}): PolicyContext {
  return {
    blueprint: about.blueprint,
    action: about.action,
    inputs: about.inputs,
    entity: about.entity,
    user: about.user,
    trigger: { at: about.at, user: about.user },
  } as unknown as PolicyContext;
}

/** The query with its templates filled in, or why they could not be. */
export function renderQuery(
  query: Policy['queries'][string],
  context: PolicyContext,
): { combinator: string; rules: unknown[] } | string {
  const rendered = compileTemplate(query as never).render(context);
  return rendered.ok ? (rendered.value as unknown as { combinator: string; rules: unknown[] }) : rendered.error.message;
}

export interface ConditionResult {
  expression: string;
  value?: unknown;
  error?: string;
}

export interface PolicyOutcome {
  conditions: ConditionResult[];
  /** Queries that could not be run, each with the reason. */
  broken: { query: string; reason: string }[];
}

/**
 * `results` has what each query found, or why it could not be run. The reason stands where its results would, so that a
 * condition that looks at them fails: "there is none yet" must not be true because nobody could look (docs/adr/0036).
 */
export function evaluateConditions(
  policy: Policy,
  context: PolicyContext,
  results: Readonly<Record<string, readonly Entity[] | string>>,
): PolicyOutcome {
  const found = Object.entries(results).map(([name, result]) => [
    name,
    typeof result === 'string' ? result : { entities: result },
  ]);
  const input = { ...context, results: Object.fromEntries(found) } as unknown as Json;
  const conditions = policy.conditions.map((expression) => {
    const outcome = evaluateOutcome(expression, input);
    return outcome.ok
      ? { expression, value: outcome.value ?? null }
      : { expression, error: `${outcome.error.message}` };
  });
  const broken = Object.entries(results).flatMap(([query, reason]) =>
    typeof reason === 'string' ? [{ query, reason }] : [],
  );
  return { conditions, broken };
}

/** Any condition that is exactly true allows; everything else does not (implicit OR). */
export function judgePolicy({ conditions, broken }: PolicyOutcome): Verdict {
  const index = conditions.findIndex((condition) => condition.value === true);
  const failed = conditions.filter((condition) => condition.error !== undefined).length;
  const because =
    index >= 0
      ? `condition ${index + 1} of the policy is true`
      : [
          'no condition of the policy is true',
          ...(failed > 0 ? [`${failed} of ${conditions.length} failed`] : []),
          ...broken.map(({ query, reason }) => `its query "${query}" can not be run: ${reason.replace(/\.$/, '')}`),
        ].join('; ');
  const remedy = 'Something in the catalog that the conditions look at has to change, or an administrator the policy.';
  return { isAllowed: index >= 0, because, conditions, ...(index >= 0 ? {} : { remedy }) };
}

/** The union of the e-mails that the conditions yield; what is no list of texts yields nobody. */
export function emailsOf({ conditions }: PolicyOutcome): string[] {
  const emails = conditions.flatMap(({ value }) => (Array.isArray(value) ? value : []));
  return [...new Set(emails.filter((email) => typeof email === 'string').map((email) => email.toLowerCase()))];
}
