import { type Static, Type } from 'typebox';
import { ok, route } from './route.ts';
import { Instant } from './values.ts';

export * from './delivery-rules.ts';

/**
 * A delivery is one attempt to hand a run to its backend, or a message (notification, change, alert) to its target. Attempt =
 * lease: one claim leads to at most one send, and the server writes the attempt's record in the transaction of the claim,
 * before anything can be sent. So whatever happens to the sender, every request a target may have seen has a record.
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
  /** The brokers have the message. Consumers of their own read it when they like. */
  Type.Object({ kind: Type.Literal('published'), topic: Type.String(), durationMs: Type.Number() }),
  /** The catalog would not have the entity, or the mail server the message. Final. */
  Type.Object({ kind: Type.Literal('refused'), message: Type.String() }),
  /** The sender's own rules forbid this target (address guard, allow-list). Final. */
  Type.Object({ kind: Type.Literal('forbidden'), message: Type.String() }),
  /** The request could not be built from the payload. Final. */
  Type.Object({ kind: Type.Literal('unpreparable'), message: Type.String() }),
]);
export type DeliveryOutcome = Static<typeof DeliveryOutcome>;

/** What was sent, as the ledger shows it: secrets are masked, and of the body there is the beginning. */
export const DeliveryRequest = Type.Object(
  {
    /** Of HTTP; `MAIL`, `PUBLISH` and `UPSERT` for mail servers, brokers and the catalog. */
    method: Type.String({ maxLength: 20 }),
    /** Without user info, query and fragment, where tokens tend to be. */
    url: Type.String(),
    headers: Type.Optional(Type.Record(Type.String(), Type.String())),
    body: Type.Optional(Type.String({ maxLength: 64 * 1024 })),
    isBodyTruncated: Type.Optional(Type.Boolean()),
  },
  { additionalProperties: false },
);
export type DeliveryRequest = Static<typeof DeliveryRequest>;

/** `open` while the lease lives; `lost` when it ran out; `acknowledged` when a client took the run for good. */
export const deliveryStates = ['open', 'settled', 'lost', 'acknowledged', 'returned'] as const;

export const Delivery = Type.Object({
  /** Also the fencing token of its lease. */
  attempt: Type.Integer(),
  /** The agent's id, a client's user agent, or `server <host> <pid>`. */
  holder: Type.String(),
  startedAt: Instant,
  endedAt: Type.Optional(Instant),
  state: Type.Enum(deliveryStates),
  request: Type.Optional(DeliveryRequest),
  outcome: Type.Optional(DeliveryOutcome),
  /** Given up: nothing was delivered, no further attempt follows, and none has succeeded since. */
  isDead: Type.Optional(Type.Boolean()),
});
export type Delivery = Static<typeof Delivery>;

/** What is delivered: a run (`r_…`), a message (`m_…`), or a change for consumers of Kafka (`e_…`). */
export const subjectKinds = ['run', 'approval', 'change', 'dead_letter'] as const;
export type SubjectKind = (typeof subjectKinds)[number];

const Subject = {
  subject: Type.String(),
  kind: Type.Enum(subjectKinds),
  runId: Type.Optional(Type.String()),
  /** Identifier of the run's action or automation. */
  action: Type.Optional(Type.String()),
  blueprint: Type.Optional(Type.String()),
  entity: Type.Optional(Type.String()),
};

/** A line of the ledger: an attempt without headers and bodies. */
export const LedgerEntry = Type.Object({
  ...Subject,
  ...Type.Omit(Delivery, ['request', 'outcome']).properties,
  request: Type.Optional(Type.Object({ method: Type.String(), url: Type.String() })),
  /** Did the target take it? Absent: nothing is known of it. */
  isDelivered: Type.Optional(Type.Boolean()),
  /** What came of it, in a sentence. */
  text: Type.String(),
});
export type LedgerEntry = Static<typeof LedgerEntry>;

/** Why it was tried again, or given up, and what would help. */
export const WhyDelivery = Type.Object({
  state: Type.Enum(['delivered', 'under_way', 'waiting', 'given_up', 'taken', 'ended']),
  text: Type.String(),
  nextAttemptAt: Type.Optional(Instant),
  /** Of the tries that the portal makes by itself. */
  triesLeft: Type.Optional(Type.Integer()),
  remedy: Type.Optional(Type.String()),
});
export type WhyDelivery = Static<typeof WhyDelivery>;

/** One subject with all of its attempts, oldest first. */
export const SubjectDeliveries = Type.Object({
  ...Subject,
  attempts: Type.Array(Delivery),
  why: WhyDelivery,
});
export type SubjectDeliveries = Static<typeof SubjectDeliveries>;

const LedgerFilter = {
  kind: Type.Optional(Type.Enum(subjectKinds)),
  run_id: Type.Optional(Type.String()),
  action: Type.Optional(Type.String()),
  /** Who sent it; `name*` = every holder whose name begins so (an agent's id ends with its process id unless it is set). */
  holder: Type.Optional(Type.String({ minLength: 1, maxLength: 200 })),
  state: Type.Optional(Type.Enum(deliveryStates)),
  /** Only what was given up. */
  dead: Type.Optional(Type.Boolean()),
  /** When the attempt began; `to` is not included. */
  from: Type.Optional(Type.String({ format: 'date-time' })),
  to: Type.Optional(Type.String({ format: 'date-time' })),
};

export const deliveryRoutes = {
  list: route({
    id: 'delivery.list',
    method: 'GET',
    path: '/v1/deliveries',
    summary: 'The ledger of deliveries, newest attempt first; filters combine with AND',
    can: 'run:read',
    query: Type.Object({
      ...LedgerFilter,
      limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 200 })),
      /** `next` of the page before. */
      after: Type.Optional(Type.String({ maxLength: 300 })),
    }),
    /** Without `next` it was the last page. */
    reply: ok({ deliveries: Type.Array(LedgerEntry), next: Type.Optional(Type.String()) }),
    dialect: 'quayside',
  }),
  get: route({
    id: 'delivery.get',
    method: 'GET',
    path: '/v1/deliveries/:subject',
    summary: 'All attempts to deliver one run or message, with requests and answers, and why it stands where it does',
    can: 'run:read',
    params: Type.Object({ subject: Type.String() }),
    reply: ok({ delivery: SubjectDeliveries }),
    refusals: ['not_found'],
    dialect: 'quayside',
  }),
};
