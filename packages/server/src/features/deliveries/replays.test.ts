import {
  auditRoutes,
  blueprintRoutes,
  deliveryRoutes,
  dispatchRoutes,
  entityRoutes,
  maxSearched,
  runRoutes,
} from '@quayside/contracts';
import { administer } from '@quayside/testkit';
import { type Receiver, startReceiver } from '@quayside/testkit/receiver';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { type Caller, startTestApp, type TestApp } from '../../../test/harness.ts';
import { sql } from '../../platform/db.ts';

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

let test: TestApp;
let target: Receiver;
let member: Caller;
/** What the target answers. */
let status = 200;

beforeAll(async () => {
  target = await startReceiver({ answer: (_request, response) => void response.writeHead(status).end('{}') });
  test = await startTestApp({ QUAYSIDE_ALLOW_PRIVATE_TARGETS: 'true' });
  member = await test.join('ada@example.com');
});
afterAll(async () => {
  await test.stop();
  await target.close();
});
beforeEach(() => {
  target.requests.length = 0;
  status = 200;
});

const execute = async (invocation: object = {}): Promise<string> =>
  (await test.executeNew({ type: 'WEBHOOK', url: target.url, body: { run: '{{ .run.id }}' }, ...invocation })).id;
const read = async (subject: string) =>
  (await test.machine.call(deliveryRoutes.get, { params: { subject } })).body.delivery;
const statusOf = async (run_id: string) =>
  (await test.machine.call(runRoutes.get, { params: { run_id } })).body.run.status;
const replay = async (subject: string, who: Caller = test.admin) =>
  (await who.call(deliveryRoutes.replay, { params: { subject } })).body.replay;
const replayOf = async (replay_id: string) =>
  (await test.machine.call(deliveryRoutes.getReplay, { params: { replay_id } })).body.replay;
const attempts = async (subject: string, expected: number) => {
  await expect
    .poll(async () => (await read(subject)).attempts.filter((one) => one.state !== 'open').length, { timeout: 15_000 })
    .toBe(expected);
  return (await read(subject)).attempts;
};
const report = (run_id: string, status: 'SUCCESS' | 'FAILURE') =>
  test.machine.call(runRoutes.patch, { params: { run_id }, body: { status } });
const claim = async (limit = 1000) =>
  (
    await test.machine.call(dispatchRoutes.claim, {
      body: {
        installationId: '_PORT_EXEC_AGENT',
        limit,
        agent: { id: 'a', version: '1', inFlight: 0, capacity: limit },
      },
    })
  ).body;
const settle = (run_id: string, token: string, statusCode: number) =>
  test.machine.call(dispatchRoutes.settle, {
    params: { run_id },
    body: {
      token,
      outcome: { kind: 'answered', statusCode, headers: {}, body: '', isBodyTruncated: false, durationMs: 1 },
    },
  });

describe('a replay is refused', () => {
  it('to those who may not, of what does not exist, without a filter, and of what is under way', async () => {
    const id = await execute({ agent: true });
    expect((await test.nobody.refused(deliveryRoutes.replay, { params: { subject: id } })).status).toBe(401);
    expect((await member.refused(deliveryRoutes.replay, { params: { subject: id } })).status).toBe(403);
    expect((await member.refused(deliveryRoutes.replayMany, { body: { dead: true } })).status).toBe(403);
    // Never handed over.
    for (const subject of [id, 'm_unknown', 'x'])
      expect((await test.admin.refused(deliveryRoutes.replay, { params: { subject } })).body.error).toBe('not_found');
    expect((await test.admin.refused(deliveryRoutes.getReplay, { params: { replay_id: 'x' } })).status).toBe(404);
    for (const body of [{}, { dead: 'x' }, { unknown: true }])
      expect((await test.admin.refused(deliveryRoutes.replayMany, { body })).status).toBe(422);
    const [run] = (await claim()).runs;
    const busy = await test.admin.refused(deliveryRoutes.replay, { params: { subject: id } });
    expect([busy.status, busy.body.error, busy.body.message]).toEqual([
      409,
      'under_way',
      expect.stringContaining('wait until that has ended'),
    ]);
    await settle(id, run?.lease?.token ?? '', 200);
    const again = await replay(id);
    expect(again).toMatchObject({ state: 'running', replayed: 1, open: 1, filter: { subject: id } });
    // Nothing of a refused one is left.
    expect((await test.admin.refused(deliveryRoutes.replay, { params: { subject: id } })).body.error).toBe('under_way');
    expect((await test.admin.call(deliveryRoutes.replays)).body.replays.map((one) => one.id)).toEqual([again.id]);
    const [repeated] = (await claim()).runs;
    await settle(id, repeated?.lease?.token ?? '', 200);
    expect(await replayOf(again.id)).toMatchObject({ state: 'done', open: 0, delivered: 1, failed: 0 });
    const other = await test.otherOrganization();
    expect((await other.refused(deliveryRoutes.replay, { params: { subject: id } })).status).toBe(404);
    expect((await other.refused(deliveryRoutes.getReplay, { params: { replay_id: again.id } })).status).toBe(404);
  });
});

