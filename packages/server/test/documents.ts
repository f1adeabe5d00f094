import type { ActionBody, BlueprintBody } from '@quayside/contracts';

/** Small documents that tests start from. */
export const serviceBlueprint: BlueprintBody = {
  identifier: 'service',
  title: 'Service',
  schema: {
    properties: {
      tier: { type: 'number', title: 'Tier' },
      language: { type: 'string', enum: ['Go', 'TypeScript'] },
      url: { type: 'string', format: 'url' },
      lifecycle: { type: 'string', default: 'beta' },
    },
    required: ['tier'],
  },
  relations: { depends_on: { target: 'service', many: true }, replaces: { target: 'service' } },
};

export function webhookAction(
  change: Partial<ActionBody> & {
    url?: string;
    agent?: boolean;
    synchronized?: boolean;
    body?: Record<string, unknown>;
  } = {},
): ActionBody {
  const { url = 'http://127.0.0.1:9/', agent = true, synchronized = false, body, ...rest } = change;
  return {
    identifier: 'scaffold',
    title: 'Scaffold',
    trigger: {
      type: 'self-service',
      operation: 'CREATE',
      userInputs: {
        properties: {
          name: { type: 'string', minLength: 3 },
          count: { type: 'number', default: 2 },
        },
        required: ['name'],
      },
    },
    invocationMethod: {
      type: 'WEBHOOK',
      url,
      agent,
      synchronized,
      method: 'POST',
      headers: { RUN_ID: '{{ .run.id }}' },
      body: body ?? { name: '{{ .inputs.name }}', count: '{{ .inputs.count }}', runId: '{{ .run.id }}' },
    },
    ...rest,
  };
}
