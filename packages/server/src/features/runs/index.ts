import type { Ctx } from '../../platform/ctx.ts';
import { findRun } from './store.ts';

export async function findRunStatus(ctx: Ctx, runId: string): Promise<{ isInProgress: boolean } | undefined> {
  const run = await findRun(ctx.db, ctx.orgId, runId);
  return run && { isInProgress: run.status === 'IN_PROGRESS' };
}
