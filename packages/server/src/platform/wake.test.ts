import { setTimeout as sleep } from 'node:timers/promises';
import { administer, createDatabase, silentLog, type TestDatabase } from '@quayside/testkit';
import { afterAll, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest';
import { type Database, openDatabase } from './db.ts';
import { openWakes, type Wakes } from './wake.ts';

let testDatabase: TestDatabase;
/** Two servers; transactions are those of the first. */
let here: Wakes;
let there: Wakes;
let database: Database;

beforeAll(async () => {
  testDatabase = await createDatabase(inject('postgresAdminUrl'));
});
beforeEach(async () => {
  [here, there] = await Promise.all([openWakes(testDatabase.url, silentLog), openWakes(testDatabase.url, silentLog)]);
  database = openDatabase({ url: testDatabase.url, maxConnections: 4, log: silentLog, wakes: here });
  return async () => {
    await database.close();
    await Promise.all([here.close(), there.close()]);
  };
});
afterAll(() => testDatabase.drop());

const counts = (wakes: Wakes, ...topics: string[]) => {
  const woken = new Map<string, number>();
  for (const topic of topics) wakes.on(topic, () => woken.set(topic, (woken.get(topic) ?? 0) + 1));
  return woken;
};

describe('a wake-up', () => {
  it('comes when the transaction has committed: at once where it was made, and elsewhere; once each', async () => {
    const [own, other] = [counts(here, 'topic'), counts(there, 'topic')];
    let before = 0;
    await database.system(async (tx) => {
      tx.wake('topic');
      tx.wake('topic');
      await sleep(50);
      before = own.size + other.size;
    });
    expect(before).toBe(0);
    expect(own.get('topic')).toBe(1);
    await expect.poll(() => other.get('topic')).toBe(1);
    // A notification of its own, back from the database, does not count.
    await sleep(50);
    expect([own.get('topic'), other.get('topic')]).toEqual([1, 1]);
  });

  it('does not come of a transaction that is rolled back', async () => {
    const [own, other] = [counts(here, 'topic', 'after'), counts(there, 'topic', 'after')];
    const failure = database.system(async (tx) => {
      tx.wake('topic');
      throw new Error('rolled back');
    });
    await expect(failure).rejects.toThrow('rolled back');
    await database.system(async (tx) => tx.wake('after'));
    await expect.poll(() => other.get('after')).toBe(1);
    expect([own.get('topic'), other.get('topic')]).toEqual([undefined, undefined]);
  });

  it('reaches every topic, however many and however long they are', async () => {
    const topics = Array.from({ length: 500 }, (_, index) => `${index}.${'x'.repeat(196)}`);
    const other = counts(there, ...topics);
    await database.system(async (tx) => {
      for (const topic of topics) tx.wake(topic);
    });
    await expect.poll(() => other.size).toBe(500);
  });

  it('of the last transaction before a server stops is told to the others', async () => {
    const other = counts(there, 'first', 'last');
    // The second one would be gathered for a while.
    await database.system(async (tx) => tx.wake('first'));
    await database.system(async (tx) => tx.wake('last'));
    await here.close();
    await expect.poll(() => other.get('last')).toBe(1);
  });

  it('comes to everybody when the connection was away, because what was told meanwhile is not known', async () => {
    const woken = counts(there, 'missed');
    await administer(
      testDatabase.url,
      "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'quayside wakes' and datname = current_database()",
    );
    await expect.poll(() => woken.get('missed')).toBe(1);
    // And both hear and tell again.
    await expect
      .poll(async () => {
        await database.system(async (tx) => tx.wake('missed'));
        await sleep(50);
        return woken.get('missed');
      })
      .toBeGreaterThan(1);
  });
});
