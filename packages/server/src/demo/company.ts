import type { ActionBody, BlueprintBody, EntityBody } from '@quayside/contracts';

/** The demo organization: a small company that sells coffee, its catalog, and four actions of the kinds people start with. */

export const blueprints: readonly BlueprintBody[] = [
  {
    identifier: 'environment',
    title: 'Environment',
    icon: 'Environment',
    description: 'Where services run.',
    schema: {
      properties: {
        type: {
          type: 'string',
          title: 'Type',
          enum: ['production', 'staging', 'temporary'],
          enumColors: { production: 'green', staging: 'blue', temporary: 'yellow' },
        },
        region: { type: 'string', title: 'Region' },
        url: { type: 'string', format: 'url', title: 'URL' },
        ttl: { type: 'string', format: 'timer', title: 'Expires' },
      },
      required: ['type'],
    },
  },
  {
    identifier: 'service',
    title: 'Service',
    icon: 'Service',
    description: 'Software that a team runs.',
    schema: {
      properties: {
        language: { type: 'string', title: 'Language', enum: ['TypeScript', 'Go', 'Python', 'Java', 'Rust'] },
        tier: {
          type: 'string',
          title: 'Tier',
          enum: ['critical', 'standard', 'experimental'],
          enumColors: { critical: 'red', standard: 'blue', experimental: 'purple' },
        },
        lifecycle: { type: 'string', title: 'Lifecycle', enum: ['production', 'beta', 'deprecated'], default: 'beta' },
        repository: { type: 'string', format: 'url', title: 'Repository' },
        description: { type: 'string', title: 'Description' },
      },
      required: [],
    },
    ownership: { type: 'Direct', title: 'Owning teams' },
    relations: { depends_on: { title: 'Depends on', target: 'service', many: true, required: false } },
  },
  {
    identifier: 'deployment',
    title: 'Deployment',
    icon: 'Deployment',
    description: 'A service at a version in an environment.',
    schema: {
      properties: {
        version: { type: 'string', title: 'Version' },
        replicas: { type: 'number', title: 'Replicas', minimum: 0, maximum: 50 },
        status: {
          type: 'string',
          title: 'Status',
          enum: ['healthy', 'degraded', 'stopped'],
          enumColors: { healthy: 'green', degraded: 'orange', stopped: 'darkGray' },
        },
        deployedAt: { type: 'string', format: 'date-time', title: 'Deployed at' },
      },
      required: [],
    },
    relations: {
      service: { title: 'Service', target: 'service', required: true, many: false },
      environment: { title: 'Environment', target: 'environment', required: true, many: false },
    },
  },
];

export const entities: readonly { blueprint: string; body: EntityBody }[] = [
  {
    blueprint: 'environment',
    body: {
      identifier: 'production',
      title: 'Production',
      properties: { type: 'production', region: 'eu-west-1', url: 'https://harbour.example' },
    },
  },
  {
    blueprint: 'environment',
    body: {
      identifier: 'staging',
      title: 'Staging',
      properties: { type: 'staging', region: 'eu-west-1', url: 'https://staging.harbour.example' },
    },
  },
  ...(
    [
      ['catalogue', 'Product catalogue', 'Go', 'critical', 'production', 'Beans, roasts and prices.', ['shop'], []],
      [
        'checkout',
        'Checkout',
        'TypeScript',
        'critical',
        'production',
        'From basket to paid order.',
        ['payments'],
        ['catalogue', 'payments-gateway'],
      ],
      [
        'payments-gateway',
        'Payments gateway',
        'Java',
        'critical',
        'production',
        'Talks to card networks.',
        ['payments'],
        [],
      ],
      [
        'roastery-planner',
        'Roastery planner',
        'Python',
        'standard',
        'production',
        'Plans the week of the roasters.',
        ['roastery'],
        ['catalogue'],
      ],
      [
        'shipment-tracker',
        'Shipment tracker',
        'Go',
        'standard',
        'production',
        'Where is my coffee?',
        ['logistics'],
        ['checkout'],
      ],
      [
        'loyalty',
        'Loyalty cards',
        'TypeScript',
        'experimental',
        'beta',
        'Every tenth cup is on us.',
        ['shop'],
        ['checkout'],
      ],
    ] as const
  ).map(([identifier, title, language, tier, lifecycle, description, team, dependsOn]) => ({
    blueprint: 'service',
    body: {
      identifier,
      title,
      team: [...team],
      properties: { language, tier, lifecycle, description, repository: `https://git.harbour.example/${identifier}` },
      relations: { depends_on: [...dependsOn] },
    },
  })),
  ...(
    [
      ['catalogue', 'production', '3.12.0', 4, 'healthy'],
      ['catalogue', 'staging', '3.13.0-rc.1', 1, 'healthy'],
      ['checkout', 'production', '7.2.4', 6, 'degraded'],
      ['checkout', 'staging', '7.3.0-rc.2', 1, 'healthy'],
      ['payments-gateway', 'production', '2.0.9', 3, 'healthy'],
      ['roastery-planner', 'production', '1.4.1', 1, 'healthy'],
      ['shipment-tracker', 'production', '5.0.0', 2, 'healthy'],
    ] as const
  ).map(([service, environment, version, replicas, status]) => ({
    blueprint: 'deployment',
    body: {
      identifier: `${service}-${environment}`,
      title: `${service} in ${environment}`,
      properties: { version, replicas, status },
      relations: { service, environment },
    },
  })),
];

