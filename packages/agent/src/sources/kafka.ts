import type { ClaimedRun } from '@quayside/contracts';
import { invocationOf, type Message, type Trust } from '@quayside/delivery';
import type { PortalApi } from '../api.ts';
import type { Config, KafkaConfig } from '../config.ts';
import { changeCustody, type Job, LeaseCustody, reportedCustody } from '../custody.ts';
import type { Log } from '../log.ts';
import { portalCalls } from '../portal-calls.ts';
import { version } from '../version.ts';
import { Announcement } from './announcement.ts';
import { explainKafka, readKafkaLogin } from './kafka-connection.ts';
import { changeIdOf, type Held, partitionOf, type Record, readRecord } from './kafka-record.ts';
import { KafkaSession } from './kafka-session.ts';
import type { ClaimResult, Load, Source } from './source.ts';

/**
 * Consumes the organization's topics. The brokers hold what is not dealt with; the agent says how far it is by committing.
 *
 *   record ──► read ──not for agents, unreadable, forged, unwanted──► done
 *                └──► ready ──key free, slot free──► (claimed at the portal) ──► job ──outcome safe──► done ──► committed
 *
 * Invariants
 *   - An offset is committed only when this record and every earlier one of its partition are done: their outcomes are
 *     recorded by the portal or kept on disk, or they need none. A crash reads the others again.
 *   - At most one job per key at a time, in order; jobs of different keys run beside each other, also within a partition.
 *   - A record whose header asks for it is carried out under a lease of the portal, so a record that comes twice (a crash, a
 *     rebalance, another group) is carried out once. Without that header the portal is not ours: as Port's agent, at least once.
 */
export interface KafkaSourceOptions {
  api: PortalApi;
  log: Log;
  config: Pick<Config, 'agentId' | 'labels' | 'clientSecret' | 'organizationId'> & { kafka: KafkaConfig };
  /** Whom connections to the brokers trust. */
  trust: Trust;
  /** Does an entry of the mapping want it? What nobody here wants is not taken from others. */
  wants(message: Message): Promise<boolean>;
}

/** The agent shows itself to the portal this often when there is nothing to do. */
const idleMs = 20_000;
/** Runs that are told of a wrong signature, so that who writes into the topic can not fill the portal. */
const maxWarned = 1_000;

export class KafkaSource implements Source {
  private readonly options: KafkaSourceOptions;
  private session: KafkaSession | undefined;
  private readonly ready: Held[] = [];
  private readonly activeKeys = new Set<string>();
  private wake = () => {};
  private readonly announcement: Announcement;
  /** A lease was seen: the portal knows the calls that others do not. */
  private isOurPortal = false;
  /** Runs of whose messages the signature was wrong. */
  private readonly warned = new Set<string>();

  constructor(options: KafkaSourceOptions) {
    this.options = options;
    this.announcement = new Announcement(options.api, options.log, 'KAFKA');
  }

  async claim(load: Load, signal: AbortSignal): Promise<ClaimResult> {
    try {
      this.session ??= await this.open(signal);
    } catch (error) {
      return { kind: 'failed', message: explainKafka(error, this.options.config), retryAfterMs: undefined };
    }
    const { failure } = this.session;
    if (failure !== undefined) {
      await this.closeSession();
      return { kind: 'failed', message: failure, retryAfterMs: undefined };
    }
    const taken = await this.wanted(await this.take(load.free, signal));
    const leased = taken.filter((held) => held.kind === 'leased');
    if (leased.length === 0 && !(taken.length === 0 && this.isOurPortal && !signal.aborted))
      return { kind: 'jobs', jobs: taken.map((held) => this.toJob(held)), pauseMs: 0 };

    const agent = {
      id: this.options.config.agentId,
      version,
      labels: { ...this.options.config.labels },
      streamer: 'KAFKA' as const,
      inFlight: load.inFlight,
      capacity: load.capacity,
    };
    const runIds = leased.map((held) => held.message.context.runId);
    const answer = await this.options.api.call(portalCalls.claimRuns(runIds, agent), { signal });
    if (answer.kind !== 'ok') {
      for (const held of taken) this.activeKeys.delete(held.key);
      this.ready.unshift(...taken);
      if (signal.aborted) return { kind: 'jobs', jobs: [], pauseMs: 0 };
      const retryAfterMs = answer.kind === 'refused' ? answer.retryAfterMs : undefined;
      return { kind: 'failed', message: answer.message, retryAfterMs };
    }
    const runs = new Map(((answer.body as { runs?: ClaimedRun[] }).runs ?? []).map((run) => [run.id, run]));
    const jobs = taken.flatMap((held): Job[] => {
      if (held.kind !== 'leased') return [this.toJob(held)];
      const run = runs.get(held.message.context.runId);
      if (run?.lease) return [this.toJob(held, run)];
      this.options.log.info(
        place(held),
        'the run is with somebody else, or done, or asks for labels that this agent has not',
      );
      this.finish(held);
      return [];
    });
    return { kind: 'jobs', jobs, pauseMs: 0 };
  }

