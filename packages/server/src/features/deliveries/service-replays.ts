import type { Replay } from '@quayside/contracts';
import { type Ctx, describeActor, type World } from '../../platform/ctx.ts';
import type { Database } from '../../platform/db.ts';
import { newId } from '../../platform/ids.ts';
import {
  type Again,
  cancelWork,
  claim,
  enqueue,
  type LeasedWork,
  lockLease,
  releaseWork,
  settleWork,
} from '../../platform/leases.ts';
import { refuse, refuseMissing } from '../../platform/refusal.ts';
import { nameOf } from './model.ts';
import { type AskedFilter, parseCursor, toCursor, toFilter } from './service.ts';
import * as store from './store-replays.ts';

/**
 * Replays (docs/adr/0032). One subject is handed over in the call that asks for it. A filtered set is handed over bit by bit, by
 * one server at a time under a lease on the replay:
 *
 *   asked for ► [ the next stretch behind the cursor ► what matches onto its way ► cursor and counts, one transaction ] … ► handed over
 *
 * Invariants
 *   - Subjects and cursor are written together, so a crash between two steps costs nothing and repeats nothing.
 *   - A replay never has more than `maxOpen` subjects under way: what is asked for meanwhile does not queue behind all of it.
 *   - Locks are taken in the order run, work, replay, as settling takes them.
 */
export const replayQueue = 'replay';

const subjectsPerStep = 100;
/** Where few attempts match, a step looks through stretches of up to so many, each twice as long as the one before. */
const longestStretch = 3_200;
const maxOpen = 1_000;
const pauseWhileFullMs = 500;
const leaseMs = 10_000;
const listed = 20;

type HandOver = (ctx: Ctx, subject: string, again: Again, by: string) => Promise<'handed_over' | 'under_way' | 'gone'>;

/** By the beginning of the subject; given by app.ts. */
export interface HandOvers {
  r_: HandOver;
  m_: HandOver;
  e_: HandOver;
}

