import { dispatchRoutes, systemRoutes } from '@quayside/contracts';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startTestApp, type TestApp } from '../../../test/harness.ts';

let test: TestApp;
const token = 'metrics-token-0123456789';
beforeAll(async () => {
  test = await startTestApp({ QUAYSIDE_METRICS_TOKEN: token });
}, 60_000);
afterAll(() => test.stop());

const read = (authorization?: string) =>
  fetch(`${test.url}/metrics`, { headers: authorization === undefined ? {} : { authorization } });

it.each([undefined, 'Bearer wrong'])('with a token of their own are refused to %s', async (authorization) => {
  const answer = await read(authorization);
  expect(answer.status).toBe(401);
  expect(await answer.json()).toMatchObject({ ok: false, message: expect.stringContaining('QUAYSIDE_METRICS_TOKEN') });
});

it('tell agents, database and jobs', async () => {
  const agent = { id: 'agent-1', version: '1', inFlight: 0, capacity: 4 };
  await test.machine.call(dispatchRoutes.claim, { body: { installationId: '_PORT_EXEC_AGENT', agent } });
  await expect
    .poll(async () => (await test.admin.call(systemRoutes.status)).body.status.jobs.map(({ queue }) => queue))
    .toEqual(expect.arrayContaining(['message', 'server', 'timers']));
  const text = await (await read(`Bearer ${token}`)).text();
  expect(text).toContain('quayside_agents_connected 1');
  expect(text).toMatch(/quayside_database_bytes \d{7,}/);
  expect(text).toMatch(/quayside_job_looked_timestamp_seconds\{queue="server"\} \d+/);
});
