import { mkdir, open, readdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { ApiAnswer, PortalApi } from './api.ts';
import { Backoff, type BackoffOptions } from './backoff.ts';
import type { ReportCall } from './custody.ts';
import type { Log } from './log.ts';

/**
 * Outcomes that the portal has not accepted yet.
 *
 *   submit ──► kept ──call by call──► closed (accepted, or refused for good)
 *                ▲          │
 *                └──────────┘  portal away, or a fault of the portal: again later, with back-off
 *
 * Invariants: a report is kept before its first call and removed after its last; calls of one report go out in order, one
 * at a time. With a directory each report is also a file (written whole, then renamed), so that a killed agent reports
 * after its restart. The file is forced to disk only when the first try failed: until then a crash of the process is
 * covered, a loss of power is not (the run is then delivered again, under the same idempotency key).
 * Cost in the good case: one call to the portal, and with a directory one small file written and removed.
 */
export interface Report {
  runId: string;
  attempt: number;
  calls: ReportCall[];
  /** How many of the calls are done. */
  doneCount: number;
  createdAt: string;
}

interface Entry {
  report: Report;
  isBusy: boolean;
  onClosed: () => void;
}

export type FlushResult = 'empty' | 'some_left' | 'portal_away';

export interface SpoolOptions {
  api: Pick<PortalApi, 'call'>;
  log: Log;
  dir: string | undefined;
  backoff: BackoffOptions;
}

/** A report that the portal could not take for this long is given up, loudly. */
const maxAgeMs = 24 * 60 * 60 * 1000;
/** Retries of reports do not slow down as far as claims may: an outcome in hand is worth a call a minute. */
const maxRetryMs = 60_000;
const parallelReports = 8;

export class Spool {
  private readonly options: SpoolOptions;
  private readonly entries = new Map<string, Entry>();
  private readonly backoff: Backoff;
  private timer: NodeJS.Timeout | undefined;
  private isClosed = false;

  constructor(options: SpoolOptions) {
    this.options = options;
    this.backoff = new Backoff({ ...options.backoff, maxMs: Math.min(options.backoff.maxMs, maxRetryMs) });
  }

  get size(): number {
    return this.entries.size;
  }

  /** Takes up what an earlier process left in the directory. */
  async load(): Promise<void> {
    const { dir, log } = this.options;
    if (dir === undefined) return;
    await mkdir(dir, { recursive: true, mode: 0o700 });
    for (const name of (await readdir(dir)).sort()) {
      // Half-written when the process was killed; what it was to replace, if anything, is still there.
      if (name.endsWith('.json.new')) await rm(join(dir, name), { force: true });
      if (!name.endsWith('.json')) continue;
      try {
        const report = JSON.parse(await readFile(join(dir, name), 'utf8')) as Report;
        this.entries.set(keyOf(report), { report, isBusy: false, onClosed: () => {} });
      } catch {
        log.warn({ file: name }, 'a spooled outcome could not be read and is left where it is');
      }
    }
    if (this.size > 0) log.info({ reports: this.size }, 'outcomes of an earlier process are reported first');
  }

  /** Keeps the report and tries once. Resolves after that try; `onClosed` comes when the portal has it (or never will). */
  async submit(report: Report, onClosed: () => void): Promise<'closed' | 'on_disk' | 'in_memory'> {
    const entry: Entry = { report, isBusy: true, onClosed };
    this.entries.set(keyOf(report), entry);
    await this.persist(report, false);
    const result = await this.work(entry);
    if (result === 'closed') return 'closed';
    // Still busy: a flush that closes the report meanwhile would have its file written again behind it.
    entry.isBusy = true;
    const isOnDisk = await this.persist(report, true);
    entry.isBusy = false;
    this.schedule();
    return isOnDisk ? 'on_disk' : 'in_memory';
  }

  /** Tries everything once; stops at the first sign that the portal is away. */
  async flush(): Promise<FlushResult> {
    let isAway = false;
    const waiting = [...this.entries.values()].filter((entry) => !entry.isBusy);
    const next = async (): Promise<void> => {
      for (let entry = waiting.shift(); entry !== undefined && !isAway; entry = waiting.shift()) {
        if (!entry.isBusy && (await this.work(entry)) === 'portal_away') isAway = true;
      }
    };
    await Promise.all(Array.from({ length: parallelReports }, next));
    if (isAway) return 'portal_away';
    this.backoff.reset();
    return this.size === 0 ? 'empty' : 'some_left';
  }

  /** Keeps trying until nothing is left or the time is over. Returns how many reports are left. */
  async close(withinMs: number): Promise<number> {
    const endMs = performance.now() + withinMs;
    while ((await this.flush()) !== 'empty' && this.size > 0 && performance.now() < endMs) {
      await new Promise((resolve) => setTimeout(resolve, 500));
    }
    this.isClosed = true;
    clearTimeout(this.timer);
    return this.size;
  }

  private schedule(): void {
    if (this.timer !== undefined || this.isClosed) return;
    this.timer = setTimeout(async () => {
      this.timer = undefined;
      await this.flush();
      if (this.size > 0) this.schedule();
    }, this.backoff.next());
  }

  private async work(entry: Entry): Promise<'closed' | 'later' | 'portal_away'> {
    const { api, log } = this.options;
    const { report } = entry;
    const context = { run: report.runId, attempt: report.attempt };
    entry.isBusy = true;
    try {
      while (report.doneCount < report.calls.length) {
        const call = report.calls[report.doneCount];
        if (call === undefined) break;
        const { smallerBody, ...asked } = call;
        const answer = await api.call(asked);
        const verdict = judge(answer);
        if (verdict === 'shrink' && smallerBody !== undefined) {
          report.calls[report.doneCount] = { method: call.method, path: call.path, body: smallerBody };
          continue;
        }
        if (answer.kind !== 'ok' && (verdict === 'portal_away' || verdict === 'later')) {
          if (Date.now() - Date.parse(report.createdAt) > maxAgeMs) {
            log.error(context, 'the portal did not take the outcome for a day; it is given up');
            break;
          }
          log.warn(
            { ...context, problem: answer.message },
            'the outcome is not recorded yet; it is kept and tried again',
          );
          return verdict;
        }
        if (answer.kind === 'refused') {
          const isLost = answer.error === 'lease_lost';
          const text = isLost
            ? 'the outcome was not recorded: the run went to another agent, or ended otherwise'
            : 'the portal refuses a part of the report';
          log[isLost ? 'info' : 'error']({ ...context, error: answer.error, problem: answer.message }, text);
        }
        report.doneCount += 1;
      }
      await this.remove(report);
      entry.onClosed();
      return 'closed';
    } finally {
      entry.isBusy = false;
    }
  }

  private async remove(report: Report): Promise<void> {
    this.entries.delete(keyOf(report));
    const { dir } = this.options;
    if (dir !== undefined) await rm(this.fileOf(dir, report), { force: true }).catch(() => undefined);
  }

  private async persist(report: Report, isForced: boolean): Promise<boolean> {
    const { dir, log } = this.options;
    if (dir === undefined || !this.entries.has(keyOf(report))) return false;
    const file = this.fileOf(dir, report);
    try {
      const handle = await open(`${file}.new`, 'w', 0o600);
      await handle.writeFile(JSON.stringify(report));
      if (isForced) await handle.sync();
      await handle.close();
      await rename(`${file}.new`, file);
      return true;
    } catch (error) {
      log.error(
        { err: error, run: report.runId },
        'the outcome could not be written to QUAYSIDE_AGENT_DATA_DIR; it is kept in memory only',
      );
      return false;
    }
  }

  private fileOf(dir: string, report: Report): string {
    return join(dir, `${encodeURIComponent(report.runId)}-${report.attempt}.json`);
  }
}

function keyOf(report: Report): string {
  return `${report.runId}/${report.attempt}`;
}

function judge(answer: ApiAnswer): 'done' | 'portal_away' | 'later' | 'shrink' | 'refused' {
  if (answer.kind === 'ok') return 'done';
  if (answer.kind === 'unreachable') return 'portal_away';
  if ([401, 403, 429, 502, 503, 504].includes(answer.status)) return 'portal_away';
  if (answer.status >= 500) return 'later';
  return [400, 413, 422].includes(answer.status) ? 'shrink' : 'refused';
}
