import {
  auditRoutes,
  deliveryRoutes,
  dispatchRoutes,
  identityRoutes,
  type Retention,
  runRoutes,
} from '@quayside/contracts';
import { type Receiver, startReceiver } from '@quayside/testkit/receiver';
import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestApp, type TestApp } from '../../../test/harness.ts';
import { sql } from '../../platform/db.ts';

let test: TestApp;
let target: Receiver;
beforeAll(async () => {
  target = await startReceiver();
  test = await startTestApp({ QUAYSIDE_ALLOW_PRIVATE_TARGETS: 'true' });
}, 60_000);
afterAll(async () => {
  await test.stop();
  await target.close();
});

const execute = async (extra: object = {}, invocation: object = {}): Promise<string> =>
  (await test.executeNew({ type: 'WEBHOOK', url: target.url, ...invocation }, extra)).id;
const end = (run_id: string) => test.machine.call(runRoutes.patch, { params: { run_id }, body: { status: 'SUCCESS' } });
const linesOf = async (run_id: string) =>
  (await test.machine.call(runRoutes.listLogs, { params: { run_id } })).body.runLogs.map((line) => line.message);
const list = async (query: { run_id: string; kind?: 'run' | 'approval' }) =>
  (await test.machine.call(deliveryRoutes.list, { query })).body.deliveries;
const isDelivered = (query: Parameters<typeof list>[0]) =>
  expect.poll(async () => (await list(query))[0]?.isDelivered, { timeout: 10_000 }).toBe(true);

/** Everything there is becomes so much older. */
const age = (days: number) =>
  test.app.database.system(async (tx) => {
    const by = sql`${days} * interval '1 day'`;
    await tx.run(sql`update deliveries set started_at = started_at - ${by}, ended_at = ended_at - ${by}`);
    await tx.run(sql`update messages set created_at = created_at - ${by}, ended_at = ended_at - ${by}`);
    await tx.run(sql`update runs set ended_at = ended_at - ${by}`);
  });
/** The job runs now, and once through. */
async function clean(retention: Retention): Promise<void> {
  await test.machine.call(identityRoutes.patchOrganization, { body: { settings: { retention } } });
  const due = sql`select due_at, fence from work where queue = 'retention' and org_id = 'org_test'`;
  const read = () => test.app.database.system((tx) => tx.one<{ due_at: Date; fence: number }>(due));
  const before = await read();
  await test.app.database.system((tx) => tx.run(sql`update work set due_at = now() where queue = 'retention'`));
  await expect
    .poll(
      async () => {
        const { due_at, fence } = await read();
        return fence > before.fence && due_at.getTime() > Date.now() + 30 * 60_000;
      },
      { timeout: 20_000 },
    )
    .toBe(true);
}

describe('retention', () => {
  it('refuses what is no number of days', async () => {
    for (const retention of [{ deliveriesDays: 0 }, { runLogsDays: 1.5 }, { deliveriesDays: 'x' }, { events: 1 }]) {
      const refused = await test.admin.refused(identityRoutes.patchOrganization, { body: { settings: { retention } } });
      expect(refused.status).toBe(422);
    }
  });

  it('removes by kind what is older than its days, says so in the log, and keeps what is younger', async () => {
    const notification = { approvalNotification: { type: 'webhook', url: `${target.url}/approvals` } };
    const old = await execute({ requiredApproval: true, ...notification });
    await isDelivered({ run_id: old, kind: 'approval' });
    await test.admin.call(runRoutes.approve, { params: { run_id: old }, body: { status: 'APPROVE' } as never });
    await isDelivered({ run_id: old, kind: 'run' });
    for (let line = 0; line < 3; line++)
      await test.machine.call(runRoutes.addLogs, {
        params: { run_id: old },
        body: { messages: Array.from({ length: 700 }, (_, index) => `line ${index}`) },
      });
    await end(old);
    const [message] = await list({ run_id: old, kind: 'approval' });
    await age(40);
    const young = await execute();
    await isDelivered({ run_id: young });
    await end(young);
    const youngLines = await linesOf(young);

    await clean({});
    // Of forty days: too old for a body, young enough for everything else.
    expect(await list({ run_id: old })).toHaveLength(2);
    expect((await linesOf(old)).length).toBe(50);
    const gone = await test.admin.refused(deliveryRoutes.replay, { params: { subject: message?.subject ?? '' } });
    expect([gone.status, gone.body.error, gone.body.message]).toEqual([
      422,
      'invalid_transition',
      expect.stringContaining('not kept any more'),
    ]);

    await clean({ deliveriesDays: null, runLogsDays: 30 });
    expect(await linesOf(old)).toEqual([expect.stringMatching(/^The log of this run was removed: .* 30 days/)]);
    expect(await list({ run_id: old })).toHaveLength(2);

    await clean({ deliveriesDays: 30, runLogsDays: 30 });
    expect(await list({ run_id: old })).toEqual([]);
    expect((await test.machine.call(runRoutes.get, { params: { run_id: old } })).body.run.status).toBe('SUCCESS');
    expect((await test.machine.refused(deliveryRoutes.replay, { params: { subject: old } })).status).toBe(404);

    expect(await list({ run_id: young })).toHaveLength(1);
    expect(await linesOf(young)).toEqual(youngLines);
    // Once is enough: the sentence is not written again.
    await clean({ runLogsDays: 30 });
    expect(await linesOf(old)).toHaveLength(1);
  });

  it('removes nothing that lives, however old it is', async () => {
    const waiting = await execute({ requiredApproval: true });
    const reporting = await execute();
    await isDelivered({ run_id: reporting });
    const held = await execute({}, { agent: true });
    const agent = { id: 'a', version: '1', inFlight: 0, capacity: 1 };
    await test.machine.call(dispatchRoutes.claim, { body: { installationId: '_PORT_EXEC_AGENT', agent } });
    const replayed = await execute();
    await isDelivered({ run_id: replayed });
    await end(replayed);
    await test.app.database.system((tx) =>
      // As of a replay that nobody has taken yet.
      tx.run(
        sql`insert into work (org_id, queue, key, replay_id, due_at) values ('org_test', 'integration:x', ${replayed}, 'replay_x', now())`,
      ),
    );
    await age(4_000);
    await clean({ deliveriesDays: 1, messageBodiesDays: 1, runLogsDays: 1 });
    expect(await linesOf(waiting)).toHaveLength(1);
    for (const run_id of [reporting, held, replayed]) {
      expect(await list({ run_id })).toHaveLength(1);
      expect((await linesOf(run_id))[0] ?? '').not.toContain('was removed');
    }
    await test.app.database.system((tx) => tx.run(sql`delete from work where key = ${replayed}`));
    await clean({ deliveriesDays: 1 });
    expect(await list({ run_id: replayed })).toEqual([]);
    expect(await list({ run_id: reporting })).toHaveLength(1);
  });

  it('keeps the audit log for ever, unless it has days too', async () => {
    const removals = async () =>
      (await test.admin.call(auditRoutes.list, { query: { resources: ['audit'] } })).body.audits.length;
    const owner = new Client({ connectionString: test.databaseUrl });
    await owner.connect();
    await owner.query(`update audit_checkpoints set sealed_at = sealed_at - interval '40 days'`);
    await owner.end();
    await clean({});
    expect(await removals()).toBe(0);
    await clean({ auditDays: 30 });
    expect(await removals()).toBe(1);
  });
});
