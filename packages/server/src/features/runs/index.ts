import type { Ctx } from '../../platform/ctx.ts';
import type { Vault } from '../../platform/vault.ts';
import { payloadToSend } from './model-payload.ts';
import { findRun, findRuns } from './store.ts';

export async function findRunStatus(ctx: Ctx, runId: string): Promise<{ isInProgress: boolean } | undefined> {
  const run = await findRun(ctx.db, ctx.orgId, runId);
  return run && { isInProgress: run.status === 'IN_PROGRESS' };
}

export interface PublishableRun {
  id: string;
  /** The rendered invocation, with the secrets. */
  payload: Record<string, unknown>;
  /** The same without them. */
  shown: Record<string, unknown>;
}

/** What is to go into the organization's topic, of these runs: those that are still to be carried out, or are to be once more. */
export async function findPublishableRuns(
  ctx: Ctx,
  vault: Vault,
  runIds: readonly string[],
): Promise<PublishableRun[]> {
  const runs = runIds.length === 0 ? [] : await findRuns(ctx.db, ctx.orgId, runIds);
  return runs.flatMap((run) =>
    (run.status === 'IN_PROGRESS' || run.isReplayed) && run.payload !== null
      ? [{ id: run.id, payload: payloadToSend(run, vault.open), shown: run.payload }]
      : [],
  );
}
