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
  countByAction,
  type EvaluationRecord,
  eventObject,
  eventSummary,
  guardAgainstLoops,
  type Happening,
  judge,
  listen,
  maxChainRuns,
  sample,
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
 * Cost per step: one scan of up to `eventsPerStep` heads, one query for the automations, one for what the events that concern
 * one say; then one query per run, and two per automation that was concerned. Events that concern none cost their head.
 */
const eventsPerStep = 2_000;
/** What is read and looked into at once; the rest comes in the next step. */
const bodiesPerStep = 250;
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

  async function evaluate(ctx: Ctx, action: Action, event: Happening & EventHead): Promise<EvaluationRecord> {
    const name = actionOf(event);
    const shown = eventObject(event, name === undefined ? undefined : await findActionIfAny(ctx, name));
    const { isMet, because, conditions } = judge(action, shown);
    const record = {
      actionId: action.id,
      because,
      conditions,
      eventSeq: event.cursor.seq,
      event: eventSummary(event),
    };
    if (!isMet) return { ...record, outcome: 'not_fired', runId: null };
    return { ...record, ...(await fire(ctx, action, event, shown)) };
  }

  async function record(ctx: Ctx, records: readonly EvaluationRecord[]): Promise<void> {
    for (const [actionId, counts] of countByAction(records)) {
      await store.addCounts(ctx.db, ctx.orgId, actionId, counts);
      for (const [outcome, count] of Object.entries(counts)) metrics.automations.inc({ outcome }, count);
    }
    const kept = sample(records);
    await store.insertEvaluations(ctx.db, ctx.orgId, kept);
    for (const actionId of new Set(kept.map((one) => one.actionId)))
      await store.trimEvaluations(ctx.db, ctx.orgId, actionId, keptEvaluations);
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
      const concerning = heads.filter((head) => listening.mayConcern(head)).slice(0, bodiesPerStep);
      const bodies = await readBodies(
        ctx.db,
        ctx.orgId,
        concerning.map(({ cursor }) => cursor.seq),
      );
      const records: EvaluationRecord[] = [];
      const startedAt = performance.now();
      let turnAt = startedAt;
      let count = 0;
      for (const head of heads) {
        const body = bodies.get(head.cursor.seq);
        if (!body && listening.mayConcern(head)) break;
        count++;
        if (!body) continue;
        const event = { ...head, ...body };
        for (const action of listening.concernedBy(event)) {
          records.push(await evaluate(ctx, action, event));
          if (performance.now() - turnAt > turnMs) {
            await nextTurn();
            turnAt = performance.now();
          }
        }
        if (performance.now() - startedAt > stepMs) break;
      }
      await record(ctx, records);
      return count;
    },
  });
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
