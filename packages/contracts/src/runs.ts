import { type Static, Type } from 'typebox';
import { Delivery } from './deliveries.ts';
import { type OlderReply, ok, route } from './route.ts';
import { runStatuses } from './run-status.ts';
import { Document, Instant, Limit } from './values.ts';

/** A run is one execution of an action: what was asked, who asked, where it stands, and what came of it (§2). */

const Reference = Type.Object({
  identifier: Type.String(),
  title: Type.Union([Type.String(), Type.Null()]),
  icon: Type.Union([Type.String(), Type.Null()]),
  deleted: Type.Boolean(),
});

export const runSources = ['UI', 'API', 'AUTOMATION'] as const;
export type RunSource = (typeof runSources)[number];

export const runSorts = ['started', 'ended', 'duration', 'action', 'entity', 'status'] as const;
export type RunSort = (typeof runSorts)[number];
/** Names from A, times from the latest and the longest. */
export function usualOrder(sort: RunSort): 'ASC' | 'DESC' {
  return sort === 'started' || sort === 'ended' || sort === 'duration' ? 'DESC' : 'ASC';
}
export const runGroups = ['action', 'entity', 'status', 'requester', 'source'] as const;
export type RunGroup = (typeof runGroups)[number];
/** Searching, sorting and grouping look at this many runs, the newest. */
export const maxRunsArranged = 10_000;

export const RunStatusSchema = Type.Enum(runStatuses);

/** Proof of a claim. `token` is the fencing token: an answer with an older one is refused with `lease_lost`. */
export const Lease = Type.Object({
  token: Type.String(),
  /** 1 for the first hand-out of the run, 2 for the first repetition … */
  attempt: Type.Integer(),
  expiresAt: Instant,
});
export type Lease = Static<typeof Lease>;

const runFields = {
  id: Type.String(),
  blueprint: Type.Optional(Reference),
  entity: Type.Optional(Reference),
  properties: Document,
  rawProperties: Document,
  status: RunStatusSchema,
  statusLabel: Type.Union([Type.String(), Type.Null()]),
  link: Type.Optional(Type.Union([Type.String(), Type.Array(Type.String())])),
  summary: Type.Optional(Type.String()),
  externalRunId: Type.Optional(Type.String()),
  source: Type.Enum(runSources),
  requiredApproval: Type.Unknown(),
  approval: Type.Union([Document, Type.Null()]),
  payload: Type.Union([Document, Type.Null()]),
  response: Type.Optional(Type.Unknown()),
  pendingExecution: Type.Boolean(),
  claimedUntil: Type.Optional(Instant),
  installationId: Type.Optional(Type.String()),
  createdBy: Type.String(),
  impersonatedBy: Type.Optional(Type.String()),
  updatedBy: Type.String(),
  createdAt: Instant,
  updatedAt: Instant,
};

export const Run = Type.Object({ ...runFields, action: Reference, endedAt: Type.Optional(Instant) });
export type Run = Static<typeof Run>;

/** As it was before version 2, for callers that ask for `version=v1`; without a version it is the newer one (§2.1). */
export const RunV1 = Type.Object({
  ...runFields,
  action: Type.String(),
  relatedEntityExists: Type.Boolean(),
  relatedBlueprintExists: Type.Boolean(),
  endedAt: Type.Union([Instant, Type.Null()]),
});
export type RunV1 = Static<typeof RunV1>;

function toRunV1({ action, endedAt, ...run }: Run): RunV1 {
  return {
    ...run,
    action: action.identifier,
    relatedEntityExists: run.entity?.deleted === false,
    relatedBlueprintExists: run.blueprint?.deleted === false,
    endedAt: endedAt ?? null,
  };
}

const runV1: OlderReply = {
  reply: ok({ run: RunV1 }),
  of: ({ run, ...rest }) => ({ ...rest, run: toRunV1(run as Run) }),
};
const runsV1: OlderReply = {
  reply: ok({ runs: Type.Array(RunV1) }),
  of: ({ runs, ...rest }) => ({ ...rest, runs: (runs as Run[]).map(toRunV1) }),
};

export const RunLog = Type.Object({
  id: Type.String(),
  /** 1, 2, 3 … within the run, without gaps. */
  line: Type.Integer(),
  runId: Type.String(),
  message: Type.String(),
  createdBy: Type.String(),
  createdAt: Instant,
});
export type RunLog = Static<typeof RunLog>;

/** What a reporter may set on a run; each key overwrites what was there (§2.4). */
export const RunPatch = Type.Object(
  {
    status: Type.Optional(Type.Union([Type.Literal('SUCCESS'), Type.Literal('FAILURE')])),
    statusLabel: Type.Optional(Type.Union([Type.String(), Type.Null()])),
    link: Type.Optional(Type.Union([Type.String(), Type.Array(Type.String())])),
    /** Deprecated in the contract, still sent by published guides; kept as a log line. */
    message: Type.Optional(Document),
    summary: Type.Optional(Type.String()),
    externalRunId: Type.Optional(Type.String()),
  },
  { additionalProperties: false },
);
export type RunPatch = Static<typeof RunPatch>;

