import type { Blueprint, BlueprintBody, BlueprintPatch, BlueprintStructure, ErrorDetail } from '@quayside/contracts';
import type { Ctx, World } from '../../platform/ctx.ts';
import { isViolation } from '../../platform/db.ts';
import { refuse, refuseMissing } from '../../platform/refusal.ts';
import {
  type BlueprintDocument,
  complete,
  findMistakes,
  findSystemMistakes,
  isSystemBlueprint,
  merge,
  withoutStamps,
} from './model.ts';
import * as store from './store.ts';

const shown = ({ rowId: _rowId, ...blueprint }: store.StoredBlueprint): Blueprint => blueprint;

/** The document of a stored blueprint, without what the server added. */
function documentOf({ rowId: _rowId, ...blueprint }: store.StoredBlueprint): BlueprintDocument {
  return withoutStamps(blueprint);
}

async function assertSound(ctx: Ctx, body: BlueprintDocument, before?: BlueprintDocument): Promise<void> {
  const mistakes: ErrorDetail[] = findMistakes(body, before);
  const structure = await store.findStructure(ctx.db, before?.identifier ?? body.identifier);
  if (structure) mistakes.push(...findSystemMistakes(body, structure));
  for (const [key, relation] of Object.entries(body.relations ?? {})) {
    const isSelf = relation.target === body.identifier || relation.target === before?.identifier;
    if (!isSelf && !(await store.findBlueprint(ctx.db, ctx.orgId, relation.target)))
      mistakes.push({
        path: `body.relations.${key}.target`,
        message: `names the blueprint "${relation.target}", which was not found.`,
      });
  }
  const [first] = mistakes;
  if (first) refuse('invalid_request', `${first.path} ${first.message}`, mistakes);
}

function refuseTaken(identifier: string): never {
  refuse('identifier_taken', `A blueprint with the identifier "${identifier}" is already taken.`);
}

export async function createBlueprint(world: World, body: BlueprintBody): Promise<Blueprint> {
  try {
    return await world.transaction(async (ctx) => {
      const document = complete(body);
      await assertSound(ctx, document);
      await store.insertBlueprint(ctx.db, ctx.orgId, document, ctx.actor.id);
      const created = await get(ctx, body.identifier);
      await ctx.emit({
        name: 'blueprint.created',
        subject: body.identifier,
        blueprint: body.identifier,
        after: shown(created),
      });
      return shown(created);
    });
  } catch (error) {
    if (isViolation(error, '23505')) refuseTaken(body.identifier);
    throw error;
  }
}

async function get(ctx: Ctx, identifier: string): Promise<store.StoredBlueprint> {
  return (await store.findBlueprint(ctx.db, ctx.orgId, identifier)) ?? refuseMissing('Blueprint', identifier);
}

export async function listBlueprints(world: World): Promise<Blueprint[]> {
  return world.transaction(async (ctx) => (await store.listBlueprints(ctx.db, ctx.orgId)).map(shown));
}

export async function readBlueprint(world: World, identifier: string): Promise<Blueprint> {
  return world.transaction(async (ctx) => shown(await get(ctx, identifier)));
}

export async function readStructure(world: World, identifier: string): Promise<BlueprintStructure> {
  return world.transaction(
    async (ctx) => (await store.findStructure(ctx.db, identifier)) ?? refuseMissing('System blueprint', identifier),
  );
}

/** What else names blueprints; given by app.ts, as blueprints know no other feature. */
export type Followers = readonly ((ctx: Ctx, from: string, to: string) => Promise<void>)[];

export async function replaceBlueprint(
  world: World,
  followers: Followers,
  identifier: string,
  body: Omit<BlueprintBody, 'identifier'> & { identifier?: string },
): Promise<Blueprint> {
  return change(world, followers, identifier, () => complete({ ...body, identifier: body.identifier ?? identifier }));
}

