import type { Ctx } from '../../platform/ctx.ts';
import { refuseMissing } from '../../platform/refusal.ts';

/** Is there such a run, and is it in progress? Given by app.ts, as runs know entities and not the other way round. */
export type FindRunStatus = (ctx: Ctx, runId: string) => Promise<{ isInProgress: boolean } | undefined>;

/** What the event of a write says about the run that it is part of. */
export interface Tie {
  runId?: string;
  message?: string;
}
export type TieTo = (ctx: Ctx, runId: string | undefined) => Promise<Tie>;

/**
 * The run a write is tied to (spec/actions.md §2.6). Unknown → 404. Not in progress → the write happens, as a pipeline that
 * reports late must not break; the tie is left out, and the audit log says so.
 */
export const createTies =
  (findRunStatus: FindRunStatus): TieTo =>
  async (ctx, runId) => {
    if (!runId) return {};
    const run = (await findRunStatus(ctx, runId)) ?? refuseMissing('Run', runId);
    return run.isInProgress ? { runId } : { message: `Not tied to the run ${runId}, which was not in progress.` };
  };
