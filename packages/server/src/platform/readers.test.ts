import { setTimeout as sleep } from 'node:timers/promises';
import { administer, createDatabase, silentLog, type TestDatabase } from '@quayside/testkit';
import { afterAll, beforeAll, describe, expect, inject, it, vi } from 'vitest';
import { createWorld, type World } from './ctx.ts';
import { type Database, empty, openDatabase, type Sql, sql, type Tx } from './db.ts';
import { moveCursor, readEvents, readerLagSeconds } from './event-reader.ts';
import { createClaimWaits, queueAgeSeconds } from './leases.ts';
import { type Reader, type Readers, readerQueue, recordingReader, startReaders } from './readers.ts';
import { openWakes, type Wakes } from './wake.ts';

const orgId = 'org_a';
let testDatabase: TestDatabase;
let database: Database;
/** Of a server that has no readers: those of the others hear of its events. */
let wakes: Wakes;

beforeAll(async () => {
  testDatabase = await createDatabase(inject('postgresAdminUrl'));
  wakes = await openWakes(testDatabase.url, silentLog);
  database = openDatabase({ url: testDatabase.url, maxConnections: 12, log: silentLog, wakes });
  await database.system((tx) => tx.run(sql`insert into organizations (org_id, name) values (${orgId}, 'A')`));
  // What the readers under test write: no primary key, so that a doubled effect shows.
  await administer(
    testDatabase.url,
    'create table seen (reader text, holder text, subject text); grant all on seen to quayside_app',
  );
});
afterAll(async () => {
  await wakes.close();
  await database.close();
  await testDatabase.drop();
});

const worldOf = (id: string): World =>
  createWorld({
    database,
    actor: { kind: 'system', orgId: id, id: 'quayside', permissions: new Set() },
    origin: 'SYSTEM',
    log: silentLog,
    traceId: 'trace',
  });

const emit = (...subjects: string[]) =>
  worldOf(orgId).transaction(async (ctx) => {
    for (const subject of subjects) await ctx.emit({ name: 'entity.created', subject });
  });

const seenBy = async (reader: string) =>
  (
    await worldOf(orgId).transaction((ctx) =>
      ctx.db.many<{ holder: string; subject: string }>(sql`select holder, subject from seen where reader = ${reader}`),
    )
  ).sort((a, b) => a.subject.localeCompare(b.subject));

/** A server with these readers. */
async function start(holder: string, ...readers: Reader[]): Promise<Readers> {
  const wakes = await openWakes(testDatabase.url, silentLog);
  const waits = createClaimWaits(wakes);
  const started = await startReaders({ readers, database, waits, wakes, holder, worldOf, log: silentLog });
  return {
    ...started,
    async stop() {
      waits.close();
      await started.stop();
      await wakes.close();
    },
  };
}

const recording = (name: string, holder: string, before: () => Promise<void> | void = () => undefined): Reader =>
  recordingReader({
    name,
    eventsPerStep: 4,
    trouble: 'events are not recorded',
    read: readEvents,
    async handle(ctx, events) {
      // Fewer than came: the rest must come again.
      const part = events.slice(0, 3);
      for (const { subject } of part)
        await ctx.db.run(sql`insert into seen (reader, holder, subject) values (${name}, ${holder}, ${subject})`);
      await before();
      return part.length;
    },
  });

const subjects = (prefix: string, count: number) => Array.from({ length: count }, (_, index) => `${prefix}${index}`);

