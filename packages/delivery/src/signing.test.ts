import { createHmac } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { sign, signatureHeaders, signStandard, verify, verifyStandard } from './signing.ts';

const secret = '0123456789abcdefghijklmnopqrstuvWXYZ';

describe('signing', () => {
  it('reproduces the published vector (spec/actions.md §2.7)', () => {
    expect(sign('{"a":1,"b":"x"}', secret, 1700000000)).toBe('v1,lQ2N9n5V06TpdjVU2JFYoRGCEfNK7r2Nl3NlJo5uKYo=');
  });

  it('refuses another body, secret, timestamp or scheme', () => {
    const signature = sign('{"a":1}', secret, 1700000000);
    expect(verify(signature, '{"a":1}', secret, 1700000000)).toBe(true);
    expect(verify(signature, '{"a": 1}', secret, 1700000000)).toBe(false);
    expect(verify(signature, '{"a":1}', `${secret}x`, 1700000000)).toBe(false);
    expect(verify(signature, '{"a":1}', secret, 1700000001)).toBe(false);
    expect(verifyStandard(signature, 'r_1', '{"a":1}', secret, 1700000000)).toBe(false);
    expect(verify('', '', secret, 1700000000)).toBe(false);
    expect(verify('v1,', '', secret, 1700000000)).toBe(false);
  });

  it('takes a list of signatures, so that a secret can be rotated', () => {
    const list = `${sign('x', 'old', 1)} ${sign('x', 'new', 1)}`;
    expect(verify(list, 'x', 'old', 1)).toBe(true);
    expect(verify(list, 'x', 'new', 1)).toBe(true);
    expect(verify(list, 'x', 'other', 1)).toBe(false);
  });

  it('signs the empty text for a request without a body', () => {
    const headers = signatureHeaders('r_1', '', secret, 1700000000);
    const expected = createHmac('sha256', secret).update('1700000000.').digest('base64');
    expect(headers['X-Port-Signature']).toBe(`v1,${expected}`);
    expect(headers['webhook-id']).toBe('r_1');
    expect(headers['webhook-timestamp']).toBe('1700000000');
  });

  it('verifies what it signed, and nothing else (property)', () => {
    const text = fc.string({ unit: 'binary', maxLength: 200 });
    fc.assert(
      fc.property(text, text, text, fc.nat(), (id, body, other, timestamp) => {
        expect(verify(sign(body, secret, timestamp), body, secret, timestamp)).toBe(true);
        expect(verifyStandard(signStandard(id, body, secret, timestamp), id, body, secret, timestamp)).toBe(true);
        const isSame = Buffer.from(body).equals(Buffer.from(other));
        expect(verify(sign(body, secret, timestamp), other, secret, timestamp)).toBe(isSame);
      }),
      { numRuns: 500 },
    );
  });

  it('agrees with receivers that parse the body and write it again (property)', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const sent = JSON.stringify(value);
        const rewritten = JSON.stringify(JSON.parse(sent));
        expect(verify(sign(sent, secret, 1), rewritten, secret, 1)).toBe(true);
      }),
      { numRuns: 500 },
    );
  });
});
