import type { Action } from '@quayside/contracts';
import type { Ctx } from '../../platform/ctx.ts';
import { refuseMissing } from '../../platform/refusal.ts';
import { findAction } from './store.ts';

export { selfServiceTrigger } from './model.ts';
export type { Ask } from './model-permissions.ts';

export async function getAction(ctx: Ctx, identifier: string): Promise<Action> {
  return (await findAction(ctx.db, ctx.orgId, identifier)) ?? refuseMissing('Action', identifier);
}
