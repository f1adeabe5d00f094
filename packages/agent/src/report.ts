import type { DeliveryOutcome, DeliveryRequest, RunPatch, Settlement } from '@quayside/contracts';
import { describeOutcome, isDelivered } from '@quayside/contracts/delivery-rules';
import { answerOf } from '@quayside/delivery';

/**
 * What the portal is told about an attempt, all of it in one call (spec/actions.md §3.5):
 *
 *   delivered, synchronous    response, SUCCESS
 *   delivered, asynchronous   nothing: the run stays in progress until the target reports
 *   not delivered             FAILURE with a summary (the portal may decide to try again instead)
 *
 * Keys of the mapping's own report win over these.
 */
export interface Attempted {
  outcome: DeliveryOutcome;
  isSynchronized: boolean;
  /** Absent when the request could not be built. */
  request: DeliveryRequest | undefined;
  /** Lines so far, in order. */
  lines: readonly string[];
  /** May log, summary and record quote what the target answered? The response of a synchronous run is what it is for. */
  quotesAnswers: boolean;
  mapped: RunPatch | undefined;
}

export type Result = Omit<Settlement, 'token'>;

/** Longest part of an answer that a log line or summary quotes. */
const maxQuoteLength = 2_000;

export function buildResult(attempted: Attempted): Result {
  const { outcome, isSynchronized, request } = attempted;
  const hasSucceeded = isDelivered(outcome);
  const sentence = `${request === undefined ? 'The target' : `${request.method} ${request.url}`} ${describeOutcome(outcome)}`;
  const lines = [...attempted.lines, sentence];

  const quote = hasSucceeded || !attempted.quotesAnswers ? undefined : quoteAnswer(outcome);
  if (quote !== undefined) lines.push(`Its answer was: ${quote}`);
  const response = isSynchronized ? answerOf(outcome) : undefined;
  if (hasSucceeded) {
    lines.push(
      isSynchronized
        ? `Done: the answer ${response === undefined ? 'has no body' : 'is kept as the response of the run'}`
        : 'Delivered: the target has the run and reports its progress',
    );
  }

  const report: RunPatch = {
    ...(hasSucceeded && isSynchronized && { status: 'SUCCESS' }),
    ...(!hasSucceeded && {
      status: 'FAILURE',
      summary: quote === undefined ? sentence : `${sentence}. Its answer was: ${quote}`,
    }),
    ...attempted.mapped,
  };
  return {
    outcome: attempted.quotesAnswers ? outcome : withoutAnswer(outcome),
    ...(request && { request }),
    logs: lines,
    ...(response !== undefined && { response }),
    ...(Object.keys(report).length > 0 && { report }),
  };
}

/** What is recorded where answers may not be quoted: that and when it answered. */
export function withoutAnswer(outcome: DeliveryOutcome): DeliveryOutcome {
  return outcome.kind === 'answered' ? { ...outcome, headers: {}, body: '', isBodyTruncated: true } : outcome;
}

function quoteAnswer(outcome: DeliveryOutcome): string | undefined {
  if (outcome.kind !== 'answered') return undefined;
  const text = outcome.body.trim();
  if (text === '') return undefined;
  return text.length > maxQuoteLength ? `${text.slice(0, maxQuoteLength)} … (${text.length} characters)` : text;
}