describe('a replay of one', () => {
  it('is the same request under the same key, however often; the run stays as it ended, and says who asked', async () => {
    const id = await execute();
    await attempts(id, 1);
    await report(id, 'SUCCESS');
    await replay(id);
    await attempts(id, 2);
    await replay(id);
    const all = await attempts(id, 3);
    expect(await statusOf(id)).toBe('SUCCESS');
    expect(all.map((one) => [one.attempt, one.replay?.by])).toEqual([
      [1, undefined],
      [2, 'admin@example.com'],
      [3, 'admin@example.com'],
    ]);
    expect(target.requests).toHaveLength(3);
    expect(new Set(target.requests.map((request) => request.headers['idempotency-key']))).toEqual(new Set([id]));
    expect(new Set(target.requests.map((request) => String(request.body)))).toEqual(new Set([`{"run":"${id}"}`]));
    expect(target.requests.map((request) => request.headers['x-quayside-attempt'])).toEqual(['1', '2', '3']);
    const { runLogs } = (await test.machine.call(runRoutes.listLogs, { params: { run_id: id } })).body;
    expect(runLogs.filter((line) => line.message.startsWith('Replayed for admin@example.com'))).toHaveLength(2);
    const { audits } = (await test.admin.call(auditRoutes.list, { query: { run_id: id, resources: ['replay'] } })).body;
    expect(audits).toHaveLength(2);
    expect(audits[0]).toMatchObject({ trigger: { by: { user: { email: 'admin@example.com' } } } });
  });

  it('of a dead letter that is delivered now is no dead letter any more; its run has failed all the same', async () => {
    status = 404;
    const id = await execute();
    expect((await attempts(id, 1))[0]).toMatchObject({ isDead: true });
    expect(await statusOf(id)).toBe('FAILURE');
    await replay(id);
    // Given up once more: one dead letter, not two.
    expect((await attempts(id, 2)).map((one) => one.isDead ?? false)).toEqual([false, true]);
    status = 200;
    await replay(id);
    expect((await attempts(id, 3)).map((one) => one.isDead ?? false)).toEqual([false, false, false]);
    expect(await statusOf(id)).toBe('FAILURE');
    expect((await read(id)).why).toMatchObject({ state: 'delivered' });
  });

  it('that fails for a while is tried again by itself, and does not fail a run that waits for its report', async () => {
    const id = await execute({ agent: true });
    const first = (await claim()).runs.find((run) => run.id === id);
    await settle(id, first?.lease?.token ?? '', 202);
    expect(await statusOf(id)).toBe('IN_PROGRESS');
    await replay(id);
    const second = (await claim()).runs.find((run) => run.id === id);
    expect(second?.lease?.attempt).toBe(2);
    expect((await settle(id, second?.lease?.token ?? '', 503)).body.result).toBe('will_retry');
    await expect.poll(async () => (await read(id)).why.state).toBe('waiting');
    await expect
      .poll(
        async () => {
          await claim();
          return (await read(id)).attempts.length;
        },
        { timeout: 15_000 },
      )
      .toBe(3);
    expect((await settle(id, '3', 404)).body).toMatchObject({
      result: 'recorded',
      run: { status: 'IN_PROGRESS' },
    });
    await report(id, 'SUCCESS');
  });

  it('of an entity that was written writes it again', async () => {
    await test.machine.call(blueprintRoutes.create, {
      body: { identifier: 'box', title: 'Box', schema: { properties: { size: { type: 'number' } } } } as never,
    });
    const mapping = { identifier: 'b', properties: { size: 3 } };
    const id = await execute({
      type: 'UPSERT_ENTITY',
      url: undefined,
      body: undefined,
      blueprintIdentifier: 'box',
      mapping,
    });
    await attempts(id, 1);
    const params = { blueprint_identifier: 'box', entity_identifier: 'b' };
    await test.machine.call(entityRoutes.remove, { params });
    await replay(id);
    expect((await attempts(id, 2))[1]).toMatchObject({ outcome: { kind: 'written' } });
    expect((await test.machine.call(entityRoutes.get, { params })).body.entity.properties).toEqual({ size: 3 });
  });
});

