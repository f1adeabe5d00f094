import type { DeliveryOutcome } from '@quayside/contracts';
import { describe, expect, it } from 'vitest';
import { type Attempted, buildResult } from './report.ts';

const answered = (statusCode: number, body = ''): DeliveryOutcome => ({
  kind: 'answered',
  statusCode,
  headers: {},
  body,
  isBodyTruncated: false,
  durationMs: 12,
});
const attempted = (outcome: DeliveryOutcome, more: Partial<Attempted> = {}): Attempted => ({
  outcome,
  isSynchronized: false,
  request: { method: 'POST', url: 'http://s/h' },
  lines: ['Received'],
  quotesAnswers: true,
  mapped: undefined,
  ...more,
});

describe('buildResult', () => {
  it('leaves an accepted asynchronous run in progress', () => {
    const result = buildResult(attempted(answered(202, '{"job":1}')));
    expect(result.report).toBeUndefined();
    expect(result.response).toBeUndefined();
    expect(result.logs).toEqual([
      'Received',
      'POST http://s/h answered 202 after 12 ms',
      'Delivered: the target has the run and reports its progress',
    ]);
  });

  it('ends a synchronous run with its answer', () => {
    const result = buildResult(attempted(answered(200, '{"id":7}'), { isSynchronized: true }));
    expect(result).toMatchObject({ report: { status: 'SUCCESS' }, response: { id: 7 } });
    expect(buildResult(attempted(answered(204), { isSynchronized: true })).response).toBeUndefined();
  });

  it('fails the run with a summary that quotes the answer, when that is allowed', () => {
    const outcome = answered(500, 'out of cheese');
    expect(buildResult(attempted(outcome)).report).toEqual({
      status: 'FAILURE',
      summary: 'POST http://s/h answered 500 after 12 ms. Its answer was: out of cheese',
    });
    const silent = buildResult(attempted(outcome, { quotesAnswers: false }));
    expect(silent.report?.summary).toBe('POST http://s/h answered 500 after 12 ms');
    expect(JSON.stringify(silent)).not.toContain('cheese');
  });

  it('keeps the answer of a failed synchronous call as its response', () => {
    const result = buildResult(attempted(answered(400, '{"why":"x"}'), { isSynchronized: true }));
    expect(result).toMatchObject({ report: { status: 'FAILURE' }, response: { why: 'x' } });
  });

  it('cuts long answers in log and summary', () => {
    const { report, logs } = buildResult(attempted(answered(500, 'x'.repeat(100_000))));
    expect(report?.summary?.length).toBeLessThan(2_200);
    expect(logs?.at(-1)).toContain('(100000 characters)');
  });

  it.each<[DeliveryOutcome, string]>([
    [{ kind: 'unreachable', code: 'ECONNREFUSED', message: 'nothing listens', durationMs: 1 }, 'could not be reached'],
    [{ kind: 'timed_out', timeoutMs: 50, message: 'no answer came', durationMs: 50 }, 'did not answer within 50 ms'],
    [{ kind: 'broken', message: 'closed', durationMs: 1 }, 'gave no complete answer'],
    [{ kind: 'forbidden', message: 'metadata' }, 'was not called: metadata'],
    [{ kind: 'unpreparable', message: 'no URL' }, 'was not called: no URL'],
    [answered(302), 'redirects are not followed'],
  ])('%o fails the run', (outcome, text) => {
    const { report } = buildResult(attempted(outcome));
    expect(report).toMatchObject({ status: 'FAILURE', summary: expect.stringContaining(text) as string });
  });

  it("lets the mapping's report win", () => {
    const mapped = { status: 'SUCCESS' as const, link: 'http://l' };
    expect(buildResult(attempted(answered(500), { mapped })).report).toMatchObject({
      status: 'SUCCESS',
      link: 'http://l',
    });
  });
});
