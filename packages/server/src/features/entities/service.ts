import type { Entity, EntityBody } from '@quayside/contracts';
import { matchPattern, patternWork } from '@quayside/expressions';
import type { Ctx, World } from '../../platform/ctx.ts';
import { beginAgain, isDeadlock, isViolation } from '../../platform/db.ts';
import { newId } from '../../platform/ids.ts';
import { refuse, refuseMissing } from '../../platform/refusal.ts';
import { createValueCheck } from '../../platform/user-schemas.ts';
import { getBlueprint, type StoredBlueprint } from '../blueprints/index.ts';
import { draftFrom, type EntityDraft, findPropertyMistakes, isSameDraft, mergeDraft } from './model.ts';
import { createRemoval, type DeleteBlueprint } from './service-removal.ts';
import { createTies, type FindRunStatus, type Tie } from './service-ties.ts';
import { armTimers } from './service-timers.ts';
import { type People, saveTwin, twinsOf } from './service-twins.ts';
import * as store from './store.ts';

export interface WriteFlags {
  create_missing_related_entities?: boolean;
  run_id?: string;
}

export function createEntityService(dependencies: {
  findRunStatus: FindRunStatus;
  deleteBlueprint: DeleteBlueprint;
  people: People;
}) {
  const check = createValueCheck({ begin: patternWork, matches: matchPattern });
  const tieTo = createTies(dependencies.findRunStatus);
  const twins = twinsOf(dependencies.people);

  async function save(
    ctx: Ctx,
    blueprint: StoredBlueprint,
    before: store.StoredEntity | undefined,
    draft: EntityDraft,
    flags: WriteFlags,
    tie: Tie,
  ): Promise<Entity> {
    const mistakes = findPropertyMistakes(blueprint, draft, before === undefined, check);
    const [first] = mistakes;
    if (first) refuse('invalid_request', `${first.path} ${first.message}`, mistakes);
    const links = await resolveRelations(ctx, blueprint, draft, flags.create_missing_related_entities ?? false, tie);
    if (before && isSameDraft(before, { ...draft, relations: pruneRelations(draft, blueprint.relations ?? {}) }))
      return store.toEntity(before, blueprint);
    const kind = twins[blueprint.identifier];
    const twin = kind && (await saveTwin(ctx, blueprint, kind, before, draft));
    const write = { orgId: ctx.orgId, draft: twin?.draft ?? draft, datasource: ctx.userAgent, by: ctx.actor.id };
    let rowId = before?.rowId ?? twin?.twin.rowId;
    if (rowId === undefined) {
      rowId = await store.insertEntity(ctx.db, { ...write, blueprintId: blueprint.rowId });
      if (rowId === undefined) throw new CreatedMeanwhile();
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
      ...tie,
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
    tie: Tie,
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
          targetId = await createBare(ctx, target, identifier, tie);
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
  async function createBare(ctx: Ctx, blueprint: StoredBlueprint, identifier: string, tie: Tie): Promise<number> {
    await store.lockMissing(ctx.db, ctx.orgId);
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
      ...tie,
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
    const once = () =>
      world.transaction(async (ctx) => {
        const blueprint = await getBlueprint(ctx, blueprintIdentifier);
        assertBlueprintOf(body, blueprint);
        const tie = await tieTo(ctx, flags.run_id);
        const before = await store.lockEntity(ctx.db, ctx.orgId, blueprint.rowId, identifier, store.toWrite);
        if (before && !flags.upsert) refuseTaken(identifier, blueprintIdentifier, 'Use upsert=true to update it.');
        const draft =
          before && flags.merge
            ? mergeDraft(before, { ...body, identifier })
            : draftFrom(blueprint, body, identifier, before === undefined);
        const entity = await save(ctx, blueprint, before, draft, flags, tie);
        if (flags.validation_only) throw new ValidatedOnly(entity);
        return entity;
      });
    try {
      return await beginAgain(once, (error) => isTaken(error) || hasMoved(error));
    } catch (error) {
      if (error instanceof ValidatedOnly) return error.entity;
      if (isTaken(error)) refuseTaken(identifier, blueprintIdentifier);
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
    const once = () =>
      world.transaction(async (ctx) => {
        const blueprint = await getBlueprint(ctx, blueprintIdentifier);
        assertBlueprintOf(body, blueprint);
        const tie = await tieTo(ctx, flags.run_id);
        const before =
          (await store.lockEntity(ctx.db, ctx.orgId, blueprint.rowId, identifier, store.toWrite)) ??
          refuseMissing('Entity', identifier);
        return save(ctx, blueprint, before, next(before, blueprint), flags, tie);
      });
    try {
      return await beginAgain(once, hasMoved);
    } catch (error) {
      if (isViolation(error, '23505')) refuseTaken(body.identifier ?? identifier, blueprintIdentifier);
      throw error;
    }
  }

  return {
    create,
    replace: (world: World, blueprint: string, identifier: string, body: EntityBody, flags: WriteFlags) =>
      change(world, blueprint, identifier, body, flags, (_before, owner) =>
        draftFrom(owner, body, body.identifier ?? identifier, false),
      ),
    patch: (world: World, blueprint: string, identifier: string, body: EntityBody, flags: WriteFlags) =>
      change(world, blueprint, identifier, body, flags, (before) => mergeDraft(before, body)),
    ...createRemoval({ tieTo, twins, deleteBlueprint: dependencies.deleteBlueprint }),
  };
}
export type EntityService = ReturnType<typeof createEntityService>;

/** Rolls a validation_only write back, carrying what it would have written. */
class ValidatedOnly extends Error {
  readonly entity: Entity;
  constructor(entity: Entity) {
    super('validated');
    this.entity = entity;
  }
}

function refuseTaken(identifier: string, blueprint: string, remedy?: string): never {
  const said = `An entity with the identifier "${identifier}" is already taken in blueprint "${blueprint}".`;
  refuse('identifier_taken', remedy === undefined ? said : `${said} ${remedy}`);
}

/** Another writer created the entity, or the person behind it, between this one's look and its insert. */
class CreatedMeanwhile extends Error {}

/** Another writer waited for this one, too, or removed what this one relates to. */
const hasMoved = (error: unknown) => isDeadlock(error) || isViolation(error, '23503');

const isTaken = (error: unknown) => error instanceof CreatedMeanwhile || isViolation(error, '23505');

function pruneRelations(draft: EntityDraft, relations: Readonly<Record<string, unknown>>): Record<string, string[]> {
  return Object.fromEntries(Object.entries(draft.relations).filter(([key]) => key in relations));
}

function assertBlueprintOf(body: EntityBody, blueprint: StoredBlueprint): void {
  if (body.blueprint !== undefined && body.blueprint !== blueprint.identifier)
    refuse('invalid_request', `body.blueprint is "${body.blueprint}", but the path says "${blueprint.identifier}".`);
}
