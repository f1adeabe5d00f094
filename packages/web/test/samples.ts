import type { Action, AffectedEntity, Agent, App, Blueprint, Delivery, Entity, Run, RunLog } from '@quayside/contracts';
import { permissions } from '@quayside/contracts';

/** A small company, as a portal would know it. Functions, because a test may change what it gets. */
const at = '2026-11-20T09:00:00.000Z';
const stamps = { createdAt: at, createdBy: 'ana@harbour.test', updatedAt: at, updatedBy: 'ana@harbour.test' };
export const password = 'correct horse';

export function signedIn(): Record<string, unknown> {
  return {
    user: {
      id: 'u_1',
      email: 'ana@harbour.test',
      firstName: 'Ana',
      lastName: 'Marsh',
      picture: '',
      status: 'ACTIVE',
      roles: [{ name: 'Admin' }],
      createdAt: at,
      updatedAt: at,
    },
    organization: { id: 'org_1', name: 'Harbour', featureFlags: [], settings: {} },
    permissions: [...permissions],
  };
}

export function blueprints(): Blueprint[] {
  return [
    {
      identifier: 'service',
      title: 'Service',
      description: 'What runs and answers.',
      icon: 'Microservice',
      schema: {
        properties: {
          language: {
            type: 'string',
            title: 'Language',
            enum: ['Go', 'TypeScript'],
            enumColors: { Go: 'turquoise', TypeScript: 'blue' },
          },
          repository: { type: 'string', format: 'url', title: 'Repository' },
          replicas: { type: 'number', title: 'Replicas' },
          isPublic: { type: 'boolean', title: 'Public' },
        },
      },
      relations: { environment: { target: 'environment', title: 'Environment' } },
      ...stamps,
    },
    {
      identifier: 'environment',
      title: 'Environment',
      icon: 'Environment',
      schema: { properties: { region: { type: 'string', title: 'Region' } } },
      ...stamps,
    },
  ];
}

export function entities(): Entity[] {
  const service = (identifier: string, title: string, language: string, replicas: number): Entity => ({
    identifier,
    title,
    icon: null,
    blueprint: 'service',
    team: ['platform'],
    properties: {
      language,
      repository: `https://gitlab.example.com/harbour/${identifier}`,
      replicas,
      isPublic: replicas > 2,
    },
    relations: { environment: 'production' },
    ...stamps,
  });
  return [
    service('checkout', 'Checkout', 'Go', 4),
    service('billing', 'Billing', 'TypeScript', 2),
    service('catalogue', 'Catalogue', 'Go', 3),
    {
      identifier: 'production',
      title: 'Production',
      icon: null,
      blueprint: 'environment',
      team: [],
      properties: { region: 'eu-central' },
      relations: {},
      ...stamps,
    },
  ];
}

const action = (fields: Pick<Action, 'identifier' | 'title' | 'icon' | 'description' | 'trigger'>): Action => ({
  id: `action_${fields.identifier}`,
  invocationMethod: { type: 'WEBHOOK', url: 'http://internal/hook', agent: true },
  ...fields,
  ...stamps,
});

export function actions(): Action[] {
  return [
    action({
      identifier: 'scaffold_service',
      title: 'Scaffold a service',
      icon: 'Microservice',
      description: 'Creates a repository from a template and registers the service.',
      trigger: {
        type: 'self-service',
        operation: 'CREATE',
        blueprintIdentifier: 'service',
        userInputs: {
          properties: {
            name: {
              type: 'string',
              title: 'Name',
              description: 'Lower case, like order-api',
              pattern: '^[a-z][a-z0-9-]+$',
              minLength: 3,
            },
            language: {
              type: 'string',
              title: 'Language',
              enum: ['Go', 'TypeScript'],
              enumColors: { Go: 'turquoise', TypeScript: 'blue' },
              default: 'Go',
            },
            replicas: { type: 'number', title: 'Replicas', minimum: 1, maximum: 10, default: 2 },
            isPublic: { type: 'boolean', title: 'Public' },
            environment: { type: 'string', format: 'entity', blueprint: 'environment', title: 'Environment' },
            tags: { type: 'array', title: 'Tags', items: { type: 'string' } },
            goLive: { type: 'string', format: 'date-time', title: 'Go live' },
            config: { type: 'object', title: 'Configuration' },
          },
          required: ['name', 'language'],
          order: ['name', 'language'],
        },
      },
    }),
    action({
      identifier: 'scale_service',
      title: 'Change the replica count',
      icon: 'Scale',
      description: 'Sets how many instances of a service run.',
      trigger: {
        type: 'self-service',
        operation: 'DAY-2',
        blueprintIdentifier: 'service',
        userInputs: {
          properties: { replicas: { type: 'number', title: 'Replicas', minimum: 0, maximum: 20 } },
          required: ['replicas'],
        },
      },
    }),
    action({
      identifier: 'remove_environment',
      title: 'Remove an environment',
      icon: 'Trash',
      description: 'Deletes the environment and everything in it.',
      trigger: {
        type: 'self-service',
        operation: 'DELETE',
        blueprintIdentifier: 'environment',
        userInputs: { properties: {} },
      },
    }),
  ];
}

