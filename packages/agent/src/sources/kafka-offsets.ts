import type { Consumer } from '@platformatic/kafka';
import { partitionOf, type Record } from './kafka-record.ts';

/**
 * How far each assigned partition is dealt with. What is held of it stands here in the order of its offsets; an offset is
 * committed when its record and every earlier one are done, so that a crash reads all others again.
 */
interface Entry {
  record: Record;
  isDone: boolean;
}

const commitDelayMs = 10;

export class Offsets {
  private readonly consumer: Pick<Consumer<Buffer, Buffer, Buffer, Buffer>, 'commit'>;
  private readonly onFailure: (error: unknown) => void;
  private readonly partitions = new Map<string, Entry[]>();
  private readonly toCommit = new Map<
    string,
    { topic: string; partition: number; offset: bigint; leaderEpoch: number }
  >();
  private committing: Promise<void> | undefined;
  private isClosed = false;

  constructor(consumer: Pick<Consumer<Buffer, Buffer, Buffer, Buffer>, 'commit'>, onFailure: (error: unknown) => void) {
    this.consumer = consumer;
    this.onFailure = onFailure;
  }

  /** What was read of partitions that are somebody else's now is theirs; what is at work here is refused to one of the two. */
  assign(mine: ReadonlySet<string>): void {
    for (const name of this.partitions.keys()) if (!mine.has(name)) this.partitions.delete(name);
    for (const name of mine) if (!this.partitions.has(name)) this.partitions.set(name, []);
  }

  /** False = of a partition that is somebody else's, or read again after a rebalance while it is still at work here. */
  isNew(record: Record): boolean {
    const held = this.partitions.get(partitionOf(record));
    return held !== undefined && !held.some((one) => one.record.offset === record.offset);
  }

  hold(entry: Entry): void {
    this.partitions.get(partitionOf(entry.record))?.push(entry);
  }

  /** There is nothing to do about it. */
  skip(record: Record): void {
    this.hold({ record, isDone: true });
    this.advance(record);
  }

  heldCount(): number {
    let count = 0;
    for (const held of this.partitions.values()) count += held.length;
    return count;
  }

  /** Moves what may be committed of the record's partition over everything that is done. */
  advance(record: Record): void {
    const name = partitionOf(record);
    const held = this.partitions.get(name);
    const firstOpen = held?.findIndex((one) => !one.isDone) ?? 0;
    const last = held?.splice(0, firstOpen === -1 ? held.length : firstOpen).at(-1)?.record;
    if (last === undefined) return;
    const { topic, partition, offset, leaderEpoch } = last;
    this.toCommit.set(name, { topic, partition, offset: offset + 1n, leaderEpoch });
    this.committing ??= this.commit();
  }

  /** After the commit that is under way. */
  async close(): Promise<void> {
    await this.committing;
    this.isClosed = true;
  }

  /** One at a time; what becomes done meanwhile goes with the next. */
  private async commit(): Promise<void> {
    while (this.toCommit.size > 0) {
      await new Promise((resolve) => setTimeout(resolve, commitDelayMs));
      const offsets = [...this.toCommit].flatMap(([name, offset]) => (this.partitions.has(name) ? [offset] : []));
      this.toCommit.clear();
      if (offsets.length === 0 || this.isClosed) break;
      try {
        await this.consumer.commit({ offsets });
      } catch (error) {
        // The next one covers it; until then a restart would read these again.
        this.onFailure(error);
      }
    }
    this.committing = undefined;
  }
}
