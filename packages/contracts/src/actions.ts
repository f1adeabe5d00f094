import { type Static, type TSchema, Type } from 'typebox';
import { ok, route } from './route.ts';
import { ActionIdentifier, BlueprintIdentifier, Colour, Document, Instant, keyPattern } from './values.ts';

/**
 * An action is what a developer may start from the portal; an automation is the same document started by an event.
 * They share one collection and one namespace of identifiers (spec/actions.md §1). Whole documents are stored and
 * returned as written, key order kept, because forms are rendered in that order.
 */

/** A value computed by a jq program over `{form, entity, user}` (spec/actions.md §1.6). */
export const JqQuery = Type.Object({ jqQuery: Type.String({ minLength: 1 }) }, { additionalProperties: false });
export type JqQuery = Static<typeof JqQuery>;

const orJq = <T extends TSchema>(schema: T) => Type.Union([schema, JqQuery]);

export const inputTypes = ['string', 'number', 'boolean', 'object', 'array'] as const;
export const inputFormats = [
  'date-time',
  'url',
  'email',
  'idn-email',
  'ipv4',
  'ipv6',
  'yaml',
  'entity',
  'user',
  'team',
  'proto',
  'markdown',
  'multi-line',
  'labeled-url',
  'timer',
] as const;

export const SearchCondition = Type.Object(
  {
    type: Type.Optional(Type.Literal('SEARCH')),
    combinator: Type.Union([Type.Literal('and'), Type.Literal('or')]),
    rules: Type.Array(Document),
  },
  { additionalProperties: false },
);

/** One input of the form. Open: JSON-Schema keywords beyond the named ones are kept and honoured (§1.4). */
export const ActionInput = Type.Object(
  {
    type: Type.Enum(inputTypes),
    format: Type.Optional(Type.Enum(inputFormats)),
    title: Type.Optional(Type.String()),
    description: Type.Optional(Type.String()),
    icon: Type.Optional(Type.String()),
    blueprint: Type.Optional(BlueprintIdentifier),
    default: Type.Optional(Type.Unknown()),
    enum: Type.Optional(orJq(Type.Array(Type.Unknown()))),
    enumColors: Type.Optional(Type.Record(Type.String(), Colour)),
    pattern: Type.Optional(orJq(Type.String())),
    minLength: Type.Optional(Type.Integer({ minimum: 0 })),
    maxLength: Type.Optional(Type.Integer({ minimum: 0 })),
    minimum: Type.Optional(Type.Number()),
    maximum: Type.Optional(Type.Number()),
    exclusiveMinimum: Type.Optional(Type.Number()),
    exclusiveMaximum: Type.Optional(Type.Number()),
    minItems: Type.Optional(orJq(Type.Integer({ minimum: 0 }))),
    maxItems: Type.Optional(orJq(Type.Integer({ minimum: 0 }))),
    uniqueItems: Type.Optional(Type.Boolean()),
    items: Type.Optional(Document),
    visible: Type.Optional(orJq(Type.Boolean())),
    disabled: Type.Optional(orJq(Type.Boolean())),
    dependsOn: Type.Optional(Type.Array(Type.String())),
    dataset: Type.Optional(
      Type.Object({
        combinator: Type.Union([Type.Literal('and'), Type.Literal('or')]),
        rules: Type.Array(Document),
      }),
    ),
    sort: Type.Optional(
      Type.Object(
        { property: Type.String(), order: Type.Union([Type.Literal('ASC'), Type.Literal('DESC')]) },
        { additionalProperties: false },
      ),
    ),
    encryption: Type.Optional(
      Type.Union([
        Type.Literal('aes256-gcm'),
        Type.Object({ algorithm: Type.Literal('client-side'), key: Type.String() }, { additionalProperties: false }),
      ]),
    ),
  },
  { additionalProperties: true },
);
export type ActionInput = Static<typeof ActionInput>;

const keyed = <T extends TSchema>(value: T) =>
  Type.Record(Type.String({ pattern: keyPattern }), value, { additionalProperties: false });

export const UserInputs = Type.Object(
  {
    properties: keyed(ActionInput),
    required: Type.Optional(orJq(Type.Array(Type.String()))),
    order: Type.Optional(Type.Array(Type.String())),
    steps: Type.Optional(
      Type.Array(
        Type.Object(
          {
            title: Type.String({ minLength: 1 }),
            order: Type.Array(Type.String()),
            visible: Type.Optional(orJq(Type.Boolean())),
          },
          { additionalProperties: false },
        ),
      ),
    ),
    titles: Type.Optional(
      keyed(
        Type.Object(
          {
            title: Type.String({ minLength: 1, maxLength: 140 }),
            description: Type.Optional(Type.String({ maxLength: 1000 })),
            visible: Type.Optional(orJq(Type.Boolean())),
          },
          { additionalProperties: false },
        ),
      ),
    ),
  },
  { additionalProperties: false },
);
export type UserInputs = Static<typeof UserInputs>;

