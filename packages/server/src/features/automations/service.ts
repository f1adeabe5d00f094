import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Action, Evaluation, EvaluationCounts, EvaluationOutcome } from '@quayside/contracts';
import { type Ctx, type World, withOrigin } from '../../platform/ctx.ts';
import { isDatabaseAway } from '../../platform/db.ts';
import { type EventHead, readBodies, readHeads } from '../../platform/event-reader.ts';
import type { Metrics } from '../../platform/metrics.ts';
import { type Reader, recordingReader } from '../../platform/readers.ts';
import { findActionIfAny, getAction, listAutomations } from '../actions/index.ts';
import {
  actionOf,
  createTally,
  eventObject,
  guardAgainstLoops,
  judge,
  listen,
  maxChainRuns,
  type Tally,
} from './model.ts';
import * as store from './store.ts';

/**
 * The reader of events that starts automations:
 *
 *   read behind the cursor ► which automations does it concern? ► conditions ► make the run ► move the cursor
 *   └──────────────────────────────────── one transaction, under the lease ───────────────────────────────────┘
 *
 * Invariants
 *   - A run exists exactly if the cursor has passed its event: nothing is skipped and nothing fires twice, whatever crashes.
 *   - Each event is dealt with in order, and each automation sees it in the order in which automations were created.
 *   - What is wrong with one automation (a condition that fails or never ends, a run that can not be made) is written into
 *     its history and delays nothing but itself. What is wrong with the database is tried again as a whole.
 *
 * Cost per step: one scan of up to `eventsPerStep` heads, one query for the automations, one for what each `bodiesPerRead` of the
 * events that concern one say; then those of each run, and three for counts and history. Events that concern none cost their head.
 */
const eventsPerStep = 2_000;
/** What is in memory at once, twice: while some are looked into, the next are read. */
const bodiesPerRead = 250;
/** A step ends early after this, as its transaction holds back every other reader of events. */
const stepMs = 250;
/** Requests are served on the same thread. */
const turnMs = 15;
const keptEvaluations = 250;

/** Given by app.ts, as runs do not know automations. Returns the run's id. */
export type StartRun = (
  ctx: Ctx,
  firing: {
    action: Action;
    event: Record<string, unknown>;
    by: string;
    at: string;
    blueprint: string | null;
    entity: string | null;
    depth: number;
    root: number;
    eventSeq: number;
    problem?: string;
  },
) => Promise<string>;

