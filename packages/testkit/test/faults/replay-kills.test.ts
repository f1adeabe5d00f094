import { type ServerProcess, testOrganization } from '@quayside/testkit';
import { PortalClient, until } from '@quayside/testkit/faults';
import { expect, it, vi } from 'vitest';
import { raiseFleet } from './lab.ts';

/** The server that hands a replay over is killed with -9 between two of its steps; the next one goes on where it stood. */
vi.setConfig({ testTimeout: 300_000, hookTimeout: 120_000 });

const { orgId } = testOrganization;
const changes = 400;
const fleet = raiseFleet(1);

it('replays everything once, whoever is killed', async () => {
  const { client, servers } = fleet;
  const [server] = servers as [ServerProcess];
  const portal = new PortalClient([server.url]);
  await portal.must('POST', '/v1/blueprints', {
    identifier: 'thing',
    title: 'Thing',
    schema: { properties: {} },
    changelogDestination: { type: 'WEBHOOK', agent: true, url: 'http://10.0.0.1/changes' },
  });
  // As the portal writes them, many in one statement.
  await client.query(
    `insert into events (org_id, name, actor, origin, resource, subject, blueprint, entity, before, after)
     select $1, 'entity.updated', '{"orgId":"${orgId}","userId":"test"}', 'API', 'entity', 'e', 'thing', 'e' || n, '{}', '{}'
     from generate_series(1, $2::int) n`,
    [orgId, changes - 1],
  );
  /** Claims until there is nothing more, and settles each with the status; tells what was carried, as `id/attempt`. */
  const carry = async (statusCode: number, expected: number): Promise<string[]> => {
    const carried: string[] = [];
    while (carried.length < expected) {
      const { messages = [] } = (await portal.must('POST', '/v1/actions/runs/claim-pending', {
        installationId: '_PORT_EXEC_AGENT',
        limit: 100,
        waitMs: 1_000,
        agent: { id: 'agent', version: '1', inFlight: 0, capacity: 1_000 },
      })) as { messages?: { id: string; lease: { token: string; attempt: number } }[] };
      await Promise.all(
        messages.map(async ({ id, lease }) => {
          const outcome = {
            kind: 'answered',
            statusCode,
            headers: {},
            body: '',
            isBodyTruncated: false,
            durationMs: 1,
          };
          await portal.must('POST', `/v1/actions/runs/${id}/lease/settle`, { token: lease.token, outcome });
          carried.push(`${id}/${lease.attempt}`);
        }),
      );
    }
    return carried;
  };
  const given = await carry(404, changes);

  const { replay } = (await portal.must('POST', '/v1/deliveries/replays', { dead: true })) as {
    replay: { id: string; total: number };
  };
  expect(replay.total).toBe(changes);
  const replayed = async () =>
    (await client.query<{ replayed: number; state: string }>('select replayed, state from replays')).rows[0];
  // One step at least is done; where it stands then is the chance of this run.
  await until('a first step', async () => ((await replayed())?.replayed ?? 0) > 0);
  await fleet.killAndReplace(server, async () => expect((await replayed())?.replayed).toBeGreaterThan(0));
  await until('everything handed over', async () => (await replayed())?.state === 'handed_over');

  const again = await carry(200, changes);
  expect(again.map((each) => each.replace('/2', '/1')).sort()).toEqual(given.sort());
  expect((await portal.must('GET', `/v1/deliveries/replays/${replay.id}`)).replay).toMatchObject({
    state: 'done',
    replayed: changes,
    skipped: 0,
    delivered: changes,
    failed: 0,
  });
  expect((await client.query('select from deliveries where is_dead')).rowCount).toBe(0);
  expect((await client.query(`select from work where queue like '%message%'`)).rowCount).toBe(0);
});
