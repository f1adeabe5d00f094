import type { Entity, Migration } from '@quayside/contracts';
import type { Ctx, World } from '../../platform/ctx.ts';
import { refuse, refuseMissing } from '../../platform/refusal.ts';
import { findBlueprintIfAny, getBlueprint, type StoredBlueprint } from '../blueprints/index.ts';
import { findPersonById } from '../identity/index.ts';
import { QueryMistake } from './model.ts';
import { asksAboutCaller, type Query, type SearchCaller } from './model-search.ts';
import * as store from './store.ts';
import { type SearchRequest, searchEntities } from './store-search.ts';

/** Entities as they are found: one, a page of a search, all that match, and what became of one. */

export async function readEntity(world: World, blueprintIdentifier: string, identifier: string): Promise<Entity> {
  return world.transaction(async (ctx) => {
    const blueprint = await getBlueprint(ctx, blueprintIdentifier);
    const stored =
      (await store.findEntity(ctx.db, ctx.orgId, blueprint.rowId, identifier)) ?? refuseMissing('Entity', identifier);
    return store.toEntity(stored, blueprint);
  });
}

export async function listEntities(world: World, blueprintIdentifier: string): Promise<Entity[]> {
  return world.transaction(async (ctx) => {
    const blueprint = await getBlueprint(ctx, blueprintIdentifier);
    return (await store.listEntities(ctx.db, ctx.orgId, blueprint.rowId)).map((stored) =>
      store.toEntity(stored, blueprint),
    );
  });
}

export async function countEntities(world: World, blueprintIdentifier: string): Promise<number> {
  return world.transaction(async (ctx) =>
    store.countEntities(ctx.db, ctx.orgId, (await getBlueprint(ctx, blueprintIdentifier)).rowId),
  );
}

export async function searchBlueprint(
  world: World,
  blueprintIdentifier: string,
  request: Omit<SearchRequest, 'blueprintId'>,
): Promise<{ entities: Entity[]; next?: string }> {
  return world.transaction(async (ctx) => {
    const blueprint = await getBlueprint(ctx, blueprintIdentifier);
    const { entities, next } = await search(ctx, { ...request, blueprintId: blueprint.rowId });
    return {
      entities: entities.map((stored) => store.toEntity(stored, blueprint)),
      ...(next ? { next } : {}),
    };
  });
}

/** Looked up only for a query that asks about its caller. */
async function findCaller(ctx: Ctx, query: Query | undefined): Promise<SearchCaller | undefined> {
  const person =
    query && asksAboutCaller(query) && ctx.actor.kind === 'user' && (await findPersonById(ctx, ctx.actor.id));
  if (!person) return undefined;
  const users = await findBlueprintIfAny(ctx, '_user');
  const stored = users && (await store.findEntity(ctx.db, ctx.orgId, users.rowId, person.email));
  return { person, entity: stored && store.toEntity(stored, users) };
}

async function search(ctx: Ctx, request: SearchRequest): ReturnType<typeof searchEntities> {
  try {
    const caller = await findCaller(ctx, request.query);
    return await searchEntities(ctx.db, ctx.orgId, caller ? { ...request, caller } : request);
  } catch (error) {
    if (error instanceof QueryMistake) refuse('invalid_request', error.message);
    throw error;
  }
}

const searchAllLimit = 10_000;

export async function searchEverywhere(
  world: World,
  query: { combinator: string; rules: readonly unknown[] },
): Promise<{ entities: Entity[]; matchingBlueprints: string[] }> {
  return world.transaction(async (ctx) => {
    const { entities } = await search(ctx, { query, limit: searchAllLimit });
    const blueprints = new Map<string, StoredBlueprint | undefined>();
    for (const { blueprint } of entities)
      if (!blueprints.has(blueprint)) blueprints.set(blueprint, await findBlueprintIfAny(ctx, blueprint));
    return {
      entities: entities.map((stored) => store.toEntity(stored, blueprints.get(stored.blueprint))),
      matchingBlueprints: [...blueprints.keys()].sort(),
    };
  });
}

export async function readMigration(world: World, id: string): Promise<Migration> {
  return world.transaction(
    async (ctx) => (await store.findMigration(ctx.db, ctx.orgId, id)) ?? refuseMissing('Migration', id),
  );
}

const operationOf: Readonly<Record<string, 'CREATE' | 'UPDATE' | 'DELETE' | 'TIMER_EXPIRED'>> = {
  'entity.created': 'CREATE',
  'entity.updated': 'UPDATE',
  'entity.deleted': 'DELETE',
  'entity.timer_expired': 'TIMER_EXPIRED',
};

export async function readHistory(world: World, blueprintIdentifier: string, identifier: string, limit: number) {
  return world.transaction(async (ctx) => {
    await getBlueprint(ctx, blueprintIdentifier);
    const rows = await store.listChanges(ctx.db, ctx.orgId, blueprintIdentifier, identifier, limit);
    return rows.map((row) => ({
      operation: operationOf[row.name] ?? ('UPDATE' as const),
      at: row.at.toISOString(),
      by: row.actor.user?.email ?? row.actor.userId,
      origin: row.origin,
      ...(row.run_id ? { runId: row.run_id } : {}),
    }));
  });
}
