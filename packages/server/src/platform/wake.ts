import { Client } from 'pg';
import { wakeChannel } from './db.ts';
import type { Logger } from './log.ts';

/**
 * Wake-ups: one connection of its own listens; whoever waits for a topic is called when a transaction that named it has
 * committed, on this server or another. A wake-up never carries data and may be lost (the connection may be away), so
 * every waiter also polls, sparsely. After a reconnect all waiters are woken once, because notifications were missed.
 */
export interface Wakes {
  /** Calls `listener` at each wake-up of `topic`, until the returned function is called. */
  on(topic: string, listener: () => void): () => void;
  readonly isListening: boolean;
  close(): Promise<void>;
}

const reconnectMs = 500;

export async function openWakes(url: string, log: Logger): Promise<Wakes> {
  const listeners = new Map<string, Set<() => void>>();
  let client: Client | undefined;
  let isListening = false;
  let isClosed = false;
  let timer: NodeJS.Timeout | undefined;

  const wakeAll = () => {
    for (const set of listeners.values()) for (const listener of [...set]) listener();
  };

  const connect = async (): Promise<void> => {
    const next = new Client({ connectionString: url, application_name: 'quayside wakes', keepAlive: true });
    const lost = () => {
      if (client !== next || isClosed) return;
      isListening = false;
      client = undefined;
      next.end().catch(() => undefined);
      timer = setTimeout(() => void connect(), reconnectMs);
    };
    next.on('error', lost);
    next.on('end', lost);
    next.on('notification', (message) => {
      for (const listener of [...(listeners.get(message.payload ?? '') ?? [])]) listener();
    });
    client = next;
    try {
      await next.connect();
      await next.query(`listen ${wakeChannel}`);
      isListening = true;
      wakeAll();
    } catch (error) {
      log.warn({ error: (error as Error).message }, 'the wake-up connection is away; waiting work is polled meanwhile');
      lost();
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
    get isListening() {
      return isListening;
    },
    async close() {
      isClosed = true;
      clearTimeout(timer);
      await client?.end().catch(() => undefined);
    },
  };
}
