import type { InvocationMethod } from '@quayside/contracts';
import { isObject } from './document.ts';

/** What carries an action out, as an author chooses it (spec/actions.md §1.11), and the fields of each as data. */
export interface BackendField {
  /** Steps into `invocationMethod`. */
  path: readonly string[];
  label: string;
  kind: 'text' | 'flag' | 'choice' | 'json' | 'headers' | 'blueprint';
  description?: string;
  isRequired?: boolean;
  choices?: readonly { value: string; label: string }[];
  placeholder?: string;
}

export interface Backend {
  key: string;
  label: string;
  about: string;
  start: InvocationMethod;
  fields: readonly BackendField[];
}

const methods = ['POST', 'PUT', 'PATCH', 'DELETE', 'GET'].map((value) => ({ value, label: value }));
const templated = 'May hold {{ expressions }}.';

const webhook = (url: string): readonly BackendField[] => [
  { path: ['url'], label: 'Endpoint URL', kind: 'text', isRequired: true, placeholder: url, description: templated },
  {
    path: ['agent'],
    label: 'Use an agent',
    kind: 'flag',
    description: 'The agent in your network sends it; the portal needs no way in.',
  },
  {
    path: ['synchronized'],
    label: 'Synchronous',
    kind: 'flag',
    description: 'The answer ends the run: 2xx is success, everything else is failure.',
  },
  { path: ['method'], label: 'Method', kind: 'choice', choices: methods },
  { path: ['headers'], label: 'Headers', kind: 'headers', description: templated },
  {
    path: ['body'],
    label: 'Payload',
    kind: 'json',
    description: 'What is sent. Without it the run is described in full.',
  },
];