  /** Commits what is done and leaves the group, so that its partitions go to others at once. */
  async close(): Promise<void> {
    await this.closeSession();
  }

  private toJob(held: Held, claimed?: ClaimedRun): Job {
    const { api } = this.options;
    const { message } = held;
    const invocation = held.kind === 'change' ? {} : invocationOf(message);
    const onSafe = () => this.finish(held);
    if (held.kind === 'change') {
      return { run: { id: changeIdOf(held.record), payload: {} }, attempt: 1, custody: changeCustody, message, onSafe };
    }
    const { runId } = message.context;
    if (claimed?.lease) {
      const custody = new LeaseCustody(api, runId, claimed.lease);
      const run = { id: runId, payload: claimed.payload ?? invocation };
      return { run, attempt: claimed.lease.attempt, custody, message, onSafe };
    }
    return {
      run: { id: runId, payload: invocation },
      attempt: 1,
      custody: reportedCustody(runId),
      message,
      onSafe,
    };
  }

  /** Up to `limit` ready records of different keys; waits for one. */
  private async take(limit: number, signal: AbortSignal): Promise<Held[]> {
    for (const endMs = performance.now() + idleMs; ; ) {
      const taken: Held[] = [];
      for (let index = 0; index < this.ready.length && taken.length < limit; ) {
        const held = this.ready[index];
        if (held === undefined || this.activeKeys.has(held.key) || !this.mayBegin(held)) index += 1;
        else {
          this.activeKeys.add(held.key);
          this.ready.splice(index, 1);
          taken.push(held);
        }
      }
      const leftMs = endMs - performance.now();
      if (taken.length > 0 || signal.aborted || leftMs <= 0 || this.session?.failure !== undefined) return taken;
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, leftMs);
        const end = () => {
          clearTimeout(timer);
          signal.removeEventListener('abort', end);
          resolve();
        };
        signal.addEventListener('abort', end);
        this.wake = end;
      });
    }
  }

  /** While partitions change hands, only what is refused to all but one who carries it out. */
  private mayBegin(held: Held): boolean {
    return held.kind === 'leased' || this.session?.offsets.isMoving !== true;
  }

  /** What no entry of the mapping wants is passed over before it is claimed: agents of other groups have it too. */
  private async wanted(taken: readonly Held[]): Promise<Held[]> {
    const wanted: Held[] = [];
    for (const held of taken)
      if (await this.options.wants(held.message)) wanted.push(held);
      else {
        this.options.log.info(place(held), 'no entry of the mapping wants the message; it is left to other groups');
        this.finish(held);
      }
    return wanted;
  }

  private async open(signal: AbortSignal): Promise<KafkaSession> {
    const { api, log, config, trust } = this.options;
    const { kafka } = config;
    const login = await readKafkaLogin(api, kafka);
    const wake = () => this.wake();
    const session: KafkaSession = await KafkaSession.open({
      login,
      trust,
      config,
      log,
      onRecord: (record) => this.receive(session, record),
      onAssigned: (kept) => {
        this.ready.splice(0, Infinity, ...this.ready.filter(({ record }) => kept.has(partitionOf(record))));
        wake();
      },
      onFailure: wake,
    });
    // After joining, so that nothing is published before somebody reads from the end.
    await this.announcement.make(signal);
    log.info(
      { brokers: login.brokers, group: kafka.groupId, topics: [kafka.runsTopic, kafka.changeLogTopic] },
      'consuming',
    );
    return session;
  }

  private receive(session: KafkaSession, record: Record): void {
    const read = readRecord(record, this.options, (runId, sentence) => this.warn(runId, sentence));
    if (read === undefined) {
      session.offsets.skip(record);
      return;
    }
    this.isOurPortal ||= read.kind === 'leased';
    const held = { record, isDone: false, ...read };
    session.offsets.hold(held);
    this.ready.push(held);
    this.wake();
  }

  /** So that a run which waits because of its agent's secret says so. Nothing else: anybody may have written the message. */
  private warn(runId: string, sentence: string): void {
    if (this.warned.has(runId) || this.warned.size >= maxWarned) return;
    this.warned.add(runId);
    void this.options.api.call(portalCalls.addLog(runId, `The agent ${this.options.config.agentId} says: ${sentence}`));
  }

  private finish(held: Held): void {
    if (held.isDone) return;
    held.isDone = true;
    this.activeKeys.delete(held.key);
    this.session?.offsets.advance(held.record);
    this.wake();
  }

  private async closeSession(): Promise<void> {
    const { session } = this;
    if (!session) return;
    await session.close();
    this.session = undefined;
    this.ready.length = 0;
  }
}

function place({ record, message }: Held): object {
  const { topic, partition, offset } = record;
  return { topic, partition, offset: Number(offset), run: message.context?.runId };
}
