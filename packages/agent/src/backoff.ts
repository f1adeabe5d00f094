import { setTimeout as sleep } from 'node:timers/promises';

/** Exponential back-off with jitter, as Port's agent spells it; a success starts it over. */
export interface BackoffOptions {
  initialMs: number;
  factor: number;
  maxMs: number;
  /** Up to this share of the delay is added at random, so that agents do not return in step. */
  jitter: number;
}

export class Backoff {
  private readonly options: BackoffOptions;
  private baseMs = 0;
  private failingSinceMs: number | undefined;

  constructor(options: BackoffOptions) {
    this.options = options;
  }

  /** The delay before the next attempt, after one more failure. */
  next(): number {
    const { initialMs, factor, maxMs, jitter } = this.options;
    this.failingSinceMs ??= performance.now();
    this.baseMs = this.baseMs === 0 ? initialMs : Math.min(this.baseMs * factor, maxMs);
    return this.baseMs * (1 + Math.random() * jitter);
  }

  reset(): void {
    this.baseMs = 0;
    this.failingSinceMs = undefined;
  }

  /** How long there has been no success. */
  get failingMs(): number {
    return this.failingSinceMs === undefined ? 0 : performance.now() - this.failingSinceMs;
  }
}

/** Waits, but not beyond the abort. */
export async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await sleep(ms, undefined, { signal }).catch(() => undefined);
}