const toTarget = (targetUrl: string, path: string, body: Record<string, unknown>): ActionBody['invocationMethod'] => ({
  type: 'WEBHOOK',
  url: `${targetUrl}${path}`,
  agent: true,
  synchronized: false,
  method: 'POST',
  headers: { RUN_ID: '{{ .run.id }}' },
  body: {
    context: { runId: '{{ .run.id }}' },
    action: '{{ .action.identifier }}',
    requestedBy: '{{ .trigger.by.user.email // .trigger.by.userId }}',
    ...body,
  },
});

/** `targetUrl` is the internal service that only the agent can reach. */
export function actions(targetUrl: string): ActionBody[] {
  return [
    {
      identifier: 'scaffold_service',
      title: 'Scaffold a service',
      icon: 'Service',
      description: 'A repository with a pipeline, a dashboard and an entry in the catalog.',
      trigger: {
        type: 'self-service',
        operation: 'CREATE',
        blueprintIdentifier: 'service',
        userInputs: {
          properties: {
            name: {
              type: 'string',
              title: 'Name',
              description: 'Lower case, digits and dashes; becomes the repository and the identifier.',
              pattern: '^[a-z][a-z0-9-]{2,38}$',
            },
            language: {
              type: 'string',
              title: 'Language',
              enum: ['TypeScript', 'Go', 'Python', 'Java', 'Rust'],
              default: 'TypeScript',
            },
            tier: {
              type: 'string',
              title: 'Tier',
              enum: ['critical', 'standard', 'experimental'],
              enumColors: { critical: 'red', standard: 'blue', experimental: 'purple' },
              default: 'standard',
            },
            depends_on: {
              type: 'array',
              title: 'Depends on',
              items: { type: 'string', format: 'entity', blueprint: 'service' },
            },
            description: { type: 'string', format: 'multi-line', title: 'What is it for?', maxLength: 300 },
            with_database: { type: 'boolean', title: 'With a database', default: false },
          },
          required: ['name', 'language'],
          order: ['name', 'language', 'tier', 'depends_on', 'description', 'with_database'],
        },
      },
      invocationMethod: toTarget(targetUrl, '/actions/scaffold_service', {
        inputs: '{{ .inputs | .depends_on = ((.depends_on // []) | map(.identifier)) }}',
      }),
    },
    {
      identifier: 'provision_environment',
      title: 'Provision a temporary environment',
      icon: 'Environment',
      description: 'A copy of staging for a branch, gone again when its time is up.',
      trigger: {
        type: 'self-service',
        operation: 'CREATE',
        blueprintIdentifier: 'environment',
        userInputs: {
          properties: {
            name: { type: 'string', title: 'Name', pattern: '^[a-z][a-z0-9-]{2,30}$' },
            service: { type: 'string', format: 'entity', blueprint: 'service', title: 'Service' },
            hours: { type: 'number', title: 'Hours to live', minimum: 1, maximum: 72, default: 8 },
            not_before: { type: 'string', format: 'date-time', title: 'Start at', description: 'Empty = now.' },
          },
          required: ['name', 'service'],
          order: ['name', 'service', 'hours', 'not_before'],
        },
      },
      invocationMethod: toTarget(targetUrl, '/actions/provision_environment', {
        inputs: '{{ .inputs | .service = .service.identifier }}',
      }),
    },
    {
      identifier: 'rollback_service',
      title: 'Roll back a service',
      icon: 'Rollback',
      description: 'Puts the version before the present one back.',
      trigger: {
        type: 'self-service',
        operation: 'DAY-2',
        blueprintIdentifier: 'deployment',
        actionCardButtonText: 'Roll back',
        executeActionButtonText: 'Roll back',
        userInputs: {
          properties: {
            reason: { type: 'string', title: 'Reason', minLength: 5, description: 'Goes into the change log.' },
            version: { type: 'string', title: 'Version', description: 'Empty = the one before.' },
          },
          required: ['reason'],
          order: ['reason', 'version'],
        },
      },
      invocationMethod: toTarget(targetUrl, '/actions/rollback_service', {
        inputs: '{{ .inputs }}',
        entity: '{{ .entity | {identifier, title, properties, relations} }}',
      }),
    },
    {
      identifier: 'change_replicas',
      title: 'Change the replica count',
      icon: 'Scale',
      description: 'More or fewer copies of a deployment.',
      trigger: {
        type: 'self-service',
        operation: 'DAY-2',
        blueprintIdentifier: 'deployment',
        actionCardButtonText: 'Scale',
        userInputs: {
          properties: { replicas: { type: 'number', title: 'Replicas', minimum: 0, maximum: 50, default: 2 } },
          required: ['replicas'],
        },
      },
      invocationMethod: toTarget(targetUrl, '/actions/change_replicas', {
        inputs: '{{ .inputs }}',
        entity: '{{ .entity | {identifier, title, properties, relations} }}',
      }),
    },
  ];
}

/** Colleagues of the administrator; they have no password until one is set. */
export const people: readonly { email: string; firstName: string; lastName: string; role: string }[] = [
  { email: 'mara@harbour.example', firstName: 'Mara', lastName: 'Lind', role: 'Member' },
  { email: 'jonas@harbour.example', firstName: 'Jonas', lastName: 'Okafor', role: 'Member' },
];
