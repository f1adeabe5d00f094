import { type Database, named, type Sql, sql, type Tx } from './db.ts';
import type { Wakes } from './wake.ts';

/**
 * Leases: the one way in which work is taken, by agents, by the server's own deliveries, and by background jobs.
 *
 * A row of `work` is open work. Its states follow from two columns:
 *
 *   waiting   holder is null, due_at in the future      (a retry that backs off)
 *   due       due_at in the past                        (nobody holds it, or its holder was lost)
 *   leased    holder set, due_at in the future          (due_at = when the lease runs out)
 *   parked    holder is null, due_at = infinity         (whoever is to do it was told, and claims it by its key)
 *   done      no row
 *
 *   enqueue ► due ──claim──► leased ──settle──► done
 *                   ▲           ├──extend──► leased (later due_at)
 *                   │           ├──retry───► waiting ─► due
 *                   └───────────┴──release / time runs out
 *   park ► parked ──claim by key──► leased;   due ──park due──► parked
 *
 * Invariants
 *   - A claim raises `fence` by one and gives it to the holder as its token. Every later write names the token; a token
 *     that is not the present one is refused (`lost`). So a holder that was given up can never write over its successor.
 *   - Claiming is one statement with FOR UPDATE SKIP LOCKED: two claimers never get the same row.
 *   - A lost holder needs no reaper: its row becomes due by the clock of the database.
 *   - Token and clock are the database's; no machine's own time takes part.
 *
 * Cost: a claim is one index range scan of `work_due` and one update per row; nothing grows with finished work. Due work
 * whose labels nobody has is walked over by every claim of its queue.
 */
export interface LeasedWork {
  orgId: string;
  key: string;
  token: number;
  tries: number;
  expiresAt: Date;
  /** The holder before, when its lease ran out: it was lost, and may still be at work. */
  lostHolder: string | null;
  /** How many leases of this work there were, this one included. */
  leases: number;
  /** What asked for it to be done again. */
  replayId: string | null;
}

interface WorkRow {
  org_id: string;
  key: string;
  fence: number;
  tries: number;
  due_at: Date;
  lost_holder: string | null;
  first_fence: number;
  replay_id: string | null;
}

/** Where the organization's agents wait for work. */
export const agentQueue = (orgId: string): string => `agent:${orgId}`;

/** What work asks of its holder, and what a claimer has: work goes only to a claimer that has all of its labels. */
export type Labels = Readonly<Record<string, string>>;

export function queueTopic(queue: string): string {
  return `work:${queue}`;
}

/** Work that was done before and is to be done again: its tokens go on behind the last one. */
export interface Again {
  replayId: string;
  lastToken: number;
}

interface NewWork {
  orgId: string;
  queue: string;
  key: string;
  labels?: Labels;
  again?: Again;
}

/** Adds work in the caller's transaction; claimers wake when it commits. The same key twice in a queue is a fault. */
export async function enqueue(tx: Tx, work: NewWork & { delayMs?: number }): Promise<void> {
  await insertWork(tx, 'work.enqueue', work, sql`now() + ${work.delayMs ?? 0} * interval '1 millisecond'`);
  tx.wake(queueTopic(work.queue));
}

async function insertWork(tx: Tx, name: string, work: NewWork, dueAt: Sql): Promise<void> {
  const { replayId = null, lastToken = 0 } = work.again ?? {};
  await tx.run(
    named(
      name,
      sql`
      insert into work (org_id, queue, key, due_at, labels, fence, first_fence, replay_id)
      values (${work.orgId}, ${work.queue}, ${work.key}, ${dueAt}, ${textOf(work.labels)}::jsonb,
        ${lastToken}, ${lastToken}, ${replayId})`,
    ),
  );
}

/** For what is done again and again: each organization has a row that is never done. Its key is the queue's name, because leases are found by key. */
export async function ensureWorkOfEach(tx: Tx, queue: string): Promise<void> {
  await tx.run(sql`
    insert into work (org_id, queue, key)
    select o.org_id, ${queue}, ${queue} from organizations o
    where not exists (select from work w where w.org_id = o.org_id and w.queue = ${queue} and w.key = ${queue})
    on conflict do nothing`);
}

/** Is anything to be done under this key, in whatever queue? */
export async function hasWork(tx: Tx, orgId: string, key: string): Promise<boolean> {
  const { found } = await tx.one<{ found: boolean }>(
    sql`select exists (select from work where org_id = ${orgId} and key = ${key}) as found`,
  );
  return found;
}

