import { setTimeout as sleep } from 'node:timers/promises';
import { type Ctx, eventsTopic, type World } from './ctx.ts';
import type { Database, Tx } from './db.ts';
import { type Cursor, isAnythingAhead, moveCursor, startAtEnd } from './event-reader.ts';
import {
  type ClaimWaits,
  claim,
  ensureWorkOfEach,
  extendLease,
  type LeaseKey,
  lockLease,
  releaseWork,
} from './leases.ts';
import type { Logger } from './log.ts';
import type { Wakes } from './wake.ts';

/**
 * Keeps readers of events going. Of each reader one server at a time holds an organization, by a lease on a row of `work`
 * (queue `reader:<name>`) that is never done:
 *
 *   claim ► prepare ► step, step, … ► (lease lost, or the server stops) ► release
 *             ▲          │
 *             └─ pause ◄─┘ fault: tried again, less and less often
 *
 * Invariants
 *   - The cursor moves only in a transaction that holds the lease (`Held.transaction`), so a holder that was given up can
 *     neither move it nor commit what goes with it.
 *   - Effects that are rows commit with the move of the cursor (`recordingReader`): exactly once, whatever crashes.
 *   - Effects elsewhere (a broker, a request) come before the move: at least once.
 *
 * Cost: an idle reader asks once a second per organization, one that is behind never waits, and one that keeps up takes up to
 * 20 steps a second whatever the number of events. Nothing grows with the number of events that were dealt with.
 */
export interface Reader {
  /** Of its cursor, its lease and its metric. */
  readonly name: string;
  /** Before the first step, and again after each fault. */
  prepare?(world: World): Promise<void>;
  /** Deals with what is next. Steps of one organization never overlap. */
  step(held: Held): Promise<Step>;
  /** What does not happen meanwhile, and what to do, for the log of an operator. */
  readonly trouble: string;
  describe?(error: unknown): string;
  /** A reader that is new to this installation begins with the events of after this moment, or with the very first. */
  readonly beginsWithFirst?: boolean;
  /** Pause, in ms, after a step behind which nothing more was known to be: few large steps are cheaper than many small. */
  readonly restMs?: number;
}

export interface Step {
  /** Events that it dealt with; 0 = there are none. */
  count: number;
  /** More is there than it dealt with. */
  isMore: boolean;
}

/** The organization, as long as the lease lasts. */
export interface Held {
  readonly world: World;
  /** Commits only while the lease is held; otherwise throws and rolls back. */
  transaction<T>(work: (ctx: Ctx) => Promise<T>): Promise<T>;
}

export interface Readers {
  readonly names: readonly string[];
  stop(): Promise<void>;
}

const leaseMs = 10_000;
const keepEveryMs = 3_000;
const claimWaitMs = 30_000;
const maxOrganizations = 1_000;
/** Also without a wake-up. */
const pollMs = 1_000;
/** After a wake-up: what it announced is not visible yet while an older transaction runs, so the pauses begin short. */
const firstPollMs = 10;
const firstPauseMs = 250;
const longestPauseMs = 5_000;
/** The first event after a while is dealt with at once; those that follow it, this much later. */
const usualRestMs = 50;

export const readerQueue = (name: string): string => `reader:${name}`;

class LeaseLost extends Error {
  constructor() {
    super('The lease is lost: another server reads on.');
  }
}

/**
 * A reader whose effects are rows. `handle` returns how many of the events it dealt with, at least one; the rest come again.
 * `read` is readEvents, or readHeads for one that looks into few events.
 */
export function recordingReader<Event extends { cursor: Cursor }>(options: {
  name: string;
  eventsPerStep: number;
  trouble: string;
  beginsWithFirst?: boolean;
  restMs?: number;
  read: (tx: Tx, orgId: string, reader: string, limit: number) => Promise<Event[]>;
  handle(ctx: Ctx, events: readonly Event[]): Promise<number>;
}): Reader {
  const { name, trouble, eventsPerStep, beginsWithFirst = false, restMs = usualRestMs, read, handle } = options;
  return {
    name,
    trouble,
    beginsWithFirst,
    restMs,
    step: (held) =>
      held.transaction(async (ctx) => {
        const events = await read(ctx.db, ctx.orgId, name, eventsPerStep);
        if (events.length === 0) return { count: 0, isMore: false };
        const count = await handle(ctx, events);
        const last = events[count - 1];
        if (!last) throw new Error(`The reader ${name} dealt with ${count} of ${events.length} events.`);
        await moveCursor(ctx.db, ctx.orgId, name, last.cursor);
        return { count, isMore: count < events.length || events.length === eventsPerStep };
      }),
  };
}

