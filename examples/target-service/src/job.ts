import { setTimeout as sleep } from 'node:timers/promises';
import type { EntityBody, Portal } from './portal.ts';
import type { WorkRequest } from './request.ts';

/** What the work of one run may use: a log line, a label, a link, an entity, a pause. All of it shows in the portal. */
export interface Job extends WorkRequest {
  log(message: string): Promise<void>;
  label(text: string): Promise<void>;
  link(url: string): Promise<void>;
  upsert(blueprint: string, entity: EntityBody): Promise<void>;
  /** Stands for real work. */
  step(): Promise<void>;
  /** Deletes the entity later, as long as this process lives. */
  removeLater(blueprint: string, identifier: string, afterMs: number): void;
}

/** What the work comes to: the summary of a success. A failure is thrown. */
export type Work = (job: Job) => Promise<string>;

/** The work failed in a way that the person who asked can act on. */
export class WorkFailure extends Error {}

export interface JobOptions {
  portal: Portal;
  /** Length of one step. */
  stepMs: number;
  /** Ends when the process is told to stop. */
  signal: AbortSignal;
  removeLater: Job['removeLater'];
}

/** Carries the work out and reports its end; resolves with what happened, for this service's own log. */
export async function runJob(request: WorkRequest, work: Work, options: JobOptions): Promise<'SUCCESS' | 'FAILURE'> {
  const { portal, stepMs, signal } = options;
  const { runId } = request;
  const job: Job = {
    ...request,
    log: (message) => portal.log(runId, message),
    label: (statusLabel) => portal.update(runId, { statusLabel }),
    link: (link) => portal.update(runId, { link }),
    upsert: (blueprint, entity) => portal.upsert(blueprint, entity, runId),
    step: () => sleep(stepMs * (0.75 + Math.random() / 2), undefined, { signal }),
    removeLater: options.removeLater,
  };
  try {
    // The sender reports the delivery at this moment; its lines should stand before ours in the run's log.
    await sleep(Math.min(stepMs, 250), undefined, { signal });
    const summary = await work(job);
    await portal.update(runId, { status: 'SUCCESS', statusLabel: 'Done', summary });
    return 'SUCCESS';
  } catch (error) {
    const reason = signal.aborted
      ? 'The service was stopped in the middle of the work. Nothing was cleaned up; run the action again.'
      : error instanceof Error
        ? error.message
        : String(error);
    await portal.log(runId, `✗ ${reason}`);
    await portal.update(runId, { status: 'FAILURE', statusLabel: 'Failed', summary: reason });
    return 'FAILURE';
  }
}