/** Adds work that becomes due at an instant, or moves it there; whoever holds it by then has lost it. */
export async function schedule(
  tx: Tx,
  work: { orgId: string; queue: string; key: string; dueAt: Date },
): Promise<void> {
  await tx.run(sql`
    insert into work as w (org_id, queue, key, due_at) values (${work.orgId}, ${work.queue}, ${work.key}, ${work.dueAt})
    on conflict (org_id, queue, key) do update set due_at = excluded.due_at, fence = w.fence + 1, holder = null, tries = 0`);
  // What is due later is found by the sparse poll.
  if (work.dueAt.getTime() <= Date.now()) tx.wake(queueTopic(work.queue));
}

/** By the clock that work becomes due by. */
export async function hasPassed(tx: Tx, instant: Date): Promise<boolean> {
  return (await tx.one<{ has: boolean }>(sql`select ${instant}::timestamptz <= clock_timestamp() as has`)).has;
}

/** Adds work that nobody finds by looking. */
export async function park(tx: Tx, work: NewWork): Promise<void> {
  await insertWork(tx, 'work.park', work, sql`'infinity'`);
}

function textOf(labels: Labels | undefined): string | null {
  return labels === undefined ? null : JSON.stringify(labels);
}

export interface ParkedWork {
  key: string;
  /** How many leases there were, and how many of them ended in a retry. */
  token: number;
  tries: number;
  lostHolder: string | null;
  replayId: string | null;
}

/** Due work of a queue, all of it or that with exactly these labels. */
export interface DueWork {
  orgId: string;
  queue: string;
  labels?: Labels | null;
}

const isDueIn = ({ orgId, queue, labels }: DueWork): Sql => sql`
  org_id = ${orgId} and queue = ${queue} and due_at <= clock_timestamp()
  and (${labels === undefined} or labels is not distinct from ${textOf(labels ?? undefined)}::jsonb)`;

/** Oldest first. Nothing is locked: whoever goes on with it locks what comes before the work. */
export async function listDue(tx: Tx, from: DueWork, limit: number): Promise<string[]> {
  const rows = await tx.many<{ key: string }>(
    sql`select key from work where ${isDueIn(from)} order by due_at, id limit ${limit}`,
  );
  return rows.map((row) => row.key);
}

/**
 * Moves what is due of these to the queue `to`, parked. The caller tells whoever is to claim them, in the same transaction, and
 * holds what the work is about: one that ended meanwhile would leave its work parked for ever.
 */
export async function parkDue(tx: Tx, from: DueWork, keys: readonly string[], to: string): Promise<ParkedWork[]> {
  return tx.many<ParkedWork>(sql`
    with taken as (
      select id, holder from work where ${isDueIn(from)} and key = any(${keys})
      order by due_at, id
      for update skip locked
    )
    update work set queue = ${to}, holder = null, due_at = 'infinity'
    from taken where work.id = taken.id
    returning work.key, work.fence as token, work.tries, taken.holder as "lostHolder", work.replay_id as "replayId"`);
}

const canBeTakenWith = (labels: Labels | undefined): Sql =>
  sql`(labels is null or labels <@ ${JSON.stringify(labels ?? {})}::jsonb)`;

/** Leases the rows of `taken`. */
const leaseTaken = ({ holder, leaseMs }: { holder: string; leaseMs: number }): Sql => sql`
  update work set
    fence = fence + 1,
    holder = ${holder},
    due_at = clock_timestamp() + ${leaseMs} * interval '1 millisecond'
  from taken where work.id = taken.id
  returning org_id, key, fence, tries, due_at, lost_holder, first_fence, replay_id`;

/** Takes the rows with these keys that are parked or due. What somebody else holds, or waits for a retry, is left out. */
export async function claimByKey(
  tx: Tx,
  request: {
    orgId: string;
    queues: readonly string[];
    keys: readonly string[];
    holder: string;
    leaseMs: number;
    labels?: Labels | undefined;
  },
): Promise<LeasedWork[]> {
  const rows = await tx.many<WorkRow>(
    named(
      'work.claimByKey',
      sql`
      with taken as (
        select id, holder as lost_holder from work
        where org_id = ${request.orgId} and queue = any(${request.queues}) and key = any(${request.keys})
          and (due_at <= clock_timestamp() or due_at = 'infinity')
          and ${canBeTakenWith(request.labels)}
        for update skip locked
      )
      ${leaseTaken(request)}`,
    ),
  );
  return rows.map(toLeased);
}

/** Takes up to `limit` due rows of the queue that the claimer has the labels for, oldest first. */
export async function claim(
  tx: Tx,
  request: { queue: string; holder: string; limit: number; leaseMs: number; labels?: Labels | undefined },
): Promise<LeasedWork[]> {
  const rows = await tx.many<WorkRow>(
    named(
      'work.claim',
      sql`
      with taken as (
        select id, holder as lost_holder from work
        where queue = ${request.queue} and due_at <= clock_timestamp()
          and ${canBeTakenWith(request.labels)}
        order by due_at, id
        limit ${request.limit}
        for update skip locked
      )
      ${leaseTaken(request)}`,
    ),
  );
  return rows.map(toLeased);
}

