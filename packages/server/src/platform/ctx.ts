import type { EventName, Origin, Permission } from '@quayside/contracts';
import type { Database, Tx } from './db.ts';
import { named, sql } from './db.ts';
import type { Logger } from './log.ts';

/** Who acts. `system` is the portal itself: first start, its own deliveries, timers; `id` is somebody else where it acts for them. */
export type Actor =
  | {
      kind: 'user';
      orgId: string;
      id: string;
      email: string;
      role: string;
      name: string;
      permissions: ReadonlySet<Permission>;
    }
  | {
      kind: 'machine';
      orgId: string;
      id: string;
      name: string;
      permissions: ReadonlySet<Permission>;
      /** Of a call that a run made to the portal itself: what it causes is that much deeper in the chain. */
      cause?: Cause;
    }
  | { kind: 'system'; orgId: string; id: string; permissions: ReadonlySet<Permission> };

/** Where in a chain of causes (0013_automations.sql): how many automations and calls to the portal stand before it. */
export interface Cause {
  depth: number;
  root: number | null;
}

export const causeOf = (actor: Actor): Cause => (actor.kind === 'machine' && actor.cause) || { depth: 0, root: null };

/** The world of one request or one piece of background work, before a transaction is open. */
export interface World {
  readonly orgId: string;
  readonly actor: Actor;
  readonly origin: Origin;
  readonly userAgent: string;
  readonly traceId: string;
  readonly log: Logger;
  now(): Date;
  /** Runs `work` in one transaction of the organization; a throw rolls everything back, events included. */
  transaction<T>(work: (ctx: Ctx) => Promise<T>): Promise<T>;
}

/** The one argument that carries the world inside a transaction. */
export interface Ctx extends World {
  readonly db: Tx;
  /** Appends to `events` in this transaction: the event exists exactly if the transaction commits. */
  emit(event: EventInput): Promise<void>;
}

export interface EventInput {
  name: EventName;
  /** Identifier of what it happened to (the noun is the part of `name` before the dot). */
  subject: string;
  blueprint?: string;
  entity?: string;
  /** Where it is about one property of the entity. */
  property?: string;
  runId?: string;
  before?: unknown;
  after?: unknown;
  status?: 'SUCCESS' | 'FAILURE';
  message?: string;
}

/** Readers of events wait on this topic. */
export const eventsTopic = 'events';

export function createWorld(options: {
  database: Database;
  actor: Actor;
  origin: Origin;
  log: Logger;
  traceId: string;
  userAgent?: string;
}): World {
  const { actor, origin, log, traceId } = options;
  const world: World = {
    orgId: actor.orgId,
    actor,
    origin,
    userAgent: options.userAgent ?? '',
    traceId,
    log,
    now: () => new Date(),
    transaction(work) {
      return options.database.tenant(actor.orgId, (db) => work(inTransaction(world, db)));
    },
  };
  return world;
}

/** The world inside a transaction that is open already: one of the system's, for what no organization may do itself. */
export function inTransaction(world: World, db: Tx): Ctx {
  const ctx: Ctx = { ...world, db, emit: (event) => emit(ctx, event) };
  return ctx;
}

/** The same transaction, seen as coming from elsewhere. */
export function withOrigin(ctx: Ctx, origin: Origin): Ctx {
  const other: Ctx = { ...ctx, origin, emit: (event) => emit(other, event) };
  return other;
}

async function emit(ctx: Ctx, event: EventInput): Promise<void> {
  const cause = causeOf(ctx.actor);
  const asJson = (value: unknown) => (value === undefined ? null : JSON.stringify(value));
  await ctx.db.run(
    named(
      'event.insert',
      sql`
    insert into events (org_id, name, actor, origin, trace_id, resource, subject, blueprint, entity, property, run_id, status, message, before, after, depth, root)
    values (
      ${ctx.orgId}, ${event.name}, ${JSON.stringify(describeActor(ctx.actor))}, ${ctx.origin}, ${ctx.traceId},
      ${event.name.split('.')[0]}, ${event.subject}, ${event.blueprint ?? null}, ${event.entity ?? null}, ${event.property ?? null}, ${event.runId ?? null},
      ${event.status ?? 'SUCCESS'}, ${event.message ?? null}, ${asJson(event.before)}, ${asJson(event.after)},
      ${cause.depth}, ${cause.root}
    )`,
    ),
  );
  ctx.db.wake(eventsTopic);
}

/** `trigger.by` of audit and change-log messages (spec/actions.md §1.13). */
export function describeActor(actor: Actor): Record<string, unknown> {
  const by = { orgId: actor.orgId, userId: actor.id };
  if (actor.kind === 'user') return { ...by, user: { id: actor.id, email: actor.email, name: actor.name } };
  if (actor.kind === 'machine') return { ...by, machine: { id: actor.id, name: actor.name } };
  return { ...by, byPort: true };
}
