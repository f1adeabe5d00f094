import { readEvents } from '../../platform/event-reader.ts';
import { type Reader, recordingReader } from '../../platform/readers.ts';
import { findBlueprintIfAny } from '../blueprints/index.ts';
import { readAgentStreamer } from '../identity/index.ts';
import { changeLogMessage, createDestinations } from './model-changes.ts';
import { post } from './service.ts';

/**
 * The reader of events that posts the change log: each change of a blueprint with a URL becomes a message, exactly once. What
 * goes into Kafka is the publisher's (features/kafka). Where the agents may read Kafka, both have a change for agents: while
 * they change over it may come twice, and never not at all.
 */
export function createChangeLog({ hasKafka }: { hasKafka: boolean }): Reader {
  return recordingReader({
    name: 'changes',
    eventsPerStep: 200,
    read: readEvents,
    trouble: 'changes of the catalog are not sent to their URLs; they are kept and tried again',
    async handle(ctx, events) {
      const destinationOf = createDestinations((blueprint) => findBlueprintIfAny(ctx, blueprint));
      const arePolling = !hasKafka || (await readAgentStreamer(ctx)) !== 'KAFKA';
      for (const event of events) {
        const destination = await destinationOf(event);
        if (destination?.type !== 'WEBHOOK' || (destination.agent && !arePolling)) continue;
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
      return events.length;
    },
  });
}
