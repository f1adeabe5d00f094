import type { DeliveryOutcome } from '@quayside/contracts';

/**
 * What the run's `response` becomes: parsed JSON where the body is JSON, else the text. Undefined when there is no body
 * to speak of. A cut body stays text, because half a document would be a lie.
 */
export function answerOf(outcome: DeliveryOutcome): unknown {
  if (outcome.kind !== 'answered' || outcome.body === '') return undefined;
  if (outcome.isBodyTruncated) return outcome.body;
  try {
    return JSON.parse(outcome.body) as unknown;
  } catch {
    return outcome.body;
  }
}
