import { actionRoutes, dispatchRoutes, runRoutes, systemRoutes } from '@quayside/contracts';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { startTestApp, type TestApp } from '../../../test/harness.ts';

let test: TestApp;
beforeAll(async () => {
  test = await startTestApp();
  await test.machine.call(actionRoutes.create, {
    body: {
      identifier: 'start',
      trigger: { type: 'self-service', operation: 'CREATE', userInputs: { properties: {} } },
      invocationMethod: { type: 'WEBHOOK', agent: true, url: 'http://target.example/' },
    },
  });
});
afterAll(() => test.stop());

const status = async () => (await test.admin.call(systemRoutes.status)).body.status;

it('tells what waits, what is held, and how far each reader is', async () => {
  for (let index = 0; index < 3; index++)
    await test.machine.call(runRoutes.execute, { params: { action_identifier: 'start' }, body: { properties: {} } });
  await test.machine.call(dispatchRoutes.claim, {
    body: {
      installationId: '_PORT_EXEC_AGENT',
      limit: 1,
      agent: { id: 'agent-1', version: '1', inFlight: 1, capacity: 1 },
    },
  });
  const seen = await status();
  // Beside it are queues of the portal's own background work.
  expect(seen.queues).toContainEqual({
    queue: 'agent:org_test',
    due: 2,
    leased: 1,
    later: 0,
    oldestDueSeconds: expect.any(Number),
    holders: [{ holder: 'agent-1', leases: 1 }],
  });
  expect(seen.agents).toEqual({ connected: 1, known: 1 });
  expect(seen.deadLetters).toEqual({ lastDay: 0, all: 0 });
  expect(seen.database.bytes).toBeGreaterThan(1_000_000);
  expect(seen.database.tables.length).toBeGreaterThan(3);
  await vi.waitFor(
    async () => {
      const { readers, audit } = await status();
      expect(readers.map(({ reader, behind, lagSeconds }) => [reader, behind, lagSeconds])).toEqual([
        ['audit', 0, 0],
        ['automations', 0, 0],
        ['changes', 0, 0],
        ['timers', 0, 0],
      ]);
      for (const { holder } of readers) expect(holder).toMatch(/^server/);
      expect(audit?.records).toBeGreaterThan(3);
    },
    { timeout: 20_000 },
  );
});

it('shows nothing of another organization, and is for administrators', async () => {
  const other = await test.otherOrganization();
  const seen = (await other.call(systemRoutes.status)).body.status;
  expect([seen.queues, seen.agents]).toEqual([[], { connected: 0, known: 0 }]);
  expect((await test.nobody.refused(systemRoutes.status)).status).toBe(401);
});
