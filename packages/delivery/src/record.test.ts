import { maxRecordedBody } from '@quayside/contracts';
import { describe, expect, it } from 'vitest';
import { type Invocation, prepare } from './prepare.ts';
import { isSecretName, recordBody, recordRequest } from './record.ts';

function recorded(invocation: Invocation) {
  const result = prepare(invocation, { runId: 'r_1', attempt: 2, userAgent: 'test' });
  if (result.kind !== 'prepared') throw new Error(result.message);
  return recordRequest(result.request);
}

describe('the record of a request', () => {
  it('has everything that was sent, and no secret', () => {
    const record = recorded({
      url: 'https://user:hunter2@host/hook?token=t0k3n',
      headers: { 'PRIVATE-TOKEN': 'glpat-1', 'X-Env': 'prod', 'X-Api-Key': 'k3y' },
      body: { ref: 'main', token: 'glptt-"1', nested: [{ dbPassword: 'hunter3', count: 3 }] },
    });
    expect(record).toEqual({
      method: 'POST',
      url: 'https://host/hook?…',
      headers: {
        'PRIVATE-TOKEN': '******',
        'X-Env': 'prod',
        'X-Api-Key': '******',
        Authorization: '******',
        'Content-Type': 'application/json',
        'User-Agent': 'test',
        'Accept-Encoding': 'identity',
        'Idempotency-Key': 'r_1',
        'X-Quayside-Attempt': '2',
      },
      body: '{"ref":"main","token":"******","nested":[{"dbPassword":"******","count":3}]}',
    });
  });

  it('is bounded, also where the cut goes through a secret', () => {
    const body = JSON.stringify({ filler: 'x'.repeat(maxRecordedBody - 40), token: 's3cret'.repeat(100) });
    const record = recordBody(body);
    expect(record.isBodyTruncated).toBe(true);
    expect(record.body?.length).toBeLessThanOrEqual(maxRecordedBody);
    expect(record.body).not.toContain('s3cret');
    expect(recordBody('{"a":1}')).toEqual({ body: '{"a":1}' });
    expect(recordBody(undefined)).toEqual({});
  });

  it('is made in linear time of whatever is sent', () => {
    const startedAt = performance.now();
    recordBody('"token'.repeat(maxRecordedBody));
    recordBody(`"${'token'.repeat(maxRecordedBody)}`);
    recordBody(`{"token":"${'\\'.repeat(maxRecordedBody)}`);
    expect(performance.now() - startedAt).toBeLessThan(1_000);
  });

  it.each(['Authorization', 'X-Port-Signature', 'webhook-signature', 'Set-Cookie', 'DB_PASSWORD', 'x-functions-key'])(
    'takes %s for the name of a secret',
    (name) => expect(isSecretName(name)).toBe(true),
  );
  it.each(['Idempotency-Key', 'Content-Type', 'webhook-id', 'keyboard'])('takes %s for harmless', (name) =>
    expect(isSecretName(name)).toBe(false),
  );
});
