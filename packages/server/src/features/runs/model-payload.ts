import type { Action, Entity, SelfServiceTrigger } from '@quayside/contracts';
import { compileTemplate, SECRET_MASK, type Secrets } from '@quayside/expressions';
import type { StoredRun } from './model.ts';

/** What the templates of an action see, and what is sent (spec/actions.md §1.11–1.13, §2.8). */

export interface Requester {
  orgId: string;
  userId: string;
  user?: { id: string; email: string; firstName: string; lastName: string; createdAt: string; updatedAt: string };
}

export interface RunFacts {
  runId: string;
  action: Action;
  /** Absent for automations: nobody filled in a form. */
  trigger: SelfServiceTrigger | undefined;
  /** What an automation listens to (§4.2); null for actions. */
  event: Record<string, unknown> | null;
  requester: Requester;
  origin: 'UI' | 'API' | 'AUTOMATION';
  at: string;
  /** The target of DAY-2 and DELETE; null for CREATE. */
  entity: Entity | null;
  /** As submitted: entity inputs are identifiers, secrets are ciphertext. */
  rawProperties: Record<string, unknown>;
  /** Entity inputs are whole entities. */
  properties: Record<string, unknown>;
  secretInputs: string[];
}

export function triggerBy(requester: Requester): Record<string, unknown> {
  const { user } = requester;
  return {
    orgId: requester.orgId,
    userId: requester.userId,
    ...(user ? { user: { ...user, phoneNumber: '', picture: '', providers: ['quayside'], status: 'ACTIVE' } } : {}),
  };
}

/** The root object of the action's templates (§1.13), without the secrets. */
function templateContext(facts: RunFacts): Record<string, unknown> {
  const trigger = { by: triggerBy(facts.requester), origin: facts.origin, at: facts.at };
  if (!facts.trigger)
    return {
      inputs: null,
      trigger,
      event: facts.event,
      entity: null,
      action: { identifier: facts.action.identifier },
      run: { id: facts.runId },
    };
  return {
    inputs: facts.properties,
    trigger: { ...trigger, operation: facts.trigger.operation },
    event: null,
    entity: facts.entity ?? {},
    action: {
      identifier: facts.action.identifier,
      blueprint: facts.trigger.blueprintIdentifier ?? null,
      encryptedProperties: facts.secretInputs,
    },
    run: { id: facts.runId },
  };
}

/** The message that is sent when an action has no body of its own, and that agents expect (§2.8.1). */
function classicMessage(facts: RunFacts, invocation: Record<string, unknown>): Record<string, unknown> {
  const { action, trigger } = facts;
  return {
    action: action.identifier,
    resourceType: 'run',
    status: 'TRIGGERED',
    trigger: { by: triggerBy(facts.requester), origin: facts.origin, at: facts.at },
    context: {
      entity: facts.entity?.identifier ?? null,
      blueprint: trigger?.blueprintIdentifier ?? null,
      runId: facts.runId,
    },
    payload: {
      entity: facts.entity,
      action: {
        id: action.id,
        identifier: action.identifier,
        title: action.title ?? null,
        icon: action.icon ?? null,
        description: action.description ?? null,
        blueprint: trigger?.blueprintIdentifier ?? null,
        ...(trigger ? { userInputs: trigger.userInputs } : {}),
        invocationMethod: invocation,
        trigger: trigger?.operation ?? 'AUTOMATION',
        createdAt: action.createdAt,
        createdBy: action.createdBy,
        updatedAt: action.updatedAt,
        updatedBy: action.updatedBy,
      },
      properties: facts.rawProperties,
      censoredProperties: facts.secretInputs,
      ...(facts.event ? { event: facts.event } : {}),
    },
  };
}

/** What is dispatched: the invocation with every template filled in. */
export type Payload =
  | WebhookPayload
  | GitlabPayload
  | AzurePayload
  | UpsertPayload
  | IntegrationPayload
  | GithubPayload
  | { type: 'KAFKA'; agent: false; body: unknown };