describe('a recording reader', () => {
  it('begins with what happens after it is known, and deals with each event once', async () => {
    await emit('before');
    const server = await start('one', recording('fresh', 'one'));
    await emit(...subjects('f', 10));
    await vi.waitFor(async () => expect(await seenBy('fresh')).toHaveLength(10), 10_000);
    await server.stop();
    expect((await seenBy('fresh')).map(({ subject }) => subject)).toEqual(subjects('f', 10));
    expect(await readerLagSeconds(database, 'fresh')).toBe(0);
  });

  it('rolls back what a fault interrupted, and tries again', async () => {
    let faults = 2;
    const server = await start(
      'one',
      recording('faulty', 'one', () => {
        if (faults-- > 0) throw new Error('planted');
      }),
    );
    await emit(...subjects('g', 5));
    await vi.waitFor(async () => expect(await seenBy('faulty')).toHaveLength(5), 10_000);
    await server.stop();
    expect((await seenBy('faulty')).map(({ subject }) => subject)).toEqual(subjects('g', 5));
  });

  it('is held by one server at a time, and goes on elsewhere when that one stops', async () => {
    const first = await start('one', recording('shared', 'one'));
    const second = await start('two', recording('shared', 'two'));
    await emit(...subjects('h', 6));
    await vi.waitFor(async () => expect(await seenBy('shared')).toHaveLength(6), 10_000);
    const [holder] = new Set((await seenBy('shared')).map((row) => row.holder));
    await (holder === 'one' ? first : second).stop();
    await emit(...subjects('i', 6));
    await vi.waitFor(async () => expect(await seenBy('shared')).toHaveLength(12), 10_000);
    await Promise.all([first.stop(), second.stop()]);
    const rows = await seenBy('shared');
    expect(rows.map(({ subject }) => subject)).toEqual([...subjects('h', 6), ...subjects('i', 6)]);
    expect(new Set(rows.slice(0, 6).map((row) => row.holder))).toEqual(new Set([holder]));
    expect(new Set(rows.slice(6).map((row) => row.holder))).toEqual(new Set([holder === 'one' ? 'two' : 'one']));
  });

  it('does not count as work that nobody does', async () => {
    // The rows of the tests before are due, as their servers have stopped.
    expect(await queueAgeSeconds(database)).toBe(0);
  });
});

describe('the place of a reader', () => {
  // Row-level security kept the condition out of the index: each step read every event of the organization.
  it('is a range of the index, for a role that sees one organization', async () => {
    await worldOf(orgId).transaction(async (ctx) => {
      const statements: Sql[] = [];
      const many = async (statement: Sql) => {
        statements.push(statement);
        return [];
      };
      await readEvents({ ...ctx.db, many } as Tx, orgId, 'any', 10);
      const plan = await ctx.db.many<Record<string, string>>(sql`explain ${statements[0] ?? empty}`);
      const conditions = plan.map((row) => row['QUERY PLAN']).filter((line) => line?.includes('Index Cond'));
      expect(conditions.join()).toMatch(/Index Cond: .*ROW\(xid, seq\) > ROW/);
    });
  });
});

describe('a reader with effects elsewhere', () => {
  it('can not move its cursor once another holder has the lease', async () => {
    const name = 'lost';
    let steps = 0;
    const outcomes: unknown[] = [];
    const server = await start('one', {
      name,
      trouble: 'nothing is sent',
      async step({ world, transaction }) {
        const events = await world.transaction((ctx) => readEvents(ctx.db, ctx.orgId, name, 10));
        const last = events.at(-1);
        if (!last || steps++ > 0) return { count: 0, isMore: false };
        // Somebody claims it meanwhile.
        await database.system((tx) =>
          tx.run(sql`update work set fence = fence + 1, holder = 'two', due_at = now() + interval '1 minute'
            where queue = ${readerQueue(name)}`),
        );
        await transaction((ctx) => moveCursor(ctx.db, ctx.orgId, name, last.cursor)).catch((error) => {
          outcomes.push(error);
          throw error;
        });
        return { count: events.length, isMore: false };
      },
    });
    await emit('j0');
    await vi.waitFor(() => expect(outcomes).toHaveLength(1), 10_000);
    await sleep(50);
    await server.stop();
    expect(String(outcomes[0])).toContain('another server reads on');
    expect(steps).toBe(1);
    const left = await worldOf(orgId).transaction((ctx) => readEvents(ctx.db, ctx.orgId, name, 10));
    expect(left.map(({ subject }) => subject)).toEqual(['j0']);
  });
});
