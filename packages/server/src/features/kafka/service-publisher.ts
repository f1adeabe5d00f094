import { changeLogTopic, portableJson, recordHeaders, runsTopic } from '@quayside/contracts';
import { buildMessage, type Message, recordBody, signMessage } from '@quayside/delivery';
import type { Ctx, World } from '../../platform/ctx.ts';
import { type Cursor, moveCursor, type ReadEvent, readEvents, readEventsBySeq } from '../../platform/event-reader.ts';
import { describeKafkaError, isKafkaError, type Kafka, type OutgoingRecord } from '../../platform/kafka.ts';
import type { Metrics } from '../../platform/metrics.ts';
import type { Reader } from '../../platform/readers.ts';
import type { Vault } from '../../platform/vault.ts';
import { findBlueprintIfAny } from '../blueprints/index.ts';
import { closePublications, openPublications, type Publication } from '../deliveries/index.ts';
import { signingSecret } from '../identity/index.ts';
import { changeKey, changeLogMessage, createDestinations } from '../messages/index.ts';
import { findPublishableRuns, type PublishableRun } from '../runs/index.ts';
import { inChunks } from './model.ts';
import type { KafkaAccess } from './service.ts';

/**
 * The reader of events that writes into Kafka (platform/readers.ts has the loop and its lease):
 *
 *   read behind the cursor ► build ► open the records ► publish, wait until the brokers have it
 *                                                     ► close the records and move the cursor (under the lease)
 *
 * Invariants
 *   - The cursor moves only over what the brokers have: a crash publishes some messages again, and loses none.
 *   - Messages of one run, and of one thing of the catalog, go out in the order of their events: one publisher, one request at
 *     a time, one key.
 *   - A publisher that lost its lease can not move the cursor; what it published meanwhile comes twice.
 *   - What consumers are meant to act on (runs of the type KAFKA, changes) has a record in the ledger before it can arrive.
 *     A run for agents has none here: each agent's attempt is its own.
 */
const kafkaReader = 'kafka';
const eventsPerRead = 500;
/** Brokers take one MiB in a request by default. A larger message goes alone, and needs a topic that allows it. */
const maxChunkBytes = 512 * 1024;

interface Item {
  cursor: Cursor;
  bytes: number;
  record?: OutgoingRecord;
  runId?: string;
  /** Its record in the ledger; undefined = it is an agent's. */
  publication?: { subject: string; text: string };
}