/** A webhook whose address and signature are Azure's; the base URL is the portal's setting (service-delivery.ts). */
interface AzurePayload extends Omit<WebhookPayload, 'type'> {
  type: 'AZURE_DEVOPS';
  agent: false;
}

/** The portal writes the entity itself; the run ends with it. */
export interface UpsertPayload {
  type: 'UPSERT_ENTITY';
  agent: false;
  synchronized: true;
  blueprintIdentifier: string;
  mapping: Readonly<Record<string, unknown>>;
}

/** The portal starts the workflow and follows it (service-github.ts). */
export interface GithubPayload {
  type: 'GITHUB';
  agent: false;
  org: string;
  repo: string;
  workflow: string;
  workflowInputs: Readonly<Record<string, unknown>>;
  reportWorkflowStatus: boolean;
}

/** Taken by the integration of that name, which claims and reports by itself. */
interface IntegrationPayload {
  type: 'INTEGRATION_ACTION';
  agent: false;
  installationId: string;
  [property: string]: unknown;
}

interface WebhookPayload {
  type: 'WEBHOOK';
  url: string;
  agent: boolean;
  /** Only agents with these take it. */
  agentLabels?: Readonly<Record<string, string>>;
  synchronized: boolean;
  method: string;
  headers: Record<string, string>;
  body: unknown;
}

/** For agents, which make the request out of it: their mapping knows the URL and the token of the pipeline. */
interface GitlabPayload extends Omit<WebhookPayload, 'type'> {
  type: 'GITLAB';
  agent: true;
  projectName: string;
  groupName: string;
  defaultRef?: string;
}

export type Rendering =
  /** `payload` has every secret masked and is stored; `secretPayload` is what is sent, where that differs. */
  | { kind: 'rendered'; payload: Payload; secretPayload: Payload | undefined }
  /** The run ends in FAILURE with this sentence in its log. */
  | { kind: 'failed'; message: string };

/** Largest body a template may yield; also what a delivery may send. */
const maxPayloadBytes = 5 * 1024 * 1024;

/**
 * Renders the invocation. Cost: one pass over the document, two where the organization has secrets; every jq block runs under
 * the budget of the whole render.
 * Types that this version does not dispatch end the run with a sentence instead of leaving it waiting for ever.
 */
export function renderInvocation(facts: RunFacts, secrets: Secrets): Rendering {
  const { invocationMethod } = facts.action;
  const { type } = invocationMethod;
  if (!(type in payloadMakers))
    return {
      kind: 'failed',
      message: `This version of Quayside does not dispatch actions of type ${type} yet.`,
    };
  const { stored, sent, secretPaths } = compileTemplate(invocationMethod as never).renderWithSecrets(
    templateContext(facts) as never,
    secrets,
    { budget: { outputBytes: maxPayloadBytes } },
  );
  // The sentence quotes values, so it is that of the masked render; one that fails only with the secrets says no more.
  if (!stored.ok)
    return { kind: 'failed', message: `The action's templates could not be filled in: ${stored.error.message}` };
  if (!sent.ok) return { kind: 'failed', message: "The action's templates could not be filled in with its secrets." };
  const { agent, agentLabels } = stored.value as unknown as Method;
  if (agentLabels !== undefined && !(type === 'GITLAB' || isTrue(agent)))
    return {
      kind: 'failed',
      message: 'The action names agentLabels, but not "agent": true: no agent is to carry it out.',
    };
  const unfilled = Object.entries(agentLabels ?? {}).find(([, value]) => labelText(value) === undefined);
  if (unfilled)
    return { kind: 'failed', message: `The template of the label ${unfilled[0]} in agentLabels yields no text.` };
  const [toPayload, address] = payloadMakers[type as keyof typeof payloadMakers];
  const payload = toPayload(facts, stored.value as unknown as Method);
  const secretPayload = secretPaths.length > 0 ? toPayload(facts, sent.value as unknown as Method) : undefined;
  if (!payload || (secretPaths.length > 0 && !secretPayload))
    return { kind: 'failed', message: `The template of the ${address} yields no text.` };
  return { kind: 'rendered', payload, secretPayload };
}

