import { type Static, Type } from 'typebox';

/**
 * A delivery is one attempt to hand a run to its backend. Attempt = lease: one claim leads to at most one send, and the
 * server writes the attempt's record in the transaction of the claim, before anything can be sent. So whatever happens
 * to the sender, every request a target may have seen has a record.
 */

/** Header names of an outgoing request. Port's two, Standard Webhooks' three, and ours. */
export const deliveryHeaders = {
  timestamp: 'X-Port-Timestamp',
  signature: 'X-Port-Signature',
  standardId: 'webhook-id',
  standardTimestamp: 'webhook-timestamp',
  standardSignature: 'webhook-signature',
  /** The same for every attempt of a run: receivers drop duplicates by it. */
  idempotencyKey: 'Idempotency-Key',
  /** 1, 2, …: which attempt of the run this request is. */
  attempt: 'X-Quayside-Attempt',
} as const;

/** Longest part of an answer that is kept; the rest is not read. */
export const maxAnswerBytes = 256 * 1024;
/** Longest request body that is sent. */
export const maxRequestBytes = 5 * 1024 * 1024;

export const DeliveryOutcome = Type.Union([
  /** The target answered; `body` is at most `maxAnswerBytes` of it. Success or not follows from the status code. */
  Type.Object({
    kind: Type.Literal('answered'),
    statusCode: Type.Integer(),
    headers: Type.Record(Type.String(), Type.String()),
    body: Type.String(),
    isBodyTruncated: Type.Boolean(),
    durationMs: Type.Number(),
  }),
  /** Nothing was sent, as far as anyone can know: DNS, refused connection, TLS, proxy. Safe to send again. */
  Type.Object({
    kind: Type.Literal('unreachable'),
    code: Type.String(),
    message: Type.String(),
    durationMs: Type.Number(),
  }),
  /** The target took longer than allowed. It may have acted. */
  Type.Object({
    kind: Type.Literal('timed_out'),
    timeoutMs: Type.Number(),
    message: Type.String(),
    durationMs: Type.Number(),
  }),
  /** The answer ended before it was complete, or is no HTTP. The target may have acted. */
  Type.Object({ kind: Type.Literal('broken'), message: Type.String(), durationMs: Type.Number() }),
  /** The sender's own rules forbid this target (address guard, allow-list). Final. */
  Type.Object({ kind: Type.Literal('forbidden'), message: Type.String() }),
  /** The request could not be built from the payload. Final. */
  Type.Object({ kind: Type.Literal('unpreparable'), message: Type.String() }),
]);
export type DeliveryOutcome = Static<typeof DeliveryOutcome>;

/**
 * Only 2xx counts. A redirect does not: it is not followed, so nobody acted on the request (a login page, http → https),
 * and a run that waits for a report after one would wait for ever.
 */
export function isDelivered(outcome: DeliveryOutcome): boolean {
  return outcome.kind === 'answered' && outcome.statusCode >= 200 && outcome.statusCode < 300;
}

/** One sentence for the run's log and summary. Says what was tried and what came back, never what was in it. */
export function describeOutcome(outcome: DeliveryOutcome): string {
  switch (outcome.kind) {
    case 'answered':
      return `answered ${outcome.statusCode} after ${Math.round(outcome.durationMs)} ms${describeRedirect(outcome.statusCode, outcome.headers.location)}${outcome.isBodyTruncated ? ` (only the first ${maxAnswerBytes / 1024} KiB of the answer were read)` : ''}`;
    case 'unreachable':
      return `could not be reached: ${outcome.message} (${outcome.code})`;
    case 'timed_out':
      return `did not answer within ${outcome.timeoutMs} ms: ${outcome.message}`;
    case 'broken':
      return `gave no complete answer: ${outcome.message}`;
    case 'forbidden':
      return `was not called: ${outcome.message}`;
    case 'unpreparable':
      return `was not called: ${outcome.message}`;
  }
}

/** Where a 3xx points to, without its query, which may carry a token. */
function describeRedirect(statusCode: number, location: string | undefined): string {
  if (statusCode < 300 || statusCode >= 400) return '';
  const to = location === undefined ? '' : ` to ${location.split(/[?#]/)[0]?.slice(0, 200)}`;
  return ` (a redirect${to}; redirects are not followed, use the final URL in the action)`;
}

export const maxDeliveryAttempts = 3;

/**
 * When to send again, in milliseconds, or `undefined` for never (decision D10 of spec/actions.md §9): an asynchronous
 * delivery is tried three times when the network failed or the target answered 429 or 5xx; a synchronous one is not
 * repeated, because its answer closes the run. `random` is in [0, 1).
 */
export function retryAfterMs(
  outcome: DeliveryOutcome,
  attempt: number,
  isSynchronized: boolean,
  random: number,
): number | undefined {
  if (isSynchronized || attempt >= maxDeliveryAttempts) return undefined;
  const isTransient =
    outcome.kind === 'unreachable' ||
    outcome.kind === 'timed_out' ||
    outcome.kind === 'broken' ||
    (outcome.kind === 'answered' && (outcome.statusCode === 429 || outcome.statusCode >= 500));
  if (!isTransient) return undefined;
  const baseMs = 1_000 * 4 ** (attempt - 1);
  return Math.round(baseMs * (0.75 + random / 2));
}