export function createReplays(dependencies: {
  handOvers: HandOvers;
  database: Database;
  holder: string;
  worldOf(orgId: string): World;
}) {
  const { handOvers, database, holder, worldOf } = dependencies;

  async function handOver(ctx: Ctx, subject: string, replayId: string, by: string) {
    const lastToken = await store.findLastAttempt(ctx.db, ctx.orgId, subject);
    const hand = handOvers[subject.slice(0, 2) as keyof HandOvers];
    if (lastToken === undefined || !hand) return 'gone';
    return hand(ctx, subject, { replayId, lastToken }, by);
  }

  async function replayOne(world: World, subject: string): Promise<Replay> {
    return world.transaction(async (ctx) => {
      if ((await store.findLastAttempt(ctx.db, ctx.orgId, subject)) === undefined) refuseMissing('Delivery', subject);
      const id = newId('replay');
      const requestedBy = describeActor(ctx.actor);
      await store.insertReplay(ctx.db, ctx.orgId, { id, requestedBy, filter: { subject }, total: 1, isOne: true });
      const handed = await handOver(ctx, subject, id, nameOf(requestedBy));
      if (handed === 'under_way')
        refuse('under_way', `${subject} is being delivered or replayed at this moment; wait until that has ended.`);
      if (handed === 'gone')
        refuse(
          'invalid_transition',
          `Of ${subject} nothing is left that could be sent: what was sent is not kept any more.`,
        );
      const runId = subject.startsWith('r_') ? { runId: subject } : {};
      await ctx.emit({ name: 'replay.created', subject: id, ...runId, after: { subject } });
      return mustFind(ctx, id);
    });
  }

  async function replayMany(world: World, asked: AskedFilter): Promise<Replay> {
    const filter = toFilter(asked);
    return world.transaction(async (ctx) => {
      const running = await store.findRunningReplay(ctx.db, ctx.orgId);
      if (running)
        refuse('under_way', `The replay ${running} is still running; wait until it has ended, or cancel it.`);
      const { count, stop } = await store.countReplay(ctx.db, ctx.orgId, filter, undefined);
      const id = newId('replay');
      await store.insertReplay(ctx.db, ctx.orgId, {
        id,
        requestedBy: describeActor(ctx.actor),
        filter: asked,
        total: stop ? null : count,
        isOne: false,
      });
      await enqueue(ctx.db, { orgId: ctx.orgId, queue: replayQueue, key: id });
      await ctx.emit({ name: 'replay.created', subject: id, after: asked });
      return mustFind(ctx, id);
    });
  }

  async function count(
    world: World,
    asked: AskedFilter,
    afterText: string | undefined,
  ): Promise<{ count: number; next?: string; searchedTo?: string }> {
    const after = afterText === undefined ? undefined : parseCursor(afterText);
    const found = await world.transaction((ctx) => store.countReplay(ctx.db, ctx.orgId, toFilter(asked), after));
    if (!found.stop) return { count: found.count };
    const { cursor_at: startedAt, subject, attempt } = found.stop;
    return {
      count: found.count,
      next: toCursor({ startedAt, subject, attempt }),
      searchedTo: new Date(startedAt).toISOString(),
    };
  }

  /** The next `room` of a replay, or fewer at the end of the longest stretch; `last` = where to go on. */
  async function nextCandidates(ctx: Ctx, replay: store.ReplayRow, room: number) {
    const candidates: store.Candidate[] = [];
    let last: store.Candidate | undefined;
    for (let size = room; size <= longestStretch; size *= 2) {
      const stretch = { asOf: replay.created_text, after: last ?? replay.cursor, size };
      const found = await store.listCandidates(ctx.db, ctx.orgId, toFilter(replay.filter), stretch);
      const taken = found.candidates.slice(0, room - candidates.length);
      candidates.push(...taken);
      const isCut = taken.length < found.candidates.length;
      last = (isCut ? taken.at(-1) : found.last) ?? last;
      if (found.isEnd && !isCut) return { candidates, last, isOver: true };
      if (candidates.length === room) break;
    }
    return { candidates, last, isOver: false };
  }

  async function cancel(world: World, id: string): Promise<Replay> {
    return world.transaction(async (ctx) => {
      // First, so that a step under way ends before anything is taken back.
      await cancelWork(ctx.db, { orgId: ctx.orgId, key: id });
      const { state } = await mustFind(ctx, id);
      if (state !== 'running') refuse('invalid_transition', `The replay ${id} is ${state} already.`);
      await store.cancelReplay(ctx.db, ctx.orgId, id);
      await ctx.emit({ name: 'replay.cancelled', subject: id });
      return mustFind(ctx, id);
    });
  }

  /** One step of one replay. */
  async function step(work: LeasedWork): Promise<void> {
    await worldOf(work.orgId).transaction(async (ctx) => {
      const lease = await lockLease(ctx.db, { orgId: ctx.orgId, key: work.key, token: work.token });
      if (!lease) return;
      const replay = await store.findReplay(ctx.db, ctx.orgId, work.key);
      if (replay?.state !== 'running') return settleWork(ctx.db, lease.id);
      const room = Math.min(subjectsPerStep, maxOpen - replay.open);
      if (room <= 0) return releaseWork(ctx.db, lease.id, lease.queue, pauseWhileFullMs);
      const { candidates, last, isOver } = await nextCandidates(ctx, replay, room);
      let replayed = 0;
      for (const { subject } of candidates)
        if ((await handOver(ctx, subject, replay.id, nameOf(replay.requested_by))) === 'handed_over') replayed += 1;
      const skipped = candidates.length - replayed;
      if (!(await store.advanceReplay(ctx.db, ctx.orgId, replay.id, { replayed, skipped, last, isOver })))
        throw new Error('The replay was cancelled meanwhile; this step is rolled back.');
      if (isOver) await settleWork(ctx.db, lease.id);
      else await releaseWork(ctx.db, lease.id, lease.queue);
    });
  }

  return {
    replayOne,
    replayMany,
    count,
    cancel,
    list: (world: World) =>
      world.transaction(async (ctx) => (await store.listReplays(ctx.db, ctx.orgId, listed)).map(toReplay)),
    get: (world: World, id: string) => world.transaction((ctx) => mustFind(ctx, id)),
    claim: (limit: number) => database.system((tx) => claim(tx, { queue: replayQueue, holder, limit, leaseMs })),
    step,
  };
}
export type Replays = ReturnType<typeof createReplays>;

async function mustFind(ctx: Ctx, id: string): Promise<Replay> {
  return toReplay((await store.findReplay(ctx.db, ctx.orgId, id)) ?? refuseMissing('Replay', id));
}

function toReplay(row: store.ReplayRow): Replay {
  const { open, delivered, replayed } = row;
  return {
    id: row.id,
    createdAt: row.created_at.toISOString(),
    by: nameOf(row.requested_by),
    filter: row.filter,
    state: row.state === 'cancelled' ? 'cancelled' : row.state === 'handed_over' && open === 0 ? 'done' : 'running',
    ...(row.total === null ? {} : { total: row.total }),
    searched: row.searched,
    replayed,
    skipped: row.skipped,
    open,
    delivered,
    failed: Math.max(0, replayed - open - delivered),
    ...(row.ended_at ? { endedAt: row.ended_at.toISOString() } : {}),
  };
}