type Method = Readonly<Record<string, unknown>>;
/** The rendered method → what is dispatched; undefined = it says not where to. */
type MakePayload = (facts: RunFacts, method: Method) => Payload | undefined;

const makeWebhook: MakePayload = (facts, method) => {
  if (typeof method.url !== 'string' || method.url === '') return undefined;
  const invocation = {
    type: 'WEBHOOK' as const,
    url: method.url,
    agent: isTrue(method.agent),
    ...labelsOf(method),
    synchronized: isTrue(method.synchronized),
    method: String(method.method ?? 'POST').toUpperCase(),
    headers: textHeaders((method.headers ?? {}) as Record<string, unknown>),
  };
  return { ...invocation, body: method.body ?? classicMessage(facts, invocation) };
};

const makeKafka: MakePayload = (facts, { payload, ...invocation }) => ({
  type: 'KAFKA',
  agent: false,
  body: payload ?? classicMessage(facts, invocation),
});

function labelsOf({ agentLabels }: Method): Pick<WebhookPayload, 'agentLabels'> {
  if (agentLabels === undefined) return {};
  const labels = Object.entries(agentLabels as object).map(([name, value]) => [name, labelText(value) ?? '']);
  return { agentLabels: Object.fromEntries(labels) as Record<string, string> };
}

/** A label that yields nothing must not widen the choice of agents, so it is not the empty text. */
function labelText(value: unknown): string | undefined {
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  return typeof value === 'string' && value.trim() !== '' ? value.trim() : undefined;
}

/** The variables of the pipeline take the place of the inputs (spec/actions.md §2.8.2). */
const makeGitlab: MakePayload = (facts, method) => {
  const { pipelineVariables, projectName, groupName, defaultRef, ...rest } = method;
  if (typeof projectName !== 'string' || typeof groupName !== 'string' || projectName === '' || groupName === '')
    return undefined;
  const invocation = {
    ...rest,
    type: 'GITLAB' as const,
    // Readers of the published dialect ask for a URL whatever the type.
    url: '',
    agent: true as const,
    ...labelsOf(method),
    synchronized: false,
    method: 'POST',
    headers: {},
    projectName,
    groupName,
    ...(typeof defaultRef === 'string' && defaultRef !== '' ? { defaultRef } : {}),
  };
  const message = classicMessage(facts, invocation);
  const body =
    pipelineVariables === undefined
      ? message
      : { ...message, payload: { ...(message.payload as Record<string, unknown>), properties: pipelineVariables } };
  return { ...invocation, body };
};

const makeAzure: MakePayload = (facts, method) => {
  const { org, webhook, payload } = method;
  if (!isText(org) || !isText(webhook)) return undefined;
  const path = `${encodeURIComponent(org)}/_apis/public/distributedtask/webhooks/${encodeURIComponent(webhook)}`;
  const invocation = {
    type: 'AZURE_DEVOPS' as const,
    url: `/${path}?api-version=6.0-preview`,
    agent: false as const,
    synchronized: false,
    method: 'POST',
    headers: {},
  };
  return { ...invocation, body: payload ?? classicMessage(facts, invocation) };
};

const makeUpsert: MakePayload = (_facts, { blueprintIdentifier, mapping }) =>
  isText(blueprintIdentifier)
    ? {
        type: 'UPSERT_ENTITY',
        agent: false,
        synchronized: true,
        blueprintIdentifier,
        mapping: mapping as Record<string, unknown>,
      }
    : undefined;

const makeIntegration: MakePayload = (_facts, method) =>
  isText(method.installationId)
    ? { ...method, type: 'INTEGRATION_ACTION', agent: false, installationId: method.installationId }
    : undefined;

