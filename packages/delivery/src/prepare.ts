import { createHmac } from 'node:crypto';
import type { DeliveryOutcome } from '@quayside/contracts';
import { deliveryHeaders, maxRequestBytes, webhookMethods } from '@quayside/contracts/delivery-rules';
import { signatureHeaders } from './signing.ts';

/**
 * From an invocation to the bytes of a request, in two stages that are types:
 *
 *   prepare ──► PreparedRequest ──► signRequest ──► SignedRequest ──► send (send.ts) ──► DeliveryOutcome
 *       └─────► unpreparable (final: another attempt would fail in the same way)
 *
 * Only `prepare` makes a PreparedRequest and only `signRequest` a SignedRequest, so nothing unsigned can be sent.
 * The body is serialised once, here, to compact JSON; the same string is signed and sent.
 */

/** What is to be called. `url`, `method` and `headers` may come from a template or a mapping, so nothing is trusted. */
export interface Invocation {
  url: unknown;
  method?: unknown;
  headers?: unknown;
  /** Query parameters that are added to those of the URL. */
  query?: unknown;
  /** Absent = no body. A GET never carries one. */
  body?: unknown;
}

/** Which run, which attempt: becomes the idempotency key and the webhook id, both stable across attempts. */
export interface DeliveryIdentity {
  runId: string;
  attempt: number;
  userAgent: string;
}

declare const stage: unique symbol;

interface Request<Stage extends string> {
  readonly [stage]: Stage;
  readonly identity: DeliveryIdentity;
  readonly method: string;
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | undefined;
}
export type PreparedRequest = Request<'prepared'>;
export type SignedRequest = Request<'signed'>;

export type Unpreparable = Extract<DeliveryOutcome, { kind: 'unpreparable' }>;
export type Preparation = { kind: 'prepared'; request: PreparedRequest } | Unpreparable;

