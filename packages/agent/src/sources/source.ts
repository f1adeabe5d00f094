import type { Job } from '../custody.ts';

/** Where runs come from. A source hands out jobs; how each is held and reported is in its custody. */
export interface Source {
  /** Waits for work, not longer than the abort. Never throws. */
  claim(load: Load, signal: AbortSignal): Promise<ClaimResult>;
  /** After the last job and the last report. */
  close?(): Promise<void>;
}

export interface Load {
  /** How many jobs may be started at once. */
  free: number;
  inFlight: number;
  capacity: number;
}

export type ClaimResult =
  | { kind: 'jobs'; jobs: Job[] /** Before the next claim. */; pauseMs: number }
  | { kind: 'failed'; message: string /** The portal's own wish. */; retryAfterMs: number | undefined };
