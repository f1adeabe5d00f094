import type { Entity, EntityBody, ErrorDetail, Migration } from '@quayside/contracts';
import { matchPattern, patternWork } from '@quayside/expressions';
import type { Ctx, World } from '../../platform/ctx.ts';
import { isViolation } from '../../platform/db.ts';
import { newId } from '../../platform/ids.ts';
import { refuse, refuseMissing } from '../../platform/refusal.ts';
import { createValueCheck } from '../../platform/user-schemas.ts';
import { findBlueprintIfAny, getBlueprint, listBlueprints, type StoredBlueprint } from '../blueprints/index.ts';
import { findPersonById } from '../identity/index.ts';
import { draftFrom, type EntityDraft, findPropertyMistakes, isSameDraft, mergeDraft, QueryMistake } from './model.ts';
import { asksAboutCaller, type Query, type SearchCaller } from './model-search.ts';
import { armTimers } from './service-timers.ts';
import * as store from './store.ts';
import { type SearchRequest, searchEntities } from './store-search.ts';

/** Is there such a run, and is it in progress? Given by app.ts, as runs know entities and not the other way round. */
export type FindRunStatus = (ctx: Ctx, runId: string) => Promise<{ isInProgress: boolean } | undefined>;

export interface WriteFlags {
  create_missing_related_entities?: boolean;
  run_id?: string;
}

/** Deletes an empty blueprint. Given by app.ts, as a feature writes only what it owns. */
export type DeleteBlueprint = (ctx: Ctx, identifier: string) => Promise<void>;

/** Teams and users behind the entities of `_team` and `_user`; their own twins are theirs to keep. */
export interface People {
  saveTeamOf(ctx: Ctx, before: EntityDraft | undefined, twin: EntityDraft): Promise<void>;
  removeTeamOf(ctx: Ctx, identifier: string): Promise<void>;
  saveUserOf(ctx: Ctx, before: EntityDraft | undefined, twin: EntityDraft): Promise<void>;
  removeUserOf(ctx: Ctx, identifier: string): Promise<void>;
}

/** Entities that are read and deleted in one step of a removal. */
const removalBatch = 500;