describe('a replay of many', () => {
  const blueprint = (identifier: string, destination: object) =>
    test.machine.call(blueprintRoutes.create, {
      body: {
        identifier,
        title: identifier,
        schema: { properties: {} },
        changelogDestination: { type: 'WEBHOOK', url: `${target.url}/${identifier}`, ...destination },
      } as never,
    });
  const entities = async (blueprint_identifier: string, count: number) => {
    const all = Array.from({ length: count }, (_, index) => `e${index}`);
    while (all.length > 0)
      await Promise.all(
        all
          .splice(0, 20)
          .map((identifier) =>
            test.machine.call(entityRoutes.create, { params: { blueprint_identifier }, body: { identifier } }),
          ),
      );
  };
  const dead = async () =>
    (await test.machine.call(deliveryRoutes.countReplay, { body: { dead: true, kind: 'change' } })).body;

  it('takes every subject once, in steps, with progress, and under the keys of before', async () => {
    status = 404;
    await blueprint('told', {});
    await entities('told', 139);
    await expect.poll(dead, { timeout: 30_000 }).toEqual({ ok: true, count: 140 });
    const keys = new Set(target.requests.map((request) => request.headers['idempotency-key']));
    expect(keys.size).toBe(140);
    target.requests.length = 0;
    status = 200;
    const { replay: begun } = (
      await test.admin.call(deliveryRoutes.replayMany, { body: { dead: true, kind: 'change' } })
    ).body;
    expect(begun).toMatchObject({ state: 'running', total: 140, searched: 0, by: 'admin@example.com' });
    const second = await test.admin.refused(deliveryRoutes.replayMany, { body: { dead: true } });
    if (second.status === 409) expect(second.body.message).toContain(begun.id);
    await expect.poll(async () => (await replayOf(begun.id)).state, { timeout: 30_000 }).toBe('done');
    expect(await replayOf(begun.id)).toMatchObject({ replayed: 140, searched: 1, open: 0, delivered: 140, failed: 0 });
    expect(target.requests).toHaveLength(140);
    expect(new Set(target.requests.map((request) => request.headers['idempotency-key']))).toEqual(keys);
    expect((await dead()).count).toBe(0);
    const made = (await test.machine.call(deliveryRoutes.list, { query: { replay: begun.id, limit: 200 } })).body;
    expect(made.deliveries).toHaveLength(140);
  });

  it('can be cancelled: what nobody has taken is taken back', async () => {
    await blueprint('carried', { agent: true });
    await entities('carried', 29);
    const list = async () =>
      (await test.machine.call(deliveryRoutes.list, { query: { holder: 'a', kind: 'change', limit: 200 } })).body
        .deliveries;
    await expect
      .poll(
        async () => {
          await claim();
          return (await list()).length;
        },
        { timeout: 15_000 },
      )
      .toBe(30);
    for (const { subject, attempt } of await list()) await settle(subject, String(attempt), 200);
    const { replay: begun } = (
      await test.admin.call(deliveryRoutes.replayMany, { body: { holder: 'a', kind: 'change' } })
    ).body;
    await expect.poll(async () => (await replayOf(begun.id)).open, { timeout: 15_000 }).toBe(30);
    const cancelled = await test.admin.call(deliveryRoutes.cancelReplay, { params: { replay_id: begun.id } });
    expect(cancelled.body.replay).toMatchObject({ state: 'cancelled', replayed: 0, skipped: 30, open: 0 });
    expect((await claim()).messages ?? []).toEqual([]);
    const late = await test.admin.refused(deliveryRoutes.cancelReplay, { params: { replay_id: begun.id } });
    expect([late.status, late.body.error]).toEqual([422, 'invalid_transition']);
  });
});