/** Every approver must approve; otherwise the first one does. */
export function isApprovalByAll(requiredApproval: unknown): boolean {
  return (requiredApproval as { type?: unknown } | null)?.type === 'ALL';
}

/** A change of the catalog that was made with this run's id. */
export const AffectedEntity = Type.Object({
  /** The audit record of the change, which carries what was before and after. */
  record: Type.String(),
  blueprint: Type.String(),
  entity: Type.String(),
  operation: Type.Union([Type.Literal('CREATE'), Type.Literal('UPDATE'), Type.Literal('DELETE')]),
  at: Instant,
  by: Type.String(),
  origin: Type.String(),
  /** Why the change was refused; absent = it was made. */
  error: Type.Optional(Type.String()),
});
export type AffectedEntity = Static<typeof AffectedEntity>;

export const Approver = Type.Object({
  userId: Type.String(),
  email: Type.String(),
  state: Type.Union([Type.Literal('PENDING'), Type.Literal('APPROVED'), Type.Literal('DECLINED')]),
  description: Type.Union([Type.String(), Type.Null()]),
  decidedAt: Type.Optional(Instant),
});
export type Approver = Static<typeof Approver>;

/** Lines in one request or answer, and line numbers in the answer to a search. */
export const maxLogLines = 1_000;
export const maxLogMatches = 10_000;

const RunParams = Type.Object({ run_id: Type.String() });
/** What executing would do, found out by doing it and taking it back. Secrets are masked. */
export const RunPreview = Type.Object({
  /** As it would be created; its id will not exist. */
  run: Run,
  /** Lines that its log would begin with. */
  logs: Type.Array(Type.String()),
  /** E-mails of those who would be asked. */
  approvers: Type.Array(Type.String()),
  /** What would be sent (after the approval). Absent: it can not be rendered, see `problem`. */
  request: Type.Optional(
    Type.Object({
      type: Type.String(),
      method: Type.Optional(Type.String()),
      url: Type.Optional(Type.String()),
      headers: Type.Optional(Type.Record(Type.String(), Type.String())),
      body: Type.Unknown(),
    }),
  ),
  /** Who would carry it out, in a sentence; `names` are the agents that may take it now. */
  carrier: Type.Optional(Type.Object({ names: Type.Array(Type.String()), text: Type.String() })),
  /** Why the run would fail at once. */
  problem: Type.Optional(Type.String()),
});
export type RunPreview = Static<typeof RunPreview>;

/** Why a run is where it is. */
export const WhyRun = Type.Object({
  state: Type.Enum([
    'waiting_for_approval',
    'waiting_for_agent',
    'waiting_for_integration',
    'waiting_for_portal',
    'retrying',
    'carried_out',
    'waiting_for_report',
    'ended',
  ]),
  text: Type.String(),
  /** Connecting an agent would help. */
  needsAgent: Type.Optional(Type.Boolean()),
  /** A sentence for each attempt to deliver it. */
  attempts: Type.Array(Type.String()),
});
export type WhyRun = Static<typeof WhyRun>;

const Version = { version: Type.Optional(Type.String()) };