const makeGithub: MakePayload = (_facts, { org, repo, workflow, workflowInputs, reportWorkflowStatus }) =>
  isText(org) && isText(repo) && (isText(workflow) || typeof workflow === 'number')
    ? {
        type: 'GITHUB',
        agent: false,
        org,
        repo,
        workflow: String(workflow),
        workflowInputs: (workflowInputs ?? {}) as Record<string, unknown>,
        reportWorkflowStatus: reportWorkflowStatus === undefined || isTrue(reportWorkflowStatus),
      }
    : undefined;

const isText = (value: unknown): value is string => typeof value === 'string' && value !== '';

/** Each with what it can not do without. */
const payloadMakers = {
  WEBHOOK: [makeWebhook, 'URL'],
  SLACK: [makeWebhook, 'URL'],
  JENKINS: [makeWebhook, 'URL'],
  KAFKA: [makeKafka, 'payload'],
  GITLAB: [makeGitlab, 'project or group'],
  GITHUB: [makeGithub, 'organization, repository or workflow'],
  AZURE_DEVOPS: [makeAzure, 'organization or webhook'],
  UPSERT_ENTITY: [makeUpsert, 'blueprint'],
  INTEGRATION_ACTION: [makeIntegration, 'installation'],
} as const satisfies Record<string, readonly [MakePayload, string]>;

/**
 * The rendered mapping of an upsert as the body of an entity (spec/actions.md §1.11.7): entities in relations become their
 * identifiers, one team becomes a list, and what a template left out is not there. A sentence says what is wrong.
 */
export function toEntityBody(mapping: Readonly<Record<string, unknown>>): Record<string, unknown> | string {
  const { identifier, team, relations, ...rest } = mapping;
  if (identifier !== undefined && !isText(identifier)) return 'the identifier of the mapping yields no text.';
  const body: Record<string, unknown> = Object.fromEntries(
    Object.entries(rest).filter(([, value]) => value !== undefined && value !== ''),
  );
  if (identifier !== undefined) body.identifier = identifier;
  if (team !== undefined) body.team = team === null || team === '' ? [] : Array.isArray(team) ? team : [team];
  if (typeof relations === 'object' && relations !== null)
    body.relations = Object.fromEntries(Object.entries(relations).map(([name, value]) => [name, toTarget(value)]));
  return body;
}

function toTarget(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(toTarget);
  const identifier = (value as { identifier?: unknown } | null)?.identifier;
  return identifier === undefined ? value : identifier;
}

/** A flag may come from a template as text. */
function isTrue(value: unknown): boolean {
  return value === true || value === 'true';
}

function textHeaders(headers: Readonly<Record<string, unknown>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers)
      .filter(([, value]) => value !== null && value !== undefined)
      .map(([name, value]) => [name, typeof value === 'string' ? value : JSON.stringify(value)]),
  );
}

export const payloadOwner = (run: Pick<StoredRun, 'id'>): string => `payload ${run.id}`;

/** What is sent: with the secrets. */
export function payloadToSend(
  run: Pick<StoredRun, 'id' | 'payload' | 'sealedPayload'>,
  open: (sealed: Buffer, owner: string) => string,
): Record<string, unknown> {
  if (run.sealedPayload === null) return run.payload ?? {};
  return JSON.parse(open(run.sealedPayload, payloadOwner(run))) as Record<string, unknown>;
}

/** In every text below `value`, each secret becomes the mask. Values too short to be secrets would mask ordinary words. */
export function hideSecrets<T>(value: T, secrets: Secrets): T {
  const texts = Object.values(secrets)
    .filter((secret) => secret.length >= 6)
    .flatMap((secret) => [secret, encodeURIComponent(secret)]);
  if (texts.length === 0) return value;
  const hide = (part: unknown): unknown => {
    if (typeof part === 'string') return texts.reduce((text, secret) => text.replaceAll(secret, SECRET_MASK), part);
    if (Array.isArray(part)) return part.map(hide);
    if (typeof part === 'object' && part !== null)
      return Object.fromEntries(Object.entries(part).map(([key, item]) => [key, hide(item)]));
    return part;
  };
  return hide(value) as T;
}
