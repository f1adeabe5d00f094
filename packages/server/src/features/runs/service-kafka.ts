import { isFinal } from '@quayside/contracts';
import type { World } from '../../platform/ctx.ts';
import type { Database } from '../../platform/db.ts';
import { agentQueue, cancelWork, type DueWork, listDue, type ParkedWork, parkDue } from '../../platform/leases.ts';
import { loseDeliveries } from '../deliveries/index.ts';
import { maxLostLeases } from './model.ts';
import { kafkaQueue, mustLock, type RunService } from './service.ts';
import { streamerFor } from './service-streamer.ts';
import { insertLogs, lockFreeRuns } from './store.ts';
import * as store from './store-dispatch.ts';

/**
 * Work of the Kafka queue that became due: its consumer was lost or gave it back, or a retry is to be made. And work that
 * waits for polling agents although its way is Kafka by now (model-streamer.ts). Either way its message goes out (again):
 * the row is parked and the event is emitted in one transaction, so that there is never one without the other.
 */
export interface Republishing {
  /** Returns the runs whose messages will go out. */
  republish(): Promise<string[]>;
}

const limit = 500;

export function createRepublishing(dependencies: {
  database: Database;
  runs: RunService;
  worldOf(orgId: string): World;
}): Republishing {
  const { database, runs, worldOf } = dependencies;

  async function republishOf(world: World): Promise<string[]> {
    const sources = await world.transaction(async (ctx) => {
      const queue = agentQueue(ctx.orgId);
      const found: DueWork[] = [{ orgId: ctx.orgId, queue: kafkaQueue }];
      for (const labels of await store.listWantedLabels(ctx.db, ctx.orgId, queue))
        if ((await streamerFor(ctx, labels ?? {})) === 'KAFKA') found.push({ orgId: ctx.orgId, queue, labels });
      return found;
    });
    const queues = [...new Set(sources.map(({ queue }) => queue))];
    const worn = await world.transaction((ctx) => store.listWornWork(ctx.db, ctx.orgId, queues, maxLostLeases));
    for (const runId of worn) await giveUp(world, runId);
    return world.transaction(async (ctx) => {
      const due: string[] = [];
      for (const from of sources) due.push(...(await listDue(ctx.db, from, limit)));
      // Run before work, as everywhere. One that somebody changes at this moment may be ending: it comes next time.
      const free = new Map((await lockFreeRuns(ctx.db, ctx.orgId, due)).map((run) => [run.id, run]));
      const parked: ParkedWork[] = [];
      for (const from of sources) parked.push(...(await parkDue(ctx.db, from, [...free.keys()], kafkaQueue)));
      const lost = parked.filter((work) => work.lostHolder !== null).map((work) => work.key);
      if (lost.length > 0) await loseDeliveries(ctx.db, ctx.orgId, lost);
      for (const { key, replayId } of parked) {
        const run = free.get(key);
        if (run && (!isFinal(run.status) || replayId !== null)) await runs.publish(ctx, run);
        else await cancelWork(ctx.db, { orgId: ctx.orgId, key });
      }
      return parked.map((work) => work.key);
    });
  }

  /** Run before work, as everywhere; so it has a transaction of its own. */
  async function giveUp(world: World, runId: string): Promise<void> {
    await world.transaction(async (ctx) => {
      const run = await mustLock(ctx, runId);
      if (!isFinal(run.status)) {
        const message = `Given up: ${maxLostLeases} holders in a row were lost while they carried this run out.`;
        await insertLogs(ctx.db, ctx.orgId, runId, 'quayside', [message]);
        await runs.move(ctx, run, 'fail', { summary: message });
      }
      await loseDeliveries(ctx.db, ctx.orgId, [runId]);
      await cancelWork(ctx.db, { orgId: ctx.orgId, key: runId });
    });
  }

  return {
    async republish() {
      const published: string[] = [];
      for (const orgId of await database.system((tx) => store.listOrganizationsToPublish(tx, kafkaQueue)))
        published.push(...(await republishOf(worldOf(orgId))));
      return published;
    },
  };
}
