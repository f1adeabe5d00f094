import type { Action } from '@quayside/contracts';
import type { Ctx } from '../../platform/ctx.ts';
import { refuseMissing } from '../../platform/refusal.ts';
import * as store from './store.ts';

export { selfServiceTrigger } from './model.ts';
export type { Ask } from './model-permissions.ts';

/** The automations that are switched on. */
export async function listAutomations(ctx: Ctx): Promise<Action[]> {
  return store.listAutomations(ctx.db, ctx.orgId);
}

export async function findActionIfAny(ctx: Ctx, identifier: string): Promise<Action | undefined> {
  return store.findAction(ctx.db, ctx.orgId, identifier);
}

export async function getAction(ctx: Ctx, identifier: string): Promise<Action> {
  return (await store.findAction(ctx.db, ctx.orgId, identifier)) ?? refuseMissing('Action', identifier);
}