export const backends: readonly Backend[] = [
  {
    key: 'WEBHOOK',
    label: 'Webhook',
    about: 'Sends a signed request, directly or through an agent.',
    start: { type: 'WEBHOOK', url: '', agent: false, synchronized: false, method: 'POST' },
    fields: webhook('https://example.com/hook'),
  },
  {
    key: 'GITHUB',
    label: 'GitHub workflow',
    about: 'Dispatches a workflow and follows it to its end.',
    start: { type: 'GITHUB', org: '', repo: '', workflow: '', workflowInputs: {}, reportWorkflowStatus: true },
    fields: [
      { path: ['org'], label: 'Organization', kind: 'text', isRequired: true },
      { path: ['repo'], label: 'Repository', kind: 'text', isRequired: true },
      { path: ['workflow'], label: 'Workflow file', kind: 'text', isRequired: true, placeholder: 'deploy.yml' },
      {
        path: ['workflowInputs'],
        label: 'Workflow inputs',
        kind: 'json',
        description: 'At most 10. "ref" is the branch.',
      },
      { path: ['reportWorkflowStatus'], label: 'The end of the workflow ends the run', kind: 'flag' },
    ],
  },
  {
    key: 'INTEGRATION_ACTION',
    label: 'GitHub workflow, through Ocean',
    about: 'An Ocean integration claims the run and dispatches the workflow.',
    start: {
      type: 'INTEGRATION_ACTION',
      installationId: '',
      integrationActionType: 'dispatch_workflow',
      integrationActionExecutionProperties: {
        org: '',
        repo: '',
        workflow: '',
        workflowInputs: {},
        reportWorkflowStatus: true,
      },
    },
    fields: [
      { path: ['installationId'], label: 'Installation id', kind: 'text', isRequired: true },
      {
        path: ['integrationActionExecutionProperties'],
        label: 'Execution properties',
        kind: 'json',
        isRequired: true,
        description: 'org, repo, workflow, workflowInputs, reportWorkflowStatus.',
      },
    ],
  },
  {
    key: 'GITLAB',
    label: 'GitLab pipeline',
    about: 'The agent triggers a pipeline with a trigger token that only it knows.',
    start: { type: 'GITLAB', projectName: '', groupName: '', defaultRef: 'main', pipelineVariables: {} },
    fields: [
      {
        path: ['groupName'],
        label: 'Group',
        kind: 'text',
        isRequired: true,
        description: 'Subgroups with a slash: a/b.',
      },
      { path: ['projectName'], label: 'Project', kind: 'text', isRequired: true },
      { path: ['defaultRef'], label: 'Branch', kind: 'text', placeholder: 'main' },
      { path: ['pipelineVariables'], label: 'Pipeline variables', kind: 'json' },
    ],
  },
  {
    key: 'AZURE_DEVOPS',
    label: 'Azure pipeline',
    about: 'Calls an incoming webhook of Azure DevOps.',
    start: { type: 'AZURE_DEVOPS', org: '', webhook: '', payload: {} },
    fields: [
      { path: ['org'], label: 'Organization', kind: 'text', isRequired: true },
      { path: ['webhook'], label: 'Incoming webhook', kind: 'text', isRequired: true },
      { path: ['payload'], label: 'Payload', kind: 'json' },
    ],
  },
  {
    key: 'JENKINS',
    label: 'Jenkins pipeline',
    about: 'A webhook to the Generic Webhook Trigger plugin.',
    start: {
      type: 'WEBHOOK',
      url: 'https://jenkins.example.com/generic-webhook-trigger/invoke?token=',
      agent: false,
      synchronized: false,
      method: 'POST',
    },
    fields: webhook('https://jenkins.example.com/generic-webhook-trigger/invoke?token=…'),
  },
  {
    key: 'KAFKA',
    label: 'Kafka topic',
    about: 'A message in the organization’s topic of runs.',
    start: { type: 'KAFKA', payload: {} },
    fields: [{ path: ['payload'], label: 'Payload', kind: 'json' }],
  },
  {
    key: 'SLACK',
    label: 'Slack message',
    about: 'Posts a text to an incoming webhook of Slack.',
    start: {
      type: 'WEBHOOK',
      url: 'https://hooks.slack.com/services/',
      agent: false,
      synchronized: true,
      method: 'POST',
      body: { text: '{{ .trigger.by.user.email }} ran {{ .action.identifier }}' },
    },
    fields: webhook('https://hooks.slack.com/services/…'),
  },
  {
    key: 'UPSERT_ENTITY',
    label: 'Create or update an entity',
    about: 'The portal writes to its own catalog; the run ends at once.',
    start: {
      type: 'UPSERT_ENTITY',
      blueprintIdentifier: '',
      mapping: { identifier: '', properties: {}, relations: {} },
    },
    fields: [
      { path: ['blueprintIdentifier'], label: 'Blueprint', kind: 'blueprint', isRequired: true },
      {
        path: ['mapping'],
        label: 'Mapping',
        kind: 'json',
        isRequired: true,
        description: 'identifier, title, icon, team, properties, relations; each may hold {{ expressions }}.',
      },
    ],
  },
];

/** Slack and Jenkins are webhooks; by their address one knows what the author chose. */
export function backendOf(invocation: { type: string; url?: unknown }): Backend | undefined {
  const url = typeof invocation.url === 'string' ? invocation.url : '';
  const isWebhook = invocation.type === 'WEBHOOK';
  const key =
    isWebhook && url.startsWith('https://hooks.slack.com/')
      ? 'SLACK'
      : isWebhook && url.includes('/generic-webhook-trigger/')
        ? 'JENKINS'
        : invocation.type;
  return backends.find((backend) => backend.key === key);
}

export function valueAt(document: unknown, path: readonly string[]): unknown {
  return path.reduce<unknown>((value, step) => (isObject(value) ? value[step] : undefined), document);
}

/** The document with one value set; `undefined` takes the key out. */
export function withValueAt<T extends object>(document: T, path: readonly string[], value: unknown): T {
  const [step, ...rest] = path;
  if (step === undefined) return document;
  const source = document as Record<string, unknown>;
  const next = rest.length === 0 ? value : withValueAt(isObject(source[step]) ? source[step] : {}, rest, value);
  if (next !== undefined) return { ...document, [step]: next };
  return Object.fromEntries(Object.entries(source).filter(([key]) => key !== step)) as T;
}
