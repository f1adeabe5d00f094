import type {
  Action,
  ActionLimits,
  ActionPermissions,
  ActionPermissionsPatch,
  Entity,
  Policy,
  Verdict,
} from '@quayside/contracts';
import type { Ctx, World } from '../../platform/ctx.ts';
import { refuse, refuseMissing } from '../../platform/refusal.ts';
import { describePerson, findEntityOf, toCaller, tryQuery } from '../entities/index.ts';
import { findPersonByEmail, findPersonById, listPeople, type Person } from '../identity/index.ts';
import { selfServiceTrigger } from './model.ts';
import {
  type Ask,
  applyPatch,
  defaultPermissions,
  dependsOnForm,
  describeGrant,
  emailsOf,
  evaluateConditions,
  findPolicyMistakes,
  grantFor,
  judgePolicy,
  type PolicyContext,
  type PolicyOutcome,
  policyContext,
  remedyOf,
  renderQuery,
} from './model-permissions.ts';
import * as store from './store.ts';

/**
 * Permissions of actions: read, change, and judge. The lists decide, administrators pass them; where there is a policy it
 * alone decides, for administrators too, and the lists say who sees the action (spec/actions.md §1.15).
 */

/** A policy reads at most this many entities per query. */
const maxPolicyEntities = 1_000;

async function mustFind(ctx: Ctx, identifier: string): Promise<Action> {
  return (await store.findAction(ctx.db, ctx.orgId, identifier)) ?? refuseMissing('Action', identifier);
}

async function permissionsOf(ctx: Ctx, actionId: string): Promise<ActionPermissions> {
  return (await store.findPermissions(ctx.db, ctx.orgId, actionId)) ?? defaultPermissions;
}

export async function readPermissions(world: World, identifier: string): Promise<ActionPermissions> {
  return world.transaction(async (ctx) => permissionsOf(ctx, (await mustFind(ctx, identifier)).id));
}

export async function changePermissions(
  world: World,
  identifier: string,
  patch: ActionPermissionsPatch,
): Promise<ActionPermissions> {
  const mistakes = findPolicyMistakes(patch);
  const [first] = mistakes;
  if (first) refuse('invalid_expression', `${first.path} ${first.message}`, mistakes);
  return world.transaction(async (ctx) => {
    const action = (await store.lockAction(ctx.db, ctx.orgId, identifier)) ?? refuseMissing('Action', identifier);
    const before = await permissionsOf(ctx, action.id);
    const after = applyPatch(before, patch);
    await store.updatePermissions(ctx.db, ctx.orgId, action.id, after);
    await ctx.emit({
      name: 'action.updated',
      subject: identifier,
      before: { permissions: before },
      after: { permissions: after },
    });
    return after;
  });
}

const unlimited: ActionLimits = { concurrency: null, concurrencyPerEntity: null };

export async function limitsOf(ctx: Ctx, actionId: string): Promise<ActionLimits> {
  return (await store.findLimits(ctx.db, ctx.orgId, actionId)) ?? unlimited;
}

export async function readLimits(world: World, identifier: string): Promise<ActionLimits> {
  return world.transaction(async (ctx) => limitsOf(ctx, (await mustFind(ctx, identifier)).id));
}

export async function replaceLimits(world: World, identifier: string, limits: ActionLimits): Promise<ActionLimits> {
  return world.transaction(async (ctx) => {
    const action = (await store.lockAction(ctx.db, ctx.orgId, identifier)) ?? refuseMissing('Action', identifier);
    const before = await limitsOf(ctx, action.id);
    await store.updateLimits(ctx.db, ctx.orgId, action.id, limits);
    await ctx.emit({ name: 'action.updated', subject: identifier, before: { limits: before }, after: { limits } });
    return limits;
  });
}