export const operations = ['CREATE', 'DAY-2', 'DELETE'] as const;
export type Operation = (typeof operations)[number];

const ButtonText = Type.String({ minLength: 1, maxLength: 15, pattern: '^[^\\s](.*[^\\s])?$' });

export const SelfServiceTrigger = Type.Object(
  {
    type: Type.Literal('self-service'),
    operation: Type.Enum(operations),
    blueprintIdentifier: Type.Optional(BlueprintIdentifier),
    userInputs: UserInputs,
    actionCardButtonText: Type.Optional(ButtonText),
    executeActionButtonText: Type.Optional(ButtonText),
    condition: Type.Optional(SearchCondition),
  },
  { additionalProperties: false },
);
export type SelfServiceTrigger = Static<typeof SelfServiceTrigger>;

export const entityEventTypes = ['ENTITY_CREATED', 'ENTITY_UPDATED', 'ENTITY_DELETED', 'ANY_ENTITY_CHANGE'] as const;
export const runEventTypes = ['RUN_CREATED', 'RUN_UPDATED', 'ANY_RUN_CHANGE'] as const;

export const AutomationEvent = Type.Union([
  Type.Object(
    { type: Type.Enum(entityEventTypes), blueprintIdentifier: BlueprintIdentifier },
    { additionalProperties: false },
  ),
  Type.Object(
    {
      type: Type.Literal('TIMER_PROPERTY_EXPIRED'),
      blueprintIdentifier: BlueprintIdentifier,
      propertyIdentifier: Type.String({ minLength: 1 }),
    },
    { additionalProperties: false },
  ),
  Type.Object({ type: Type.Enum(runEventTypes), actionIdentifier: ActionIdentifier }, { additionalProperties: false }),
]);

export const AutomationTrigger = Type.Object(
  {
    type: Type.Literal('automation'),
    event: AutomationEvent,
    condition: Type.Optional(
      Type.Object(
        {
          type: Type.Literal('JQ'),
          expressions: Type.Array(Type.String()),
          combinator: Type.Optional(Type.Union([Type.Literal('and'), Type.Literal('or')])),
        },
        { additionalProperties: false },
      ),
    ),
  },
  { additionalProperties: false },
);
export type AutomationTrigger = Static<typeof AutomationTrigger>;

/** A switch that may be given as a template (`"{{ .inputs.private }}"`). */
const Flag = Type.Union([Type.Boolean(), Type.String({ minLength: 1 })]);
/** Only agents that have all of these take the run; values may be templates. Ours; Port's documents do without. */
const AgentLabels = Type.Record(Type.String({ minLength: 1 }), Type.String({ minLength: 1 }), { minProperties: 1 });
const Payload = Type.Union([Document, Type.Array(Type.Unknown())]);

const webhookFields = {
  url: Type.String({ minLength: 1 }),
  agent: Type.Optional(Flag),
  agentLabels: Type.Optional(AgentLabels),
  synchronized: Type.Optional(Flag),
  method: Type.Optional(Type.String({ minLength: 1 })),
  headers: Type.Optional(Type.Record(Type.String(), Type.String())),
  body: Type.Optional(Payload),
};

export const WebhookInvocation = Type.Object(
  { type: Type.Literal('WEBHOOK'), ...webhookFields },
  { additionalProperties: false },
);
export type WebhookInvocation = Static<typeof WebhookInvocation>;

/** §1.11. SLACK and JENKINS are aliases of WEBHOOK in imported documents. */
export const InvocationMethod = Type.Union([
  WebhookInvocation,
  Type.Object({ type: Type.Literal('SLACK'), ...webhookFields }, { additionalProperties: false }),
  Type.Object({ type: Type.Literal('JENKINS'), ...webhookFields }, { additionalProperties: false }),
  Type.Object({ type: Type.Literal('KAFKA'), payload: Type.Optional(Payload) }, { additionalProperties: false }),
  Type.Object(
    {
      type: Type.Literal('GITHUB'),
      org: Type.String({ minLength: 1 }),
      repo: Type.String({ minLength: 1 }),
      workflow: Type.String({ minLength: 1 }),
      workflowInputs: Type.Optional(Document),
      reportWorkflowStatus: Type.Optional(Flag),
    },
    { additionalProperties: false },
  ),
  Type.Object(
    {
      type: Type.Literal('INTEGRATION_ACTION'),
      installationId: Type.String({ minLength: 1 }),
      integrationActionType: Type.Literal('dispatch_workflow'),
      integrationActionExecutionProperties: Document,
    },
    { additionalProperties: false },
  ),
  Type.Object(
    {
      type: Type.Literal('GITLAB'),
      projectName: Type.String({ minLength: 1 }),
      groupName: Type.String({ minLength: 1 }),
      defaultRef: Type.Optional(Type.String()),
      pipelineVariables: Type.Optional(Document),
      omitPayload: Type.Optional(Type.Boolean()),
      omitUserInputs: Type.Optional(Type.Boolean()),
      agent: Type.Optional(Flag),
      agentLabels: Type.Optional(AgentLabels),
    },
    { additionalProperties: false },
  ),
  Type.Object(
    {
      type: Type.Literal('AZURE_DEVOPS'),
      org: Type.String({ minLength: 1 }),
      webhook: Type.String({ minLength: 1 }),
      payload: Type.Optional(Payload),
    },
    { additionalProperties: false },
  ),
  Type.Object(
    {
      type: Type.Literal('UPSERT_ENTITY'),
      blueprintIdentifier: Type.String({ minLength: 1 }),
      mapping: Type.Object(
        {
          identifier: Type.Optional(Type.String()),
          title: Type.Optional(Type.Union([Type.String(), Type.Null()])),
          icon: Type.Optional(Type.Union([Type.String(), Type.Null()])),
          team: Type.Optional(Type.Unknown()),
          properties: Type.Optional(Document),
          relations: Type.Optional(Document),
        },
        { additionalProperties: false },
      ),
    },
    { additionalProperties: false },
  ),
]);
export type InvocationMethod = Static<typeof InvocationMethod>;

