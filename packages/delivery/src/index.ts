export {
  type AddressGuard,
  type AddressGuardOptions,
  createAddressGuard,
  type Resolve,
} from './address-guard.ts';
export { answerOf } from './answer.ts';
export { ConnectFailure, ForbiddenAddress } from './connect-errors.ts';
export { createDeliveryAgent, type DeliveryAgent, type DeliveryAgentOptions } from './dispatcher.ts';
export { type Exchange, type ExchangeOptions, exchange } from './exchange.ts';
export {
  buildMessage,
  type Claimed,
  invocationOf,
  isSynchronized,
  type Message,
  signMessage,
  type Verification,
  verifyMessage,
} from './message.ts';
export {
  type DeliveryIdentity,
  displayUrl,
  type Invocation,
  type Preparation,
  type PreparedRequest,
  prepare,
  type SignedRequest,
  signForAzure,
  signRequest,
  type Unpreparable,
} from './prepare.ts';
export { displayProxy, type FindProxy, readProxies } from './proxy.ts';
export { recordBody, recordRequest } from './record.ts';
export { send } from './send.ts';
export { sign, signatureHeaders, signStandard, verify, verifyStandard } from './signing.ts';
export { createTrust, type Trust, type TrustSources } from './trust.ts';
