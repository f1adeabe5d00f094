import { setTimeout as sleep } from 'node:timers/promises';
import type { Consumer } from '@platformatic/kafka';
import { type Place, partitionOf, type Record } from './kafka-record.ts';

/**
 * How far each assigned partition is dealt with. What is held of it stands here in the order of its offsets; an offset is
 * committed when its record and every earlier one are done, so that a crash reads all others again.
 *
 *   assigned ──► begun ──► read, held, done, committed ──► rebalance: what is done is committed, then nothing ──► assigned ──► …
 *
 * While a rebalance is under way nothing is committed: the brokers would refuse it, or take it for a partition that is
 * somebody else's by then, whose progress would go back. After it only what is still ours is.
 */
interface Entry {
  record: Record;
  isDone: boolean;
}

interface Partition extends Place {
  held: Entry[];
  /** The next offset to come; lower ones came before. Undefined until it is known where reading begins. */
  next: bigint | undefined;
  /** Of the last record that is done. */
  leaderEpoch: number;
  /** It is further than what is committed. */
  isDue: boolean;
}

type Member = Pick<Consumer<Buffer, Buffer, Buffer, Buffer>, 'commit' | 'memberId' | 'generationId'>;

const commitDelayMs = 10;
/** After a commit that failed. */
const retryDelayMs = 500;
/** How long an agent that goes waits for the end of a rebalance, to commit what it has done. */
const lastWaitMs = 5_000;

export class Offsets {
  private readonly consumer: Member;
  private readonly onFailure: (error: unknown) => void;
  private partitions = new Map<string, Partition>();
  /** As of the last assignment; each rebalance makes a new generation. */
  private memberId: string | null = null;
  private generationId = 0;
  private committing: Promise<void> | undefined;
  /** Set while a rebalance is under way. */
  private moving: PromiseWithResolvers<void> | undefined;
  private isClosed = false;

  constructor(consumer: Member, onFailure: (error: unknown) => void) {
    this.consumer = consumer;
    this.onFailure = onFailure;
  }

  /** True while nobody knows whose which partition will be: what is begun now may be carried out by two. */
  get isMoving(): boolean {
    // With another identity, or none: it was dropped from the group and is on its way back.
    return this.moving !== undefined || this.consumer.memberId !== this.memberId;
  }

  /** A rebalance begins. What is done goes ahead of the request to join, so its new owners do not do it again. */
  move(): void {
    if (this.isMoving) return;
    void this.commitDue();
    this.moving = Promise.withResolvers();
  }

  /**
   * The rebalance ended with these partitions; returns the names of those that were the agent's all the time. What was read of
   * others is somebody's: what is at work here is refused to one of the two.
   */
  assign(mine: readonly Place[]): ReadonlySet<string> {
    const { memberId, generationId } = this.consumer;
    // Else there was a time when they were somebody else's.
    const wasMemberAllTheTime = memberId === this.memberId && generationId <= this.generationId + 1;
    this.memberId = memberId;
    this.generationId = generationId;
    const before = wasMemberAllTheTime ? this.partitions : new Map<string, Partition>();
    this.partitions = new Map();
    for (const { topic, partition } of mine) {
      const name = partitionOf({ topic, partition });
      const fresh = { topic, partition, held: [], next: undefined, leaderEpoch: -1, isDue: false };
      this.partitions.set(name, before.get(name) ?? fresh);
    }
    this.moving?.resolve();
    this.moving = undefined;
    this.committing ??= this.commit();
    return new Set([...this.partitions.keys()].filter((name) => before.has(name)));
  }

  /**
   * Reading begins at these offsets. Committed at once where it is a beginning: without any commit the next owner would begin
   * where the topic does, or at its end.
   */
  begin(offsetOf: (place: Place) => bigint | undefined): void {
    for (const at of this.partitions.values()) {
      if (at.next !== undefined) continue;
      at.next = offsetOf(at);
      this.due(at);
    }
  }

  /** Reading goes on at these offsets. Where that is back, the topic was made anew, and what was held is of the old one. */
  resume(offsetOf: (place: Place) => bigint | undefined): void {
    for (const at of this.partitions.values()) {
      const offset = offsetOf(at);
      if (offset === undefined || at.next === undefined || offset >= at.next) continue;
      at.held = [];
      at.next = offset;
      this.due(at);
    }
  }

  /** False = of a partition that is somebody else's, or read again after a rebalance because it is not committed yet. */
  isNew(record: Record): boolean {
    const next = this.partitions.get(partitionOf(record))?.next;
    return next !== undefined && record.offset >= next;
  }

  hold(entry: Entry): void {
    const at = this.partitions.get(partitionOf(entry.record));
    if (!at) return;
    at.next = entry.record.offset + 1n;
    at.held.push(entry);
  }

  /** There is nothing to do about it. */
  skip(record: Record): void {
    this.hold({ record, isDone: true });
    this.advance(record);
  }

  heldCount(): number {
    let count = 0;
    for (const { held } of this.partitions.values()) count += held.length;
    return count;
  }

  /** Moves what may be committed of the record's partition over everything that is done. */
  advance(record: Record): void {
    const at = this.partitions.get(partitionOf(record));
    if (!at) return;
    const firstOpen = at.held.findIndex((one) => !one.isDone);
    const last = at.held.splice(0, firstOpen === -1 ? at.held.length : firstOpen).at(-1)?.record;
    if (last === undefined) return;
    at.leaderEpoch = last.leaderEpoch;
    this.due(at);
  }

  /** When what is done is committed, or can not be. */
  async close(): Promise<void> {
    if (this.moving) await Promise.race([this.moving.promise, sleep(lastWaitMs)]);
    this.isClosed = true;
    await this.committing;
  }

  private due(at: Partition): void {
    at.isDue = true;
    this.committing ??= this.commit();
  }

  /** One at a time; what becomes done meanwhile goes with the next. */
  private async commit(): Promise<void> {
    for (let delayMs = commitDelayMs; ; ) {
      await sleep(delayMs);
      if (this.isMoving) break;
      const { generationId } = this;
      const result = await this.commitDue();
      if (result === 'nothing' || (result === 'failed' && this.isClosed)) break;
      // One that failed because partitions changed hands is for those that are left.
      delayMs = result === 'failed' && generationId === this.generationId ? retryDelayMs : commitDelayMs;
    }
    this.committing = undefined;
  }

  private async commitDue(): Promise<'done' | 'nothing' | 'failed'> {
    const due: Partition[] = [];
    const offsets: Parameters<Member['commit']>[0]['offsets'] = [];
    for (const at of this.partitions.values()) {
      const offset = at.held[0]?.record.offset ?? at.next;
      if (!at.isDue || offset === undefined) continue;
      at.isDue = false;
      due.push(at);
      offsets.push({ topic: at.topic, partition: at.partition, offset, leaderEpoch: at.leaderEpoch });
    }
    if (due.length === 0) return 'nothing';
    try {
      await this.consumer.commit({ offsets });
      return 'done';
    } catch (error) {
      // Until it is committed a restart would read these again.
      for (const at of due) at.isDue = true;
      this.onFailure(error);
      return 'failed';
    }
  }
}
