import type { Ctx } from '../../platform/ctx.ts';
import { refuse, refuseLack } from '../../platform/refusal.ts';
import type { StoredBlueprint } from '../blueprints/index.ts';
import type { EntityDraft } from './model.ts';
import * as store from './store.ts';

/** Entities of `_team` and `_user` stand for people, who are identity's (docs/adr/0027): both are written as one. */

/** Teams and users behind the entities of `_team` and `_user`; their own twins are theirs to keep. */
export interface People {
  saveTeamOf(ctx: Ctx, before: EntityDraft | undefined, twin: EntityDraft): Promise<void>;
  removeTeamOf(ctx: Ctx, identifier: string): Promise<void>;
  saveUserOf(ctx: Ctx, before: EntityDraft | undefined, twin: EntityDraft): Promise<void>;
  removeUserOf(ctx: Ctx, identifier: string): Promise<void>;
}

export interface TwinKind {
  save(ctx: Ctx, before: EntityDraft | undefined, twin: EntityDraft): Promise<void>;
  remove(ctx: Ctx, identifier: string): Promise<void>;
}

/** What people say of themselves; see migration 0016. */
const builtInProperties: Readonly<Record<string, readonly string[]>> = {
  _team: ['description'],
  _user: ['status', 'port_role'],
};

/** Whoever may write entities must not make themselves an administrator by it. */
export function assertManagesPeople(ctx: Ctx, blueprint: string): void {
  if (ctx.actor.kind !== 'system' && !ctx.actor.permissions.has('user:manage'))
    refuseLack(ctx.actor, 'user:manage', `Entities of ${blueprint} stand for people`);
}

export type Twins = Readonly<Record<string, TwinKind | undefined>>;

export const twinsOf = (people: People): Twins => ({
  _team: { save: people.saveTeamOf, remove: people.removeTeamOf },
  _user: { save: people.saveUserOf, remove: people.removeUserOf },
});

/**
 * Writes the person or team first. That makes or changes their twin, and what they say of its built-in values stands;
 * the rest of the write is added to it.
 */
export async function saveTwin(
  ctx: Ctx,
  blueprint: StoredBlueprint,
  kind: TwinKind,
  before: store.StoredEntity | undefined,
  draft: EntityDraft,
): Promise<{ twin: store.StoredEntity; draft: EntityDraft }> {
  assertManagesPeople(ctx, blueprint.identifier);
  if (before && before.identifier !== draft.identifier)
    refuse('invalid_request', `body.identifier can not change: entities of ${blueprint.identifier} stand for people.`);
  await kind.save(ctx, before, draft);
  const twin = await store.lockEntity(ctx.db, ctx.orgId, blueprint.rowId, draft.identifier, store.toWrite);
  if (!twin) throw new Error('A person has no twin in the catalog.');
  const properties = { ...draft.properties };
  for (const key of builtInProperties[blueprint.identifier] ?? [])
    if (key in twin.properties) properties[key] = twin.properties[key];
    else delete properties[key];
  const team = blueprint.identifier === '_user' ? twin.team : draft.team;
  return { twin, draft: { ...draft, title: twin.title, team, properties } };
}