export function createPublisher(dependencies: {
  kafka: Kafka;
  access: Pick<KafkaAccess, 'provision'>;
  vault: Vault;
  metrics: Metrics;
  holder: string;
  failRun(world: World, runId: string, message: string): Promise<void>;
}): Reader {
  const { kafka, access, vault, metrics, holder, failRun } = dependencies;

  async function build(ctx: Ctx, events: readonly ReadEvent[]): Promise<Item[]> {
    const runIds = events.flatMap((event) => (event.name === 'run.published' && event.runId ? [event.runId] : []));
    const runs = new Map((await findPublishableRuns(ctx, vault, runIds)).map((run) => [run.id, run]));
    const secret = runs.size > 0 ? await signingSecret(ctx, vault) : '';
    const destinations = createDestinations((blueprint) => findBlueprintIfAny(ctx, blueprint));
    const changes = await readReplayed(ctx, events);
    const items: Item[] = [];
    for (const event of events) {
      const item: Item = { cursor: event.cursor, bytes: 0 };
      items.push(item);
      if (event.name === 'run.published') {
        const run = runs.get(event.runId ?? '');
        // Ended meanwhile: nobody is to carry it out.
        if (!run) continue;
        item.record = runRecord(ctx.orgId, run, secret);
        item.runId = run.id;
        if (run.payload.type === 'KAFKA') item.publication = { subject: run.id, text: portableJson(run.shown.body) };
      } else {
        const change = changes.get(event.subject) ?? event;
        // What is replayed has gone to consumers before, whatever the blueprint wants now.
        const destination = change === event ? await destinations.of(event) : ({ type: 'KAFKA' } as const);
        // What the portal sends itself is a message of features/messages.
        if (!destination || (destination.type === 'WEBHOOK' && !destination.agent)) continue;
        item.record = {
          topic: changeLogTopic(ctx.orgId),
          key: changeKey(change),
          value: portableJson(changeLogMessage(change, destination)),
          headers: { [recordHeaders.event]: `e_${change.cursor.seq}` },
        };
        item.publication = { subject: `e_${change.cursor.seq}`, text: item.record.value };
      }
      item.bytes = item.record === undefined ? 0 : Buffer.byteLength(item.record.value);
    }
    return items;
  }

  /** The answer says why the brokers will never take it, where that is so. */
  async function send(world: World, chunk: readonly Item[]): Promise<string | undefined> {
    const records = chunk.flatMap(({ record }) => (record ? [record] : []));
    if (records.length === 0) return undefined;
    try {
      await kafka.publish(records);
    } catch (error) {
      const isTooLarge = isKafkaError(error, 'MESSAGE_TOO_LARGE') || isKafkaError(error, 'RECORD_LIST_TOO_LARGE');
      const [only] = chunk.filter((item) => item.record);
      if (!isTooLarge || records.length > 1 || !only) throw error;
      const message = `Its message of ${only.bytes} bytes is larger than the topic ${only.record?.topic} allows (max.message.bytes).`;
      if (only.runId !== undefined) await failRun(world, only.runId, message);
      else
        world.log.error({ organization: world.orgId, key: only.record?.key }, `A change is not published. ${message}`);
      return message;
    }
    for (const { topic } of records)
      metrics.kafkaPublished.inc({ topic: topic === runsTopic(world.orgId) ? 'runs' : 'change.log' });
    return undefined;
  }

  return {
    name: kafkaReader,
    trouble:
      'messages do not go into Kafka; they are kept and tried again. Check KAFKA_BROKERS and the settings beside it',
    describe: describeKafkaError,
    prepare: (world) => access.provision(world),
    async step({ world, transaction }) {
      const items = await world.transaction(async (ctx) =>
        build(ctx, await readEvents(ctx.db, ctx.orgId, kafkaReader, eventsPerRead)),
      );
      for (const chunk of inChunks(items, maxChunkBytes)) {
        const subjects = chunk.flatMap(({ publication }) => (publication ? [publication.subject] : []));
        if (subjects.length > 0) await transaction((ctx) => openPublications(ctx.db, ctx.orgId, holder, subjects));
        const startedAt = performance.now();
        const refused = await send(world, chunk);
        const durationMs = performance.now() - startedAt;
        const published = chunk.flatMap((item) => toPublication(item, refused, durationMs));
        const last = chunk.at(-1);
        if (last)
          await transaction(async (ctx) => {
            await closePublications(ctx.db, ctx.orgId, published);
            await moveCursor(ctx.db, ctx.orgId, kafkaReader, last.cursor);
          });
      }
      return { count: items.length, isMore: items.length === eventsPerRead };
    },
  };
}

/** The changes that are to go out once more, by the subject of their deliveries. */
async function readReplayed(ctx: Ctx, events: readonly ReadEvent[]): Promise<ReadonlyMap<string, ReadEvent>> {
  const seqs = events.flatMap(({ name, subject }) => (name === 'change.replayed' ? [Number(subject.slice(2))] : []));
  const read = seqs.length === 0 ? [] : await readEventsBySeq(ctx.db, ctx.orgId, seqs);
  return new Map(read.map((event) => [`e_${event.cursor.seq}`, event]));
}

function toPublication({ publication, record }: Item, refused: string | undefined, durationMs: number): Publication[] {
  if (!publication || !record) return [];
  return [
    {
      subject: publication.subject,
      request: {
        method: 'PUBLISH',
        url: `kafka:${record.topic}`,
        headers: { ...record.headers },
        ...recordBody(publication.text),
      },
      outcome: refused ? { kind: 'refused', message: refused } : { kind: 'published', topic: record.topic, durationMs },
    },
  ];
}

/**
 * A run for agents with labels is for those that claim it. Port's agent claims nothing and carries out whatever says
 * `agent: true`, so here it says false; our agents go by the labels.
 */
function messageFor(run: PublishableRun): Message {
  const message = buildMessage(run);
  const { invocationMethod } = message.payload.action;
  if (invocationMethod.agentLabels !== undefined) invocationMethod.agent = false;
  return message;
}

function runRecord(orgId: string, run: PublishableRun, secret: string): OutgoingRecord {
  const { payload } = run;
  const isForAgents = payload.type !== 'KAFKA';
  return {
    topic: runsTopic(orgId),
    key: run.id,
    value: isForAgents
      ? signMessage(messageFor(run), secret, Math.floor(Date.now() / 1000))
      : portableJson(payload.body),
    headers: isForAgents ? { [recordHeaders.lease]: run.id } : { [recordHeaders.event]: run.id },
  };
}
