import { type Static, Type } from 'typebox';
import { ok, route } from './route.ts';
import { Document, Instant, Period } from './values.ts';

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
  /** It was made because somebody asked for it. */
  replay: Type.Optional(Type.Object({ id: Type.String(), by: Type.String() })),
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
  ...Type.Omit(Delivery, ['request', 'outcome', 'replay']).properties,
  replayId: Type.Optional(Type.String()),
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
  /** Attempts that this replay made. */
  replay: Type.Optional(Type.String()),
  /** When the attempt began; `to` is not included. */
  ...Period,
};

/**
 * A replay hands over again what was delivered or given up: the same request, under the same idempotency key, on the way it
 * went before. It changes no status; what comes of it are further attempts in the ledger.
 */
export const Replay = Type.Object({
  id: Type.String(),
  createdAt: Instant,
  by: Type.String(),
  /** Of the ledger; `{subject}` for a single one. */
  filter: Document,
  /** `running` until everything was handed over and has come to an end; what a cancelled one handed over may still end. */
  state: Type.Enum(['running', 'done', 'cancelled']),
  /** How many there were when it was asked for; absent: too many attempts to look through in the call. */
  total: Type.Optional(Type.Integer()),
  /** Which part of the ledger's time it has looked through, 0 to 1. */
  searched: Type.Number({ minimum: 0, maximum: 1 }),
  replayed: Type.Integer(),
  /** Under way by themselves, or with nothing left to send. */
  skipped: Type.Integer(),
  /** Of the replayed ones: still to be delivered, delivered, and not. */
  open: Type.Integer(),
  delivered: Type.Integer(),
  failed: Type.Integer(),
  endedAt: Type.Optional(Instant),
});
export type Replay = Static<typeof Replay>;

/** One call looks through so many attempts at most, and says where it stopped. */
export const maxSearched = 20_000;

const ReplayFilter = Type.Object(LedgerFilter, { additionalProperties: false, minProperties: 1 });
const ReplayParams = Type.Object({ replay_id: Type.String() });

export const deliveryRoutes = {
  replays: route({
    id: 'delivery.replays',
    method: 'GET',
    path: '/v1/deliveries/replays',
    summary: 'The latest replays, newest first, with how far each has come',
    can: 'delivery:replay',
    reply: ok({ replays: Type.Array(Replay) }),
    dialect: 'quayside',
  }),
  replayMany: route({
    id: 'delivery.replayMany',
    method: 'POST',
    path: '/v1/deliveries/replays',
    summary: 'Replay everything whose last attempt matches the filter, bit by bit; goes on after a restart',
    can: 'delivery:replay',
    body: ReplayFilter,
    status: 202,
    reply: ok({ replay: Replay }),
    refusals: ['under_way'],
    dialect: 'quayside',
  }),
  countReplay: route({
    id: 'delivery.countReplay',
    method: 'POST',
    path: '/v1/deliveries/replays/dry_run',
    summary: 'How much a replay with this filter would replay; nothing is done',
    can: 'delivery:replay',
    query: Type.Object({ after: Type.Optional(Type.String({ maxLength: 300 })) }),
    body: ReplayFilter,
    /** Of the attempts that this call has looked through, oldest first; with `next` there are more, and `after=<next>` counts on. */
    reply: ok({ count: Type.Integer(), next: Type.Optional(Type.String()), searchedTo: Type.Optional(Instant) }),
    dialect: 'quayside',
  }),
  getReplay: route({
    id: 'delivery.getReplay',
    method: 'GET',
    path: '/v1/deliveries/replays/:replay_id',
    summary: 'One replay, and how far it has come',
    can: 'delivery:replay',
    params: ReplayParams,
    reply: ok({ replay: Replay }),
    refusals: ['not_found'],
    dialect: 'quayside',
  }),
  cancelReplay: route({
    id: 'delivery.cancelReplay',
    method: 'POST',
    path: '/v1/deliveries/replays/:replay_id/cancel',
    summary: 'Stop a replay: nothing more is handed over, and what nobody has taken yet is taken back',
    can: 'delivery:replay',
    params: ReplayParams,
    reply: ok({ replay: Replay }),
    refusals: ['not_found', 'invalid_transition'],
    dialect: 'quayside',
  }),
  replay: route({
    id: 'delivery.replay',
    method: 'POST',
    path: '/v1/deliveries/:subject/replay',
    summary: 'Replay one: the same request under the same key',
    can: 'delivery:replay',
    params: Type.Object({ subject: Type.String() }),
    status: 202,
    reply: ok({ replay: Replay }),
    refusals: ['not_found', 'under_way', 'invalid_transition'],
    dialect: 'quayside',
  }),
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
    /**
     * Without `next` it was the last page. `searchedTo`: the page is not full, because few attempts match; those that began since
     * then were looked through, and `next` looks on.
     */
    reply: ok({
      deliveries: Type.Array(LedgerEntry),
      next: Type.Optional(Type.String()),
      searchedTo: Type.Optional(Instant),
    }),
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
