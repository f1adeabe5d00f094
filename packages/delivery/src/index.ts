export {
  type AddressGuard,
  type AddressGuardOptions,
  createAddressGuard,
  createDeliveryAgent,
  type DeliveryAgentOptions,
  guardedConnector,
  type Resolve,
} from './address-guard.ts';
export { answerOf } from './answer.ts';
export { ConnectFailure, ForbiddenAddress } from './connect-errors.ts';
export {
  type DeliveryIdentity,
  displayUrl,
  type Invocation,
  type Preparation,
  type PreparedRequest,
  prepare,
  type SignedRequest,
  signRequest,
  type Unpreparable,
} from './prepare.ts';
export { type SendOptions, send } from './send.ts';
export { sign, signatureHeaders, signStandard, verify, verifyStandard } from './signing.ts';
