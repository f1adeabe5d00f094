import type { Action, ActionBody, ErrorDetail } from '@quayside/contracts';
import type { Ctx, World } from '../../platform/ctx.ts';
import { isViolation } from '../../platform/db.ts';
import { newId } from '../../platform/ids.ts';
import { refuse, refuseMissing } from '../../platform/refusal.ts';
import { findBlueprintIfAny } from '../blueprints/index.ts';
import { findPersonById } from '../identity/index.ts';
import {
  type ActionFilter,
  findMistakes,
  matchesFilter,
  renameActionIn,
  renameBlueprintIn,
  selfServiceTrigger,
  withRenamedBlueprint,
} from './model.ts';
import { visibleActions } from './service-permissions.ts';
import * as store from './store.ts';

async function assertSound(ctx: Ctx, action: ActionBody): Promise<void> {
  const mistakes = findMistakes(action);
  for (const { path, blueprint } of namedBlueprints(action))
    if (!(await findBlueprintIfAny(ctx, blueprint)))
      mistakes.push({ path, message: `names the blueprint "${blueprint}", which was not found.` });
  refuseMistakes(mistakes);
}

function refuseMistakes(mistakes: readonly ErrorDetail[]): void {
  const [first] = mistakes;
  if (!first) return;
  const isExpression = mistakes.every((mistake) => mistake.message.startsWith('does not compile'));
  refuse(isExpression ? 'invalid_expression' : 'invalid_request', `${first.path} ${first.message}`, mistakes);
}

function namedBlueprints(action: ActionBody): { path: string; blueprint: string }[] {
  const trigger = selfServiceTrigger(action);
  if (!trigger) {
    const event = (action.trigger as { event?: { blueprintIdentifier?: string } }).event;
    return event?.blueprintIdentifier
      ? [{ path: 'body.trigger.event.blueprintIdentifier', blueprint: event.blueprintIdentifier }]
      : [];
  }
  const named: { path: string; blueprint: string }[] = [];
  if (trigger.blueprintIdentifier)
    named.push({ path: 'body.trigger.blueprintIdentifier', blueprint: trigger.blueprintIdentifier });
  for (const [name, input] of Object.entries(trigger.userInputs.properties)) {
    const path = `body.trigger.userInputs.properties.${name}`;
    const items = input.items as { format?: string; blueprint?: string } | undefined;
    if (input.format === 'entity' && input.blueprint)
      named.push({ path: `${path}.blueprint`, blueprint: input.blueprint });
    if (items?.format === 'entity' && items.blueprint)
      named.push({ path: `${path}.items.blueprint`, blueprint: items.blueprint });
  }
  return named;
}

function refuseTaken(identifier: string): never {
  refuse('identifier_taken', `An action with the identifier "${identifier}" is already taken.`);
}

export async function createAction(world: World, body: ActionBody): Promise<Action> {
  try {
    return await world.transaction(async (ctx) => {
      await assertSound(ctx, body);
      await store.insertAction(ctx.db, ctx.orgId, newId('action'), body, ctx.actor.id);
      const action = await get(ctx, body.identifier);
      await ctx.emit({ name: 'action.created', subject: action.identifier, after: action });
      return action;
    });
  } catch (error) {
    if (isViolation(error, '23505')) refuseTaken(body.identifier);
    throw error;
  }
}

async function get(ctx: Ctx, identifier: string): Promise<Action> {
  return (await store.findAction(ctx.db, ctx.orgId, identifier)) ?? refuseMissing('Action', identifier);
}

export async function listActions(world: World, filter: ActionFilter): Promise<Action[]> {
  return world.transaction(async (ctx) => {
    const actions = (await store.listActions(ctx.db, ctx.orgId)).filter((action) => matchesFilter(action, filter));
    const person = ctx.actor.kind === 'user' ? await findPersonById(ctx, ctx.actor.id) : undefined;
    return person ? visibleActions(ctx, person, actions) : actions;
  });
}

export async function readAction(world: World, identifier: string): Promise<Action> {
  return world.transaction((ctx) => get(ctx, identifier));
}

export async function replaceAction(world: World, identifier: string, body: ActionBody): Promise<Action> {
  try {
    return await world.transaction(async (ctx) => {
      const before = (await store.lockAction(ctx.db, ctx.orgId, identifier)) ?? refuseMissing('Action', identifier);
      await assertSound(ctx, body);
      await store.updateAction(ctx.db, ctx.orgId, before.id, body, ctx.actor.id);
      if (body.identifier !== identifier)
        await rewriteActions(ctx, (action) => renameActionIn(action, identifier, body.identifier));
      const after = await get(ctx, body.identifier);
      await ctx.emit({ name: 'action.updated', subject: after.identifier, before, after });
      return after;
    });
  } catch (error) {
    if (isViolation(error, '23505')) refuseTaken(body.identifier);
    throw error;
  }
}

/** Documents that name something by an identifier that has changed; those that do not are left as they are. */
async function rewriteActions(ctx: Ctx, rewrite: (action: ActionBody) => ActionBody): Promise<void> {
  for (const before of await store.listActions(ctx.db, ctx.orgId)) {
    const { id, createdAt: _ca, createdBy: _cb, updatedAt: _ua, updatedBy: _ub, ...document } = before;
    const renamed = rewrite(document);
    if (JSON.stringify(renamed) === JSON.stringify(document)) continue;
    await store.updateAction(ctx.db, ctx.orgId, id, renamed, ctx.actor.id);
    const after = await get(ctx, before.identifier);
    await ctx.emit({ name: 'action.updated', subject: before.identifier, before, after });
  }
}

/**
 * Forms, triggers and policies follow a blueprint that is renamed. A policy that went on asking about the old name would
 * find nothing, and a condition like "there is none yet" would let everything pass.
 */
export async function followBlueprint(ctx: Ctx, from: string, to: string): Promise<void> {
  await rewriteActions(ctx, (action) => renameBlueprintIn(action, from, to));
  for (const [id, before] of await store.listPermissions(ctx.db, ctx.orgId)) {
    const after = withRenamedBlueprint(before, from, to);
    if (JSON.stringify(after) !== JSON.stringify(before)) await store.updatePermissions(ctx.db, ctx.orgId, id, after);
  }
}

export async function removeAction(world: World, identifier: string): Promise<void> {
  await world.transaction(async (ctx) => {
    const before = (await store.lockAction(ctx.db, ctx.orgId, identifier)) ?? refuseMissing('Action', identifier);
    await store.deleteAction(ctx.db, ctx.orgId, before.id);
    await ctx.emit({ name: 'action.deleted', subject: identifier, before });
  });
}
