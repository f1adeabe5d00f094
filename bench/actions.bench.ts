import { once } from 'node:events';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { get } from 'node:http';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { startServerProcess, testOrganization } from '@quayside/testkit';
import { PortalClient } from '@quayside/testkit/faults';
import { launchBrowser, openAs } from '../e2e/browser.ts';
import { memoryMb, processorMs, tree } from './processes.ts';
import { table, writeSection } from './results.ts';

/**
 * What executing costs over the number of inputs; how fast log lines are taken; what one open live run page costs, and a
 * thousand; and a log of a million lines in a real browser: time until its end is in sight, memory, search, download.
 */
const executeCalls = 400;
const inputCounts = [1, 10, 40];
const singleLines = 2_000;
const bulkLines = 1_000_000;
const lanes = 8;
const viewerCounts = [1, 1_000];
const watchedLines = 50;

const dir = mkdtempSync(join(tmpdir(), 'quayside-actions-'));
chmodSync(dir, 0o755);
const server = await startServerProcess({ dataDir: dir });
const serverId = server.child.pid ?? 0;
process.once('exit', () => server.child.kill('SIGTERM'));
const portal = new PortalClient([server.url]);
const say = (line: string) => process.stdout.write(`${line}\n`);

async function timed<T>(work: () => Promise<T>): Promise<{ ms: number; result: T }> {
  const startedAt = performance.now();
  const result = await work();
  return { ms: performance.now() - startedAt, result };
}

async function inLanes(count: number, work: (index: number) => Promise<unknown>): Promise<number> {
  let next = 0;
  const { ms } = await timed(() =>
    Promise.all(
      Array.from({ length: lanes }, async () => {
        while (next < count) await work(next++);
      }),
    ),
  );
  return (count / ms) * 1_000;
}

/** Runs that nobody carries out: what is measured is the portal. */
const action = (identifier: string, inputs: number) => ({
  identifier,
  trigger: {
    type: 'self-service',
    operation: 'CREATE',
    userInputs: {
      properties: Object.fromEntries(
        Array.from({ length: inputs }, (_, index) => [`input_${index}`, { type: 'string', maxLength: 100 }]),
      ),
      required: ['input_0'],
    },
  },
  invocationMethod: { type: 'WEBHOOK', agent: true, url: 'https://target.example.com', body: { all: '{{ .inputs }}' } },
});

const executing: (string | number)[][] = [];
for (const count of inputCounts) {
  await portal.must('POST', '/v1/actions', action(`inputs-${count}`, count));
  const properties = Object.fromEntries(
    Array.from({ length: count }, (_, index) => [`input_${index}`, `value ${index}`]),
  );
  const call = () => portal.must('POST', `/v1/actions/inputs-${count}/runs`, { properties });
  await inLanes(50, call);
  const rate = await inLanes(executeCalls, call);
  const { ms } = await timed(call);
  executing.push([count, Math.round(rate), ms.toFixed(1)]);
  say(`execute with ${count} inputs: ${Math.round(rate)}/s`);
}

async function newRun(): Promise<string> {
  const { run } = (await portal.must('POST', '/v1/actions/inputs-1/runs', { properties: { input_0: 'x' } })) as {
    run: { id: string };
  };
  return run.id;
}

const single = await newRun();
const singleRate = await inLanes(singleLines, (index) =>
  portal.must('POST', `/v1/actions/runs/${single}/logs`, { message: `step ${index} of the build is done` }),
);
const long = await newRun();
const bulk = await timed(async () => {
  for (let from = 0; from < bulkLines; from += 1_000)
    await portal.must('POST', `/v1/actions/runs/${long}/logs/bulk`, {
      messages: Array.from({ length: 1_000 }, (_, index) => `line ${from + index + 1}: compiling module ${index % 97}`),
    });
});
const bulkRate = (bulkLines / bulk.ms) * 1_000;
say(`lines: ${Math.round(singleRate)}/s one by one, ${Math.round(bulkRate)}/s by the thousand`);