export function createAutomations(dependencies: { startRun: StartRun; metrics: Metrics }): Reader {
  const { startRun, metrics } = dependencies;

  async function fire(
    ctx: Ctx,
    action: Action,
    event: EventHead,
    shown: Record<string, unknown>,
  ): Promise<{ outcome: EvaluationOutcome; because?: string; runId: string | null }> {
    const root = event.root ?? event.cursor.seq;
    const chainRuns = event.depth === 0 ? 0 : await store.countChainRuns(ctx.db, ctx.orgId, root, maxChainRuns + 1);
    const guard = guardAgainstLoops(event.depth, chainRuns);
    if (guard.kind === 'blocked') return { outcome: 'blocked', because: guard.because, runId: null };
    await store.savepoint(ctx.db);
    try {
      const runId = await startRun(ctx, {
        action,
        event: shown,
        by: String(event.actor.userId ?? ctx.actor.id),
        at: event.at.toISOString(),
        blueprint: event.blueprint,
        entity: event.entity,
        depth: event.depth + 1,
        root,
        eventSeq: event.cursor.seq,
        ...(guard.kind === 'fails' ? { problem: guard.problem } : {}),
      });
      if (guard.kind === 'fails') return { outcome: 'blocked', because: guard.problem, runId };
      return { outcome: 'fired', runId };
    } catch (error) {
      if (isTransient(error)) throw error;
      await store.undoToSavepoint(ctx.db);
      const { message } = error as Error;
      ctx.log.error({ organization: ctx.orgId, automation: action.identifier, error: message }, 'no run could be made');
      return { outcome: 'failed', because: `the run could not be made: ${message}`, runId: null };
    }
  }

  async function record(ctx: Ctx, tally: Tally): Promise<void> {
    if (tally.counts.size === 0) return;
    await store.addCounts(ctx.db, ctx.orgId, tally.counts);
    for (const counts of tally.counts.values())
      for (const [outcome, count] of Object.entries(counts))
        ctx.db.afterCommit(() => metrics.automations.inc({ outcome }, count));
    await store.insertEvaluations(ctx.db, ctx.orgId, tally.kept());
    await store.trimEvaluations(ctx.db, ctx.orgId, [...tally.counts.keys()], keptEvaluations);
  }

  return recordingReader({
    name: 'automations',
    eventsPerStep,
    trouble: 'automations are not started; the events are kept and tried again',
    read: readHeads,
    async handle(outer, heads) {
      const ctx = withOrigin(outer, 'AUTOMATION');
      const listening = listen(await listAutomations(ctx));
      if (listening.isEmpty) return heads.length;
      const concerning = heads.flatMap((head, index) => (listening.mayConcern(head) ? [{ head, index }] : []));
      const findAction = remembered((identifier: string) => findActionIfAny(ctx, identifier));
      const tally = createTally();
      const startedAt = performance.now();
      let turnAt = startedAt;
      for await (const { head, index, body } of withBodies(ctx, concerning)) {
        const event = { ...head, ...body };
        let shown: Record<string, unknown> | undefined;
        for (const action of listening.concernedBy(event)) {
          const name = actionOf(event);
          shown ??= eventObject(event, name === undefined ? undefined : await findAction(name));
          const judgement = judge(action, shown);
          const fired = judgement.isMet ? await fire(ctx, action, event, shown) : notFired;
          tally.add({ action, event, judgement, ...fired });
          if (performance.now() - turnAt > turnMs) {
            await nextTurn();
            turnAt = performance.now();
          }
        }
        if (performance.now() - startedAt > stepMs) {
          await record(ctx, tally);
          return index + 1;
        }
      }
      await record(ctx, tally);
      return heads.length;
    },
  });
}

const notFired = { outcome: 'not_fired', runId: null } as const;

/** The events with what they say; the next are on their way while the first are dealt with. */
async function* withBodies<Place extends { head: EventHead }>(ctx: Ctx, places: readonly Place[]) {
  const read = (from: number) => {
    const part = places.slice(from, from + bodiesPerRead);
    const bodies = readBodies(
      ctx.db,
      ctx.orgId,
      part.map(({ head }) => head.cursor.seq),
    );
    // When it fails nobody may be waiting for it yet, or any more; whoever waits for it is told.
    bodies.catch(() => undefined);
    return { part, bodies };
  };
  let next = places.length > 0 ? read(0) : undefined;
  for (let from = bodiesPerRead; next; from += bodiesPerRead) {
    const { part, bodies } = next;
    const known = await bodies;
    next = from < places.length ? read(from) : undefined;
    for (const place of part) {
      const body = known.get(place.head.cursor.seq);
      if (!body) throw new Error(`The event ${place.head.cursor.seq} is gone while it is read.`);
      yield { ...place, body };
    }
  }
}

/** Asks once for each key, as long as the batch lasts. */
function remembered<Value>(find: (key: string) => Promise<Value>): (key: string) => Promise<Value> {
  const known = new Map<string, Promise<Value>>();
  return (key) => {
    const found = known.get(key) ?? find(key);
    known.set(key, found);
    return found;
  };
}

/** Nothing to do with this automation: the batch is tried again as a whole. */
function isTransient(error: unknown): boolean {
  const { code } = error as { code?: string };
  // Serialization failure, deadlock, lock and statement time-outs.
  return isDatabaseAway(error) || ['40001', '40P01', '55P03', '57014'].includes(code ?? '');
}

export async function readEvaluations(
  world: World,
  identifier: string,
  filter: { outcome?: EvaluationOutcome | undefined; limit: number },
): Promise<{ counts: EvaluationCounts; evaluations: Evaluation[] }> {
  return world.transaction(async (ctx) => {
    const { id } = await getAction(ctx, identifier);
    return {
      counts: await store.readCounts(ctx.db, ctx.orgId, id),
      evaluations: await store.listEvaluations(ctx.db, ctx.orgId, id, filter),
    };
  });
}