const RequiredApproval = Type.Union([
  Type.Boolean(),
  Type.Object({ type: Type.Union([Type.Literal('ANY'), Type.Literal('ALL')]) }, { additionalProperties: false }),
]);

const actionFields = {
  identifier: ActionIdentifier,
  title: Type.Optional(Type.String()),
  icon: Type.Optional(Type.String()),
  description: Type.Optional(Type.String()),
  trigger: Type.Union([SelfServiceTrigger, AutomationTrigger]),
  invocationMethod: InvocationMethod,
  requiredApproval: Type.Optional(RequiredApproval),
  approvalNotification: Type.Optional(
    Type.Union([
      Type.Object({ type: Type.Literal('email') }, { additionalProperties: false }),
      Type.Object(
        {
          type: Type.Literal('webhook'),
          url: Type.String({ format: 'uri' }),
          format: Type.Optional(Type.Union([Type.Literal('json'), Type.Literal('slack')])),
        },
        { additionalProperties: false },
      ),
    ]),
  ),
  publish: Type.Optional(Type.Boolean()),
  allowAnyoneToViewRuns: Type.Optional(Type.Boolean()),
};

/** What a caller may write. */
export const ActionBody = Type.Object(actionFields, { additionalProperties: false });
export type ActionBody = Static<typeof ActionBody>;

/** What a caller reads: the document as written, and who wrote it when. */
export const Action = Type.Object({
  ...actionFields,
  id: Type.String(),
  createdAt: Instant,
  createdBy: Type.String(),
  updatedAt: Instant,
  updatedBy: Type.String(),
});
export type Action = Static<typeof Action>;

const ActionParams = Type.Object({ action_identifier: Type.String() });

export const actionRoutes = {
  create: route({
    id: 'action.create',
    method: 'POST',
    path: '/v1/actions',
    summary: 'Create an action or automation',
    can: 'action:create',
    body: ActionBody,
    status: 201,
    reply: ok({ action: Action }),
    refusals: ['identifier_taken', 'invalid_expression'],
  }),
  list: route({
    id: 'action.list',
    method: 'GET',
    path: '/v1/actions',
    summary: 'List actions and automations; filters combine with AND',
    can: 'action:read',
    query: Type.Object({
      action_identifier: Type.Optional(Type.Array(Type.String())),
      blueprint_identifier: Type.Optional(Type.Array(Type.String())),
      operation: Type.Optional(Type.Array(Type.String())),
      published: Type.Optional(Type.Boolean()),
      trigger_type: Type.Optional(Type.Union([Type.Literal('self-service'), Type.Literal('automation')])),
      trigger_event: Type.Optional(Type.Array(Type.String())),
      trigger_event_action_identifier: Type.Optional(Type.Array(Type.String())),
      version: Type.Optional(Type.String()),
    }),
    reply: ok({ actions: Type.Array(Action) }),
  }),
  get: route({
    id: 'action.get',
    method: 'GET',
    path: '/v1/actions/:action_identifier',
    summary: 'Read one action',
    can: 'action:read',
    params: ActionParams,
    query: Type.Object({ version: Type.Optional(Type.String()) }),
    reply: ok({ action: Action }),
    refusals: ['not_found'],
  }),
  replace: route({
    id: 'action.replace',
    method: 'PUT',
    path: '/v1/actions/:action_identifier',
    summary: 'Replace an action; a different identifier in the body renames it',
    can: 'action:update',
    params: ActionParams,
    body: ActionBody,
    reply: ok({ action: Action }),
    refusals: ['not_found', 'identifier_taken', 'invalid_expression'],
  }),
  remove: route({
    id: 'action.remove',
    method: 'DELETE',
    path: '/v1/actions/:action_identifier',
    summary: 'Delete an action; its runs stay',
    can: 'action:delete',
    params: ActionParams,
    reply: ok({}),
    refusals: ['not_found'],
  }),
};
