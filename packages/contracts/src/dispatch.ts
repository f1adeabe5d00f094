import { type Static, Type } from 'typebox';
import { DeliveryOutcome, DeliveryRequest } from './deliveries.ts';
import { maxClaimWaitMs, maxReturnDelayMs, maxSettlements } from './dispatch-rules.ts';
import { ok, route } from './route.ts';
import { Lease, Run, RunPatch } from './runs.ts';
import { Document, Instant, Limit } from './values.ts';

export * from './dispatch-rules.ts';

/**
 * Dispatch: how a run reaches the process that carries it out (spec/actions.md §2.9).
 *
 * Three dialects share one claim route and one lease protocol:
 *   Port's agent   claim {installationId:"_PORT_EXEC_AGENT", limit, invocationMethod} → ack {runIds}; ack means "mine for good".
 *   Ocean          claim {installationId, limit, visibilityTimeoutMs}                 → ack {runId}; 409 = acknowledged before.
 *   Quayside       claim {…, agent, waitMs} (held until there is work)                → settle with the outcome; nothing is
 *                  given up before its outcome is recorded, and a late answer of an old holder is refused with 409.
 *
 * A consumer of Kafka claims in the Quayside dialect too, naming the runs whose messages it has (`runIds`): what it gets is
 * its own to carry out, what it does not get is somebody else's, or done.
 */

/** How an agent gets its runs: it asks the portal, or reads them from Kafka. */
export const AgentStreamer = Type.Union([Type.Literal('KAFKA'), Type.Literal('POLLING')]);
export type AgentStreamer = Static<typeof AgentStreamer>;

export const AgentIdentity = Type.Object(
  {
    /** Stable per process, e.g. host name and process id. */
    id: Type.String({ minLength: 1, maxLength: 200 }),
    version: Type.String({ maxLength: 50 }),
    labels: Type.Optional(Type.Record(Type.String(), Type.String())),
    streamer: Type.Optional(AgentStreamer),
    inFlight: Type.Integer({ minimum: 0 }),
    capacity: Type.Integer({ minimum: 1 }),
  },
  { additionalProperties: false },
);
export type AgentIdentity = Static<typeof AgentIdentity>;

/** A run as a claimer gets it; `lease` only in the Quayside dialect. */
export const ClaimedRun = Type.Intersect([Run, Type.Object({ lease: Type.Optional(Lease) })]);
export type ClaimedRun = Static<typeof ClaimedRun>;

/** A change of the catalog for its URL (`changelogDestination.url` in the message); the routes of leases take its id, too. */
export const ClaimedMessage = Type.Object({ id: Type.String(), message: Document, lease: Lease });
export type ClaimedMessage = Static<typeof ClaimedMessage>;

export const Settlement = Type.Object(
  {
    token: Type.String(),
    outcome: DeliveryOutcome,
    request: Type.Optional(DeliveryRequest),
    /** Lines for the run's log, in order; written in the same transaction as the outcome. */
    logs: Type.Optional(Type.Array(Type.String(), { maxItems: 100 })),
    /** What a synchronous target answered: parsed JSON where it is JSON, else text. */
    response: Type.Optional(Type.Unknown()),
    /** What the agent's mapping reports beyond the outcome (`report` in the mapping file). */
    report: Type.Optional(RunPatch),
  },
  { additionalProperties: false },
);
export type Settlement = Static<typeof Settlement>;

/** What came of the attempt of one run (or message), among others. */
export const NamedSettlement = Type.Object(
  { runId: Type.String(), ...Settlement.properties },
  { additionalProperties: false },
);
export type NamedSettlement = Static<typeof NamedSettlement>;

export const SettleResult = Type.Union([Type.Literal('recorded'), Type.Literal('will_retry')]);

/** Recorded, or refused in the words of a call of its own. */
export const SettledOne = Type.Union([
  Type.Object({ runId: Type.String(), result: SettleResult }),
  Type.Object({ runId: Type.String(), status: Type.Integer(), error: Type.String(), message: Type.String() }),
]);
export type SettledOne = Static<typeof SettledOne>;

export const Agent = Type.Object({
  id: Type.String(),
  version: Type.String(),
  labels: Type.Record(Type.String(), Type.String()),
  /** Absent: an agent of before there was this field. */
  streamer: Type.Optional(AgentStreamer),
  inFlight: Type.Integer(),
  capacity: Type.Integer(),
  firstSeenAt: Instant,
  lastSeenAt: Instant,
  isConnected: Type.Boolean(),
});
export type Agent = Static<typeof Agent>;

const RunParams = Type.Object({ run_id: Type.String() });

