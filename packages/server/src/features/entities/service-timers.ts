import type { Blueprint } from '@quayside/contracts';
import type { Ctx, World } from '../../platform/ctx.ts';
import type { Database } from '../../platform/db.ts';
import { readBodies, readHeads } from '../../platform/event-reader.ts';
import {
  cancelWork,
  claim,
  hasPassed,
  type LeasedWork,
  lockLease,
  schedule,
  settleWork,
} from '../../platform/leases.ts';
import { type Reader, recordingReader } from '../../platform/readers.ts';
import { findBlueprintIfAny } from '../blueprints/index.ts';
import { instantOf, timerProperties } from './model.ts';
import * as store from './store.ts';

/**
 * Timer properties. When one is due is a row of `work`, written in the transaction that writes the entity:
 *
 *   value written or changed ► scheduled ──due──► claimed ► event `entity.timer_expired`, row gone
 *            ▲                     │                          └──── one transaction ────┘
 *            └── changed again ────┴── value cleared ► row gone      (entity deleted: noticed when due)
 *
 * Invariants
 *   - Of each value of a property the event is written once: with the row that is settled. A crash leaves both or neither.
 *   - A value that is written again unchanged arms nothing; one that is past when it is written is due at once. A property that is
 *     no timer for a while does not expire again of a value that has expired (`expired_timers`).
 *   - Whoever changes the entity first takes the row from the one that is about to settle it, or waits for it.
 *
 * Cost: nothing for blueprints without timers; one statement per changed timer otherwise. Timers wait in an index by time.
 */
export const timerQueue = 'timers';
const leaseMs = 30_000;

const keyOf = (rowId: number, property: string): string => `timer:${rowId}:${property}`;

export async function armTimers(
  ctx: Ctx,
  blueprint: Pick<Blueprint, 'schema'>,
  rowId: number,
  before: Readonly<Record<string, unknown>>,
  after: Readonly<Record<string, unknown>>,
): Promise<void> {
  for (const property of timerProperties(blueprint)) {
    const instant = instantOf(after[property]);
    if (instant === instantOf(before[property])) continue;
    const work = { orgId: ctx.orgId, key: keyOf(rowId, property) };
    if (instant === undefined) await cancelWork(ctx.db, work);
    else await schedule(ctx.db, { ...work, queue: timerQueue, dueAt: new Date(instant) });
  }
}

export interface Timers {
  claim(limit: number): Promise<LeasedWork[]>;
  expire(work: LeasedWork): Promise<void>;
}

export function createTimers(dependencies: {
  database: Database;
  holder: string;
  worldOf(orgId: string): World;
}): Timers {
  const { database, holder, worldOf } = dependencies;
  return {
    claim: (limit) => database.system((tx) => claim(tx, { queue: timerQueue, holder, limit, leaseMs })),
    expire: (work) =>
      worldOf(work.orgId).transaction(async (ctx) => {
        const row = await lockLease(ctx.db, work);
        if (!row) return;
        const [, rowId, ...rest] = work.key.split(':');
        const property = rest.join(':');
        const entity = await store.findEntityByRow(ctx.db, ctx.orgId, Number(rowId));
        const blueprint = entity && (await findBlueprintIfAny(ctx, entity.blueprint));
        const isTimer = blueprint && timerProperties(blueprint).includes(property);
        const instant = isTimer ? instantOf(entity.properties[property]) : undefined;
        // The entity has gone, or the property is no timer any more.
        if (!entity || instant === undefined) return settleWork(ctx.db, row.id);
        // Armed for an older value, by the reader below while the entity changed. Only the database's clock counts: this machine's
        // may be wrong, and the timer would wait for as long.
        const dueAt = new Date(instant);
        if (!(await hasPassed(ctx.db, dueAt))) return schedule(ctx.db, { ...work, queue: timerQueue, dueAt });
        await settleWork(ctx.db, row.id);
        await store.noteExpired(ctx.db, ctx.orgId, Number(rowId), property, dueAt);
        await ctx.emit({
          name: 'entity.timer_expired',
          subject: entity.identifier,
          blueprint: entity.blueprint,
          entity: entity.identifier,
          property,
          after: store.toEntity(entity, blueprint),
        });
      }),
  };
}

/**
 * The reader of events that arms what was written before its property became a timer. It reads a blueprint's event when every
 * transaction that may have seen the old blueprint has ended, so no value falls between.
 */
export const timerReader: Reader = recordingReader({
  name: 'timers',
  eventsPerStep: 5_000,
  trouble: 'timers of changed blueprints are not armed; the events are kept and tried again',
  // Blueprints change rarely.
  restMs: 1_000,
  read: readHeads,
  async handle(ctx, heads) {
    const changed = heads.filter(({ name }) => name === 'blueprint.updated');
    const bodies = await readBodies(
      ctx.db,
      ctx.orgId,
      changed.map(({ cursor }) => cursor.seq),
    );
    for (const { before, after } of bodies.values()) {
      const [old, blueprint] = [before as Blueprint, after as Blueprint];
      const known = timerProperties(old);
      for (const property of timerProperties(blueprint).filter((key) => !known.includes(key)))
        for (const { rowId, value, expired } of await store.listValues(
          ctx.db,
          ctx.orgId,
          blueprint.identifier,
          property,
        )) {
          const instant = instantOf(value);
          if (instant !== undefined && instant !== expired?.getTime())
            await schedule(ctx.db, {
              orgId: ctx.orgId,
              queue: timerQueue,
              key: keyOf(rowId, property),
              dueAt: new Date(instant),
            });
        }
    }
    return heads.length;
  },
});