export function createEntityService(dependencies: {
  findRunStatus: FindRunStatus;
  deleteBlueprint: DeleteBlueprint;
  people: People;
}) {
  const { people } = dependencies;
  const check = createValueCheck({ begin: patternWork, matches: matchPattern });
  const twins: Readonly<Record<string, TwinKind | undefined>> = {
    _team: { save: people.saveTeamOf, remove: people.removeTeamOf },
    _user: { save: people.saveUserOf, remove: people.removeUserOf },
  };

  /**
   * Writes the person or team first. That makes or changes their twin, and what they say of its built-in values stands;
   * the rest of the write is added to it.
   */
  async function saveTwin(
    ctx: Ctx,
    blueprint: StoredBlueprint,
    kind: TwinKind,
    before: store.StoredEntity | undefined,
    draft: EntityDraft,
  ): Promise<{ twin: store.StoredEntity; draft: EntityDraft }> {
    assertManagesPeople(ctx, blueprint.identifier);
    if (before && before.identifier !== draft.identifier)
      refuse(
        'invalid_request',
        `body.identifier can not change: entities of ${blueprint.identifier} stand for people.`,
      );
    await kind.save(ctx, before, draft);
    const twin = await store.lockEntity(ctx.db, ctx.orgId, blueprint.rowId, draft.identifier);
    if (!twin) throw new Error('A person has no twin in the catalog.');
    const properties = { ...draft.properties };
    for (const key of builtInProperties[blueprint.identifier] ?? [])
      if (key in twin.properties) properties[key] = twin.properties[key];
      else delete properties[key];
    const team = blueprint.identifier === '_user' ? twin.team : draft.team;
    return { twin, draft: { ...draft, title: twin.title, team, properties } };
  }

  /** The run a write is tied to: unknown → 404; ended → the write happens, the tie is left out (decision D8). */
  async function tieTo(ctx: Ctx, runId: string | undefined): Promise<string | undefined> {
    if (!runId) return undefined;
    const run = (await dependencies.findRunStatus(ctx, runId)) ?? refuseMissing('Run', runId);
    return run.isInProgress ? runId : undefined;
  }

  async function save(
    ctx: Ctx,
    blueprint: StoredBlueprint,
    before: store.StoredEntity | undefined,
    draft: EntityDraft,
    flags: WriteFlags,
    runId: string | undefined,
  ): Promise<Entity> {
    const mistakes = findPropertyMistakes(blueprint, draft, before === undefined, check);
    const [first] = mistakes;
    if (first) refuse('invalid_request', `${first.path} ${first.message}`, mistakes);
    const links = await resolveRelations(ctx, blueprint, draft, flags.create_missing_related_entities ?? false, runId);
    if (before && isSameDraft(before, { ...draft, relations: pruneRelations(draft, blueprint.relations ?? {}) }))
      return store.toEntity(before, blueprint);
    const kind = twins[blueprint.identifier];
    const twin = kind && (await saveTwin(ctx, blueprint, kind, before, draft));
    const write = { orgId: ctx.orgId, draft: twin?.draft ?? draft, datasource: ctx.userAgent, by: ctx.actor.id };
    let rowId = before?.rowId ?? twin?.twin.rowId;
    if (rowId === undefined) {
      rowId = await store.insertEntity(ctx.db, { ...write, blueprintId: blueprint.rowId });
      if (rowId === undefined)
        refuse(
          'identifier_taken',
          `An entity with the identifier "${draft.identifier}" is already taken in blueprint "${blueprint.identifier}".`,
        );
    } else await store.updateEntity(ctx.db, { ...write, rowId });
    await store.replaceRelations(ctx.db, ctx.orgId, rowId, links);
    const saved = await store.findEntity(ctx.db, ctx.orgId, blueprint.rowId, draft.identifier);
    if (!saved) throw new Error('An entity vanished while it was written.');
    const after = store.toEntity(saved, blueprint);
    await armTimers(ctx, blueprint, rowId, before?.properties ?? {}, draft.properties);
    await ctx.emit({
      name: before ? 'entity.updated' : 'entity.created',
      subject: draft.identifier,
      blueprint: blueprint.identifier,
      entity: draft.identifier,
      ...(runId ? { runId } : {}),
      ...(before ? { before: store.toEntity(before, blueprint) } : {}),
      after,
    });
    return after;
  }

  async function resolveRelations(
    ctx: Ctx,
    blueprint: StoredBlueprint,
    draft: EntityDraft,
    createMissing: boolean,
    runId: string | undefined,
  ): Promise<{ relation: string; position: number; targetId: number }[]> {
    const links: { relation: string; position: number; targetId: number }[] = [];
    for (const [key, identifiers] of Object.entries(draft.relations)) {
      const relation = blueprint.relations?.[key];
      if (!relation) refuse('not_found', `The relation "${key}" was not found in blueprint "${blueprint.identifier}".`);
      if (!relation.many && identifiers.length > 1)
        refuse(
          'invalid_request',
          `body.relations.${key} holds ${identifiers.length} entities; this relation takes one.`,
        );
      const odd = identifiers.find((identifier) => typeof identifier !== 'string');
      if (odd !== undefined)
        refuse(
          'invalid_request',
          `body.relations.${key} must name entities by identifier; relations by search are not available yet.`,
        );
      const target = await getBlueprint(ctx, relation.target);
      const rowIds = await store.findRowIds(ctx.db, ctx.orgId, target.rowId, identifiers);
      for (const [position, identifier] of identifiers.entries()) {
        let targetId = rowIds.get(identifier);
        if (targetId === undefined && createMissing && !target.identifier.startsWith('_'))
          targetId = await createBare(ctx, target, identifier, runId);
        if (targetId === undefined)
          refuse(
            'not_found',
            `Entity with identifier "${identifier}" of blueprint "${relation.target}" was not found (body.relations.${key}).`,
          );
        links.push({ relation: key, position, targetId });
      }
    }
    return links;
  }

  /** A missing target: identifier and title only. Two writers may create the same one; the second finds it. */
  async function createBare(
    ctx: Ctx,
    blueprint: StoredBlueprint,
    identifier: string,
    runId: string | undefined,
  ): Promise<number> {
    const draft: EntityDraft = { identifier, title: identifier, icon: null, team: [], properties: {}, relations: {} };
    const rowId = await store.insertEntity(ctx.db, {
      orgId: ctx.orgId,
      blueprintId: blueprint.rowId,
      draft,
      datasource: ctx.userAgent,
      by: ctx.actor.id,
    });
    if (rowId === undefined) {
      const found = (await store.findRowIds(ctx.db, ctx.orgId, blueprint.rowId, [identifier])).get(identifier);
      if (found === undefined) throw new Error('A related entity vanished while it was created.');
      return found;
    }
    const created = await store.findEntity(ctx.db, ctx.orgId, blueprint.rowId, identifier);
    await ctx.emit({
      name: 'entity.created',
      subject: identifier,
      blueprint: blueprint.identifier,
      entity: identifier,
      ...(runId ? { runId } : {}),
      after: created && store.toEntity(created, blueprint),
    });
    return rowId;
  }

  async function create(
    world: World,
    blueprintIdentifier: string,
    body: EntityBody,
    flags: WriteFlags & { upsert?: boolean; merge?: boolean; validation_only?: boolean },
  ): Promise<Entity> {
    const identifier = body.identifier ?? newId('e');
    try {
      return await world.transaction(async (ctx) => {
        const blueprint = await getBlueprint(ctx, blueprintIdentifier);
        assertBlueprintOf(body, blueprint);
        const runId = await tieTo(ctx, flags.run_id);
        const before = await store.lockEntity(ctx.db, ctx.orgId, blueprint.rowId, identifier);
        if (before && !flags.upsert)
          refuse(
            'identifier_taken',
            `An entity with the identifier "${identifier}" is already taken in blueprint "${blueprintIdentifier}". Use upsert=true to update it.`,
          );
        const draft =
          before && flags.merge
            ? mergeDraft(before, { ...body, identifier })
            : draftFrom(blueprint, body, identifier, before === undefined);
        const entity = await save(ctx, blueprint, before, draft, flags, runId);
        if (flags.validation_only) throw new ValidatedOnly(entity);
        return entity;
      });
    } catch (error) {
      if (error instanceof ValidatedOnly) return error.entity;
      throw error;
    }
  }

  async function change(
    world: World,
    blueprintIdentifier: string,
    identifier: string,
    body: EntityBody,
    flags: WriteFlags,
    next: (before: store.StoredEntity, blueprint: StoredBlueprint) => EntityDraft,
  ): Promise<Entity> {
    try {
      return await world.transaction(async (ctx) => {
        const blueprint = await getBlueprint(ctx, blueprintIdentifier);
        assertBlueprintOf(body, blueprint);
        const runId = await tieTo(ctx, flags.run_id);
        const before =
          (await store.lockEntity(ctx.db, ctx.orgId, blueprint.rowId, identifier)) ??
          refuseMissing('Entity', identifier);
        return save(ctx, blueprint, before, next(before, blueprint), flags, runId);
      });
    } catch (error) {
      if (isViolation(error, '23505'))
        refuse(
          'identifier_taken',
          `An entity with the identifier "${body.identifier}" is already taken in blueprint "${blueprintIdentifier}".`,
        );
      throw error;
    }
  }

  async function remove(
    world: World,
    blueprintIdentifier: string,
    identifier: string,
    flags: { delete_dependents?: boolean; run_id?: string },
  ): Promise<void> {
    await world.transaction(async (ctx) => {
      const blueprint = await getBlueprint(ctx, blueprintIdentifier);
      const runId = await tieTo(ctx, flags.run_id);
      await removeOne(ctx, blueprint, identifier, flags.delete_dependents ?? false, runId);
    });
  }

  async function removeOne(
    ctx: Ctx,
    blueprint: StoredBlueprint,
    identifier: string,
    withDependents: boolean,
    runId: string | undefined,
  ): Promise<void> {
    const before = await store.lockEntity(ctx.db, ctx.orgId, blueprint.rowId, identifier);
    if (!before) refuseMissing('Entity', identifier);
    const dependents: ErrorDetail[] = [];
    for (const pointing of await store.listPointing(ctx.db, ctx.orgId, before.rowId)) {
      const owner = await getBlueprint(ctx, pointing.blueprint);
      // Optional relations are cleared with the row; only a required one makes a dependent.
      if (!owner.relations?.[pointing.relation]?.required) continue;
      if (withDependents) await removeOne(ctx, owner, pointing.identifier, true, runId);
      else
        dependents.push({
          path: `${pointing.blueprint}/${pointing.identifier}`,
          message: `needs it through the relation "${pointing.relation}".`,
        });
    }
    if (dependents.length > 0)
      refuse(
        'has_dependents',
        `The entity "${identifier}" has_dependents: ${dependents.length} entities need it. Delete them first, or pass delete_dependents=true.`,
        dependents.slice(0, 20),
      );
    const kind = twins[blueprint.identifier];
    if (kind) {
      assertManagesPeople(ctx, blueprint.identifier);
      await kind.remove(ctx, identifier);
    } else await store.deleteEntity(ctx.db, ctx.orgId, before.rowId);
    await ctx.emit({
      name: 'entity.deleted',
      subject: identifier,
      blueprint: blueprint.identifier,
      entity: identifier,
      ...(runId ? { runId } : {}),
      before: store.toEntity(before, blueprint),
    });
  }

  /**
   * In one transaction, whatever the number: no reader sees half of it, and the record that clients poll is complete from
   * the start. Each entity has its event, so the cost grows with their number.
   */
  async function removeAll(
    world: World,
    blueprintIdentifier: string,
    flags: { delete_blueprint?: boolean; run_id?: string },
  ): Promise<string> {
    return world.transaction(async (ctx) => {
      const blueprint = await getBlueprint(ctx, blueprintIdentifier);
      if (twins[blueprintIdentifier])
        refuse('forbidden', `The entities of ${blueprintIdentifier} stand for people. Delete them one by one.`);
      const runId = await tieTo(ctx, flags.run_id);
      const needing = (await listBlueprints(ctx)).filter(
        (other) =>
          other.rowId !== blueprint.rowId &&
          Object.values(other.relations ?? {}).some(
            (relation) => relation.target === blueprintIdentifier && relation.required,
          ),
      );
      if (needing.length > 0)
        refuse(
          'has_dependents',
          `The blueprint "${blueprintIdentifier}" has_dependents: required relations of ${needing.map((other) => `"${other.identifier}"`).join(', ')} point at it.`,
        );
      let successCount = 0;
      for (;;) {
        const batch = await store.listSomeEntities(ctx.db, ctx.orgId, blueprint.rowId, removalBatch);
        for (const before of batch)
          await ctx.emit({
            name: 'entity.deleted',
            subject: before.identifier,
            blueprint: blueprint.identifier,
            entity: before.identifier,
            ...(runId ? { runId } : {}),
            before: store.toEntity(before, blueprint),
          });
        await store.deleteEntities(
          ctx.db,
          ctx.orgId,
          batch.map((entity) => entity.rowId),
        );
        successCount += batch.length;
        if (batch.length < removalBatch) break;
      }
      if (flags.delete_blueprint) await dependencies.deleteBlueprint(ctx, blueprintIdentifier);
      const id = newId('migration');
      await store.insertMigration(ctx.db, ctx.orgId, {
        id,
        actor: ctx.actor.id,
        sourceBlueprint: blueprintIdentifier,
        deleteBlueprint: flags.delete_blueprint ?? false,
        successCount,
      });
      return id;
    });
  }

  return {
    create,
    removeAll,
    replace: (world: World, blueprint: string, identifier: string, body: EntityBody, flags: WriteFlags) =>
      change(world, blueprint, identifier, body, flags, (_before, owner) =>
        draftFrom(owner, body, body.identifier ?? identifier, false),
      ),
    patch: (world: World, blueprint: string, identifier: string, body: EntityBody, flags: WriteFlags) =>
      change(world, blueprint, identifier, body, flags, (before) => mergeDraft(before, body)),
    remove,
  };
}
export type EntityService = ReturnType<typeof createEntityService>;

