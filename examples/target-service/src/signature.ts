import { createHmac, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';

/**
 * Is this request from our portal, and recent? Checked over the raw bytes, before anything is parsed.
 *
 *   X-Port-Signature   `v1,` + base64(HMAC-SHA256(secret, "<X-Port-Timestamp>.<body>"))
 *   webhook-signature  `v1,` + base64(HMAC-SHA256(secret, "<webhook-id>.<webhook-timestamp>.<body>"))   (Standard Webhooks)
 *
 * One of the two is enough for a service of your own; here both are shown, and each that is present must be right.
 */
export type Verdict = { ok: true } | { ok: false; reason: string };

const toleranceSeconds = 300;

export function checkSignature(headers: IncomingHttpHeaders, body: Buffer, secret: string, nowMs: number): Verdict {
  const port = { signature: one(headers['x-port-signature']), timestamp: one(headers['x-port-timestamp']) };
  const standard = {
    signature: one(headers['webhook-signature']),
    timestamp: one(headers['webhook-timestamp']),
    id: one(headers['webhook-id']),
  };
  if (port.signature === '' && standard.signature === '') return { ok: false, reason: 'the request is not signed' };
  for (const { signature, timestamp, prefix } of [
    { ...port, prefix: `${port.timestamp}.` },
    { ...standard, prefix: `${standard.id}.${standard.timestamp}.` },
  ]) {
    if (signature === '') continue;
    if (!(Math.abs(nowMs / 1000 - Number(timestamp)) <= toleranceSeconds)) {
      return { ok: false, reason: 'the timestamp is missing or more than five minutes off; is the clock right?' };
    }
    const expected = `v1,${createHmac('sha256', secret).update(prefix).update(body).digest('base64')}`;
    // A list of signatures, so that a secret can be rotated.
    if (!signature.split(' ').some((given) => isEqual(given, expected))) {
      return { ok: false, reason: 'the signature does not match; is PORT_CLIENT_SECRET the one that the sender uses?' };
    }
  }
  return { ok: true };
}

function one(header: string | string[] | undefined): string {
  return (Array.isArray(header) ? header[0] : header) ?? '';
}

/** Takes the same time wherever the texts differ. */
function isEqual(given: string, expected: string): boolean {
  const [a, b] = [Buffer.from(given), Buffer.from(expected)];
  return a.length === b.length && timingSafeEqual(a, b);
}