async function evaluatePolicy(
  ctx: Ctx,
  policy: Policy,
  context: PolicyContext,
  person: Person | undefined,
): Promise<PolicyOutcome> {
  const caller = await toCaller(ctx, person);
  const results: Record<string, Entity[] | string> = {};
  for (const [name, query] of Object.entries(policy.queries)) {
    const rendered = renderQuery(query, context);
    results[name] = typeof rendered === 'string' ? rendered : await tryQuery(ctx, rendered, maxPolicyEntities, caller);
  }
  return evaluateConditions(policy, context, results);
}

function contextOf(ask: Ask, user: Record<string, unknown> | null): PolicyContext {
  const trigger = selfServiceTrigger(ask.action);
  return policyContext({
    action: { identifier: ask.action.identifier, title: ask.action.title ?? null },
    blueprint: trigger?.blueprintIdentifier ?? null,
    inputs: ask.inputs,
    entity: ask.entity,
    user,
    at: ask.at.toISOString(),
  });
}

/** May this person execute? A credential of the organization may execute everything that no policy forbids. */
export async function judgeExecute(ctx: Ctx, ask: Ask, person: Person | undefined): Promise<Verdict> {
  const { execute } = await permissionsOf(ctx, ask.action.id);
  if (execute.policy) {
    const user = person ? await describePerson(ctx, person) : null;
    return judgePolicy(await evaluatePolicy(ctx, execute.policy, contextOf(ask, user), person));
  }
  if (!person) return { isAllowed: true, because: 'a credential of the organization executes everything' };
  if (person.role === 'Admin') return { isAllowed: true, because: 'administrators execute everything' };
  const grant = grantFor(person, execute, ask.entity);
  if (grant) return { isAllowed: true, because: grant };
  const teams = person.teams.map((team) => team.name).join(', ') || 'no team';
  return {
    isAllowed: false,
    because: `it is for ${describeGrant(execute)}; ${person.email} has the role ${person.role} and is in ${teams}`,
    remedy: remedyOf(execute, person),
  };
}

/** Everybody who may approve the run of this request: ids of active users. */
export async function findApprovers(ctx: Ctx, ask: Ask, requester: Person | undefined): Promise<Person[]> {
  const { approve } = await permissionsOf(ctx, ask.action.id);
  const people = await listPeople(ctx);
  if (!approve.policy) return people.filter((person) => grantFor(person, approve, null) !== undefined);
  const user = requester ? await describePerson(ctx, requester) : null;
  const emails = new Set(emailsOf(await evaluatePolicy(ctx, approve.policy, contextOf(ask, user), requester)));
  return people.filter((person) => emails.has(person.email));
}

/** Are the approvers those that a policy names? */
export async function hasApproverPolicy(ctx: Ctx, actionId: string): Promise<boolean> {
  return (await permissionsOf(ctx, actionId)).approve.policy !== null;
}

/** Whether a person sees the action at all: what they could never execute is not shown to them. */
export async function visibleActions(ctx: Ctx, person: Person, actions: readonly Action[]): Promise<Action[]> {
  if (person.role === 'Admin') return [...actions];
  const permissions = await store.listPermissions(ctx.db, ctx.orgId);
  return actions.filter((action) => {
    const { execute } = permissions.get(action.id) ?? defaultPermissions;
    return execute.ownedByTeam || grantFor(person, execute, null) !== undefined;
  });
}

/** What stops actions for everybody just now, by their identifiers; given by app.ts, as runs know it. */
export type FindHolds = (
  ctx: Ctx,
  asked: readonly { action: Action; limits: ActionLimits }[],
  entity: string | null,
) => Promise<ReadonlyMap<string, Verdict>>;

