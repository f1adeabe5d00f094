import { setTimeout as sleep } from 'node:timers/promises';
import type { Consumer, GroupOptions, MessagesStream } from '@platformatic/kafka';
import type { Trust } from '@quayside/delivery';
import type { Config, KafkaConfig } from '../config.ts';
import type { Log } from '../log.ts';
import { connectionOptions, explainKafka, type KafkaLogin } from './kafka-connection.ts';
import { Offsets } from './kafka-offsets.ts';
import { type Place, partitionOf, type Record } from './kafka-record.ts';

/**
 * The agent as one of its consumer group: which partitions are its own, what it reads of them, how far it is. A session that
 * failed is closed and another one opened.
 *
 * Each assignment has a stream of its own. One that went on would bring what was fetched for the assignment before, and take
 * its reading place from that: what lies between the committed place and there would be read by nobody.
 */
export interface SessionOptions {
  login: KafkaLogin;
  /** Whom connections to the brokers trust. */
  trust: Trust;
  config: Pick<Config, 'organizationId'> & { kafka: KafkaConfig };
  log: Log;
  onRecord(record: Record): void;
  /** Nothing that was read of other partitions than these is the agent's any more. */
  onAssigned(kept: ReadonlySet<string>): void;
  onFailure(): void;
}

type KafkaConsumer = Consumer<Buffer, Buffer, Buffer, Buffer>;

/** No more records than this are held; beyond that nothing is read, while heartbeats go on. */
const maxHeld = 1_000;

export class KafkaSession {
  readonly offsets: Offsets;
  /** Why it is over. */
  failure: string | undefined;
  private readonly consumer: KafkaConsumer;
  private readonly options: SessionOptions;
  private stream: MessagesStream<Buffer, Buffer, Buffer, Buffer> | undefined;
  /** Of the streams that were asked for; the last one counts. */
  private streamCount = 0;

  /** When the agent has joined its group. */
  static async open(options: SessionOptions): Promise<KafkaSession> {
    const { kafka } = options.config;
    const { Consumer } = await import('@platformatic/kafka');
    const consumer: KafkaConsumer = new Consumer({
      ...connectionOptions(kafka, options.login, options.trust),
      groupId: kafka.groupId,
      autocommit: false,
      sessionTimeout: kafka.sessionTimeoutMs,
      rebalanceTimeout: Math.max(kafka.sessionTimeoutMs, 60_000),
      heartbeatInterval: Math.min(3_000, Math.floor(kafka.sessionTimeoutMs / 3)),
      retries: 3,
      retryDelay: 300,
      maxWaitTime: 1_000,
      highWaterMark: 256,
    });
    const session = new KafkaSession(consumer, options);
    try {
      await session.read();
    } catch (error) {
      consumer.close(true).catch(() => undefined);
      throw error;
    }
    joinWithoutCommit(consumer, (error) => session.fail(error));
    return session;
  }

  private constructor(consumer: KafkaConsumer, options: SessionOptions) {
    const { log, config } = options;
    this.consumer = consumer;
    this.options = options;
    this.offsets = new Offsets(consumer, (error) =>
      log.info({ problem: explainKafka(error, config) }, 'progress could not be committed'),
    );
    // The group could not be joined again, and nothing tries any more.
    consumer.on('error', (error) => this.fail(error));
    consumer.on('consumer:group:rebalance', () => this.offsets.move());
    consumer.on('consumer:group:join', ({ assignments }) =>
      this.onJoin(
        (assignments ?? []).flatMap(({ topic, partitions }) => partitions.map((partition) => ({ topic, partition }))),
      ),
    );
  }

  /** Commits what is done and leaves the group, so that its partitions go to others at once. */
  async close(): Promise<void> {
    await this.offsets.close();
    const closed = this.consumer.close(true).catch(() => undefined);
    await Promise.race([closed, sleep(5_000)]);
  }

  private fail(error: unknown): void {
    this.failure ??= explainKafka(error, this.options.config);
    this.options.onFailure();
  }

  private onJoin(mine: readonly Place[]): void {
    const { log, config } = this.options;
    this.options.onAssigned(this.offsets.assign(mine));
    // Not at the first time: whoever joins reads.
    if (this.stream) this.read().catch((error: unknown) => this.fail(error));
    if (mine.length === 0)
      log.error(
        { group: config.kafka.groupId },
        'no partitions are assigned: the other agents of this group have them all. This one stands by; for more at once give the topics more partitions, or raise QUAYSIDE_AGENT_CONCURRENCY. An agent that is to see every message needs a KAFKA_CONSUMER_GROUP_ID of its own',
      );
    else log.info({ partitions: mine.map(partitionOf) }, 'partitions are assigned');
  }

  /** Joins the group if it is not in it, and reads what is assigned; in the place of the stream before. */
  private async read(): Promise<void> {
    const { kafka } = this.options.config;
    this.streamCount += 1;
    const number = this.streamCount;
    const before = this.stream;
    this.stream = undefined;
    const opened = this.consumer.consume({
      topics: [kafka.runsTopic, kafka.changeLogTopic],
      mode: 'committed',
      fallbackMode: kafka.offsetReset,
    });
    // Not before: a consumer without streams forgets its topics, and joins again for them.
    before?.destroy();
    const stream = await opened;
    if (number !== this.streamCount) {
      stream.destroy();
      return;
    }
    this.stream = stream;
    const offsetOf = ({ topic, partition }: Place) => stream.offsetsToFetch.get(`${topic}:${partition}`);
    stream.once('offsets', () => {
      if (stream === this.stream) this.offsets.begin(offsetOf);
      // Again when what is to be read is no longer there.
      stream.on('offsets', () => {
        if (stream === this.stream) this.offsets.resume(offsetOf);
      });
    });
    void this.pump(stream);
  }

  private async pump(stream: MessagesStream<Buffer, Buffer, Buffer, Buffer>): Promise<void> {
    let failure: unknown = new Error('the connection to the brokers ended');
    try {
      for await (const record of stream) {
        if (stream !== this.stream) return;
        if (this.offsets.isNew(record)) this.options.onRecord(record);
        while (stream === this.stream && !stream.destroyed && this.offsets.heldCount() >= maxHeld) await sleep(20);
      }
    } catch (error) {
      failure = error;
    }
    if (stream === this.stream) this.fail(failure);
  }
}

/**
 * When a commit is refused because the agent is out of its group, the consumer joins again and then commits the same places,
 * also of partitions that are somebody else's by then, whose progress would go back. It joins still; the commit fails, and
 * what is still the agent's is committed after. `onFailure`: it could not join.
 */
function joinWithoutCommit(consumer: KafkaConsumer, onFailure: (error: Error) => void): void {
  const join = consumer.joinGroup.bind(consumer);
  const joinOnly = (options: GroupOptions, callback: (error: Error) => void): void =>
    join(options, (error) => {
      if (error) onFailure(error);
      callback(error ?? new Error('the agent was out of its group and has joined it again'));
    });
  consumer.joinGroup = joinOnly as typeof consumer.joinGroup;
}
