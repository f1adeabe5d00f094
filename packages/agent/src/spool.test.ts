import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { eventually, TestPortal } from '../test/portal.ts';
import { PortalApi } from './api.ts';
import { createLog } from './log.ts';
import { portalCalls } from './portal-calls.ts';
import { type Report, Spool } from './spool.ts';

let portal: TestPortal;
let api: PortalApi;
let dir: string;
const log = createLog('fatal', 'a', () => {});

beforeEach(async () => {
  portal = new TestPortal();
  await portal.start();
  const { clientSecret } = portal;
  api = new PortalApi({ portalUrl: portal.url, clientId: 'c', clientSecret, userAgent: 'test' });
  dir = join(await mkdtemp(join(tmpdir(), 'quayside-spool-')), 'spool');
});
afterEach(async () => {
  await portal.stop();
  await api.close();
  await rm(join(dir, '..'), { recursive: true });
});

const spoolIn = (where: string | undefined, retryMs = 20) =>
  new Spool({ api, log, dir: where, backoff: { initialMs: retryMs, factor: 1, maxMs: retryMs, jitter: 0 } });

function logReport(lines: string[]): Report {
  const run = portal.enqueue({ url: 'http://t/' });
  return {
    runId: run.id,
    attempt: 1,
    calls: lines.map((line) => portalCalls.addLog(run.id, line)),
    doneCount: 0,
    createdAt: new Date().toISOString(),
  };
}
const linesOf = (report: Report) => portal.runs.get(report.runId)?.logs;

describe('spool', () => {
  it('keeps a report while the portal is away, in order, and reports it by itself afterwards', async () => {
    const spool = spoolIn(undefined);
    const report = logReport(['a', 'b']);
    await portal.stop();
    let isClosed = false;
    await spool.submit(report, () => {
      isClosed = true;
    });
    expect([spool.size, isClosed]).toEqual([1, false]);
    await portal.start();
    await eventually('it is reported', () => isClosed);
    expect([spool.size, linesOf(report)]).toEqual([0, ['a', 'b']]);
    await spool.close(0);
  });

  it('goes on after the call that failed, and repeats none that was accepted', async () => {
    const spool = spoolIn(undefined);
    const report = logReport(['a', 'b', 'c']);
    portal.fault = (call) => (call.body.message === 'b' ? 503 : undefined);
    await spool.submit(report, () => {});
    expect(linesOf(report)).toEqual(['a']);
    portal.fault = () => undefined;
    expect(await spool.flush()).toBe('empty');
    expect(linesOf(report)).toEqual(['a', 'b', 'c']);
  });

  it('survives the process: the next one reports what is on disk', async () => {
    const first = spoolIn(dir);
    await first.load();
    const report = logReport(['a', 'b']);
    portal.fault = (call) => (call.body.message === 'b' ? 'cut' : undefined);
    await first.submit(report, () => {});
    await first.close(0);
    expect(await readdir(dir)).toEqual([`${report.runId}-1.json`]);

    portal.fault = () => undefined;
    await writeFile(join(dir, 'torn.json'), '{"runId":"r_');
    const second = spoolIn(dir);
    await second.load();
    expect(second.size).toBe(1);
    expect(await second.flush()).toBe('empty');
    // A report on disk may be repeated from the call that was cut, never from the start.
    expect(linesOf(report)).toEqual(['a', 'b']);
    expect(await readdir(dir)).toEqual(['torn.json']);
  });

  it('leaves nothing on disk in the good case', async () => {
    const spool = spoolIn(dir);
    await spool.load();
    await spool.submit(logReport(['a']), () => {});
    expect(await readdir(dir)).toEqual([]);
  });

  it('stops at the first sign that the portal is away', async () => {
    const spool = spoolIn(undefined, 60_000);
    portal.fault = (call) => (call.path.endsWith('/logs') ? 503 : undefined);
    for (let index = 0; index < 20; index += 1) await spool.submit(logReport(['x']), () => {});
    portal.calls.length = 0;
    expect(await spool.flush()).toBe('portal_away');
    expect(portal.calls.length).toBeLessThanOrEqual(8);
    expect(await spool.close(0)).toBe(20);
  });
});
