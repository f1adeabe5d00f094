import type { ClaimedMessage, ClaimedRun } from '@quayside/contracts';
import type { Message } from '@quayside/delivery';
import type { ApiAnswer, PortalApi } from '../api.ts';
import type { Config } from '../config.ts';
import { acknowledgedCustody, type Job, LeaseCustody } from '../custody.ts';
import type { Log } from '../log.ts';
import { portalCalls } from '../portal-calls.ts';
import { version } from '../version.ts';
import { Announcement } from './announcement.ts';
import type { ClaimResult, Load, Source } from './source.ts';

/**
 * Claims over HTTPS, in one of three modes, found out by asking:
 *
 *   held       a claim waits at the portal until there is work (Quayside). The next claim follows at once.
 *   interval   the portal ignores `waitMs` and answers at once: claims follow each other at POLLING_INTERVAL_SECONDS.
 *              A held answer or a run with a lease leads back to held.
 *   plain      the portal refuses our fields (400, 422): the published body only, at the interval.
 *
 *   held ──3 empty answers that came too early──► interval ──held answer or lease──► held
 *   held | interval ──400/422──► plain
 *
 * A run with a `lease` is held by it; a run without one must be acknowledged (custody.ts), whatever the mode.
 * Proxies that cut long requests: a claim that breaks after some seconds makes the next waits shorter; waits that end
 * well let them grow again.
 */
type Mode = 'held' | 'interval' | 'plain';

export interface PollingSourceOptions {
  api: PortalApi;
  log: Log;
  config: Pick<Config, 'agentId' | 'labels' | 'polling'>;
}

/** Beyond the wait itself, for the answer to travel. */
const claimGraceMs = 10_000;
/** Shorter waits than this are not worth adapting to. */
const minWaitMs = 5_000;
const earlyAnswersUntilInterval = 3;
const earlyAnswerPauseMs = 250;

export class PollingSource implements Source {
  private readonly options: PollingSourceOptions;
  private mode: Mode;
  private waitMs: number;
  private earlyCount = 0;
  private readonly announcement: Announcement;

  constructor(options: PollingSourceOptions) {
    this.options = options;
    this.waitMs = options.config.polling.waitMs;
    this.announcement = new Announcement(options.api, options.log, 'POLLING');
    this.mode = this.waitMs === 0 ? 'interval' : 'held';
  }

  async claim(load: Load, signal: AbortSignal): Promise<ClaimResult> {
    const { api, config } = this.options;
    // Before the first claim: a portal queues runs for polling agents only after this.
    await this.announcement.make(signal);
    const limit = Math.min(load.free, config.polling.batchSize);
    const { waitMs } = this;
    const agent = {
      id: config.agentId,
      version,
      labels: { ...config.labels },
      streamer: 'POLLING' as const,
      inFlight: load.inFlight,
      capacity: load.capacity,
    };
    const call = this.mode === 'plain' ? portalCalls.claimPlain(limit) : portalCalls.claimLeases(limit, waitMs, agent);
    const startedAtMs = performance.now();
    const answer = await api.call(call, { timeoutMs: waitMs + claimGraceMs, signal });
    const elapsedMs = performance.now() - startedAtMs;
    if (answer.kind !== 'ok') return this.failed(answer, elapsedMs, signal);

    const jobs = this.readJobs(answer.body);
    if (jobs === undefined) {
      const message = 'the portal answered a claim without a list of runs; is PORT_API_BASE_URL right?';
      return { kind: 'failed', message, retryAfterMs: undefined };
    }
    return { kind: 'jobs', jobs, pauseMs: this.pauseAfter(jobs, elapsedMs, waitMs) };
  }

  private pauseAfter(jobs: readonly Job[], elapsedMs: number, waitMs: number): number {
    const hasLease = jobs.some((job) => job.custody instanceof LeaseCustody);
    const wasHeld = waitMs > 0 && elapsedMs > waitMs / 2;
    if ((hasLease || wasHeld) && this.mode !== 'plain' && waitMs > 0) {
      this.mode = 'held';
      this.earlyCount = 0;
    }
    if (wasHeld) this.waitMs = Math.min(this.options.config.polling.waitMs, Math.round(waitMs * 1.1));
    if (jobs.length > 0 || wasHeld) return 0;
    if (this.mode === 'held') {
      this.earlyCount += 1;
      if (this.earlyCount < earlyAnswersUntilInterval) return earlyAnswerPauseMs * this.earlyCount;
      this.enterInterval('interval', 'it does not hold claims');
    }
    return this.options.config.polling.intervalMs;
  }

  private failed(answer: Exclude<ApiAnswer, { kind: 'ok' }>, elapsedMs: number, signal: AbortSignal): ClaimResult {
    if (signal.aborted) return { kind: 'jobs', jobs: [], pauseMs: 0 };
    if (answer.kind === 'refused' && (answer.status === 400 || answer.status === 422) && this.mode !== 'plain') {
      this.enterInterval('plain', `it refuses Quayside's way of claiming (${answer.message})`);
      return { kind: 'jobs', jobs: [], pauseMs: 0 };
    }
    const isCut = answer.kind === 'unreachable' ? answer.isCut : answer.status === 502 || answer.status === 504;
    if (isCut && elapsedMs >= minWaitMs && this.mode === 'held') {
      this.waitMs = Math.max(minWaitMs, Math.round(elapsedMs * 0.8));
      this.options.log.info(
        { problem: answer.message, waitMs: this.waitMs },
        'a held claim was cut; the next waits are shorter',
      );
      return { kind: 'jobs', jobs: [], pauseMs: earlyAnswerPauseMs };
    }
    return {
      kind: 'failed',
      message: answer.message,
      retryAfterMs: answer.kind === 'refused' ? answer.retryAfterMs : undefined,
    };
  }

  private enterInterval(mode: Exclude<Mode, 'held'>, reason: string): void {
    const { log, config } = this.options;
    this.mode = mode;
    log.info(`the portal is asked every ${config.polling.intervalMs / 1000} s: ${reason}`);
  }

  private readJobs(body: unknown): Job[] | undefined {
    const { runs, messages = [] } = body as { runs?: unknown; messages?: ClaimedMessage[] };
    if (!Array.isArray(runs)) return undefined;
    const { api, log } = this.options;
    const changes = messages.map(
      ({ id, message, lease }): Job => ({
        run: { id, payload: {} },
        attempt: lease.attempt,
        custody: new LeaseCustody(api, id, lease, false),
        message: message as Message,
      }),
    );
    const claimed = (runs as ClaimedRun[]).flatMap((run): Job[] => {
      if (typeof run?.id !== 'string' || typeof run.payload !== 'object' || run.payload === null) {
        log.error({ run: run?.id }, 'a claimed run has no id or payload and is left alone');
        return [];
      }
      const { id, lease } = run;
      const custody = lease ? new LeaseCustody(api, id, lease) : acknowledgedCustody(api, id);
      return [{ run: { id, payload: run.payload }, attempt: lease?.attempt ?? 1, custody }];
    });
    return [...claimed, ...changes];
  }
}
