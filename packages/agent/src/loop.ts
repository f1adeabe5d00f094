import { isDelivered } from '@quayside/contracts/delivery-rules';
import { agentHeartbeatMs, maxReturnDelayMs } from '@quayside/contracts/dispatch-rules';
import { Backoff, pause } from './backoff.ts';
import type { Config } from './config.ts';
import type { Job } from './custody.ts';
import type { Log } from './log.ts';
import type { Metrics } from './metrics.ts';
import { buildResult, type Result } from './report.ts';
import type { Source } from './sources/source.ts';
import type { Report, Spool } from './spool.ts';
import { carryOut, type Plan, planWork, type WorkOptions } from './work.ts';

/**
 * The agent's life.
 *
 *   claiming ──jobs──► each job on its own: begin ► carry out ► report     (at most `concurrency` at a time)
 *      │  ▲
 *      ▼  │ success
 *   backing off ──failing longer than giveUpAfterMs──► gave_up
 *      │
 *      └──drain──► draining: no claim, unstarted jobs released, started ones finished, outcomes reported ──► drained
 *
 * Invariants
 *   - Only as many runs are claimed as can start at once: nothing waits inside the agent while another agent is idle.
 *   - A slot is for the work, not for its report, so that the next run does not wait for the portal to record the last one; but
 *     no more reports are under way than there are slots.
 *   - A job's lease is extended until its outcome is recorded, not only until it is known.
 *   - A job whose lease is lost is stopped and not reported: it belongs to somebody else.
 *   - Outcomes in the spool go before new claims, so that a portal that comes back hears them before it hands the same
 *     runs out again.
 */
export interface LoopOptions {
  config: Pick<Config, 'concurrency' | 'backoff'>;
  source: Source;
  spool: Spool;
  work: WorkOptions;
  /** Awaited once, when the portal has answered for the first time and before the first job is begun. */
  onReached?(): Promise<void>;
  metrics: Metrics;
  log: Log;
  /** Between extensions of a lease; shorter only in tests. */
  heartbeatMs?: number;
}

export type LoopEnd = 'drained' | 'gave_up';

/** With all slots taken: wait until this share of them is free, or this long after the first, and claim in one call. */
const batchShare = 1 / 2;
const batchWaitMs = 5;
/** An unwanted run is given back this often: 1, 2, 4 … 60 s, about five minutes in all. */
const maxReturns = 10;
const maxRemembered = 10_000;
/** More outcomes than this in the spool, and nothing new is claimed. */
const maxSpooled = 1_000;

export class Loop {
  private readonly options: LoopOptions;
  private readonly active = new Set<Promise<void>>();
  private readonly reporting = new Set<Promise<void>>();
  private readonly stopping = new AbortController();
  private readonly backoff: Backoff;
  private readonly unwanted = new Unwanted();
  private wasReached = false;
  private onSlotFree: () => void = () => {};
  /** On the monotonic clock: the last time that the loop went round; a health check compares it with now. */
  lastTurnAtMs = performance.now();
  /** Undefined while all is well; else what the portal's last answer was. */
  problem: string | undefined;

  constructor(options: LoopOptions) {
    this.options = options;
    this.backoff = new Backoff(options.config.backoff);
  }

  get inFlight(): number {
    return this.active.size;
  }

  get isDraining(): boolean {
    return this.stopping.signal.aborted;
  }

  drain(): void {
    this.stopping.abort();
  }

  async run(): Promise<LoopEnd> {
    const { signal } = this.stopping;
    let end: LoopEnd = 'drained';
    while (!signal.aborted) {
      this.lastTurnAtMs = performance.now();
      await this.waitForSlots();
      if (signal.aborted) break;
      const pauseMs = await this.turn(signal);
      if (pauseMs === undefined) {
        end = 'gave_up';
        break;
      }
      if (pauseMs > 0) await pause(pauseMs, signal);
    }
    await Promise.all(this.active);
    await Promise.all(this.reporting);
    return end;
  }

  /** One claim. Returns how long to pause; undefined = give up. */
  private async turn(signal: AbortSignal): Promise<number | undefined> {
    const { source, spool, config, metrics, log } = this.options;
    if (spool.size > 0 && (await spool.flush()) === 'portal_away') {
      return this.failed('the portal does not take outcomes', undefined);
    }
    if (spool.size >= maxSpooled) return this.failed(`${spool.size} outcomes wait to be recorded`, undefined);

    const free = config.concurrency - this.active.size;
    const claimed = await source.claim({ free, inFlight: this.active.size, capacity: config.concurrency }, signal);
    if (claimed.kind === 'failed') return this.failed(claimed.message, claimed.retryAfterMs);
    if (this.problem !== undefined) log.info('the portal answers again');
    this.problem = undefined;
    this.backoff.reset();
    if (!this.wasReached) await this.options.onReached?.();
    this.wasReached = true;

    metrics.claimed += claimed.jobs.length;
    for (const job of claimed.jobs) {
      if (signal.aborted) this.start(() => this.release(job));
      else this.start(() => this.carry(job));
    }
    return claimed.pauseMs;
  }

  private failed(problem: string, retryAfterMs: number | undefined): number | undefined {
    const { config, log } = this.options;
    const delayMs = Math.max(this.backoff.next(), retryAfterMs ?? 0);
    this.problem = problem;
    const { failingMs } = this.backoff;
    if (failingMs > config.backoff.giveUpAfterMs) {
      log.fatal(
        { problem, failingSeconds: Math.round(failingMs / 1000) },
        'the portal has not answered for too long; giving up',
      );
      return undefined;
    }
    log.warn({ problem, retryInMs: Math.round(delayMs) }, 'no work can be claimed; trying again');
    return delayMs;
  }

