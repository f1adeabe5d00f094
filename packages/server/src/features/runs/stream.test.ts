import { actionRoutes, runRoutes } from '@quayside/contracts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { webhookAction } from '../../../test/documents.ts';
import { startTestApp, type TestApp } from '../../../test/harness.ts';
import { insertLogs } from './store.ts';

let test: TestApp;
beforeAll(async () => {
  test = await startTestApp();
  await test.machine.call(actionRoutes.create, { body: webhookAction() });
});
afterAll(() => test.stop());

interface StreamEvent {
  event: string;
  id: string | undefined;
  data: Record<string, unknown>;
}

/** Opens the stream and collects its events until `stop` or the server ends it. */
async function open(runId: string, headers: Record<string, string> = {}) {
  const stopping = new AbortController();
  const response = await test.admin.fetch(`/v1/actions/runs/${runId}/stream`, { headers, signal: stopping.signal });
  const events: StreamEvent[] = [];
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
  const reading = (async () => {
    let text = '';
    for (;;) {
      const chunk = await reader?.read().catch(() => undefined);
      if (!chunk || chunk.done) return;
      text += chunk.value;
      for (let end = text.indexOf('\n\n'); end >= 0; end = text.indexOf('\n\n')) {
        const lines = text.slice(0, end).split('\n');
        text = text.slice(end + 2);
        const field = (name: string) => lines.find((line) => line.startsWith(`${name}: `))?.slice(name.length + 2);
        const event = field('event');
        if (event)
          events.push({ event, id: field('id'), data: JSON.parse(field('data') ?? '{}') as Record<string, unknown> });
      }
    }
  })();
  return {
    response,
    events,
    reading,
    stop: () => stopping.abort(),
    lines: () => events.filter((one) => one.event === 'log').map((one) => one.data.message),
  };
}

const execute = async () =>
  (
    await test.machine.call(runRoutes.execute, {
      params: { action_identifier: 'scaffold' },
      body: { properties: { name: 'shop' } },
    })
  ).body.run.id;
const log = (runId: string, message: string) =>
  test.machine.call(runRoutes.addLog, { params: { run_id: runId }, body: { message } });

describe('the live view of a run', () => {
  it('gives the backlog first, then each line as it is written', async () => {
    const runId = await execute();
    await log(runId, 'before');
    const view = await open(runId);
    expect(view.response.headers.get('content-type')).toContain('text/event-stream');
    await expect.poll(view.lines).toEqual(['before']);
    const writtenAt = performance.now();
    await log(runId, 'live');
    await expect.poll(view.lines, { interval: 5 }).toEqual(['before', 'live']);
    expect(performance.now() - writtenAt).toBeLessThan(2_000);
    view.stop();
  });

  it('goes on where a connection broke, without a line missing or twice', async () => {
    const runId = await execute();
    for (let index = 0; index < 30; index++) await log(runId, `line ${index}`);
    const first = await open(runId);
    await expect.poll(() => first.lines().length).toBe(30);
    first.stop();
    const cursor = first.events.filter((one) => one.event === 'log')[11]?.id ?? '';
    await log(runId, 'line 30');
    const second = await open(runId, { 'last-event-id': cursor });
    await expect.poll(() => second.lines().length).toBe(19);
    expect([...first.lines().slice(0, 12), ...second.lines()]).toEqual(
      Array.from({ length: 31 }, (_, index) => `line ${index}`),
    );
    second.stop();
  });

  it('tells changes of the run, and ends when it has ended and nobody is at it', async () => {
    const runId = await execute();
    const view = await open(runId);
    await expect.poll(() => view.events.at(-1)?.data.status).toBe('IN_PROGRESS');
    await test.machine.call(runRoutes.patch, { params: { run_id: runId }, body: { statusLabel: 'building' } });
    await expect.poll(() => view.events.at(-1)?.data.statusLabel).toBe('building');
    await test.machine.call(runRoutes.addLog, {
      params: { run_id: runId },
      body: { message: 'done', terminationStatus: 'SUCCESS' },
    });
    await view.reading;
    expect(view.lines()).toEqual(['done']);
    expect(view.events.slice(-2).map((one) => [one.event, one.data.status])).toEqual([
      ['run', 'SUCCESS'],
      ['end', undefined],
    ]);
  });

  it('reads a long backlog in batches', async () => {
    const runId = await execute();
    await test.app.systemWorld('org_test').transaction(async (ctx) => {
      await insertLogs(
        ctx.db,
        ctx.orgId,
        runId,
        'SERVER',
        Array.from({ length: 1_234 }, (_, index) => `line ${index}`),
      );
    });
    const view = await open(runId);
    await expect.poll(() => view.lines().length, { timeout: 5_000 }).toBe(1_234);
    view.stop();
  });

  it('is refused for an unknown run and for a cursor that is none', async () => {
    expect((await test.admin.fetch('/v1/actions/runs/r_unknown/stream')).status).toBe(404);
    expect((await test.admin.fetch(`/v1/actions/runs/${await execute()}/stream?after=x`)).status).toBe(422);
  });

  it('does not hold the stop of the server, whether its browser reads or not', async () => {
    const own = await startTestApp();
    await own.machine.call(actionRoutes.create, { body: webhookAction() });
    const { run } = (
      await own.machine.call(runRoutes.execute, {
        params: { action_identifier: 'scaffold' },
        body: { properties: { name: 'shop' } },
      })
    ).body;
    const lines = Array.from({ length: 2_000 }, () => 'x'.repeat(5_000));
    await own.app.systemWorld('org_test').transaction((ctx) => insertLogs(ctx.db, ctx.orgId, run.id, 'SERVER', lines));
    const path = `/v1/actions/runs/${run.id}/stream`;
    const reading = await own.admin.fetch(path);
    const text = reading.text();
    // Does not read, so its socket is full when the stop comes.
    const idle = await own.admin.fetch(path);
    const started = performance.now();
    await own.stop();
    // Without the drain's own care the server would wait until it forces them, after 20 s.
    expect(performance.now() - started).toBeLessThan(15_000);
    await text.catch(() => undefined);
    await idle.text().catch(() => undefined);
  }, 40_000);
});
