import { type Static, Type } from 'typebox';

export * from './delivery-rules.ts';

/**
 * A delivery is one attempt to hand a run to its backend. Attempt = lease: one claim leads to at most one send, and the
 * server writes the attempt's record in the transaction of the claim, before anything can be sent. So whatever happens
 * to the sender, every request a target may have seen has a record.
 */

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
  /** The mail server took the message, for at least one recipient. */
  Type.Object({
    kind: Type.Literal('mailed'),
    recipients: Type.Array(Type.String()),
    /** Recipients that it would not take. */
    rejected: Type.Array(Type.String()),
    durationMs: Type.Number(),
  }),
  /** The backend is the catalog, and the entity was written. */
  Type.Object({
    kind: Type.Literal('written'),
    blueprint: Type.String(),
    entity: Type.String(),
    durationMs: Type.Number(),
  }),
  /** The catalog would not have the entity, or the mail server the message. Final. */
  Type.Object({ kind: Type.Literal('refused'), message: Type.String() }),
  /** The sender's own rules forbid this target (address guard, allow-list). Final. */
  Type.Object({ kind: Type.Literal('forbidden'), message: Type.String() }),
  /** The request could not be built from the payload. Final. */
  Type.Object({ kind: Type.Literal('unpreparable'), message: Type.String() }),
]);
export type DeliveryOutcome = Static<typeof DeliveryOutcome>;