  private start(task: () => Promise<void>): void {
    const running = task().finally(() => {
      this.active.delete(running);
      this.onSlotFree();
    });
    this.active.add(running);
  }

  private async waitForSlots(): Promise<void> {
    const { concurrency } = this.options.config;
    if (this.active.size < concurrency) return;
    const wanted = Math.max(1, Math.ceil(concurrency * batchShare));
    await new Promise<void>((resolve) => {
      let timer: NodeJS.Timeout | undefined;
      this.onSlotFree = () => {
        if (concurrency - this.active.size >= wanted) {
          clearTimeout(timer);
          resolve();
        } else timer ??= setTimeout(resolve, batchWaitMs);
      };
    });
    this.onSlotFree = () => {};
  }

  private async release(job: Job, delayMs = 0): Promise<void> {
    this.options.metrics.released += 1;
    await job.custody.release(delayMs);
  }

  /** Undefined = the run was given back, because no entry of the mapping wants it. */
  private async plan(job: Job): Promise<Exclude<Plan, { kind: 'ignored' }> | undefined> {
    const { work, log } = this.options;
    const plan = await planWork(job, work);
    if (plan.kind !== 'ignored') return plan;
    const context = { run: job.run.id, attempt: job.attempt };
    for (const sentence of plan.notes) log.warn(context, `mapping: ${sentence}`);
    const delayMs = this.unwanted.nextMs(job.run.id);
    if (delayMs === undefined) {
      const message = `no entry of the mapping of the agent ${work.agentId} wants this run, and no other agent took it for minutes; add an entry, or start an agent that has one`;
      return { kind: 'unusable', message };
    }
    log.info({ ...context, delayMs }, 'no entry of the mapping wants the run; it is left to other agents');
    await this.release(job, delayMs);
    job.onSafe?.();
    return undefined;
  }

  private async carry(job: Job): Promise<void> {
    const { log, metrics, work } = this.options;
    const context = { run: job.run.id, attempt: job.attempt };
    const plan = await this.plan(job);
    if (plan === undefined) return;
    if (!(await job.custody.begin())) {
      log.info(context, 'the run was taken by somebody else');
      job.onSafe?.();
      return;
    }
    const keeper = new LeaseKeeper(job, this.options.heartbeatMs ?? agentHeartbeatMs, () => {
      metrics.lost += 1;
      log.warn(context, 'the lease is lost: the run went to another agent, or ended otherwise');
    });
    const worked = await carryOut(job, plan, work, keeper.lost).catch((error: unknown) => {
      log.error({ ...context, err: error }, 'a fault of the agent');
      return { kind: 'result' as const, result: faultResult() };
    });
    if (keeper.lost.aborted || worked.kind === 'expired') {
      keeper.stop();
      if (worked.kind === 'expired') log.warn(context, 'the lease ran out before anything was sent');
      // Whoever has the lease now answers for the run.
      job.onSafe?.();
      return;
    }
    metrics[isDelivered(worked.result.outcome) ? 'delivered' : 'failed'] += 1;
    const report = {
      runId: job.run.id,
      attempt: job.attempt,
      calls: job.custody.reportCalls(worked.result),
      doneCount: 0,
      createdAt: new Date().toISOString(),
    };
    while (this.reporting.size >= this.options.config.concurrency) await Promise.race(this.reporting);
    const reporting = this.report(job, report, keeper).finally(() => this.reporting.delete(reporting));
    this.reporting.add(reporting);
  }

  private async report(job: Job, report: Report, keeper: LeaseKeeper): Promise<void> {
    const kept = await this.options.spool.submit(report, () => {
      keeper.stop();
      job.onSafe?.();
    });
    if (kept === 'on_disk') job.onSafe?.();
  }
}

/**
 * Runs that no entry of the mapping wants: given back for others, each time for longer, and after some minutes ended, because
 * a run that nobody ever takes must say why.
 */
class Unwanted {
  private readonly counts = new Map<string, number>();

  /** For how long the run is given back; undefined = long enough. */
  nextMs(runId: string): number | undefined {
    const count = (this.counts.get(runId) ?? 0) + 1;
    this.counts.delete(runId);
    if (count > maxReturns) return undefined;
    this.counts.set(runId, count);
    // Oldest first: a Map keeps the order of insertion.
    if (this.counts.size > maxRemembered) this.counts.delete(this.counts.keys().next().value as string);
    return Math.min(maxReturnDelayMs, 1_000 * 2 ** (count - 1));
  }
}

/** Extends a lease until it is stopped or lost. Cheap for short jobs: the first call comes after ten seconds. */
class LeaseKeeper {
  private readonly timer: NodeJS.Timeout;
  private readonly controller = new AbortController();

  constructor(job: Job, heartbeatMs: number, onLost: () => void) {
    this.timer = setInterval(async () => {
      if ((await job.custody.extend()) !== 'lost' || this.controller.signal.aborted || this.isStopped) return;
      this.stop();
      onLost();
      this.controller.abort();
    }, heartbeatMs);
  }

  private isStopped = false;

  get lost(): AbortSignal {
    return this.controller.signal;
  }

  stop(): void {
    this.isStopped = true;
    clearInterval(this.timer);
  }
}

/** A run must not hang because of a bug here: it fails and says so. */
function faultResult(): Result {
  return buildResult({
    outcome: { kind: 'unpreparable', message: 'the agent failed while working on the run; its log says more' },
    isSynchronized: false,
    request: undefined,
    lines: [],
    quotesAnswers: false,
    mapped: undefined,
  });
}
