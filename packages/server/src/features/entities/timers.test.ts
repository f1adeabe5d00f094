import {
  actionRoutes,
  auditRoutes,
  automationRoutes,
  blueprintRoutes,
  type Entity,
  entityRoutes,
} from '@quayside/contracts';
import { type Receiver, startReceiver } from '@quayside/testkit/receiver';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { startTestApp, type TestApp } from '../../../test/harness.ts';
import { openDatabase, sql } from '../../platform/db.ts';
import { createLog } from '../../platform/log.ts';
import { createTimers } from './service-timers.ts';

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

let test: TestApp;
let target: Receiver;
const access = (properties: Record<string, { type: 'string'; format?: string }>) => ({
  identifier: 'access',
  title: 'Access',
  schema: { properties },
});
beforeAll(async () => {
  target = await startReceiver();
  test = await startTestApp({ QUAYSIDE_ALLOW_PRIVATE_TARGETS: 'true' });
  await test.machine.call(blueprintRoutes.create, {
    body: access({
      ttl: { type: 'string', format: 'timer' },
      other: { type: 'string', format: 'timer' },
      plain: { type: 'string' },
    }),
  });
});
afterAll(async () => {
  await test.stop();
  await target.close();
});

const write = (identifier: string, properties: Record<string, unknown>) =>
  test.machine.call(entityRoutes.create, {
    params: { blueprint_identifier: 'access' },
    query: { upsert: true, merge: true },
    body: { identifier, properties },
  });

const expired = async (entity: string) =>
  (await test.machine.call(auditRoutes.list, { query: { entity, action: 'TIMER_EXPIRED' } })).body.audits;

const inMs = (ms: number) => new Date(Date.now() + ms).toISOString();

const scheduled = async (entity: string) =>
  test.app.systemWorld('org_test').transaction((ctx) =>
    ctx.db.many<{ key: string; due_at: Date }>(sql`
      select w.key, w.due_at from work w join entities e on w.key like 'timer:' || e.id || ':%'
      where w.queue = 'timers' and e.identifier = ${entity} order by 1`),
  );