interface TwinKind {
  save(ctx: Ctx, before: EntityDraft | undefined, twin: EntityDraft): Promise<void>;
  remove(ctx: Ctx, identifier: string): Promise<void>;
}

/** What people say of themselves; see migration 0016. */
const builtInProperties: Readonly<Record<string, readonly string[]>> = {
  _team: ['description'],
  _user: ['status', 'port_role'],
};

/** Whoever may write entities must not make themselves an administrator by it. */
function assertManagesPeople(ctx: Ctx, blueprint: string): void {
  if (ctx.actor.kind !== 'system' && !ctx.actor.permissions.has('user:manage'))
    refuse('forbidden', `Entities of ${blueprint} stand for people; changing them needs the permission user:manage.`);
}

/** Rolls a validation_only write back, carrying what it would have written. */
class ValidatedOnly extends Error {
  readonly entity: Entity;
  constructor(entity: Entity) {
    super('validated');
    this.entity = entity;
  }
}

function pruneRelations(draft: EntityDraft, relations: Readonly<Record<string, unknown>>): Record<string, string[]> {
  return Object.fromEntries(Object.entries(draft.relations).filter(([key]) => key in relations));
}

function assertBlueprintOf(body: EntityBody, blueprint: StoredBlueprint): void {
  if (body.blueprint !== undefined && body.blueprint !== blueprint.identifier)
    refuse('invalid_request', `body.blueprint is "${body.blueprint}", but the path says "${blueprint.identifier}".`);
}

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
