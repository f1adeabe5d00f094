import type { Ctx } from '../../platform/ctx.ts';
import { type EventHead, readBodies, readHeads } from '../../platform/event-reader.ts';
import { type Reader, recordingReader } from '../../platform/readers.ts';
import { findBlueprintIfAny } from '../blueprints/index.ts';
import { changeLogMessage, createDestinations } from './model-changes.ts';
import { post } from './service.ts';

/**
 * The reader of events that posts the change log: each change of a blueprint with a URL becomes a message, exactly once. What
 * goes into Kafka is the publisher's (features/kafka). Where the agents may read Kafka, both have a change for agents: while
 * they change over it may come twice, and never not at all.
 */
/** What is read whole and posted at once; the rest comes in the next step. */
const messagesPerStep = 200;

export function createChangeLog({
  arePolling,
}: {
  /** Do the organization's agents get their changes by asking? Given by app.ts. */
  arePolling(ctx: Ctx): Promise<boolean>;
}): Reader {
  return recordingReader({
    name: 'changes',
    eventsPerStep: 2_000,
    read: readHeads,
    trouble: 'changes of the catalog are not sent to their URLs; they are kept and tried again',
    async handle(ctx, heads) {
      const destinations = createDestinations((blueprint) => findBlueprintIfAny(ctx, blueprint));
      const isPolled = await arePolling(ctx);
      const concerning: EventHead[] = [];
      let count = 0;
      for (const head of heads) {
        if (await destinations.mayHave(head)) {
          if (concerning.length === messagesPerStep) break;
          concerning.push(head);
        }
        count += 1;
      }
      const bodies = await readBodies(
        ctx.db,
        ctx.orgId,
        concerning.map(({ cursor }) => cursor.seq),
      );
      for (const head of concerning) {
        const event = { ...head, before: null, after: null, ...bodies.get(head.cursor.seq) };
        const destination = await destinations.of(event);
        if (destination?.type !== 'WEBHOOK' || (destination.agent && !isPolled)) continue;
        const message = changeLogMessage(event, destination);
        const { blueprint, entity, runId } = event;
        await post(ctx, {
          kind: 'change',
          payload: destination.agent
            ? { type: 'CHANGE', message }
            : { type: 'WEBHOOK', url: destination.url, body: message },
          blueprint,
          entity,
          ...(runId === null ? {} : { runId }),
        });
      }
      return count;
    },
  });
}