describe('a timer', () => {
  it('expires to the second, once, and says so in the audit log', async () => {
    const ttl = inMs(1_500);
    await write('soon', { ttl });
    expect(await expired('soon')).toEqual([]);
    const [record] = await vi.waitFor(
      async () => {
        const found = await expired('soon');
        expect(found).toHaveLength(1);
        return found;
      },
      { timeout: 20_000, interval: 50 },
    );
    expect(record).toMatchObject({
      action: 'TIMER_EXPIRED',
      resourceType: 'entity',
      trigger: { by: { byPort: true } },
      context: { blueprint: 'access', entity: 'soon', property: 'ttl' },
      diff: { before: null, after: { identifier: 'soon', properties: { ttl } } },
    });
    expect(Date.parse(record?.trigger?.at ?? '')).toBeGreaterThanOrEqual(Date.parse(ttl));
    // The same value again, in other words: nothing.
    await write('soon', { ttl: ttl.replace('Z', '+00:00'), plain: 'changed' });
    expect(await scheduled('soon')).toEqual([]);
  });

  it('that is past when it is written expires at once; any offset of time counts', async () => {
    const hourAgo = new Date(Date.now() - 3_600_000 + 5.5 * 3_600_000).toISOString().replace('Z', '+05:30');
    await write('past', { ttl: hourAgo });
    await vi.waitFor(async () => expect(await expired('past')).toHaveLength(1), 20_000);
    const later = new Date(Date.now() + 3_600_000 - 8 * 3_600_000).toISOString().replace('Z', '-08:00');
    await write('past', { ttl: later });
    expect((await scheduled('past')).map(({ due_at }) => due_at.getTime())).toEqual([Date.parse(later)]);
  });

  it('is armed again by another value, moved by a change, and disarmed when it is cleared', async () => {
    await write('moved', { ttl: inMs(60_000), other: inMs(120_000) });
    expect(await scheduled('moved')).toHaveLength(2);
    const next = inMs(3_600_000);
    await write('moved', { ttl: next, other: null });
    expect((await scheduled('moved')).map(({ due_at }) => due_at.toISOString())).toEqual([next]);
    await write('moved', { ttl: inMs(-1_000) });
    await vi.waitFor(async () => expect(await expired('moved')).toHaveLength(1), 20_000);
    await write('moved', { ttl: inMs(-500) });
    await vi.waitFor(async () => expect(await expired('moved')).toHaveLength(2), 20_000);
    expect(await scheduled('moved')).toEqual([]);
  });

  it('of a deleted entity expires in silence', async () => {
    await write('gone', { ttl: inMs(1_200) });
    await test.machine.call(entityRoutes.remove, {
      params: { blueprint_identifier: 'access', entity_identifier: 'gone' },
    });
    const world = test.app.systemWorld('org_test');
    await vi.waitFor(
      async () =>
        expect(
          await world.transaction((ctx) =>
            ctx.db.many(sql`select from work where queue = 'timers' and due_at < now() + interval '10 seconds'`),
          ),
        ).toEqual([]),
      20_000,
    );
    expect(await expired('gone')).toEqual([]);
  });

  it('is armed when its property becomes one', async () => {
    await write('late', { plain: inMs(-1_000) });
    await write('word', { plain: 'no instant' });
    await test.machine.call(blueprintRoutes.replace, {
      params: { blueprint_identifier: 'access' },
      body: access({
        ttl: { type: 'string', format: 'timer' },
        other: { type: 'string', format: 'timer' },
        plain: { type: 'string', format: 'timer' },
      }),
    });
    await vi.waitFor(async () => expect(await expired('late')).toHaveLength(1), 20_000);
    expect((await expired('late'))[0]?.context).toMatchObject({ property: 'plain' });
    expect(await expired('word')).toEqual([]);
  });

  it('does not expire again of the same value when its property was none for a while, and does of another', async () => {
    const keep = (format: { format?: string }) =>
      test.machine.call(blueprintRoutes.replace, {
        params: { blueprint_identifier: 'access' },
        body: access({
          ttl: { type: 'string', format: 'timer' },
          other: { type: 'string', ...format },
          plain: { type: 'string', format: 'timer' },
        }),
      });
    const past = inMs(-60_000);
    await write('paused', { other: past });
    await write('waiting', { other: inMs(3_600_000) });
    await vi.waitFor(async () => expect(await expired('paused')).toHaveLength(1));
    await keep({});
    // Both due again, if they are armed.
    await write('waiting', { other: inMs(-1_000) });
    await keep({ format: 'timer' });
    await vi.waitFor(async () => expect(await expired('waiting')).toHaveLength(1), { timeout: 20_000 });
    expect(await scheduled('paused')).toEqual([]);
    expect(await expired('paused')).toHaveLength(1);
    await write('paused', { other: inMs(-30_000) });
    await vi.waitFor(async () => expect(await expired('paused')).toHaveLength(2));
  });

  it('expires by the clock of the database, however wrong that of the server is', async () => {
    // It was put off by as much as the server's clock was behind.
    const hourMs = 3_600_000;
    const now = Date.now.bind(Date);
    const clock = vi.spyOn(Date, 'now').mockImplementation(() => now() - hourMs);
    try {
      await write('behind', { ttl: new Date(now() - 1_000).toISOString() });
      await vi.waitFor(async () => expect(await expired('behind')).toHaveLength(1), 20_000);
    } finally {
      clock.mockRestore();
    }
  });

  it('is not expired by a holder that was overtaken by a change', async () => {
    // A claims it; the entity changes; A goes on with the old value.
    await write('overtaken', { ttl: inMs(3_600_000) });
    const database = openDatabase({
      url: test.databaseUrl,
      maxConnections: 2,
      log: createLog({ level: 'silent', name: 'test' }),
    });
    const slow = createTimers({ database, holder: 'slow', worldOf: test.app.systemWorld });
    const [work] = await test.app.systemWorld('org_test').transaction((ctx) =>
      ctx.db.many<{ key: string; fence: number; expiresAt: Date }>(sql`
        update work w set holder = 'slow', fence = fence + 1, due_at = now() + interval '1 minute' from entities e
        where w.key like 'timer:' || e.id || ':%' and e.identifier = 'overtaken'
        returning w.key, w.fence, w.due_at as "expiresAt"`),
    );
    await write('overtaken', { ttl: inMs(7_200_000) });
    await slow.expire({
      orgId: 'org_test',
      key: work?.key ?? '',
      token: work?.fence ?? 0,
      tries: 0,
      expiresAt: new Date(),
      lostHolder: null,
      leases: 1,
      replayId: null,
    });
    await database.close();
    expect(await expired('overtaken')).toEqual([]);
    expect(await scheduled('overtaken')).toHaveLength(1);
  });

  it('is told to the change log of its blueprint, without a diff', async () => {
    await test.machine.call(blueprintRoutes.create, {
      body: {
        identifier: 'lease',
        title: 'Lease',
        schema: { properties: { ttl: { type: 'string', format: 'timer' } } },
        changelogDestination: { type: 'WEBHOOK', url: `${target.url}/changes` },
      },
    });
    const ttl = inMs(-2_000);
    await test.machine.call(entityRoutes.create, {
      params: { blueprint_identifier: 'lease' },
      body: { identifier: 'l1', properties: { ttl } },
    });
    const message = await vi.waitFor(() => {
      const messages = target.requests.map(({ body }) => JSON.parse(body.toString()) as Record<string, unknown>);
      const found = messages.find(({ action }) => action === 'TIMER_EXPIRED');
      expect(found).toBeDefined();
      return found;
    }, 20_000);
    expect(message).toMatchObject({
      resourceType: 'entity',
      sequence: expect.any(Number),
      trigger: { by: { byPort: true, orgId: 'org_test' }, origin: 'API', at: ttl },
      context: { blueprint: 'lease', entity: 'l1' },
    });
    expect(message).not.toHaveProperty('diff');
  });

  it('starts the automations that listen to its property', async () => {
    await test.machine.call(actionRoutes.create, {
      body: {
        identifier: 'on-ttl',
        trigger: {
          type: 'automation',
          event: { type: 'TIMER_PROPERTY_EXPIRED', blueprintIdentifier: 'access', propertyIdentifier: 'ttl' },
        },
        invocationMethod: {
          type: 'WEBHOOK',
          url: `${target.url}/on-ttl`,
          synchronized: true,
          body: { event: '{{ .event }}' },
        },
      },
    });
    await write('both', { ttl: inMs(-1_000), other: inMs(-1_000) });
    const sent = () => target.requests.filter(({ path }) => path === '/on-ttl');
    await vi.waitFor(() => expect(sent()).toHaveLength(1), 20_000);
    const { event } = JSON.parse(sent()[0]?.body.toString() ?? '{}') as { event: { diff: { after: Entity } } };
    expect(event).toMatchObject({
      action: 'TIMER_EXPIRED',
      context: { blueprintIdentifier: 'access', entityIdentifier: 'both', propertyIdentifier: 'ttl' },
      diff: { after: { identifier: 'both' } },
    });
    expect(event.diff).not.toHaveProperty('before');
    await vi.waitFor(async () => expect(await expired('both')).toHaveLength(2), 20_000);
    const { counts } = (
      await test.machine.call(automationRoutes.evaluations, { params: { action_identifier: 'on-ttl' } })
    ).body;
    expect(counts.fired).toBe(1);
  });
});