describe('of a hundred thousand', () => {
  const total = 100_000;
  /** One attempt of so many was made by another holder. */
  const oneIn = 15_000;
  const rare = Math.floor(total / oneIn);
  /** Whole ones; what the tests above delivered is in one more. */
  const stretches = total / maxSearched;

  beforeAll(async () => {
    const payload = JSON.stringify({ type: 'CHANGE', message: {} });
    const holder = sql`case when n % ${oneIn}::int = 0 then 'rare' else 'bulk' end`;
    const each = sql`generate_series(1, ${total}::int) n`;
    await test.app.database.system(async (tx) => {
      await tx.run(sql`
        insert into messages (org_id, id, kind, payload, status, ended_at)
        select 'org_test', 'm_bulk' || n, 'change', ${payload}, 'FAILED', now() from ${each}`);
      await tx.run(sql`
        insert into deliveries (org_id, subject, attempt, holder, state, started_at, ended_at, is_dead)
        select 'org_test', 'm_bulk' || n, 1, ${holder}, 'settled', now() - n * interval '1 second', now(), true from ${each}`);
    });
    // As autovacuum does it soon after; the plans of an empty table would read all of it.
    await administer(test.databaseUrl, 'analyze deliveries, messages');
  });

  it('a page of rare ones looks through a bounded stretch, says how far, and goes on from there', async () => {
    const found: string[] = [];
    const searched: (string | undefined)[] = [];
    let after: string | undefined;
    do {
      const query = { holder: 'rare', ...(after ? { after } : {}) };
      const { body } = await test.machine.call(deliveryRoutes.list, { query });
      found.push(...body.deliveries.map((one) => one.subject));
      searched.push(body.searchedTo);
      after = body.next;
    } while (after);
    expect(found).toEqual(Array.from({ length: rare }, (_, index) => `m_bulk${(index + 1) * oneIn}`));
    expect(searched).toHaveLength(stretches + 1);
    // Further and further back; the last one is at the end.
    expect(searched.pop()).toBeUndefined();
    expect(searched).toEqual([...new Set(searched)].sort().reverse());
  });

  it('they are counted in calls that look through a bounded stretch each', async () => {
    const counts: number[] = [];
    let after: string | undefined;
    do {
      const query = after ? { after } : {};
      const { body } = await test.machine.call(deliveryRoutes.countReplay, { query, body: { holder: 'bulk' } });
      counts.push(body.count);
      after = body.next;
    } while (after);
    expect(counts.reduce((sum, one) => sum + one, 0)).toBe(total - rare);
    expect(Math.max(...counts)).toBeLessThanOrEqual(maxSearched);
    expect(counts).toHaveLength(stretches + 1);
  });

  it('a replay hands them over while there is room, with progress, goes on when there is more, and takes back the rest', async () => {
    const { replay: begun } = (await test.admin.call(deliveryRoutes.replayMany, { body: { holder: 'bulk' } })).body;
    expect(begun).not.toHaveProperty('total');
    await expect.poll(async () => (await replayOf(begun.id)).open, { timeout: 30_000 }).toBe(1_000);
    const full = await replayOf(begun.id);
    expect([full.replayed, full.searched > 0 && full.searched < 0.05]).toEqual([1_000, true]);
    const { messages = [] } = await claim(5);
    expect(messages).toHaveLength(5);
    for (const { id, lease } of messages) await settle(id, lease.token, 200);
    await expect.poll(async () => (await replayOf(begun.id)).replayed, { timeout: 30_000 }).toBe(1_005);
    const params = { replay_id: begun.id };
    const { replay: cancelled } = (await test.admin.call(deliveryRoutes.cancelReplay, { params })).body;
    expect(cancelled).toMatchObject({ state: 'cancelled', replayed: 5, skipped: 1_000, open: 0, delivered: 5 });
  });

  it('a replay of rare ones looks through all of them', async () => {
    const { replay: begun } = (await test.admin.call(deliveryRoutes.replayMany, { body: { holder: 'rare' } })).body;
    await expect.poll(async () => (await replayOf(begun.id)).searched, { timeout: 30_000 }).toBe(1);
    expect(await replayOf(begun.id)).toMatchObject({ state: 'running', replayed: rare, open: rare });
    await test.admin.call(deliveryRoutes.cancelReplay, { params: { replay_id: begun.id } });
  });
});
