import { setTimeout as sleep } from 'node:timers/promises';
import { createDatabase, silentLog, type TestDatabase } from '@quayside/testkit';
import { afterAll, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest';
import { type Database, empty, openDatabase, type Sql, sql, type Tx } from './db.ts';
import {
  type ClaimWaits,
  cancelWork,
  claim,
  createClaimWaits,
  enqueue,
  extendLease,
  type LeasedWork,
  lockLease,
  queueAgeSeconds,
  queueDepths,
  releaseWork,
  retryWork,
  settleWork,
} from './leases.ts';
import { openWakes, type Wakes } from './wake.ts';

const orgId = 'org_a';
let testDatabase: TestDatabase;
let database: Database;
let wakes: Wakes;
let waits: ClaimWaits;

beforeAll(async () => {
  testDatabase = await createDatabase(inject('postgresAdminUrl'));
  wakes = await openWakes(testDatabase.url, silentLog);
  database = openDatabase({ url: testDatabase.url, maxConnections: 12, log: silentLog, wakes });
  await database.system((tx) => tx.run(sql`insert into organizations (org_id, name) values (${orgId}, 'A')`));
});
beforeEach(async () => {
  waits = createClaimWaits(wakes);
  await database.system((tx) => tx.run(sql`delete from work`));
  return () => waits.close();
});
afterAll(async () => {
  await wakes.close();
  await database.close();
  await testDatabase.drop();
});

const add = (key: string, queue = 'q') => database.tenant(orgId, (tx) => enqueue(tx, { orgId, queue, key }));
const take = (holder: string, limit = 1, leaseMs = 30_000) =>
  database.tenant(orgId, (tx) => claim(tx, { queue: 'q', holder, limit, leaseMs }));
const only = (works: LeasedWork[]): LeasedWork => {
  const [work] = works;
  if (works.length !== 1 || !work) throw new Error(`One lease was expected, ${works.length} came.`);
  return work;
};
const keyOf = (work: LeasedWork) => ({ orgId, key: work.key, token: work.token });

describe('leases', () => {
  it('give each piece of work to one claimer, however many ask at once', async () => {
    for (let index = 0; index < 200; index++) await add(`run-${index}`);
    const taken = (
      await Promise.all(
        Array.from({ length: 12 }, async (_, claimer) => {
          const mine: LeasedWork[] = [];
          for (;;) {
            const works = await take(`agent-${claimer}`, 7);
            if (works.length === 0) return mine;
            mine.push(...works);
          }
        }),
      )
    ).flat();
    expect(taken).toHaveLength(200);
    expect(new Set(taken.map((work) => work.key)).size).toBe(200);
  });

  it('are given out oldest first', async () => {
    for (const key of ['first', 'second', 'third']) await add(key);
    expect((await take('a', 2)).map((work) => work.key).sort()).toEqual(['first', 'second']);
    expect((await take('a', 2)).map((work) => work.key)).toEqual(['third']);
  });

  it('run out by themselves; the next holder learns who was lost, and the old token is refused', async () => {
    await add('run');
    const lost = only(await take('lost agent', 1, 50));
    expect(await take('b')).toEqual([]);
    await sleep(80);
    const next = only(await take('b'));
    expect(next).toMatchObject({ key: 'run', token: lost.token + 1, lostHolder: 'lost agent' });
    await database.tenant(orgId, async (tx) => {
      expect(await lockLease(tx, keyOf(lost))).toBeUndefined();
      expect(await extendLease(tx, keyOf(lost), 1_000)).toBeUndefined();
      expect(await lockLease(tx, keyOf(next))).toMatchObject({ tries: 0 });
    });
  });

  it('are kept by extending', async () => {
    await add('run');
    const work = only(await take('a', 1, 100));
    await database.tenant(orgId, (tx) => extendLease(tx, keyOf(work), 10_000));
    await sleep(150);
    expect(await take('b')).toEqual([]);
  });

  it('given back are due at once, without a try', async () => {
    await add('run');
    const work = only(await take('a'));
    await database.tenant(orgId, async (tx) => {
      const lease = await lockLease(tx, keyOf(work));
      if (lease) await releaseWork(tx, lease.id, lease.queue);
    });
    expect(only(await take('b'))).toMatchObject({ key: 'run', tries: 0, lostHolder: null });
  });

  it('that are to be retried wait for their time and count the try', async () => {
    await add('run');
    const work = only(await take('a'));
    await database.tenant(orgId, async (tx) => {
      const lease = await lockLease(tx, keyOf(work));
      if (lease) await retryWork(tx, lease.id, lease.queue, 100);
    });
    expect(await take('b')).toEqual([]);
    await sleep(150);
    expect(only(await take('b'))).toMatchObject({ tries: 1 });
  });

  it('end with settling, and with cancelling', async () => {
    await add('settled');
    const work = only(await take('a'));
    await database.tenant(orgId, async (tx) => {
      const lease = await lockLease(tx, keyOf(work));
      if (lease) await settleWork(tx, lease.id);
    });
    await add('cancelled');
    expect(await database.tenant(orgId, (tx) => cancelWork(tx, { orgId, key: 'cancelled' }))).toBe(true);
    expect(await take('a')).toEqual([]);
  });

  // With the queue before the key in the index, each settle went through all open work of the organization.
  it('are found by the index that has the key before the queue', async () => {
    const plans = await database.tenant(orgId, async (tx) => {
      const statements: Sql[] = [];
      const find = async (statement: Sql) => void statements.push(statement);
      await lockLease({ ...tx, find } as Tx, { orgId, key: 'run-7', token: 1 });
      await tx.run(sql`set local enable_seqscan = off`);
      return tx.many<Record<string, unknown>>(sql`explain (format json) ${statements[0] ?? empty}`);
    });
    expect(JSON.stringify(plans)).toMatch(/"Index Name":"work_org_id_key_queue_key"/);
  });

  it('refuse the same key twice in a queue', async () => {
    await add('run');
    await expect(add('run')).rejects.toThrow(/unique/);
  });

  it('tell the age of the oldest due work', async () => {
    expect(await queueAgeSeconds(database)).toBe(0);
    await add('run');
    await sleep(60);
    expect(await queueAgeSeconds(database)).toBeGreaterThan(0.05);
  });

  it('tell how much is due and how much is leased, and count a retry that backs off as neither', async () => {
    expect(await queueDepths(database)).toEqual([]);
    for (const key of ['a', 'b', 'c', 'd']) await add(key);
    await add('elsewhere', 'other');
    const [backsOff] = await take('holder', 2);
    if (!backsOff) throw new Error('Nothing could be claimed.');
    await database.tenant(orgId, async (tx) => {
      const lease = await lockLease(tx, keyOf(backsOff));
      if (lease) await retryWork(tx, lease.id, lease.queue, 60_000);
    });
    const depths = await queueDepths(database);
    expect(depths.find(({ queue }) => queue === 'q')).toEqual({ queue: 'q', due: 2, leased: 1 });
    expect(depths.find(({ queue }) => queue === 'other')).toEqual({ queue: 'other', due: 1, leased: 0 });
  });
});

describe('held claims', () => {
  const hold = (holder: string, waitMs = 5_000, signal = new AbortController().signal) =>
    waits.wait('q', () => take(holder), { waitMs, signal });

  it('answer as soon as work is committed', async () => {
    const held = hold('a');
    await sleep(100);
    const addedAt = performance.now();
    await add('run');
    expect(only(await held).key).toBe('run');
    expect(performance.now() - addedAt).toBeLessThan(900);
  });

  it('answer empty when their time is up', async () => {
    expect(await hold('a', 50)).toEqual([]);
  });

  it('serve many waiters one each, in the order they came', async () => {
    const order: string[] = [];
    const all = Array.from({ length: 20 }, async (_, index) => {
      const work = only(await hold(`agent-${index}`));
      order.push(work.key);
      return work.key;
    });
    await sleep(50);
    expect(waits.held).toBe(20);
    for (let index = 0; index < 20; index++) await add(`run-${index}`);
    expect(new Set(await Promise.all(all)).size).toBe(20);
    expect(waits.held).toBe(0);
  });

  it('that are given up take nothing', async () => {
    const gone = new AbortController();
    const held = hold('gone', 5_000, gone.signal);
    await sleep(30);
    gone.abort();
    expect(await held).toEqual([]);
    await add('run');
    expect(only(await hold('b')).key).toBe('run');
  });

  it('find a lease that ran out, which nobody announces', async () => {
    await add('run');
    only(await take('lost', 1, 300));
    expect(only(await hold('b')).lostHolder).toBe('lost');
  });

  it('are answered when the server drains', async () => {
    const held = hold('a', 30_000);
    await sleep(20);
    waits.close();
    expect(await held).toEqual([]);
  });
});
