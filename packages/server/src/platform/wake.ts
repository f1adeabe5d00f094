import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from 'pg';
import type { Logger } from './log.ts';

/**
 * Wake-ups: whoever waits for a topic is called when a transaction that named it has committed, on this server (at once) or
 * another (by NOTIFY). A wake-up never carries data and may be lost (the connection may be away, or this process may die
 * before it tells the others), so every waiter also polls, sparsely. After a reconnect all waiters are woken once, because
 * notifications were missed.
 *
 * One connection of its own tells and listens. NOTIFY is no part of the transactions themselves: there it would take a lock
 * of the whole database in each commit, and wake this server by way of the database. What is told soon after something else
 * is gathered for some milliseconds, so the cost does not grow with the number of transactions.
 */
export interface Wakes {
  /** Calls `listener` at each wake-up of `topic`, until the returned function is called. */
  on(topic: string, listener: () => void): () => void;
  /** Wakes those who wait for these topics, here and on other servers. */
  wake(topics: Iterable<string>): void;
  close(): Promise<void>;
}

const reconnectMs = 500;
/** A connection that takes longer to tell something is given up. */
const answerTimeoutMs = 10_000;
const channel = 'quayside_wake';
/** Between two notifications. */
const gatherMs = 10;
/** A payload has less than 8,000 bytes, and a topic at most `maxTopicLength` of them. */
const topicsAtOnce = 35;
export const maxTopicLength = 200;

export async function openWakes(url: string, log: Logger): Promise<Wakes> {
  const listeners = new Map<string, Set<() => void>>();
  let client: Client | undefined;
  let processId: number | undefined;
  let isListening = false;
  let isClosed = false;
  let timer: NodeJS.Timeout | undefined;

  let isTelling = false;
  let telling: Promise<void> | undefined;
  const untold = new Set<string>();

  const wakeAll = () => {
    for (const set of listeners.values()) for (const listener of [...set]) listener();
  };
  const wakeHere = (topic: string) => {
    for (const listener of [...(listeners.get(topic) ?? [])]) listener();
  };

  const lose = (which: Client) => {
    if (client !== which || isClosed) return;
    isListening = false;
    client = undefined;
    which.end().catch(() => undefined);
    timer = setTimeout(() => void connect(), reconnectMs);
  };

  /** While the connection is away nobody is told: the others poll. */
  const tell = async (): Promise<void> => {
    const topics = [...untold];
    untold.clear();
    const teller = client;
    if (!teller || !isListening) return;
    try {
      for (let at = 0; at < topics.length; at += topicsAtOnce) {
        const payload = topics.slice(at, at + topicsAtOnce).join('\n');
        await teller.query({ name: 'wake.tell', text: 'select pg_notify($1, $2)', values: [channel, payload] });
      }
    } catch {
      lose(teller);
    }
  };
  const tellSoon = () => {
    if (untold.size === 0 || isTelling) return;
    isTelling = true;
    telling = tell();
    void Promise.all([telling, sleep(gatherMs)]).then(() => {
      isTelling = false;
      tellSoon();
    });
  };

  const connect = async (): Promise<void> => {
    const next = new Client({
      connectionString: url,
      application_name: 'quayside wakes',
      keepAlive: true,
      query_timeout: answerTimeoutMs,
    });
    next.on('error', () => lose(next));
    next.on('end', () => lose(next));
    next.on('notification', (message) => {
      // Its own were called at once.
      if (message.processId !== processId) for (const topic of (message.payload ?? '').split('\n')) wakeHere(topic);
    });
    client = next;
    try {
      await next.connect();
      await next.query(`listen ${channel}`);
      const { rows } = await next.query<{ pid: number }>('select pg_backend_pid() as pid');
      processId = rows[0]?.pid;
      isListening = true;
      wakeAll();
    } catch (error) {
      log.warn({ error: (error as Error).message }, 'the wake-up connection is away; waiting work is polled meanwhile');
      lose(next);
    }
  };
  await connect();

  return {
    on(topic, listener) {
      const set = listeners.get(topic) ?? new Set();
      listeners.set(topic, set);
      set.add(listener);
      return () => {
        set.delete(listener);
        if (set.size === 0 && listeners.get(topic) === set) listeners.delete(topic);
      };
    },
    wake(topics) {
      for (const topic of topics) {
        untold.add(topic);
        wakeHere(topic);
      }
      tellSoon();
    },
    async close() {
      isClosed = true;
      clearTimeout(timer);
      await telling;
      await tell();
      await client?.end().catch(() => undefined);
    },
  };
}
