import { type ActionBody, actionRoutes, runRoutes } from '@quayside/contracts';
import { startReceiver } from '@quayside/testkit/receiver';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startTestApp, type TestApp } from '../../../test/harness.ts';

let test: TestApp;
let runId = '';
let close: () => Promise<void>;
const total = 5_300;
beforeAll(async () => {
  const target = await startReceiver();
  close = target.close;
  test = await startTestApp({ QUAYSIDE_ALLOW_PRIVATE_TARGETS: 'true' });
  await test.machine.call(actionRoutes.create, {
    body: {
      identifier: 'build',
      trigger: { type: 'self-service', operation: 'CREATE', userInputs: { properties: {} } },
      invocationMethod: { type: 'WEBHOOK', url: target.url, agent: true },
    } as ActionBody,
  });
  const { run } = (
    await test.machine.call(runRoutes.execute, { params: { action_identifier: 'build' }, body: { properties: {} } })
  ).body;
  runId = run.id;
  for (let from = 1; from <= total; from += 1_000) {
    const messages = Array.from({ length: Math.min(1_000, total - from + 1) }, (_, index) => `line ${from + index}`);
    const { count } = (await test.machine.call(runRoutes.addLogs, { params: { run_id: runId }, body: { messages } }))
      .body;
    expect(count).toBe(from + messages.length - 1);
  }
}, 60_000);
afterAll(async () => {
  await test.stop();
  await close();
});

it('answers any part of the log, and how long it is', async () => {
  const params = { run_id: runId };
  const part = (await test.machine.call(runRoutes.logLines, { params, query: { after: 4_999, limit: 3 } })).body;
  expect(part.runLogs.map((log) => [log.line, log.message])).toEqual([
    [5_000, 'line 5000'],
    [5_001, 'line 5001'],
    [5_002, 'line 5002'],
  ]);
  expect(part.count).toBe(total);
  const beyond = (await test.machine.call(runRoutes.logLines, { params, query: { after: total } })).body;
  expect(beyond).toMatchObject({ runLogs: [], count: total });
  const end = (await test.machine.call(runRoutes.logLines, { params, query: { last: 2 } })).body;
  expect(end.runLogs.map((log) => log.line)).toEqual([total - 1, total]);
  expect(end.count).toBe(total);
});

it('numbers the lines of callers at the same time without gap or repetition', async () => {
  const params = { run_id: runId };
  const before = (await test.machine.call(runRoutes.logLines, { params, query: { limit: 1 } })).body.count;
  const logs = await Promise.all(
    Array.from({ length: 20 }, (_, index) =>
      test.machine.call(runRoutes.addLog, { params, body: { message: `at once ${index}` } }),
    ),
  );
  const numbers = logs.map((answer) => answer.body.runLog.line).sort((a, b) => a - b);
  expect(numbers).toEqual(Array.from({ length: 20 }, (_, index) => before + 1 + index));
});

it('searches the whole log: the true count, and where', async () => {
  const params = { run_id: runId };
  const { body } = await test.machine.call(runRoutes.searchLogs, { params, query: { text: 'LINE 53' } });
  // 53, 530 to 539, and 5300.
  expect(body).toMatchObject({ count: 12, lines: [53, 530, 531, 532, 533, 534, 535, 536, 537, 538, 539, 5_300] });
  const later = (await test.machine.call(runRoutes.searchLogs, { params, query: { text: 'line 53', after: 538 } }))
    .body;
  expect(later).toMatchObject({ count: 12, lines: [539, 5_300] });
  for (const text of ['%', '_', 'line\\'])
    expect((await test.machine.call(runRoutes.searchLogs, { params, query: { text } })).body.count).toBe(0);
  expect((await test.machine.refused(runRoutes.searchLogs, { params, query: { text: '' } })).status).toBe(422);
});

it('is downloaded as text, line by line', async () => {
  const answer = await test.machine.fetch(`/v1/actions/runs/${runId}/logs/text`);
  expect(answer.headers.get('content-type')).toBe('text/plain; charset=utf-8');
  expect(answer.headers.get('content-disposition')).toBe(`attachment; filename="${runId}.log"`);
  const lines = (await answer.text()).trimEnd().split('\n');
  expect(lines.slice(0, total).map((line) => line.slice(25))).toEqual(
    Array.from({ length: total }, (_, index) => `line ${index + 1}`),
  );
});

it('is not shown to another organization', async () => {
  const other = await test.otherOrganization();
  const params = { run_id: runId };
  for (const route of [runRoutes.logLines, runRoutes.logText])
    expect((await other.refused(route, { params })).status).toBe(404);
  expect((await other.refused(runRoutes.searchLogs, { params, query: { text: 'line' } })).status).toBe(404);
  expect((await other.refused(runRoutes.addLogs, { params, body: { messages: ['x'] } })).status).toBe(404);
});