const { clientId, clientSecret } = testOrganization;
const { accessToken: token } = (await (
  await fetch(`${server.url}/v1/auth/access_token`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ clientId, clientSecret }),
  })
).json()) as { accessToken: string };
const viewing: (string | number)[][] = [];
for (const count of viewerCounts) {
  const run = await newRun();
  let arrived = 0;
  const requests = Array.from({ length: count }, () =>
    get(
      `${server.url}/v1/actions/runs/${run}/stream`,
      { headers: { authorization: `Bearer ${token}` } },
      (response) => {
        response.setEncoding('utf8').on('data', (text: string) => {
          arrived += text.split('event: log').length - 1;
        });
      },
    ),
  );
  await Promise.all(requests.map((request) => once(request, 'response')));
  await sleep(1_000);
  const [idleFrom, memory] = [processorMs(serverId), memoryMb([serverId])];
  await sleep(10_000);
  const idle = (processorMs(serverId) - idleFrom) / 100;
  const from = processorMs(serverId);
  const { ms } = await timed(async () => {
    for (let line = 0; line < watchedLines; line++)
      await portal.must('POST', `/v1/actions/runs/${run}/logs`, { message: `line ${line}` });
    while (arrived < watchedLines * count) await sleep(5);
  });
  const perLine = (processorMs(serverId) - from) / watchedLines;
  for (const request of requests) request.destroy();
  viewing.push([count, idle.toFixed(1), Math.round(memory), perLine.toFixed(1), Math.round(ms / watchedLines)]);
  say(`${count} viewers: ${perLine.toFixed(1)} ms of processor per line`);
}

const browser = await launchBrowser();
const context = await browser.newContext({ baseURL: server.url, viewport: { width: 1280, height: 800 } });
const page = await context.newPage();
await openAs(page, '/runs');
const opened = await timed(async () => {
  await page.goto(`/runs/${long}`);
  await page.getByText(`line ${bulkLines}: `).waitFor();
});
const heap = async () => {
  const session = await page.context().newCDPSession(page);
  await session.send('HeapProfiler.collectGarbage');
  const { usedSize } = (await session.send('Runtime.getHeapUsage')) as { usedSize: number };
  return Math.round(usedSize / 1e6);
};
const heapAtEnd = await heap();
const jumped = await timed(async () => {
  await page.goto(`/runs/${long}#L500000`);
  await page.reload();
  await page.getByText('line 500000: ').waitFor();
});
const searched = await timed(async () => {
  await page.getByLabel('Search the log').fill('module 42');
  await page.getByText(/^1 of [\d,.]+$/).waitFor();
});
const matches = await page.getByText(/^1 of [\d,.]+$/).textContent();
// Through the whole log, screen by screen in leaps: what was seen is let go of.
for (let line = 1; line <= bulkLines; line += 25_000) {
  await page.goto(`/runs/${long}#L${line}`);
  await page.reload();
  await page.getByText(`line ${line}: `).waitFor();
}
const heapAfter = await heap();
await browser.close();
const downloaded = await timed(async () => {
  const response = await fetch(`${server.url}/v1/actions/runs/${long}/logs/text`, {
    headers: { authorization: `Bearer ${token}` },
  });
  let bytes = 0;
  for await (const chunk of response.body ?? []) bytes += chunk.length;
  return bytes;
});
say(`a million lines: open ${Math.round(opened.ms)} ms, heap ${heapAtEnd} MB then ${heapAfter} MB`);
const memory = memoryMb(tree(serverId));
await server.stop();
rmSync(dir, { recursive: true, force: true });

writeSection({
  name: 'actions',
  about: `The server with its embedded PostgreSQL is a process of its own, driver and Chromium share its machine. Executing: ${executeCalls} calls by ${lanes} callers at once, validated, rendered, stored with run, work and event in one transaction. Log lines: ${singleLines} calls of one line by ${lanes} callers, and a million lines by one caller, a thousand a call. Live pages: server-sent events of one run, held by so many viewers; ${watchedLines} lines one after the other. A log of a million lines: the run page in headless Chromium. Load average at the end: ${(loadavg()[0] ?? 0).toFixed(1)} (this benchmark included).`,
  body: [
    ...table(['inputs', 'execute calls/s', 'one call alone, ms'], executing),
    '',
    ...table(
      ['log lines', 'lines/s'],
      [
        ['one a call', Math.round(singleRate)],
        ['a thousand a call', Math.round(bulkRate)],
      ],
    ),
    '',
    ...table(
      ['viewers of one run', 'idle, % of a core', 'server MB', 'processor ms per line', 'ms until all have a line'],
      viewing,
    ),
    '',
    ...table(
      ['a log of a million lines', 'figure'],
      [
        ['page opened until the last line is in sight, ms', Math.round(opened.ms)],
        ['opened at line 500,000 by its address, ms', Math.round(jumped.ms)],
        [`searched (${matches}), ms`, Math.round(searched.ms)],
        [`downloaded (${Math.round(downloaded.result / 1e6)} MB), ms`, Math.round(downloaded.ms)],
        ['heap of the page at the end of the log, MB', heapAtEnd],
        ['heap after leaps through all of it, MB', heapAfter],
        ['server with PostgreSQL, MB', Math.round(memory)],
      ],
    ),
  ].join('\n'),
});
process.exit(0);