export const dispatchRoutes = {
  claim: route({
    id: 'dispatch.claim',
    method: 'POST',
    path: '/v1/actions/runs/claim-pending',
    summary: 'Claim pending runs; with waitMs the call is held until there are some',
    can: 'run:claim',
    body: Type.Object({
      installationId: Type.String({ minLength: 1 }),
      limit: Limit,
      invocationMethod: Type.Optional(Type.String()),
      visibilityTimeoutMs: Type.Optional(Type.Integer({ minimum: 1, maximum: 600_000 })),
      exclude: Type.Optional(Type.Array(Type.String())),
      waitMs: Type.Optional(Type.Integer({ minimum: 0, maximum: maxClaimWaitMs })),
      agent: Type.Optional(AgentIdentity),
      /** Only these; an empty list only tells the portal that the agent is there. */
      runIds: Type.Optional(Type.Array(Type.String(), { maxItems: 1000 })),
    }),
    /** `messages` only in the Quayside dialect. */
    reply: ok({ runs: Type.Array(ClaimedRun), messages: Type.Optional(Type.Array(ClaimedMessage)) }),
  }),
  acknowledge: route({
    id: 'dispatch.acknowledge',
    method: 'PATCH',
    path: '/v1/actions/runs/ack',
    summary: 'Take claimed runs for good (both published dialects)',
    can: 'run:claim',
    body: Type.Object({
      runIds: Type.Optional(Type.Array(Type.String())),
      runId: Type.Optional(Type.String()),
    }),
    reply: ok({ ackedCount: Type.Integer() }),
    refusals: ['already_acknowledged', 'not_found'],
  }),
  extend: route({
    id: 'dispatch.extend',
    method: 'POST',
    path: '/v1/actions/runs/:run_id/lease/extend',
    summary: 'Keep a lease while the work goes on',
    can: 'run:claim',
    params: RunParams,
    body: Type.Object({ token: Type.String() }, { additionalProperties: false }),
    reply: ok({ lease: Lease }),
    refusals: ['not_found', 'lease_lost'],
    dialect: 'quayside',
  }),
  release: route({
    id: 'dispatch.release',
    method: 'POST',
    path: '/v1/actions/runs/:run_id/lease/release',
    summary: 'Give a lease back unused, so that another agent gets the run at once, or after delayMs',
    can: 'run:claim',
    params: RunParams,
    body: Type.Object(
      { token: Type.String(), delayMs: Type.Optional(Type.Integer({ minimum: 0, maximum: maxReturnDelayMs })) },
      { additionalProperties: false },
    ),
    reply: ok({}),
    refusals: ['not_found', 'lease_lost'],
    dialect: 'quayside',
  }),
  settle: route({
    id: 'dispatch.settle',
    method: 'POST',
    path: '/v1/actions/runs/:run_id/lease/settle',
    summary: 'Record what came of an attempt: outcome, log lines, response and report in one transaction',
    can: 'run:claim',
    params: RunParams,
    body: Settlement,
    /** No run: it was a message. */
    reply: ok({ result: SettleResult, run: Type.Optional(Run) }),
    refusals: ['not_found', 'lease_lost'],
    dialect: 'quayside',
  }),
  settleMany: route({
    id: 'dispatch.settleMany',
    method: 'POST',
    path: '/v1/actions/runs/lease/settle',
    summary:
      'Record what came of several attempts, each as a call of its own would; what is refused of one is nothing to the others',
    can: 'run:claim',
    body: Type.Object(
      { settlements: Type.Array(NamedSettlement, { minItems: 1, maxItems: maxSettlements }) },
      { additionalProperties: false },
    ),
    reply: ok({ results: Type.Array(SettledOne) }),
    dialect: 'quayside',
  }),
  listAgents: route({
    id: 'dispatch.listAgents',
    method: 'GET',
    path: '/v1/agents',
    summary: 'Execution agents seen lately',
    can: 'agent:read',
    reply: ok({
      agents: Type.Array(Agent),
      /** Runs that an agent could claim now, and since when the longest of them waits. */
      pendingRuns: Type.Integer(),
      oldestPendingAt: Type.Optional(Instant),
    }),
    dialect: 'quayside',
  }),
  claimWorkflowNodes: route({
    id: 'dispatch.claimWorkflowNodes',
    method: 'POST',
    path: '/v1/workflows/runs/claim-pending',
    summary: 'Workflow node runs for agents; there are none, workflows are not run yet',
    can: 'run:claim',
    body: Document,
    reply: ok({ nodeRuns: Type.Array(Document) }),
  }),
  acknowledgeWorkflowNode: route({
    id: 'dispatch.acknowledgeWorkflowNode',
    method: 'PATCH',
    path: '/v1/workflows/runs/ack',
    summary: 'Answers that nothing was acknowledged, as there are no workflow node runs',
    can: 'run:claim',
    body: Document,
    reply: ok({ acked: Type.Boolean() }),
  }),
};
