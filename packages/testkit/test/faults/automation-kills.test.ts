import { actionRoutes, blueprintRoutes } from '@quayside/contracts';
import { type ServerProcess, testOrganization } from '@quayside/testkit';
import { checkAutomations, readAutomations } from '@quayside/testkit/faults';
import { expect, it, vi } from 'vitest';
import { raiseFleet } from './lab.ts';

/**
 * Two servers share the events of an organization; the one that holds the reader is killed with -9 again and again while
 * thousands of changes come in.
 */
vi.setConfig({ testTimeout: 300_000, hookTimeout: 120_000 });

const { orgId, clientId, clientSecret } = testOrganization;
const changes = 6_000;
/** The one in so many that one of the automations is to fire for. */
const oneIn = 40;
const kills = 3;
const fleet = raiseFleet(2);

async function call(path: string, body: unknown): Promise<void> {
  const { url } = fleet.servers[0] as ServerProcess;
  const post = (target: string, content: unknown, headers: Record<string, string> = {}) =>
    fetch(`${url}${target}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify(content),
    });
  const { accessToken } = (await (await post('/v1/auth/access_token', { clientId, clientSecret })).json()) as {
    accessToken: string;
  };
  const response = await post(path, body, { authorization: `Bearer ${accessToken}` });
  if (!response.ok) throw new Error(`${path} answered ${response.status}: ${await response.text()}`);
}

/** As the portal writes them, many in one statement. */
const writeChanges = (from: number, to: number) =>
  fleet.client.query(
    `insert into events (org_id, name, actor, origin, resource, subject, blueprint, entity, before, after)
     select $1, 'entity.updated', '{"orgId":"${orgId}","userId":"test"}', 'API', 'entity', 'e', 'thing', 'e',
       json_build_object('properties', json_build_object('n', n - 1)), json_build_object('properties', json_build_object('n', n))
     from generate_series($2::int, $3::int) n`,
    [orgId, from, to],
  );

async function holder(): Promise<ServerProcess | undefined> {
  const { rows } = await fleet.client.query<{ holder: string | null }>(
    `select holder from work where queue = 'reader:automations' and due_at > now()`,
  );
  return fleet.servers.find(({ child }) => rows[0]?.holder?.includes(String(child.pid)));
}

it('no automation is skipped or doubled', async () => {
  await call(blueprintRoutes.create.path, { identifier: 'thing', title: 'Thing', schema: { properties: {} } });
  const automation = (identifier: string, expression: string) =>
    call(actionRoutes.create.path, {
      identifier,
      trigger: {
        type: 'automation',
        event: { type: 'ENTITY_UPDATED', blueprintIdentifier: 'thing' },
        condition: { type: 'JQ', expressions: [expression] },
      },
      invocationMethod: { type: 'WEBHOOK', agent: true, url: 'http://127.0.0.1:9/', body: {} },
    });
  await automation('some', `.diff.after.properties.n % ${oneIn} == 0`);
  await automation('none', '.diff.after.properties.n < 0');

  const step = changes / 60;
  for (let written = 0; written < changes; written += step) {
    await writeChanges(written + 1, written + step);
    if (written % (changes / kills) !== step) continue;
    // After a kill nobody holds the reader until the lease has run out.
    const victim = await vi.waitFor(
      async () => {
        const found = await holder();
        expect(found).toBeDefined();
        return found as ServerProcess;
      },
      { timeout: 60_000, interval: 50 },
    );
    await fleet.killAndReplace(victim);
  }

  const { rows } = await fleet.client.query<{ seq: string }>(
    `select seq from events where name = 'entity.updated' and (after #>> '{properties,n}')::int % ${oneIn} = 0`,
  );
  const due = new Set(rows.map(({ seq }) => Number(seq)));
  const records = await vi.waitFor(
    async () => {
      const all = await readAutomations(fleet.database.url, orgId);
      for (const { counts } of all)
        expect(counts.fired + counts.notFired + counts.failed + counts.blocked).toBeGreaterThanOrEqual(changes);
      return all;
    },
    { timeout: 200_000, interval: 500 },
  );
  expect(records.map(({ events }) => events.length)).toEqual([changes, changes]);
  expect(checkAutomations(records, (identifier, seq) => identifier === 'some' && due.has(seq))).toEqual([]);
});
