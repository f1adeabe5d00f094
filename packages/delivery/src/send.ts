import type { DeliveryOutcome } from '@quayside/contracts';
import { type ExchangeOptions, exchange } from './exchange.ts';
import type { SignedRequest } from './prepare.ts';

/** One attempt at a signed request. Never throws: whatever the target does is an outcome (exchange.ts). */
export function send(request: SignedRequest, options: ExchangeOptions): Promise<DeliveryOutcome> {
  return exchange(request, options);
}