/** Resolves when every reader has its place: events of after this moment are read. */
export async function startReaders(dependencies: {
  readers: readonly Reader[];
  database: Database;
  waits: ClaimWaits;
  wakes: Wakes;
  holder: string;
  worldOf(orgId: string): World;
  log: Logger;
}): Promise<Readers> {
  const { readers, database, waits, wakes, holder, worldOf, log } = dependencies;
  const stopping = new AbortController();
  const running = new Set<Promise<void>>();
  for (const reader of readers) if (!reader.beginsWithFirst) await startAtEnd(database, reader.name);

  async function read(reader: Reader, lease: LeaseKey): Promise<void> {
    const world = worldOf(lease.orgId);
    const held: Held = {
      world,
      transaction: (work) =>
        world.transaction(async (ctx) => {
          // First, so that a successor's step waits for this one instead of doing it again.
          if (!(await lockLease(ctx.db, lease))) throw new LeaseLost();
          return work(ctx);
        }),
    };
    const ending = new AbortController();
    const signal = AbortSignal.any([stopping.signal, ending.signal]);
    const keeping = setInterval(async () => {
      // Unreachable database: the lease may be lost, and the next transaction under it finds out.
      const until = await world.transaction((ctx) => extendLease(ctx.db, lease, leaseMs)).catch(() => null);
      if (until === undefined) ending.abort();
    }, keepEveryMs);
    let wake = new AbortController();
    const off = wakes.on(eventsTopic, () => wake.abort());
    let isReady = false;
    let pauseMs = firstPauseMs;
    /** How often it looked in vain since something was there. */
    let looks = 0;
    while (!signal.aborted)
      try {
        if (!isReady) await reader.prepare?.(world);
        if (!isReady && pauseMs > firstPauseMs) log.info({ ...about(reader, lease) }, 'a reader of events goes on');
        isReady = true;
        wake = new AbortController();
        const { count, isMore } = await reader.step(held);
        pauseMs = firstPauseMs;
        if (count > 0) {
          looks = 0;
          if (!isMore && reader.restMs) await sleep(reader.restMs, undefined, { signal }).catch(() => undefined);
          continue;
        }
        // Soon again only if something is there that an older transaction keeps from being read.
        const isAhead = await world.transaction((ctx) => isAnythingAhead(ctx.db, ctx.orgId, reader.name));
        const idleMs = isAhead ? Math.min(firstPollMs * 2 ** looks, pollMs) : pollMs;
        looks += 1;
        await sleep(idleMs, undefined, { signal: AbortSignal.any([signal, wake.signal]) }).catch(() => undefined);
        if (wake.signal.aborted) looks = 0;
      } catch (error) {
        if (error instanceof LeaseLost) break;
        isReady = false;
        const problem = reader.describe?.(error) ?? (error as Error).message;
        log.warn({ ...about(reader, lease), problem, retryInMs: pauseMs }, reader.trouble);
        await sleep(pauseMs, undefined, { signal }).catch(() => undefined);
        pauseMs = Math.min(pauseMs * 2, longestPauseMs);
      }
    off();
    clearInterval(keeping);
    await world
      .transaction(async (ctx) => {
        const row = await lockLease(ctx.db, lease);
        if (row) await releaseWork(ctx.db, row.id, row.queue);
      })
      .catch(() => undefined);
  }

  async function loop(reader: Reader): Promise<void> {
    const { signal } = stopping;
    const queue = readerQueue(reader.name);
    const take = () =>
      database.system(async (tx) => {
        await ensureWorkOfEach(tx, queue);
        return claim(tx, { queue, holder, limit: maxOrganizations, leaseMs });
      });
    while (!signal.aborted)
      try {
        for (const { orgId, key, token } of await waits.wait(queue, take, { waitMs: claimWaitMs, signal })) {
          const reading = read(reader, { orgId, key, token }).finally(() => running.delete(reading));
          running.add(reading);
        }
      } catch (error) {
        log.warn(
          { reader: reader.name, error: (error as Error).message },
          'organizations could not be claimed for a reader of events; trying again shortly',
        );
        await sleep(longestPauseMs, undefined, { signal }).catch(() => undefined);
      }
  }
  const looping = readers.map(loop);

  return {
    names: readers.map(({ name }) => name),
    async stop() {
      stopping.abort();
      await Promise.all(looping);
      await Promise.allSettled(running);
    },
  };
}

const about = (reader: Reader, lease: LeaseKey) => ({ reader: reader.name, organization: lease.orgId });
