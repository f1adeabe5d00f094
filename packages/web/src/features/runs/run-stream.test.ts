import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Run, RunLog } from '@quayside/contracts';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { LogWindow } from './log-window.ts';
import { followRun, type RunFollower, type StreamMode } from './run-stream.ts';

/**
 * Against a real server that misbehaves on purpose. Node's own EventSource stands for the browser's; it needs a whole URL.
 */
const lines = ['a', 'b', 'c', 'd', 'e'].map(
  (id, index): RunLog => ({
    id,
    line: index + 1,
    runId: 'r_1',
    message: `line ${id}`,
    createdBy: 'x',
    createdAt: '2026-01-01T00:00:00.000Z',
  }),
);
const RealEventSource = globalThis.EventSource;
let answer: (response: ServerResponse, after: string | null) => void;
let asked: (string | null)[] = [];
const server = createServer((request, response) => {
  const after = new URL(request.url ?? '', 'http://x').searchParams.get('after');
  asked.push(after);
  answer(response, after);
});

beforeEach(async () => {
  asked = [];
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  globalThis.EventSource = class extends RealEventSource {
    constructor(url: string | URL) {
      super(new URL(url, base));
    }
  };
});
afterEach(async () => {
  globalThis.EventSource = RealEventSource;
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

function stream(response: ServerResponse): (event: string, data: unknown) => void {
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  return (event, data) => response.write(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
}

function follow(poll: RunFollower['poll'] = async () => false) {
  const log = new LogWindow();
  const lines = () =>
    log
      .lines()
      .map((line) => line.id)
      .join('');
  const seen = { modes: [] as StreamMode[], runs: [] as Run[], lines };
  const stop = followRun('r_1', {
    onLines: (added) => log.add(added),
    onRun: (run) => seen.runs.push(run),
    onMode: (mode) => seen.modes.push(mode),
    poll,
    cursor: () => log.total,
  });
  return { seen, stop };
}

it('hands on lines and states, and ends with the run', async () => {
  answer = (response) => {
    const send = stream(response);
    for (const line of lines) send('log', line);
    send('run', { id: 'r_1', status: 'SUCCESS' });
    send('end', {});
  };
  const { seen } = follow();
  await vi.waitFor(() => expect(seen.modes.at(-1)).toBe('done'));
  expect(seen.lines()).toBe('abcde');
  expect(seen.runs).toEqual([{ id: 'r_1', status: 'SUCCESS' }]);
});

it('goes on after the last line when the connection breaks, also when the server repeats itself', async () => {
  answer = (response, after) => {
    const send = stream(response);
    if (after === null) {
      for (const line of lines.slice(0, 2)) send('log', line);
      // Only when the lines are on their way: what is lost with a connection is asked for again.
      setTimeout(() => response.destroy(), 100);
      return;
    }
    for (const line of lines.slice(1)) send('log', line);
    send('end', {});
  };
  const { seen } = follow();
  await vi.waitFor(() => expect(seen.modes.at(-1)).toBe('done'), { timeout: 10_000 });
  expect(asked).toEqual([null, '2']);
  expect(seen.modes).toContain('reconnecting');
  expect(seen.lines()).toBe('abcde');
});

it('asks at intervals where events do not get through, until nothing is missing', async () => {
  answer = (response) => response.writeHead(502).end();
  let rounds = 0;
  const { seen } = follow(async () => ++rounds === 2);
  await vi.waitFor(() => expect(seen.modes.at(-1)).toBe('done'), { timeout: 15_000 });
  expect(seen.modes).toEqual(['reconnecting', 'reconnecting', 'polling', 'done']);
  expect(asked.length).toBe(3);
});

it('lets go of the connection when the page is left', async () => {
  let isClosed = false;
  answer = (response) => {
    stream(response)('log', lines[0]);
    response.on('close', () => (isClosed = true));
  };
  const { seen, stop } = follow();
  await vi.waitFor(() => expect(seen.lines()).toBe('a'));
  stop();
  await vi.waitFor(() => expect(isClosed).toBe(true));
  expect(asked.length).toBe(1);
});
