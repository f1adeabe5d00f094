import type { Entity } from '@quayside/contracts';
import type { Ctx } from '../../platform/ctx.ts';
import { getBlueprint } from '../blueprints/index.ts';
import { findEntity, toEntity } from './store.ts';

/** The entity as the API shows it; `undefined` when it does not exist. The blueprint must. */
export async function findEntityOf(ctx: Ctx, blueprint: string, identifier: string): Promise<Entity | undefined> {
  const { rowId, relations } = await getBlueprint(ctx, blueprint);
  const stored = await findEntity(ctx.db, ctx.orgId, rowId, identifier);
  return stored && toEntity(stored, relations ?? {});
}
