import { type Run, type RunLog, runRoutes } from '@quayside/contracts';
import { urlOf } from '../../api/index.ts';

/**
 * Follows one run: first by server-sent events, by polling where they do not get through (a proxy that buffers, a browser
 * without them), and back to events when they work again.
 *
 *   live ──error──► reconnecting ──2 errors in a row──► polling ──30 s──► reconnecting …
 *     └──end──► done
 *
 * Every connection starts after the last line that was handed on. A server or proxy that repeats itself does no harm: lines
 * are known by their numbers.
 */
export type StreamMode = 'live' | 'reconnecting' | 'polling' | 'done';

export interface RunFollower {
  onLines: (lines: readonly RunLog[]) => void;
  onRun: (run: Run) => void;
  onMode: (mode: StreamMode) => void;
  /** Asks for everything new; resolves to true when the run has ended and nothing is missing. */
  poll: (signal: AbortSignal) => Promise<boolean>;
  /** Number of the last line that is known already; 0 = none. */
  cursor: () => number;
}

const flushMs = 40;
const pollMs = 2_000;
const retryMs = [250, 1_000];
const streamAgainMs = 30_000;

export function followRun(runId: string, follower: RunFollower): () => void {
  const stop = new AbortController();
  let source: EventSource | undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let flushTimer: ReturnType<typeof setTimeout> | undefined;
  let buffer: RunLog[] = [];
  let failures = 0;

  const flush = (): void => {
    clearTimeout(flushTimer);
    flushTimer = undefined;
    if (buffer.length > 0) follower.onLines(buffer);
    buffer = [];
  };
  const cursor = (): number => buffer.at(-1)?.line ?? follower.cursor();

  const connect = (): void => {
    if (stop.signal.aborted) return;
    const after = cursor();
    const url = urlOf(runRoutes.stream, {
      params: { run_id: runId },
      query: after === 0 ? {} : { after: String(after) },
    });
    source = new EventSource(url);
    source.onopen = () => {
      failures = 0;
      follower.onMode('live');
    };
    source.addEventListener('log', (event) => {
      buffer.push(JSON.parse(event.data) as RunLog);
      // One render for many lines: a build that prints 10,000 lines a second must not re-render 10,000 times.
      flushTimer ??= setTimeout(flush, flushMs);
    });
    source.addEventListener('run', (event) => {
      flush();
      follower.onRun(JSON.parse(event.data) as Run);
    });
    source.addEventListener('end', () => {
      flush();
      source?.close();
      follower.onMode('done');
    });
    source.onerror = () => {
      // The browser would retry by itself, but without knowing what was handed on and without ever giving up.
      source?.close();
      flush();
      const delay = retryMs[failures];
      failures++;
      if (delay === undefined) return void poll();
      follower.onMode('reconnecting');
      timer = setTimeout(connect, delay);
    };
  };

  const poll = async (): Promise<void> => {
    const isPossible = typeof EventSource !== 'undefined';
    const until = isPossible ? Date.now() + streamAgainMs : Number.POSITIVE_INFINITY;
    follower.onMode('polling');
    while (!stop.signal.aborted && Date.now() < until) {
      try {
        if (await follower.poll(stop.signal)) return follower.onMode('done');
      } catch {
        // Offline or restarting: the next round asks again, and the page's own questions tell what is wrong.
      }
      await new Promise((resolve) => {
        timer = setTimeout(resolve, pollMs);
      });
    }
    failures = 0;
    connect();
  };

  if (typeof EventSource === 'undefined') void poll();
  else connect();
  return () => {
    stop.abort();
    source?.close();
    clearTimeout(timer);
    clearTimeout(flushTimer);
  };
}
