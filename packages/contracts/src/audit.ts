import { type Static, Type } from 'typebox';
import { ok, route } from './route.ts';
import { Document, Instant, Limit, Period } from './values.ts';

/**
 * Events: the one append-only record of what happened. An event exists exactly if the transaction that caused it
 * committed. Audit log, change log, automations, notifications and the live UI all read it by cursor.
 */
export const eventNames = [
  'organization.updated',
  // `<noun>.refused`: a write that was refused (packages/server/src/platform/refused-writes.ts).
  'organization.refused',
  'user.created',
  'user.updated',
  'user.deleted',
  'user.refused',
  'team.created',
  'team.updated',
  'team.deleted',
  'session.created',
  'session.ended',
  'session.refused',
  'credential.created',
  'credential.updated',
  'credential.deleted',
  'credential.refused',
  'secret.created',
  'secret.updated',
  'secret.deleted',
  'secret.refused',
  'blueprint.created',
  'blueprint.updated',
  'blueprint.deleted',
  'blueprint.refused',
  'entity.created',
  'entity.updated',
  'entity.deleted',
  'entity.refused',
  'entity.timer_expired',
  'action.created',
  'action.updated',
  'action.deleted',
  'action.refused',
  'workflow.created',
  'workflow.updated',
  'workflow.deleted',
  'run.created',
  'run.updated',
  'run.refused',
  'run.delivered',
  // Retention removed the oldest records, up to a checkpoint.
  'audit.pruned',
  // Goes to a topic of the organization; the event is what the publisher reads.
  'run.published',
  // Handed over again, under the same key.
  'run.replayed',
  // The same of a change, which the publisher reads.
  'change.replayed',
  'replay.created',
  'replay.cancelled',
] as const;
export type EventName = (typeof eventNames)[number];

export const origins = [
  'UI',
  'API',
  'AGENT',
  'GITHUB_ACTION',
  'OCEAN',
  'K8S_EXPORTER',
  'MCP',
  'AUTOMATION',
  'SYSTEM',
] as const;
export type Origin = (typeof origins)[number];

/** By what a record is called everywhere: in the log, by automations, on the page of a run. */
export const recordIdentifier = (seq: number): string => `event_${seq}`;

export const AuditRecord = Type.Object({
  identifier: Type.String(),
  action: Type.Union([
    Type.Literal('CREATE'),
    Type.Literal('UPDATE'),
    Type.Literal('DELETE'),
    Type.Literal('TIMER_EXPIRED'),
  ]),
  resourceType: Type.String(),
  status: Type.Union([Type.Literal('SUCCESS'), Type.Literal('FAILURE')]),
  message: Type.Optional(Type.String()),
  trigger: Type.Object({
    by: Document,
    origin: Type.String(),
    at: Instant,
  }),
  context: Document,
  diff: Type.Object({ before: Type.Unknown(), after: Type.Unknown() }),
  /** Of a refused write: the request, and the name of the refusal. */
  additionalData: Type.Optional(Type.Object({ method: Type.String(), path: Type.String(), error: Type.String() })),
});
export type AuditRecord = Static<typeof AuditRecord>;

/** Of the chain over the log; what each field is says audit-chain.ts. */
export const AuditCheckpoint = Type.Object({
  organization: Type.String(),
  number: Type.Integer(),
  sealedAt: Instant,
  count: Type.Integer(),
  total: Type.Integer(),
  records: Type.String(),
  previous: Type.String(),
  hash: Type.String(),
  signature: Type.String(),
  key: Type.String(),
});

export const auditRoutes = {
  list: route({
    id: 'audit.list',
    method: 'GET',
    path: '/v1/audit-log',
    summary: 'What happened, newest first; filters combine with AND',
    can: 'audit:read',
    query: Type.Object({
      identifier: Type.Optional(Type.String()),
      entity: Type.Optional(Type.String()),
      blueprint: Type.Optional(Type.String()),
      run_id: Type.Optional(Type.String()),
      action: Type.Optional(Type.String()),
      status: Type.Optional(Type.String()),
      origin: Type.Optional(Type.Array(Type.String())),
      resources: Type.Optional(Type.Array(Type.String())),
      includes: Type.Optional(Type.Array(Type.String())),
      actionType: Type.Optional(Type.Union([Type.Literal('automation'), Type.Literal('self-service')])),
      /** E-mail or name of a person or credential, or id. */
      by: Type.Optional(Type.String()),
      ...Period,
      limit: Limit,
    }),
    reply: ok({ audits: Type.Array(Type.Partial(AuditRecord)) }),
  }),
  checkpoints: route({
    id: 'audit.checkpoints',
    method: 'GET',
    path: '/v1/audit-log/checkpoints',
    summary: 'The signed checkpoints of the audit log, newest first, and the public key; keep one elsewhere',
    can: 'audit:read',
    query: Type.Object({
      before: Type.Optional(Type.Integer({ minimum: 1 })),
      limit: Limit,
    }),
    reply: ok({
      checkpoints: Type.Array(AuditCheckpoint),
      /** Ed25519, PEM. */
      publicKey: Type.String(),
    }),
    refusals: ['forbidden'],
    dialect: 'quayside',
  }),
  export: route({
    id: 'audit.export',
    method: 'GET',
    path: '/v1/audit-log/export',
    summary: 'The sealed audit log with its checkpoints as NDJSON, streamed, for script/audit-verify',
    can: 'audit:read',
    /** By when the records were sealed; whole checkpoints. */
    query: Type.Object({
      ...Period,
    }),
    reply: Type.Unknown(),
    refusals: ['forbidden'],
    kind: 'stream',
    dialect: 'quayside',
  }),
};