function toLeased(row: WorkRow): LeasedWork {
  return {
    orgId: row.org_id,
    key: row.key,
    token: row.fence,
    tries: row.tries,
    expiresAt: row.due_at,
    lostHolder: row.lost_holder,
    leases: row.fence - row.first_fence,
    replayId: row.replay_id,
  };
}

export interface LeaseKey {
  orgId: string;
  key: string;
  token: number;
}

/** Locks the row if `token` is its present one and it is held; `undefined` = the lease is lost. */
export async function lockLease(
  tx: Tx,
  lease: LeaseKey,
): Promise<{ id: number; tries: number; queue: string; replayId: string | null } | undefined> {
  return tx.find(
    named(
      'work.lock',
      sql`
      select id, tries, queue, replay_id as "replayId" from work
      where org_id = ${lease.orgId} and key = ${lease.key} and fence = ${lease.token} and holder is not null
      for update`,
    ),
  );
}

/** `lockLease` and `settleWork` in one, for who knows before that the work is done. */
export async function endLease(
  tx: Tx,
  lease: LeaseKey,
): Promise<{ tries: number; replayId: string | null } | undefined> {
  return tx.find(
    named(
      'work.end',
      sql`
      delete from work
      where org_id = ${lease.orgId} and key = ${lease.key} and fence = ${lease.token} and holder is not null
      returning tries, replay_id as "replayId"`,
    ),
  );
}

/** Moves the end of a live lease; `undefined` = it is lost (or has run out, and somebody may have it already). */
export async function extendLease(tx: Tx, lease: LeaseKey, leaseMs: number): Promise<Date | undefined> {
  const row = await tx.find<{ due_at: Date }>(sql`
    update work set due_at = clock_timestamp() + ${leaseMs} * interval '1 millisecond'
    where org_id = ${lease.orgId} and key = ${lease.key} and fence = ${lease.token} and holder is not null
    returning due_at`);
  return row?.due_at;
}

/** The work is done: its row goes. The caller records what was done in the same transaction. */
export async function settleWork(tx: Tx, id: number): Promise<void> {
  await tx.run(named('work.settle', sql`delete from work where id = ${id}`));
}

/** The work failed and is to be tried again after `delayMs`. */
export async function retryWork(tx: Tx, id: number, queue: string, delayMs: number): Promise<void> {
  await tx.run(sql`
    update work set holder = null, tries = tries + 1, due_at = clock_timestamp() + ${delayMs} * interval '1 millisecond'
    where id = ${id}`);
  tx.wake(queueTopic(queue));
}

/** The holder did nothing and gives it back: due at once, or after `delayMs`, and no try is counted. */
export async function releaseWork(tx: Tx, id: number, queue: string, delayMs = 0): Promise<void> {
  await tx.run(sql`
    update work set holder = null, due_at = clock_timestamp() + ${delayMs} * interval '1 millisecond' where id = ${id}`);
  tx.wake(queueTopic(queue));
}

/** Removes work that nobody should do any more (its run ended otherwise). A holder notices at its next write. */
export async function cancelWork(tx: Tx, work: { orgId: string; key: string }): Promise<boolean> {
  return (await tx.run(sql`delete from work where org_id = ${work.orgId} and key = ${work.key}`)) > 0;
}

/**
 * Held claims. Each waiter names a queue and a function that tries to claim; waiters of one queue are served in turn, so a
 * single new piece of work costs one successful and at most one empty claim however many agents wait (a thousand held
 * polls are a thousand entries in a list, not a thousand queries). Only while work with labels is due, an empty claim is
 * followed by one of the next waiter with other labels, so that nobody stands in the way of its holder. What wakes them: the queue's topic, and a sparse poll,
 * which also finds leases that ran out.
 */
export interface ClaimWaits {
  /** Resolves with the first non-empty result of `attempt`, or with an empty list after `waitMs` or at `signal`. */
  wait<T>(queue: string, attempt: () => Promise<T[]>, options: WaitOptions): Promise<T[]>;
  readonly held: number;
  /** By queue: when work was last looked for without a fault. */
  readonly lookedAt: ReadonlyMap<string, Date>;
  close(): void;
}

export interface WaitOptions {
  waitMs: number;
  signal: AbortSignal;
  labels?: Labels | undefined;
  /** Is there due work that only some may take? */
  hasLabelled?(): Promise<boolean>;
}

interface Waiter {
  serve(): Promise<'served' | 'empty'>;
  /** Waiters of one kind can take the same. */
  readonly kind: string;
  hasLabelled(): Promise<boolean>;
}

