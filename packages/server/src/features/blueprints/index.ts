import type { Ctx } from '../../platform/ctx.ts';
import { refuseMissing } from '../../platform/refusal.ts';
import { findBlueprint, listBlueprints as listStored, type StoredBlueprint } from './store.ts';

export type { StoredBlueprint } from './store.ts';

export async function getBlueprint(ctx: Ctx, identifier: string): Promise<StoredBlueprint> {
  return (await findBlueprint(ctx.db, ctx.orgId, identifier)) ?? refuseMissing('Blueprint', identifier);
}

export async function findBlueprintIfAny(ctx: Ctx, identifier: string): Promise<StoredBlueprint | undefined> {
  return findBlueprint(ctx.db, ctx.orgId, identifier);
}

export async function listBlueprints(ctx: Ctx): Promise<StoredBlueprint[]> {
  return listStored(ctx.db, ctx.orgId);
}
