import {
  agentConnectedWithinMs,
  maxBehind,
  routes,
  type SystemStatus,
  shownHolders,
  toOpenApi,
} from '@quayside/contracts';
import type { World } from '../../platform/ctx.ts';
import { type Database, sql } from '../../platform/db.ts';
import { readerLagSeconds } from '../../platform/event-reader.ts';
import { type ClaimWaits, queueAgeSeconds, queueDepths } from '../../platform/leases.ts';
import type { Metrics } from '../../platform/metrics.ts';
import { readerQueue } from '../../platform/readers.ts';
import { countDeadLetters } from '../deliveries/index.ts';
import * as store from './store.ts';

/** Agents and integrations look into theirs (`agent:…`, `integration:…`), and readers of events tell how far they are. */
const isOfJob = (queue: string): boolean => !queue.includes(':');

export function createSystem(dependencies: {
  database: Database;
  metrics: Metrics;
  waits: ClaimWaits;
  /** Names of the readers of events that this portal has. */
  readers: readonly string[];
}) {
  const { database, metrics, waits, readers } = dependencies;
  let openApi: string | undefined;
  return {
    /** Throws when the database does not answer. */
    async assertReady(): Promise<void> {
      await database.system((tx) => tx.one(sql`select 1 as one`));
    },
    async metricsText(): Promise<{ contentType: string; text: string }> {
      metrics.heldClaims.set(waits.held);
      metrics.queueAge.set(await queueAgeSeconds(database));
      for (const reader of readers) metrics.readerLag.set({ reader }, await readerLagSeconds(database, reader));
      const dead = await database.system(countDeadLetters);
      for (const kind of ['runs', 'messages'] as const) metrics.deadLetters.set({ kind }, dead[kind]);
      metrics.databaseBytes.set(await database.system(store.readDatabaseBytes));
      metrics.agentsConnected.set(await database.system((tx) => store.countConnected(tx, agentConnectedWithinMs)));
      for (const [queue, at] of waits.lookedAt)
        if (isOfJob(queue)) metrics.jobLooked.set({ queue }, at.getTime() / 1000);
      const depths = await queueDepths(database);
      // Forgets queues that have become empty; nothing is awaited until all are set, so no scrape sees a part.
      metrics.queueDepth.reset();
      for (const { queue, due, leased } of depths) {
        metrics.queueDepth.set({ queue, state: 'due' }, due);
        metrics.queueDepth.set({ queue, state: 'leased' }, leased);
      }
      return { contentType: metrics.registry.contentType, text: await metrics.registry.metrics() };
    },
    /** Cost: one pass over the open work of the organization, and up to `maxBehind` events of each reader that is behind. */
    async readStatus(world: World): Promise<SystemStatus> {
      return world.transaction(async (ctx) => ({
        at: ctx.now().toISOString(),
        queues: await store.listQueues(ctx.db, ctx.orgId, { readerPrefix: readerQueue(''), shownHolders }),
        readers: await store.listReaders(ctx.db, ctx.orgId, readers, { maxBehind, readerPrefix: readerQueue('') }),
        agents: await store.countAgents(ctx.db, ctx.orgId, agentConnectedWithinMs),
        deadLetters: await store.countDeadLetters(ctx.db, ctx.orgId),
        audit: await store.findNewestSeal(ctx.db, ctx.orgId),
        jobs: [...waits.lookedAt]
          .filter(([queue]) => isOfJob(queue))
          .map(([queue, at]) => ({ queue, lookedAt: at.toISOString() }))
          .sort((one, other) => (one.queue < other.queue ? -1 : 1)),
        database: await store.describeDatabase(ctx.db),
      }));
    },
    openApiText(): string {
      openApi ??= JSON.stringify(toOpenApi(routes));
      return openApi;
    },
  };
}
export type System = ReturnType<typeof createSystem>;