/** Who may comes first; what holds up those who may comes second, as when it is executed. */
export async function why(
  world: World,
  findHolds: FindHolds,
  identifier: string,
  about: { user?: string; entity?: string },
): Promise<Verdict> {
  return world.transaction(async (ctx) => {
    const action = await mustFind(ctx, identifier);
    const person = await askedPerson(ctx, about.user);
    const blueprint = selfServiceTrigger(action)?.blueprintIdentifier;
    const entity =
      about.entity !== undefined && blueprint !== undefined
        ? ((await findEntityOf(ctx, blueprint, about.entity)) ?? refuseMissing('Entity', about.entity))
        : null;
    const ask: Ask = { action, entity, inputs: {}, at: ctx.now() };
    const verdict = await judgeExecute(ctx, ask, person);
    const { execute } = await permissionsOf(ctx, action.id);
    const depends = person !== undefined && dependsOnForm(execute, ask, person);
    if (verdict.isAllowed || depends) {
      const limits = await limitsOf(ctx, action.id);
      const hold = (await findHolds(ctx, [{ action, limits }], about.entity ?? null)).get(identifier);
      if (hold) return hold;
    }
    return depends ? { ...verdict, dependsOnForm: true } : verdict;
  });
}

/** What the caller sees and may not execute, whatever the form says: why its button is off. */
export async function listRefused(world: World, findHolds: FindHolds): Promise<Record<string, Verdict>> {
  return world.transaction(async (ctx) => {
    const person = ctx.actor.kind === 'user' ? await findPersonById(ctx, ctx.actor.id) : undefined;
    if (!person) return {};
    const actions = (await store.listActions(ctx.db, ctx.orgId)).filter((action) => selfServiceTrigger(action));
    const permissions = await store.listPermissions(ctx.db, ctx.orgId);
    const visible = await visibleActions(ctx, person, actions);
    const limits = await store.listLimits(ctx.db, ctx.orgId);
    const asked = visible.map((action) => ({ action, limits: limits.get(action.id) ?? unlimited }));
    const refused: Record<string, Verdict> = Object.fromEntries(await findHolds(ctx, asked, null));
    for (const action of visible) {
      const { execute } = permissions.get(action.id) ?? defaultPermissions;
      const ask: Ask = { action, entity: null, inputs: {}, at: ctx.now() };
      // Lists that let somebody see an action let them execute it, too; only these two can still refuse.
      if (!(execute.policy || execute.ownedByTeam) || dependsOnForm(execute, ask, person)) continue;
      const verdict = await judgeExecute(ctx, ask, person);
      if (!verdict.isAllowed) refused[action.identifier] = verdict;
    }
    return refused;
  });
}

async function askedPerson(ctx: Ctx, email: string | undefined): Promise<Person | undefined> {
  if (email === undefined) return ctx.actor.kind === 'user' ? findPersonById(ctx, ctx.actor.id) : undefined;
  if (ctx.actor.kind === 'user' && ctx.actor.role !== 'Admin' && ctx.actor.email !== email.toLowerCase())
    refuse('forbidden', 'Only administrators ask what others may do.');
  return (await findPersonByEmail(ctx, email.toLowerCase())) ?? refuseMissing('User', email);
}

/** The strings by which published clients filter their list of actions (§1.15). */
export async function listMine(world: World): Promise<string[]> {
  return world.transaction(async (ctx) => {
    const actions = (await store.listActions(ctx.db, ctx.orgId)).filter((action) => selfServiceTrigger(action));
    const person = ctx.actor.kind === 'user' ? await findPersonById(ctx, ctx.actor.id) : undefined;
    const permissions = await store.listPermissions(ctx.db, ctx.orgId);
    return actions.flatMap((action) => {
      const { execute } = permissions.get(action.id) ?? defaultPermissions;
      if (!person || person.role === 'Admin' || grantFor(person, execute, null) !== undefined)
        return [`execute:actions:${action.identifier}`];
      return execute.ownedByTeam ? [`execute:team_entities:actions:${action.identifier}`] : [];
    });
  });
}

/** The caller as the expressions of forms see them; null for a credential of the organization. */
export async function describeCaller(world: World): Promise<Record<string, unknown> | null> {
  return world.transaction(async (ctx) => {
    const person = ctx.actor.kind === 'user' ? await findPersonById(ctx, ctx.actor.id) : undefined;
    return person ? describePerson(ctx, person) : null;
  });
}
