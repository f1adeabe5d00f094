import { createHmac, timingSafeEqual } from 'node:crypto';
import { deliveryHeaders } from '@quayside/contracts/delivery-rules';
import { signedText, standardSignedText } from '@quayside/contracts/signing';

/**
 * The MAC of a delivery (spec/actions.md §2.7). Everything here takes text, never an object: what is signed is the very
 * text that is sent, so a receiver that hashes the raw body verifies, and so does one that hashes
 * `JSON.stringify(JSON.parse(body))`, because the text is compact JSON in its original key order.
 *
 * Two schemes stand side by side, both HMAC-SHA256 with the UTF-8 bytes of the client secret as key:
 *   Port               base64 of `<timestamp>.<body>`        in X-Port-Signature as `v1,<base64>`
 *   Standard Webhooks  base64 of `<id>.<timestamp>.<body>`   in webhook-signature as `v1,<base64>`
 * (With a Standard Webhooks library, give the secret in its raw format; it is not a base64 `whsec_…` text.)
 *
 * Not covered: a receiver that does not check the timestamp accepts a replayed request; the idempotency key is what
 * makes that harmless.
 */

function mac(secret: string, text: string): string {
  return createHmac('sha256', secret).update(text, 'utf8').digest('base64');
}

/** `v1,<base64>` for X-Port-Signature. `timestampSeconds` is epoch seconds, as in X-Port-Timestamp. */
export function sign(body: string, secret: string, timestampSeconds: number): string {
  return `v1,${mac(secret, signedText(timestampSeconds, body))}`;
}

/** `v1,<base64>` for webhook-signature. `id` is the webhook-id: the same for every attempt of a run. */
export function signStandard(id: string, body: string, secret: string, timestampSeconds: number): string {
  return `v1,${mac(secret, standardSignedText(id, timestampSeconds, body))}`;
}

/** The five signature headers of one attempt. A request without a body signs the empty text. */
export function signatureHeaders(
  id: string,
  body: string,
  secret: string,
  timestampSeconds: number,
): Record<string, string> {
  return {
    [deliveryHeaders.timestamp]: String(timestampSeconds),
    [deliveryHeaders.signature]: sign(body, secret, timestampSeconds),
    [deliveryHeaders.standardId]: id,
    [deliveryHeaders.standardTimestamp]: String(timestampSeconds),
    [deliveryHeaders.standardSignature]: signStandard(id, body, secret, timestampSeconds),
  };
}

/**
 * Does one of the space-separated signatures in `header` belong to this text? Compared in constant time; the timestamp's
 * age is the caller's to judge.
 */
export function verify(header: string, body: string, secret: string, timestampSeconds: number): boolean {
  return matchesAny(header, sign(body, secret, timestampSeconds));
}

export function verifyStandard(
  header: string,
  id: string,
  body: string,
  secret: string,
  timestampSeconds: number,
): boolean {
  return matchesAny(header, signStandard(id, body, secret, timestampSeconds));
}

function matchesAny(header: string, expected: string): boolean {
  const wanted = Buffer.from(expected);
  return header.split(' ').some((candidate) => {
    const given = Buffer.from(candidate);
    return given.length === wanted.length && timingSafeEqual(given, wanted);
  });
}
