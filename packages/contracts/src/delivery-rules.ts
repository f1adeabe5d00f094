import type { DeliveryOutcome } from './deliveries.ts';

/**
 * What is fixed about a delivery besides its shapes: header names, limits, what counts as delivered, when to repeat.
 * Apart from the schemas, so that the agent and the sender load no schema library (22 MB of memory).
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
/** Longest part of a request's body that the ledger keeps, in characters. */
export const maxRecordedBody = 16 * 1024;
/** Longest request body that is sent. */
export const maxRequestBytes = 5 * 1024 * 1024;

/** HTTP methods that an invocation may use. */
export const webhookMethods = ['POST', 'PUT', 'PATCH', 'DELETE', 'GET'] as const;

/**
 * Only 2xx counts. A redirect does not: it is not followed, so nobody acted on the request (a login page, http → https),
 * and a run that waits for a report after one would wait for ever.
 */
export function isDelivered(outcome: DeliveryOutcome): boolean {
  if (outcome.kind === 'written' || outcome.kind === 'mailed' || outcome.kind === 'published') return true;
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
    case 'written':
      return `took the entity "${outcome.entity}" of blueprint "${outcome.blueprint}"`;
    case 'mailed':
      return `took the e-mail for ${outcome.recipients.join(', ')}${outcome.rejected.length > 0 ? `, but not for ${outcome.rejected.join(', ')}` : ''}`;
    case 'published':
      return `took the message (topic ${outcome.topic})`;
    case 'refused':
      return `refused it: ${outcome.message}`;
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
  if (isSynchronized || attempt >= maxDeliveryAttempts || !isTransient(outcome)) return undefined;
  return backOffMs(attempt, random);
}

export const maxMessageAttempts = 10;
const longestPauseMs = 60 * 60_000;

/** The same for messages (notifications, changes): nobody waits for them, so they outlast an outage of some three hours. */
export function messageRetryAfterMs(outcome: DeliveryOutcome, attempt: number, random: number): number | undefined {
  if (attempt >= maxMessageAttempts || !isTransient(outcome)) return undefined;
  return Math.min(backOffMs(attempt, random), longestPauseMs);
}

/** May it be otherwise next time? */
export function isTransient(outcome: DeliveryOutcome): boolean {
  return (
    outcome.kind === 'unreachable' ||
    outcome.kind === 'timed_out' ||
    outcome.kind === 'broken' ||
    (outcome.kind === 'answered' && (outcome.statusCode === 429 || outcome.statusCode >= 500))
  );
}

function backOffMs(attempt: number, random: number): number {
  return Math.round(1_000 * 4 ** (attempt - 1) * (0.75 + random / 2));
}
