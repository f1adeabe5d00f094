/**
 * Requests per minute and caller, in fixed windows, in this process's memory. Headers as spec/catalog.md §7: plain
 * integers; `reset` is seconds until the window ends (one real client sleeps for that many seconds); `remaining` is never
 * 0 while requests are still accepted, because that client stops sending at 0.
 */
export interface RateLimit {
  take(caller: string, nowMs: number): { allowed: boolean; headers: Record<string, string> };
}

const windowMs = 60_000;

export function createRateLimit(limit: number): RateLimit {
  let windowStart = 0;
  let counts = new Map<string, number>();
  return {
    take(caller, nowMs) {
      if (nowMs - windowStart >= windowMs) {
        windowStart = nowMs;
        counts = new Map();
      }
      const used = (counts.get(caller) ?? 0) + 1;
      counts.set(caller, used);
      const allowed = limit === 0 || used <= limit;
      const resetSeconds = Math.max(1, Math.ceil((windowStart + windowMs - nowMs) / 1000));
      const shownLimit = limit === 0 ? 1_000_000_000 : limit;
      return {
        allowed,
        headers: {
          'x-ratelimit-period': String(windowMs / 1000),
          'x-ratelimit-limit': String(shownLimit),
          'x-ratelimit-remaining': String(allowed ? Math.max(1, shownLimit - used) : 0),
          'x-ratelimit-reset': String(resetSeconds),
          ...(allowed ? {} : { 'retry-after': String(resetSeconds) }),
        },
      };
    },
  };
}
