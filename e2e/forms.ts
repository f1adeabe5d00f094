import type { ActionBody, ActionInput, SelfServiceTrigger } from '@quayside/contracts';

/** Actions that journeys fill in. Their webhooks go to the agent, so that nothing leaves the machine. */
function action(
  identifier: string,
  title: string,
  trigger: Omit<SelfServiceTrigger, 'type' | 'operation'> & Partial<Pick<SelfServiceTrigger, 'operation'>>,
  change: Partial<ActionBody> = {},
): ActionBody {
  return {
    identifier,
    title,
    trigger: { type: 'self-service', operation: 'CREATE', ...trigger },
    invocationMethod: { type: 'WEBHOOK', url: 'http://127.0.0.1:9/', agent: true, body: { inputs: '{{ .inputs }}' } },
    ...change,
  };
}

const titled = <T extends Record<string, unknown>>(title: string, input: T): T & { title: string } => ({
  title,
  ...input,
});
const jq = (jqQuery: string) => ({ jqQuery });

/** Every kind of input in one form (spec/actions.md §1.4). */
export const allKinds = action('all_kinds', 'All kinds', {
  userInputs: {
    properties: {
      text: titled('Text', { type: 'string', icon: 'Service', minLength: 2 }),
      lines: titled('Several lines', { type: 'string', format: 'multi-line' }),
      choice: titled('Choice', { type: 'string', enum: ['red', 'blue'], enumColors: { red: 'red', blue: 'blue' } }),
      number_choice: titled('Choice of numbers', { type: 'number', enum: [1, 2, 3] }),
      number: titled('Number', { type: 'number', exclusiveMinimum: 0, maximum: 10 }),
      flag: titled('Switch', { type: 'boolean' }),
      object: titled('Object', {
        type: 'object',
        patternProperties: { '^[a-z]+$': { type: 'number' } },
        additionalProperties: false,
      }),
      list: titled('List', { type: 'array', items: { type: 'string', pattern: '^[a-z]+$' }, uniqueItems: true }),
      several: titled('Several of some', {
        type: 'array',
        items: { type: 'string', enum: ['a', 'b', 'c'], enumColors: { b: 'green' } },
      }),
      when: titled('When', { type: 'string', format: 'date-time' }),
      url: titled('URL', { type: 'string', format: 'url' }),
      mail: titled('E-mail', { type: 'string', format: 'email' }),
      address: titled('Address', { type: 'string', format: 'ipv6' }),
      yaml: titled('YAML', { type: 'string', format: 'yaml' }),
      markdown: titled('Markdown', { type: 'string', format: 'markdown' }),
      link: titled('Link', { type: 'object', format: 'labeled-url' }),
      person: titled('Person', { type: 'string', format: 'user' }),
      teams: titled('Teams', { type: 'array', items: { type: 'string', format: 'team' } }),
      service: titled('Service', { type: 'string', format: 'entity', blueprint: 'service' }),
      services: titled('Services', {
        type: 'array',
        items: { type: 'string', format: 'entity', blueprint: 'service' },
      }),
      secret: titled('Secret', { type: 'string', encryption: 'aes256-gcm' }),
      secret_lines: titled('Secret of several lines', {
        type: 'string',
        format: 'multi-line',
        encryption: 'aes256-gcm',
      }),
    },
  },
});

/** Rules that follow what is typed (§1.6): choices, visibility, default, dataset, required; a child that waits. */
export const dynamic = action('dynamic', 'Dynamic', {
  userInputs: {
    properties: {
      language: titled('Language', { type: 'string', enum: ['Go', 'Python'] }),
      version: titled('Version', {
        type: 'string',
        enum: jq('if .form.language == "Go" then ["1.24", "1.25"] else ["3.13"] end'),
        dependsOn: ['language'],
      }),
      reason: titled('Reason', { type: 'string', visible: jq('.form.language == "Go"') }),
      name: titled('Name', { type: 'string', default: jq('"svc-" + (.form.language // "x" | ascii_downcase)') }),
      service: titled('Service', {
        type: 'string',
        format: 'entity',
        blueprint: 'service',
        dataset: {
          combinator: 'and',
          rules: [{ property: 'language', operator: '=', value: jq('.form.language') }],
        },
      }),
      requester: titled('Requester', { type: 'string', default: jq('.user.email'), disabled: true }),
    },
    required: jq('if .form.language == "Go" then ["language", "reason"] else ["language"] end'),
  },
});