const backstopMs = 1_000;

export function createClaimWaits(wakes: Wakes): ClaimWaits {
  const queues = new Map<string, { waiters: Waiter[]; isServing: boolean; again: boolean; off: () => void }>();
  let isClosed = false;
  const endings = new Set<() => void>();
  const lookedAt = new Map<string, Date>();

  const serve = async (queue: string): Promise<void> => {
    const line = queues.get(queue);
    if (!line) return;
    if (line.isServing) {
      line.again = true;
      return;
    }
    line.isServing = true;
    try {
      do {
        line.again = false;
        const empty = new Set<string>();
        for (let at = 0; at < line.waiters.length; ) {
          const waiter = line.waiters[at];
          if (!waiter || empty.has(waiter.kind)) {
            at += 1;
            continue;
          }
          line.waiters.splice(at, 1);
          if ((await waiter.serve()) === 'served') continue;
          // Nothing left for it: it keeps its place in the line. (Those before it may have left meanwhile.)
          line.waiters.splice(at, 0, waiter);
          if (empty.size === 0 && !(await waiter.hasLabelled())) break;
          empty.add(waiter.kind);
        }
      } while (line.again);
    } finally {
      line.isServing = false;
      if (line.waiters.length === 0) {
        line.off();
        queues.delete(queue);
      }
    }
  };

  const timer = setInterval(() => {
    for (const queue of queues.keys()) void serve(queue);
  }, backstopMs);
  timer.unref();

  return {
    get held() {
      let count = 0;
      for (const line of queues.values()) count += line.waiters.length;
      return count;
    },
    lookedAt,
    wait(queue, attempt, { waitMs, signal, labels, hasLabelled }) {
      if (isClosed || signal.aborted) return Promise.resolve([]);
      return new Promise((resolve, reject) => {
        let isOver = false;
        const end = (result: Awaited<ReturnType<typeof attempt>>) => {
          if (isOver) return;
          isOver = true;
          clearTimeout(timeout);
          signal.removeEventListener('abort', giveUp);
          endings.delete(giveUp);
          resolve(result);
        };
        const giveUp = () => {
          const line = queues.get(queue);
          const at = line?.waiters.indexOf(waiter) ?? -1;
          // Not in the line = a claim is under way for it; its result decides.
          if (line && at >= 0) {
            line.waiters.splice(at, 1);
            end([]);
          } else isLeaving = true;
        };
        let isLeaving = false;
        const waiter: Waiter = {
          kind: JSON.stringify(Object.entries(labels ?? {}).sort()),
          // A fault here costs a claim more.
          hasLabelled: async () => (await hasLabelled?.().catch(() => true)) ?? false,
          async serve() {
            try {
              const result = await attempt();
              lookedAt.set(queue, new Date());
              if (result.length === 0 && !isLeaving) return 'empty';
              end(result);
            } catch (error) {
              isOver = true;
              clearTimeout(timeout);
              signal.removeEventListener('abort', giveUp);
              endings.delete(giveUp);
              reject(error as Error);
            }
            return 'served';
          },
        };
        const timeout = setTimeout(giveUp, waitMs);
        signal.addEventListener('abort', giveUp);
        endings.add(giveUp);
        let line = queues.get(queue);
        if (!line) {
          line = {
            waiters: [],
            isServing: false,
            again: false,
            off: wakes.on(queueTopic(queue), () => void serve(queue)),
          };
          queues.set(queue, line);
        }
        line.waiters.push(waiter);
        void serve(queue);
      });
    },
    close() {
      isClosed = true;
      clearInterval(timer);
      for (const end of [...endings]) end();
    },
  };
}

/** Seconds since the oldest unheld due work of all organizations became due; 0 when there is none. */
export async function queueAgeSeconds(database: Database): Promise<number> {
  const row = await database.system((tx) =>
    tx.one<{ age: number | null }>(sql`
      select extract(epoch from clock_timestamp() - min(due_at))::float8 as age from work
      -- Readers of events have a metric of their own; one that is switched off leaves its row behind.
      where due_at <= clock_timestamp() and queue not like 'reader:%'`),
  );
  return row.age ?? 0;
}

export interface QueueDepth {
  queue: string;
  /** Nobody holds it. */
  due: number;
  /** Somebody is at work on it. */
  leased: number;
}

/** How much there is to do in each queue that has anything. Costs one scan of the open work, which settling removes. */
export async function queueDepths(database: Database): Promise<QueueDepth[]> {
  return database.system((tx) =>
    tx.many<QueueDepth>(sql`
      select queue,
             count(*) filter (where due_at <= clock_timestamp())::int as due,
             count(*) filter (where due_at > clock_timestamp() and holder is not null)::int as leased
      from work group by queue`),
  );
}