/** RFC 9110 token; anything else could end the header early. */
const headerName = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
/** Visible characters, blank and tab, in latin-1: what HTTP/1.1 carries without an encoding. */
const headerValue = /^[\t\x20-\x7e\x80-\xff]*$/;
/** They frame the message or belong to the connection; a value from outside would break or smuggle requests. */
const connectionHeaders = new Set([
  'connection',
  'content-length',
  'expect',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);
/** Ours alone: whatever the invocation says about them is dropped. */
const ownHeaders = new Set(Object.values(deliveryHeaders).map((name) => name.toLowerCase()));

/** Never throws. The result is final either way. */
export function prepare(invocation: Invocation, identity: DeliveryIdentity): Preparation {
  try {
    const url = parseUrl(invocation.url);
    addQuery(url, invocation.query);
    const method = parseMethod(invocation.method);
    const headers = parseHeaders(invocation.headers);
    moveUserInfo(url, headers);
    const body = method === 'GET' ? undefined : serialise(invocation.body);

    const sent = Object.fromEntries(headers.values());
    if (body !== undefined && !headers.has('content-type')) sent['Content-Type'] = 'application/json';
    if (!headers.has('user-agent')) sent['User-Agent'] = identity.userAgent;
    if (!headers.has('accept-encoding')) sent['Accept-Encoding'] = 'identity';
    sent[deliveryHeaders.idempotencyKey] = identity.runId;
    sent[deliveryHeaders.attempt] = String(identity.attempt);

    const request = { identity, method, url, headers: Object.freeze(sent), body };
    return { kind: 'prepared', request: request as unknown as PreparedRequest };
  } catch (error) {
    if (error instanceof BadInvocation) return { kind: 'unpreparable', message: error.message };
    throw error;
  }
}

/** Adds the signature headers; `timestampSeconds` is when the attempt is made, epoch seconds. */
export function signRequest(request: PreparedRequest, secret: string, timestampSeconds: number): SignedRequest {
  const headers = {
    ...request.headers,
    ...signatureHeaders(request.identity.runId, request.body ?? '', secret, timestampSeconds),
  };
  return { ...request, headers: Object.freeze(headers) } as unknown as SignedRequest;
}

/** Azure DevOps checks the HMAC-SHA1 of the body, in hexadecimal, in the header that its webhook names. */
export function signForAzure(request: PreparedRequest, secret: string): SignedRequest {
  const signature = createHmac('sha1', secret)
    .update(request.body ?? '', 'utf8')
    .digest('hex');
  const headers = { ...request.headers, [deliveryHeaders.signature]: signature };
  return { ...request, headers: Object.freeze(headers) } as unknown as SignedRequest;
}

/**
 * The URL as logs and records may show it: without user info, query and fragment, where tokens tend to be. A token in
 * the path is not recognised.
 */
export function displayUrl(url: URL): string {
  return `${url.origin}${url.pathname}${url.search === '' ? '' : '?…'}`;
}

class BadInvocation extends Error {}

function parseUrl(value: unknown): URL {
  if (typeof value !== 'string' || value.trim() === '') {
    throw new BadInvocation('the invocation has no URL; check the template or mapping that makes it');
  }
  const url = URL.parse(value.trim());
  if (url === null) throw new BadInvocation('the URL is not valid; it must be absolute, e.g. https://host/path');
  if (url.protocol !== 'http:' && url.protocol !== 'https:') {
    throw new BadInvocation(`the URL's scheme is "${url.protocol.slice(0, -1)}"; only http and https are called`);
  }
  return url;
}

function addQuery(url: URL, query: unknown): void {
  if (query === undefined || query === null) return;
  if (!isRecord(query)) throw new BadInvocation('the query parameters are not an object');
  for (const [name, value] of Object.entries(query)) {
    for (const item of Array.isArray(value) ? value : [value]) {
      if (item === null || item === undefined) continue;
      url.searchParams.append(name, typeof item === 'string' ? item : JSON.stringify(item));
    }
  }
}

function parseMethod(value: unknown): string {
  if (value === undefined || value === null || value === '') return 'POST';
  const method = typeof value === 'string' ? value.trim().toUpperCase() : '';
  if (!webhookMethods.some((known) => known === method)) {
    throw new BadInvocation(`the method is ${quote(value)}; it must be one of ${webhookMethods.join(', ')}`);
  }
  return method;
}

/** Lower-case name → name as written and value; a later spelling of a name replaces an earlier one. */
function parseHeaders(value: unknown): Map<string, [string, string]> {
  const headers = new Map<string, [string, string]>();
  if (value === undefined || value === null) return headers;
  if (!isRecord(value)) throw new BadInvocation('the headers are not an object of name and value');
  for (const [name, given] of Object.entries(value)) {
    if (given === null || given === undefined) continue;
    const key = name.toLowerCase();
    if (!headerName.test(name)) throw new BadInvocation(`${quote(name)} is not a valid header name`);
    if (connectionHeaders.has(key)) {
      throw new BadInvocation(`the header ${name} belongs to the connection and can not be set`);
    }
    if (ownHeaders.has(key)) continue;
    if (typeof given === 'object') throw new BadInvocation(`the header ${name} is not a text`);
    const text = String(given).trim();
    if (!headerValue.test(text)) {
      throw new BadInvocation(`the header ${name} holds a line break or a character that HTTP headers can not carry`);
    }
    headers.set(key, [name, text]);
  }
  return headers;
}

/** `https://user:password@host` becomes basic authentication, so that the URL can be shown. */
function moveUserInfo(url: URL, headers: Map<string, [string, string]>): void {
  if (url.username === '' && url.password === '') return;
  if (!headers.has('authorization')) {
    const pair = `${decode(url.username)}:${decode(url.password)}`;
    headers.set('authorization', ['Authorization', `Basic ${Buffer.from(pair).toString('base64')}`]);
  }
  url.username = '';
  url.password = '';
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function serialise(body: unknown): string | undefined {
  if (body === undefined) return undefined;
  const text = JSON.stringify(body);
  const bytes = Buffer.byteLength(text);
  if (bytes > maxRequestBytes) {
    throw new BadInvocation(
      `the body has ${bytes} bytes; at most ${maxRequestBytes} are sent. Pass a reference instead of the data`,
    );
  }
  return text;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function quote(value: unknown): string {
  return JSON.stringify(String(value).slice(0, 50));
}
