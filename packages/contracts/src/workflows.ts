import { type Static, Type } from 'typebox';
import { ok, route } from './route.ts';
import { ActionIdentifier, Document, Instant } from './values.ts';

/**
 * A workflow is a graph of nodes: triggers, calls, conditions, forms. Its document is kept and returned as it was written,
 * so that it can be managed as code today. The portal does not run workflows yet: no trigger starts one, and there are no
 * runs to claim.
 */
const nodeTypes = [
  'SELF_SERVE_TRIGGER',
  'EVENT_TRIGGER',
  'SCHEDULE_TRIGGER',
  'KAFKA',
  'WEBHOOK',
  'UPSERT_ENTITY',
  'INTEGRATION_ACTION',
  'AI',
  'AI_AGENT',
  'CONDITION',
  'INPUT',
] as const;

/** Open: what a type needs is judged when it is run. */
const NodeConfig = Type.Unsafe<{ type: (typeof nodeTypes)[number] } & Record<string, unknown>>(
  Type.Object({ type: Type.Enum(nodeTypes) }, { additionalProperties: true }),
);

const Text = Type.Optional(Type.String());

const WorkflowNode = Type.Object(
  {
    identifier: ActionIdentifier,
    title: Text,
    icon: Text,
    description: Text,
    variables: Type.Optional(Document),
    links: Type.Optional(Type.Array(Type.Unknown())),
    verbose: Type.Optional(Type.Boolean()),
    config: NodeConfig,
  },
  { additionalProperties: false },
);

const WorkflowConnection = Type.Object(
  {
    sourceIdentifier: Type.String(),
    targetIdentifier: Type.String(),
    description: Text,
    sourceOutletIdentifier: Text,
    fallback: Type.Optional(Type.Boolean()),
  },
  { additionalProperties: false },
);

const workflowFields = {
  identifier: ActionIdentifier,
  title: Text,
  icon: Text,
  description: Text,
  category: Text,
  allowAnyoneToViewRuns: Type.Optional(Type.Boolean()),
  nodes: Type.Array(WorkflowNode, { maxItems: 1_000 }),
  connections: Type.Optional(Type.Array(WorkflowConnection, { maxItems: 10_000 })),
};

export const WorkflowBody = Type.Object(workflowFields, { additionalProperties: false });
export type WorkflowBody = Static<typeof WorkflowBody>;

export const Workflow = Type.Object({
  ...workflowFields,
  createdAt: Instant,
  createdBy: Type.String(),
  updatedAt: Instant,
  updatedBy: Type.String(),
});
export type Workflow = Static<typeof Workflow>;

const WorkflowParams = Type.Object({ workflow_identifier: Type.String() });

export const workflowRoutes = {
  create: route({
    id: 'workflow.create',
    method: 'POST',
    path: '/v1/workflows',
    summary: 'Create a workflow; its document is kept, it is not run yet',
    can: 'action:create',
    body: WorkflowBody,
    status: 201,
    reply: ok({ workflow: Workflow }),
    refusals: ['identifier_taken'],
  }),
  list: route({
    id: 'workflow.list',
    method: 'GET',
    path: '/v1/workflows',
    summary: 'List workflows',
    can: 'action:read',
    reply: ok({ workflows: Type.Array(Workflow) }),
  }),
  get: route({
    id: 'workflow.get',
    method: 'GET',
    path: '/v1/workflows/:workflow_identifier',
    summary: 'Read one workflow',
    can: 'action:read',
    params: WorkflowParams,
    reply: ok({ workflow: Workflow }),
    refusals: ['not_found'],
  }),
  replace: route({
    id: 'workflow.replace',
    method: 'PUT',
    path: '/v1/workflows/:workflow_identifier',
    summary: 'Replace a workflow; a different identifier in the body renames it',
    can: 'action:update',
    params: WorkflowParams,
    body: WorkflowBody,
    reply: ok({ workflow: Workflow }),
    refusals: ['not_found', 'identifier_taken'],
  }),
  remove: route({
    id: 'workflow.remove',
    method: 'DELETE',
    path: '/v1/workflows/:workflow_identifier',
    summary: 'Delete a workflow',
    can: 'action:delete',
    params: WorkflowParams,
    reply: ok({}),
    refusals: ['not_found'],
  }),
};
