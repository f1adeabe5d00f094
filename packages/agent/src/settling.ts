import type { NamedSettlement, SettledOne, Settlement } from '@quayside/contracts';
import { maxSettlements } from '@quayside/contracts/dispatch-rules';
import type { ApiAnswer, ApiCall, PortalApi } from './api.ts';
import { portalCalls } from './portal-calls.ts';

/**
 * Calls that settle go together when there are more of them than the portal answers: what comes while some are under way waits
 * until one is back, and then goes in one call with all others that wait. One that need not wait goes at once, by itself. Whoever
 * asked hears what a call of its own would have answered.
 *
 * A portal that does not know the call for several, or refuses it as a whole (its body is too large), gets them one by one.
 */
export class Settling {
  private readonly api: Pick<PortalApi, 'call'>;
  private waiting: Waiting[] = [];
  private underWay = 0;
  private isKnown = true;

  constructor(api: Pick<PortalApi, 'call'>) {
    this.api = api;
  }

  call(call: ApiCall): Promise<ApiAnswer> {
    const { settles } = call;
    if (settles === undefined || !this.isKnown) return this.api.call(call);
    return new Promise((resolve) => {
      this.waiting.push({ runId: settles, call, resolve });
      this.next();
    });
  }

  private next(): void {
    while (this.underWay < maxUnderWay && this.waiting.length > 0) {
      this.underWay += 1;
      void this.send(this.waiting.splice(0, maxSettlements)).then(() => {
        this.underWay -= 1;
        this.next();
      });
    }
  }

  private async send(batch: Waiting[]): Promise<void> {
    const [first] = batch;
    if (batch.length === 1 && first) return first.resolve(await this.api.call(first.call));
    const answer = await this.api.call(
      portalCalls.settleMany(
        batch.map(({ runId, call }): NamedSettlement => ({ runId, ...(call.body as Settlement) })),
      ),
    );
    const results = answer.kind === 'ok' ? resultsOf(answer.body) : undefined;
    if (results?.length === batch.length) {
      for (const [index, { resolve }] of batch.entries()) resolve(toAnswer(results[index]));
      return;
    }
    if (answer.kind === 'refused' && [404, 405].includes(answer.status)) this.isKnown = false;
    const isOfAll = answer.kind === 'unreachable' || (answer.kind === 'refused' && !ofThisCall.includes(answer.status));
    for (const { call, resolve } of batch) resolve(isOfAll ? answer : await this.api.call(call));
  }
}

interface Waiting {
  runId: string;
  call: ApiCall;
  resolve(answer: ApiAnswer): void;
}

const maxUnderWay = 2;
/** It is not known, not understood, or too large; anything else would be said to each of them alone, too. */
const ofThisCall = [400, 404, 405, 413, 422];

function resultsOf(body: unknown): SettledOne[] | undefined {
  const { results } = (body ?? {}) as { results?: unknown };
  return Array.isArray(results) ? (results as SettledOne[]) : undefined;
}

function toAnswer(result: SettledOne | undefined): ApiAnswer {
  if (result === undefined || !('error' in result)) return { kind: 'ok', body: result };
  const { status, error, message } = result;
  return { kind: 'refused', status, error, message, retryAfterMs: undefined };
}