export const runRoutes = {
  execute: route({
    id: 'run.execute',
    method: 'POST',
    path: '/v1/actions/:action_identifier/runs',
    summary: 'Execute a self-service action',
    can: 'action:execute',
    params: Type.Object({ action_identifier: Type.String() }),
    query: Type.Object({ run_as: Type.Optional(Type.String()) }),
    body: Type.Object({ properties: Document, entity: Type.Optional(Type.String()) }, { additionalProperties: false }),
    status: 202,
    reply: ok({ run: Run }),
    refusals: ['not_found', 'invalid_expression', 'limit_reached', 'frozen', 'key_reused'],
  }),
  preview: route({
    id: 'run.preview',
    method: 'POST',
    path: '/v1/actions/:action_identifier/runs/dry_run',
    summary: 'What executing would do: the exact request, who approves, who carries it out. Nothing is done',
    can: 'action:execute',
    params: Type.Object({ action_identifier: Type.String() }),
    query: Type.Object({ run_as: Type.Optional(Type.String()) }),
    body: Type.Object({ properties: Document, entity: Type.Optional(Type.String()) }, { additionalProperties: false }),
    reply: ok({ preview: RunPreview }),
    refusals: ['not_found', 'invalid_expression', 'limit_reached', 'frozen'],
    dialect: 'quayside',
  }),
  list: route({
    id: 'run.list',
    method: 'GET',
    path: '/v1/actions/runs',
    summary: 'List runs, newest first; filters combine with AND',
    can: 'run:read',
    query: Type.Object({
      entity: Type.Optional(Type.String()),
      blueprint: Type.Optional(Type.String()),
      active: Type.Optional(Type.Boolean()),
      user_email: Type.Optional(Type.String()),
      user_id: Type.Optional(Type.String()),
      limit: Limit,
      exclude: Type.Optional(Type.Array(Type.String())),
      external_run_id: Type.Optional(Type.String()),
      action: Type.Optional(Type.String()),
      source: Type.Optional(Type.Array(Type.String())),
      /** Ours. */
      status: Type.Optional(Type.Array(Type.Enum([...runStatuses]))),
      /** Ours: only runs that wait for the caller's decision. */
      awaiting_me: Type.Optional(Type.Boolean()),
      /** Ours: only runs created before this instant. */
      before: Type.Optional(Type.String({ format: 'date-time' })),
      /** Ours, for paging: only runs that come after this one in the list, also where both began at the same instant. */
      before_run: Type.Optional(Type.String()),
      /**
       * Ours: only runs whose action, entity, requester, inputs, label, summary or ids contain the text. Like the four below,
       * over the newest 10,000 runs that the other filters leave.
       */
      search: Type.Optional(Type.String({ minLength: 1, maxLength: 200 })),
      sort: Type.Optional(Type.Enum([...runSorts])),
      /** Absent: the usual one. */
      order: Type.Optional(Type.Enum(['ASC', 'DESC'])),
      /** Runs of one group stand together, in the order that `sort` says. */
      group: Type.Optional(Type.Enum([...runGroups])),
      offset: Type.Optional(Type.Integer({ minimum: 0, maximum: maxRunsArranged })),
      ...Version,
    }),
    reply: ok({ runs: Type.Array(Run) }),
    v1: runsV1,
  }),
  get: route({
    id: 'run.get',
    method: 'GET',
    path: '/v1/actions/runs/:run_id',
    summary: 'Read one run',
    can: 'run:read',
    params: RunParams,
    query: Type.Object(Version),
    reply: ok({ run: Run }),
    v1: runV1,
    refusals: ['not_found'],
  }),
  patch: route({
    id: 'run.patch',
    method: 'PATCH',
    path: '/v1/actions/runs/:run_id',
    summary: 'Report status, label, links, summary or external id of a run',
    can: 'run:update',
    params: RunParams,
    query: Type.Object({ runId: Type.Optional(Type.String()), ...Version }),
    body: RunPatch,
    reply: ok({ run: Run }),
    v1: runV1,
    refusals: ['not_found', 'run_finished', 'invalid_transition'],
  }),
  approve: route({
    id: 'run.approve',
    method: 'PATCH',
    path: '/v1/actions/runs/:run_id/approval',
    summary: 'Approve or decline a waiting run',
    can: 'run:approve',
    params: RunParams,
    query: Type.Object(Version),
    body: Type.Object(
      {
        status: Type.Union([Type.Literal('APPROVE'), Type.Literal('DECLINE')]),
        description: Type.Optional(Type.String()),
      },
      { additionalProperties: false },
    ),
    status: 201,
    reply: ok({ run: Run }),
    v1: runV1,
    refusals: ['not_found', 'run_finished', 'invalid_transition', 'frozen'],
  }),
  approvers: route({
    id: 'run.approvers',
    method: 'GET',
    path: '/v1/actions/runs/:run_id/approvers',
    summary: 'Who was asked to approve a run, and what they decided',
    can: 'run:read',
    params: RunParams,
    query: Type.Object({ include_pending_approvers: Type.Optional(Type.Boolean()) }),
    reply: ok({ approvers: Type.Array(Approver) }),
    refusals: ['not_found'],
  }),
  addLog: route({
    id: 'run.addLog',
    method: 'POST',
    path: '/v1/actions/runs/:run_id/logs',
    summary: 'Append a log line; with terminationStatus it also ends the run',
    can: 'run:update',
    params: RunParams,
    body: Type.Object(
      {
        message: Type.String(),
        terminationStatus: Type.Optional(Type.Union([Type.Literal('SUCCESS'), Type.Literal('FAILURE')])),
        statusLabel: Type.Optional(Type.String()),
      },
      { additionalProperties: false },
    ),
    status: 201,
    reply: ok({ runLog: RunLog }),
    refusals: ['not_found', 'run_finished', 'invalid_transition'],
  }),
  addLogs: route({
    id: 'run.addLogs',
    method: 'POST',
    path: '/v1/actions/runs/:run_id/logs/bulk',
    summary: 'Append many log lines at once, in order',
    can: 'run:update',
    params: RunParams,
    body: Type.Object(
      { messages: Type.Array(Type.String(), { minItems: 1, maxItems: maxLogLines }) },
      { additionalProperties: false },
    ),
    status: 201,
    /** How many lines the log has now. */
    reply: ok({ count: Type.Integer() }),
    refusals: ['not_found'],
    dialect: 'quayside',
  }),
  logLines: route({
    id: 'run.logLines',
    method: 'GET',
    path: '/v1/actions/runs/:run_id/logs/lines',
    summary: 'Any part of the log by line number, and how many lines there are',
    can: 'run:read',
    params: RunParams,
    query: Type.Object({
      /** The first line returned is the one after it. */
      after: Type.Optional(Type.Integer({ minimum: 0 })),
      limit: Type.Optional(Type.Integer({ minimum: 1, maximum: maxLogLines })),
      /** The end of the log, so many lines of it; `after` and `limit` then mean nothing. */
      last: Type.Optional(Type.Integer({ minimum: 1, maximum: maxLogLines })),
    }),
    reply: ok({ runLogs: Type.Array(RunLog), count: Type.Integer() }),
    refusals: ['not_found'],
    dialect: 'quayside',
  }),
  searchLogs: route({
    id: 'run.searchLogs',
    method: 'GET',
    path: '/v1/actions/runs/:run_id/logs/search',
    summary: 'How many lines of the log contain a text, in any case, and the numbers of the first of them',
    can: 'run:read',
    params: RunParams,
    query: Type.Object({
      text: Type.String({ minLength: 1, maxLength: 1000 }),
      after: Type.Optional(Type.Integer({ minimum: 0 })),
    }),
    /** `count` is of the whole log; `lines` are the first after `after`, at most 10,000. */
    reply: ok({ count: Type.Integer(), lines: Type.Array(Type.Integer()) }),
    refusals: ['not_found'],
    dialect: 'quayside',
  }),
  logText: route({
    id: 'run.logText',
    method: 'GET',
    path: '/v1/actions/runs/:run_id/logs/text',
    summary: 'The whole log as a text file, streamed',
    can: 'run:read',
    params: RunParams,
    reply: Type.Unknown(),
    refusals: ['not_found'],
    kind: 'stream',
    dialect: 'quayside',
  }),
  listLogs: route({
    id: 'run.listLogs',
    method: 'GET',
    path: '/v1/actions/runs/:run_id/logs',
    summary: 'Page through the log, oldest line first',
    can: 'run:read',
    params: RunParams,
    query: Type.Object({
      limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 50 })),
      offset: Type.Optional(Type.Integer({ minimum: 0 })),
    }),
    reply: ok({ runLogs: Type.Array(RunLog) }),
    refusals: ['not_found'],
  }),
  setResponse: route({
    id: 'run.setResponse',
    method: 'PATCH',
    path: '/v1/actions/runs/:run_id/response',
    summary: 'Store what a synchronous backend answered',
    can: 'run:update',
    params: RunParams,
    body: Type.Object({ response: Type.Unknown() }, { additionalProperties: false }),
    reply: ok({ run: Run }),
    refusals: ['not_found'],
  }),
  why: route({
    id: 'run.why',
    method: 'GET',
    path: '/v1/actions/runs/:run_id/why',
    summary: 'Why a run waits, goes on or has ended: what it waits for, and what was tried',
    can: 'run:read',
    params: RunParams,
    reply: ok({ why: WhyRun }),
    refusals: ['not_found'],
    dialect: 'quayside',
  }),
  deliveries: route({
    id: 'run.deliveries',
    method: 'GET',
    path: '/v1/actions/runs/:run_id/deliveries',
    summary: 'Every attempt to hand the run to its backend, and what came of it',
    can: 'run:read',
    params: RunParams,
    reply: ok({ deliveries: Type.Array(Delivery) }),
    refusals: ['not_found'],
    dialect: 'quayside',
  }),
  affectedEntities: route({
    id: 'run.affectedEntities',
    method: 'GET',
    path: '/v1/actions/runs/:run_id/affected-entities',
    summary: 'Catalog changes made with this run id, oldest first',
    can: 'run:read',
    params: RunParams,
    reply: ok({ entities: Type.Array(AffectedEntity) }),
    refusals: ['not_found'],
    dialect: 'quayside',
  }),
  stream: route({
    id: 'run.stream',
    method: 'GET',
    path: '/v1/actions/runs/:run_id/stream',
    summary: 'Server-sent events: `log` (id = line, resumes by Last-Event-ID), `run` (the run changed), `end`',
    can: 'run:read',
    params: RunParams,
    /** Resume after this line; the Last-Event-ID header wins. */
    query: Type.Object({ after: Type.Optional(Type.String()) }),
    reply: Type.Unknown(),
    refusals: ['not_found'],
    kind: 'stream',
    dialect: 'quayside',
  }),
};