/** Lists of entities (§1.4, §1.6), each with a rule of another source; a heading that is only sometimes there. */
const picker = (title: string, blueprint: string, ...rules: Record<string, unknown>[]): ActionInput => ({
  title,
  type: 'string',
  format: 'entity',
  blueprint,
  dataset: { combinator: 'and', rules },
});
export const pickers = action('pickers', 'Pickers', {
  operation: 'DAY-2',
  blueprintIdentifier: 'deployment',
  userInputs: {
    properties: {
      critical: picker('Critical', 'service', { property: 'tier', operator: '=', value: 'critical' }),
      alike: {
        ...picker('Alike', 'deployment', { property: 'status', operator: '=', value: jq('.entity.properties.status') }),
        sort: { property: 'version', order: 'DESC' },
      },
      by_team: titled('By team', { type: 'boolean' }),
      of_team: picker('Of your team', 'service', {
        property: '$team',
        operator: 'containsAny',
        value: jq('.user.teamsIdentifiers'),
      }),
      of_team_in_go: picker(
        'Of your team, in Go',
        'service',
        { property: '$team', operator: 'containsAny', value: { context: 'userTeams', property: '$identifier' } },
        { property: 'language', operator: '=', value: 'Go' },
      ),
    },
    titles: { team: { title: 'What is yours', visible: jq('.form.by_team') } },
    order: ['critical', 'alike', 'by_team', 'team', 'of_team', 'of_team_in_go'],
  },
});

/** Steps (§1.3), one of which is only sometimes there. */
export const wizard = action('wizard', 'Wizard', {
  userInputs: {
    properties: {
      name: titled('Name', { type: 'string', minLength: 3 }),
      isBig: titled('Big', { type: 'boolean' }),
      nodes: titled('Nodes', { type: 'number', minimum: 3 }),
      notes: titled('Notes', { type: 'string' }),
    },
    required: ['name', 'nodes'],
    steps: [
      { title: 'What', order: ['about', 'name', 'isBig'] },
      { title: 'How big', order: ['nodes'], visible: jq('.form.isBig') },
      { title: 'Notes', order: ['notes'] },
    ],
    titles: { about: { title: 'About it', description: 'What it is called.' } },
  },
});

export const approved = action(
  'approved',
  'Needs a yes',
  { userInputs: { properties: { why: titled('Why', { type: 'string' }) } } },
  { requiredApproval: { type: 'ANY' } },
);

/** Offered only for entities in trouble (§1.9). */
export const conditional = action('repair', 'Repair', {
  operation: 'DAY-2',
  blueprintIdentifier: 'deployment',
  userInputs: { properties: {} },
  condition: { type: 'SEARCH', combinator: 'and', rules: [{ property: 'status', operator: '=', value: 'degraded' }] },
});

/** Has all that a preview shows: an approval, an agent, a method, headers with a secret of the organization, a secret input. */
export const previewed = action(
  'previewed',
  'Previewed',
  {
    userInputs: {
      properties: {
        berth: titled('Berth', { type: 'string' }),
        keyword: titled('Keyword', { type: 'string', encryption: 'aes256-gcm' }),
      },
      required: ['berth'],
    },
  },
  {
    requiredApproval: true,
    invocationMethod: {
      type: 'WEBHOOK',
      url: 'http://127.0.0.1:9/berths/{{ .inputs.berth }}',
      method: 'PUT',
      agent: true,
      headers: { Authorization: 'Bearer {{ .secrets.HARBOUR_KEY }}' },
      body: { berth: '{{ .inputs.berth }}', keyword: '{{ .inputs.keyword }}' },
    },
  },
);

export const removal = action('decommission', 'Decommission', {
  operation: 'DELETE',
  blueprintIdentifier: 'deployment',
  userInputs: { properties: {} },
});

/** Its input can be read only by the holder of the private key. */
export const sealed = (key: string, url: string): ActionBody => {
  const token = titled('Token', { type: 'string', encryption: { algorithm: 'client-side', key } } as const);
  return action(
    'sealed',
    'Sealed',
    { userInputs: { properties: { token } } },
    { invocationMethod: { type: 'WEBHOOK', url, agent: true, body: { inputs: '{{ .inputs }}' } } },
  );
};