const reference = (
  identifier: string,
  title: string,
): { identifier: string; title: string; icon: null; deleted: boolean } => ({
  identifier,
  title,
  icon: null,
  deleted: false,
});

export function runs(): Run[] {
  const base = {
    properties: {},
    statusLabel: null,
    source: 'UI',
    requiredApproval: false,
    approval: null,
    payload: { type: 'WEBHOOK', agent: true, url: 'http://internal/hook' },
    pendingExecution: false,
    createdBy: 'ana@harbour.test',
    updatedBy: 'ana@harbour.test',
    createdAt: at,
    updatedAt: '2026-11-20T09:00:04.000Z',
  } as const;
  return [
    {
      ...base,
      id: 'r_done',
      action: reference('scaffold_service', 'Scaffold a service'),
      blueprint: reference('service', 'Service'),
      rawProperties: { name: 'checkout', language: 'Go', replicas: 4 },
      status: 'SUCCESS',
      link: 'https://gitlab.example.com/harbour/checkout/-/pipelines/12',
      summary: 'Created **checkout** from the `go-service` template.',
      response: { accepted: true },
      endedAt: '2026-11-20T09:00:04.000Z',
    },
    {
      ...base,
      id: 'r_wait',
      action: reference('remove_environment', 'Remove an environment'),
      blueprint: reference('environment', 'Environment'),
      entity: reference('production', 'Production'),
      rawProperties: {},
      status: 'WAITING_FOR_APPROVAL',
    },
  ];
}

export function startedRun(of: Action | undefined, body: Record<string, unknown>): Run {
  const done = runs()[0] as Run;
  const { summary: _s, link: _l, response: _r, endedAt: _e, ...rest } = done;
  const now = new Date().toISOString();
  return {
    ...rest,
    id: 'r_new',
    action: reference(of?.identifier ?? '', of?.title ?? ''),
    rawProperties: body.properties as Record<string, unknown>,
    status: 'IN_PROGRESS',
    pendingExecution: true,
    createdAt: now,
    updatedAt: now,
  };
}

export function logs(): Map<string, RunLog[]> {
  const line = (index: number): RunLog => ({
    id: String(index + 1),
    runId: 'r_done',
    message: index === 2 ? '\u001b[32mRepository created\u001b[0m' : `Step ${index + 1} of 120: working`,
    createdBy: 'target-service',
    createdAt: new Date(Date.parse(at) + index * 30).toISOString(),
  });
  return new Map([['r_done', Array.from({ length: 120 }, (_none, index) => line(index))]]);
}

export function deliveries(run: Run): Delivery[] {
  if (run.status !== 'SUCCESS') return [];
  return [
    {
      attempt: 1,
      holder: 'agent-eu-1',
      startedAt: '2026-11-20T09:00:00.012Z',
      endedAt: '2026-11-20T09:00:00.052Z',
      state: 'settled',
      request: { method: 'POST', url: 'http://internal/hook' },
      outcome: { kind: 'answered', statusCode: 202, headers: {}, body: '{}', isBodyTruncated: false, durationMs: 34 },
    },
  ];
}

export function affected(run: Run): AffectedEntity[] {
  if (run.id !== 'r_done') return [];
  return [{ blueprint: 'service', entity: 'checkout', operation: 'CREATE', at, by: 'target-service', origin: 'API' }];
}

export function history(): Record<string, unknown>[] {
  return [{ operation: 'CREATE', at, by: 'target-service', origin: 'API', runId: 'r_done' }];
}

export function agents(): Agent[] {
  return [
    {
      id: 'agent-eu-1',
      version: '0.1.0',
      labels: { zone: 'eu' },
      inFlight: 3,
      capacity: 16,
      firstSeenAt: at,
      lastSeenAt: at,
      isConnected: true,
    },
  ];
}

export function apps(): App[] {
  return [{ id: 'client-1', name: 'Default', enabled: true, isPrimary: true, createdAt: at, updatedAt: at }];
}