export async function patchBlueprint(
  world: World,
  followers: Followers,
  identifier: string,
  patch: BlueprintPatch,
): Promise<Blueprint> {
  return change(world, followers, identifier, (before) => merge(before, patch));
}

async function change(
  world: World,
  followers: Followers,
  identifier: string,
  next: (before: BlueprintDocument) => BlueprintDocument,
): Promise<Blueprint> {
  try {
    return await world.transaction(async (ctx) => {
      const stored =
        (await store.lockBlueprint(ctx.db, ctx.orgId, identifier)) ?? refuseMissing('Blueprint', identifier);
      const before = documentOf(stored);
      const after = next(before);
      if (isSystemBlueprint(identifier) && after.identifier !== identifier)
        refuse('invalid_request', 'A system blueprint can not be renamed.');
      await assertSound(ctx, after, before);
      if (JSON.stringify(before) === JSON.stringify(after)) return shown(stored);
      await store.updateBlueprint(ctx.db, ctx.orgId, stored.rowId, after, ctx.actor.id);
      if (after.identifier !== identifier) {
        await renameReferences(ctx, identifier, after.identifier);
        for (const follow of followers) await follow(ctx, identifier, after.identifier);
      }
      const changed = await get(ctx, after.identifier);
      await ctx.emit({
        name: 'blueprint.updated',
        subject: after.identifier,
        blueprint: after.identifier,
        before: shown(stored),
        after: shown(changed),
      });
      return shown(changed);
    });
  } catch (error) {
    if (isViolation(error, '23505'))
      refuse('identifier_taken', 'A blueprint with the new identifier is already taken.');
    throw error;
  }
}

/** Relations and aggregations name their target by identifier, so a rename rewrites the documents that point at it. */
async function renameReferences(ctx: Ctx, from: string, to: string): Promise<void> {
  const pointed = <T extends Record<string, unknown>>(map: Record<string, T> | undefined): Record<string, T> =>
    Object.fromEntries(
      Object.entries(map ?? {}).map(([key, value]) => [key, value.target === from ? { ...value, target: to } : value]),
    );
  for (const blueprint of await store.listBlueprints(ctx.db, ctx.orgId)) {
    const document = documentOf(blueprint);
    const renamed = {
      ...document,
      relations: pointed(document.relations),
      aggregationProperties: pointed(document.aggregationProperties),
    };
    if (JSON.stringify(renamed) !== JSON.stringify(document))
      await store.updateBlueprint(ctx.db, ctx.orgId, blueprint.rowId, renamed, ctx.actor.id);
  }
}

/** In the caller's transaction; a blueprint with entities is kept by its foreign key. */
export async function deleteBlueprint(ctx: Ctx, identifier: string): Promise<void> {
  const stored = (await store.lockBlueprint(ctx.db, ctx.orgId, identifier)) ?? refuseMissing('Blueprint', identifier);
  if (isSystemBlueprint(identifier)) refuse('forbidden', 'A system blueprint can not be deleted.');
  const users = (await store.listBlueprints(ctx.db, ctx.orgId)).filter(
    (other) =>
      other.identifier !== identifier &&
      Object.values(other.relations ?? {}).some((relation) => relation.target === identifier),
  );
  if (users.length > 0)
    refuse(
      'has_dependents',
      `The blueprint "${identifier}" has_dependents: relations of ${users.map((user) => `"${user.identifier}"`).join(', ')} point at it.`,
    );
  await store.deleteBlueprint(ctx.db, ctx.orgId, stored.rowId);
  await ctx.emit({ name: 'blueprint.deleted', subject: identifier, blueprint: identifier, before: shown(stored) });
}

export async function removeBlueprint(world: World, identifier: string): Promise<void> {
  try {
    await world.transaction((ctx) => deleteBlueprint(ctx, identifier));
  } catch (error) {
    if (isViolation(error, '23503'))
      refuse(
        'has_dependents',
        `The blueprint "${identifier}" has_dependents: it still has entities. Delete them first.`,
      );
    throw error;
  }
}
