import { maxRequestBytes } from '@quayside/contracts';
import { describe, expect, it } from 'vitest';
import { displayUrl, type Invocation, prepare, signRequest } from './prepare.ts';
import { verify, verifyStandard } from './signing.ts';

const identity = { runId: 'r_0123456789abcdef', attempt: 2, userAgent: 'quayside-test/1' };
const url = 'http://service.internal/hook';

function prepared(invocation: Invocation) {
  const result = prepare(invocation, identity);
  if (result.kind !== 'prepared') throw new Error(result.message);
  return result.request;
}

describe('prepare refuses, with a reason that says what to change', () => {
  it.each<[string, Invocation, RegExp]>([
    ['no URL', { url: undefined }, /no URL/],
    ['a URL that a template left empty', { url: ' ' }, /no URL/],
    ['a relative URL', { url: '/hook' }, /must be absolute/],
    ['another scheme', { url: 'file:///etc/passwd' }, /only http and https/],
    ['an unknown method', { url, method: 'BREW' }, /"BREW"; it must be one of POST/],
    ['a method that is no text', { url, method: 7 }, /"7"/],
    ['headers as a list', { url, headers: ['a'] }, /not an object/],
    ['a header name with a blank', { url, headers: { 'a b': 'x' } }, /not a valid header name/],
    ['a header name with a line break', { url, headers: { 'a\r\nb': 'x' } }, /not a valid header name/],
    ['a value with a line break', { url, headers: { a: 'x\r\nb: y' } }, /line break/],
    ['a value beyond latin-1', { url, headers: { a: '✓' } }, /can not carry/],
    ['a value that is an object', { url, headers: { a: {} } }, /is not a text/],
    ['a header that frames the message', { url, headers: { 'Transfer-Encoding': 'chunked' } }, /belongs to the conn/],
    ['query parameters as text', { url, query: 'a=1' }, /not an object/],
    ['a body over the limit', { url, body: 'x'.repeat(maxRequestBytes) }, /at most 5242880/],
  ])('%s', (_, invocation, message) => {
    expect(prepare(invocation, identity)).toEqual({
      kind: 'unpreparable',
      message: expect.stringMatching(message) as string,
    });
  });
});

describe('prepare', () => {
  it('writes the body once, as compact JSON in its order', () => {
    expect(prepared({ url, body: { b: 'ü', a: [1, null] } }).body).toBe('{"b":"ü","a":[1,null]}');
  });

  it('fills in method, content type, key and attempt', () => {
    const request = prepared({ url, body: {} });
    expect(request.method).toBe('POST');
    expect(request.headers).toEqual({
      'Content-Type': 'application/json',
      'User-Agent': 'quayside-test/1',
      'Accept-Encoding': 'identity',
      'Idempotency-Key': 'r_0123456789abcdef',
      'X-Quayside-Attempt': '2',
    });
  });

  it('forwards custom headers, but never lets them pose as ours', () => {
    const { headers } = prepared({
      url,
      method: 'put',
      headers: {
        'content-type': 'text/x',
        'X-Count': 3,
        'X-None': null,
        'idempotency-key': 'mine',
        'x-port-signature': 'v1,fake',
      },
      body: {},
    });
    expect(headers).toMatchObject({ 'content-type': 'text/x', 'X-Count': '3', 'Idempotency-Key': identity.runId });
    expect(Object.keys(headers).map((name) => name.toLowerCase())).not.toContain('x-port-signature');
    expect(Object.keys(headers).filter((name) => name.toLowerCase() === 'content-type')).toHaveLength(1);
  });

  it('sends no body with GET, and one with DELETE only when there is one', () => {
    expect(prepared({ url, method: 'GET', body: { a: 1 } }).body).toBeUndefined();
    expect(prepared({ url, method: 'GET' }).headers['Content-Type']).toBeUndefined();
    expect(prepared({ url, method: 'DELETE' }).body).toBeUndefined();
    expect(prepared({ url, method: 'DELETE', body: { a: 1 } }).body).toBe('{"a":1}');
  });

  it('adds query parameters to those of the URL', () => {
    const request = prepared({ url: `${url}?a=1`, query: { b: 'x y', c: [1, true], d: null } });
    expect(request.url.search).toBe('?a=1&b=x+y&c=1&c=true');
  });

  it('turns user info into basic authentication and shows no secrets in the URL', () => {
    const request = prepared({ url: 'http://us%40er:pa%3Ass@host/p?token=secret#f' });
    expect(request.headers.Authorization).toBe(`Basic ${Buffer.from('us@er:pa:ss').toString('base64')}`);
    expect(displayUrl(request.url)).toBe('http://host/p?…');
  });
});

describe('signRequest', () => {
  it('adds five headers that verify over exactly the body', () => {
    const { headers, body } = signRequest(prepared({ url, body: { text: 'ü ✓' } }), 'secret', 1700000000);
    expect(verify(headers['X-Port-Signature'] ?? '', body ?? '', 'secret', 1700000000)).toBe(true);
    expect(verifyStandard(headers['webhook-signature'] ?? '', identity.runId, body ?? '', 'secret', 1700000000)).toBe(
      true,
    );
    expect(headers['webhook-id']).toBe(identity.runId);
    expect(headers['X-Port-Timestamp']).toBe('1700000000');
  });
});
