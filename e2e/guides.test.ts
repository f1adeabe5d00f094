import {
  type ActionBody,
  actionRoutes,
  automationRoutes,
  type BodyOf,
  blueprintRoutes,
  entityRoutes,
  runRoutes,
  type SelfServiceTrigger,
  secretRoutes,
} from '@quayside/contracts';
import { testOrganization } from '@quayside/testkit';
import { type Answer, answerOk, startReceiver } from '@quayside/testkit/receiver';
import type { Page } from 'playwright-core';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { openAs } from './browser.ts';
import { addPerson, type Person, type Portal } from './portal.ts';
import { onStage } from './stage.ts';

/**
 * Guides that people follow (spec/actions.md §8; the tenth, a function that reads Kafka, is in packages/server/test/kafka.kafka.test.ts). What a platform engineer pastes as
 * JSON comes by API; the developer is in the browser. Slack, GitHub, GitLab, ServiceNow and PagerDuty are one receiver on loopback
 * that answers as their APIs do, each below a path of its own.
 */
const outside = await startReceiver();
afterAll(() => outside.close());

let portal: Portal;
let page: Page;
let developer: Person;
onStage(
  {
    isDemo: false,
    environment: { QUAYSIDE_ALLOW_PRIVATE_TARGETS: 'true', QUAYSIDE_GITHUB_API_URL: `${outside.url}/github` },
  },
  (stage) => ({ portal, page } = stage),
  async (fresh) => {
    developer = await addPerson(fresh, { email: 'dev@example.com' });
    await fresh.call(secretRoutes.create, { body: { secretName: 'SLACK', secretValue: `${outside.url}/slack` } });
    await fresh.call(secretRoutes.create, { body: { secretName: 'GITHUB_TOKEN', secretValue: 'ghp_of_the_tests' } });
    await fresh.call(secretRoutes.create, { body: { secretName: 'PAGERDUTY', secretValue: 'pd-key-of-the-tests' } });
  },
);
beforeEach(() => {
  outside.requests.length = 0;
  outside.answer = answerOk;
});

const dialog = () => page.getByRole('dialog');
const field = (name: string) => dialog().getByLabel(new RegExp(`^${name}( \\*)?$`));
const status = (name: string) => page.getByRole('heading', { level: 1 }).getByText(name, { exact: true });
const press = (name: string) => dialog().getByRole('button', { name, exact: true }).click();
const patience = { timeout: 30_000 };

async function choose(label: string, option: string | RegExp): Promise<void> {
  await dialog().getByRole('combobox', { name: label, exact: true }).click();
  await page.getByRole('option', { name: option }).click();
}

async function startedRun(): Promise<string> {
  await page.waitForURL(/\/runs\/r_/);
  return /\/runs\/(r_\w+)/.exec(page.url())?.[1] ?? '';
}

const text = { type: 'string' as const };
const titled = <T extends object>(title: string, input: T): T & { title: string } => ({ title, ...input });
const jq = (jqQuery: string) => ({ jqQuery });

const blueprint = (identifier: string, properties: object, relations: object = {}) =>
  portal.call(blueprintRoutes.create, {
    body: { identifier, title: identifier, schema: { properties }, relations } as BodyOf<typeof blueprintRoutes.create>,
  });

const action = (
  identifier: string,
  title: string,
  trigger: Omit<SelfServiceTrigger, 'type' | 'operation'> & Partial<Pick<SelfServiceTrigger, 'operation'>>,
  invocationMethod: ActionBody['invocationMethod'],
  extra: Partial<ActionBody> = {},
) =>
  portal.call(actionRoutes.create, {
    body: {
      identifier,
      title,
      trigger: { type: 'self-service', operation: 'CREATE', ...trigger },
      invocationMethod,
      ...extra,
    },
  });

type AutomationTrigger = Extract<ActionBody['trigger'], { type: 'automation' }>;
const automation = (
  identifier: string,
  event: AutomationTrigger['event'],
  expressions: string[],
  invocationMethod: ActionBody['invocationMethod'],
) =>
  portal.call(actionRoutes.create, {
    body: {
      identifier,
      trigger: { type: 'automation', event, condition: { type: 'JQ', expressions, combinator: 'and' } },
      invocationMethod,
    },
  });

const entity = (blueprintIdentifier: string, body: BodyOf<typeof entityRoutes.create>) =>
  portal.call(entityRoutes.create, {
    params: { blueprint_identifier: blueprintIdentifier },
    query: { upsert: true, merge: true },
    body,
  });

const read = async (blueprintIdentifier: string, identifier: string) =>
  (
    await portal.call(entityRoutes.get, {
      params: { blueprint_identifier: blueprintIdentifier, entity_identifier: identifier },
    })
  ).entity;

const slack = (message: string): ActionBody['invocationMethod'] => ({
  type: 'WEBHOOK',
  url: '{{ .secrets.SLACK }}',
  synchronized: true,
  body: { text: message },
});
const toOwnApi = (path: string, method: 'POST' | 'PATCH', body: object): ActionBody['invocationMethod'] => ({
  type: 'WEBHOOK',
  url: `${portal.url}/v1${path}`,
  method,
  synchronized: true,
  body: body as Record<string, unknown>,
});

const sentTo = (path: string) =>
  outside.requests
    .filter((request) => request.path === path)
    .map(({ body }) => JSON.parse(body.toString()) as Record<string, unknown>);
const messages = () => sentTo('/slack').map((body) => body.text);

const json = (response: Parameters<Answer>[1], statusCode: number, body: object): void => {
  response.statusCode = statusCode;
  response.setHeader('content-type', 'application/json').end(JSON.stringify(body));
};

describe('guides', () => {
  it('1: a service is locked, the key of what is locked is computed, and Slack is told in one text', async () => {
    await blueprint('lockable', {
      locked_in_prod: { type: 'boolean', title: 'Locked in production' },
      locked_in_test: { type: 'boolean', title: 'Locked in test' },
      locked_in_prod_reason: { ...text, title: 'Reason in production' },
      locked_in_test_reason: { ...text, title: 'Reason in test' },
      locked_by: { ...text, title: 'Locked by' },
    });
    await entity('lockable', { identifier: 'cart', title: 'Cart' });
    const key = (end: string) =>
      `{{ if .inputs.environment == 'Production' then 'locked_in_prod${end}' else 'locked_in_test${end}' end }}`;
    await action(
      'lock_service',
      'Lock a service',
      {
        operation: 'DAY-2',
        blueprintIdentifier: 'lockable',
        userInputs: {
          properties: {
            environment: titled('Environment', { ...text, enum: ['Production', 'Test'] }),
            reason: titled('Reason', text),
          },
          required: ['environment', 'reason'],
        },
      },
      {
        type: 'UPSERT_ENTITY',
        blueprintIdentifier: 'lockable',
        mapping: {
          identifier: '{{ .entity.identifier }}',
          properties: {
            [key('')]: true,
            [key('_reason')]: '{{ .inputs.reason }}',
            locked_by: '{{ .trigger.by.user.email }}',
          },
        },
      } as ActionBody['invocationMethod'],
    );
    await automation(
      'tell_of_locks',
      { type: 'ENTITY_UPDATED', blueprintIdentifier: 'lockable' },
      [
        '(.diff.before.properties.locked_in_prod != .diff.after.properties.locked_in_prod) or (.diff.before.properties.locked_in_test != .diff.after.properties.locked_in_test)',
      ],
      slack(
        "{{ .event.diff.after.title }} is {{ if .event.diff.after.properties.locked_in_prod then 'locked' else 'open' end }} in production ({{ .event.diff.after.properties.locked_in_prod_reason }}), {{ if .event.diff.after.properties.locked_in_test then 'locked' else 'open' end }} in test; by {{ .event.diff.after.properties.locked_by }}, of {{ .event.context.blueprintIdentifier }}",
      ),
    );
    await openAs(page, '/catalog/lockable/cart', developer);
    await page.getByRole('button', { name: 'Actions', exact: true }).click();
    await page.getByRole('menuitem', { name: 'Lock a service' }).click();
    await choose('Environment', 'Production');
    await field('Reason').fill('stocktaking');
    await press('Execute');
    await status('Success').waitFor();
    await page.getByRole('tab', { name: 'Affected entities (1)' }).click();
    await page.getByRole('tabpanel').getByRole('link', { name: 'Cart' }).click();
    const properties = page.getByRole('region', { name: 'Properties' });
    await properties.getByText('stocktaking').waitFor();
    expect((await read('lockable', 'cart')).properties).toMatchObject({
      locked_in_prod: true,
      locked_in_prod_reason: 'stocktaking',
      locked_by: developer.email,
    });
    await expect
      .poll(messages, patience)
      .toEqual(['Cart is locked in production (stocktaking), open in test; by dev@example.com, of lockable']);
  });

  it('2: a run for testing approves itself, one for production waits', async () => {
    await action(
      'deploy',
      'Deploy',
      {
        userInputs: {
          properties: { type: titled('Type', { ...text, enum: ['Testing', 'Production'] }) },
          required: ['type'],
        },
      },
      { type: 'WEBHOOK', url: `${outside.url}/deploy`, synchronized: true, body: { type: '{{ .inputs.type }}' } },
      { requiredApproval: { type: 'ANY' }, approvalNotification: { type: 'email' } },
    );
    await automation(
      'approve_tests',
      { type: 'RUN_CREATED', actionIdentifier: 'deploy' },
      ['.diff.after.properties.type == "Testing"'],
      toOwnApi('/actions/runs/{{ .event.diff.after.id }}/approval', 'PATCH', {
        status: 'APPROVE',
        description: 'Tests need nobody.',
      }),
    );
    await openAs(page, '/self-serve?action=deploy', developer);
    await choose('Type', 'Testing');
    await press('Create');
    await status('Success').waitFor();
    await page.getByText('Tests need nobody.').first().waitFor();
    expect(sentTo('/deploy')).toEqual([{ type: 'Testing' }]);

    await page.goto('/self-serve?action=deploy');
    await choose('Type', 'Production');
    await press('Create');
    await status('Waiting for approval').waitFor();
    // The automation looked at it, and left it.
    const notFired = async () =>
      (await portal.call(automationRoutes.evaluations, { params: { action_identifier: 'approve_tests' } })).counts
        .notFired;
    await expect.poll(notFired, patience).toBe(1);
    expect(sentTo('/deploy')).toHaveLength(1);
  });

  it('3: whoever asked is told of the decision, with its reason', async () => {
    await action(
      'drop_queue',
      'Drop a queue',
      { userInputs: { properties: { queue: titled('Queue', text) } } },
      { type: 'WEBHOOK', url: `${outside.url}/queues`, synchronized: true },
      {
        requiredApproval: true,
        approvalNotification: { type: 'webhook', url: `${outside.url}/asked`, format: 'json' },
      },
    );
    await automation(
      'tell_decisions',
      { type: 'RUN_UPDATED', actionIdentifier: 'drop_queue' },
      ['.diff.before.status == "WAITING_FOR_APPROVAL"', '.diff.after.status | IN("DECLINED", "IN_PROGRESS")'],
      slack(
        '{{ .event.context.action.title }}: {{ .event.diff.after.status }}. {{ .event.diff.after.approval.description }}',
      ),
    );
    await openAs(page, '/self-serve?action=drop_queue', developer);
    await field('Queue').fill('orders');
    await press('Create');
    const id = await startedRun();
    await expect
      .poll(() => sentTo('/asked').map((body) => (body.context as { runId: string }).runId), patience)
      .toEqual([id]);
    await openAs(page, '/approvals');
    const request = page.getByRole('region', { name: /Drop a queue/ });
    await request.getByText('orders').waitFor();
    await request.getByLabel('Comment').fill('It is in use.');
    await request.getByRole('button', { name: 'Decline' }).click();
    await request.waitFor({ state: 'detached' });
    await expect.poll(messages, patience).toEqual(['Drop a queue: DECLINED. It is in use.']);
    expect(sentTo('/queues')).toEqual([]);
    await openAs(page, `/runs/${id}`, developer);
    await status('Declined').waitFor();
  });

  it('4: a change is asked for in ServiceNow, its pipeline in GitLab writes into two runs and ends both', async () => {
    await action(
      'pipeline',
      'Run the pipeline',
      { userInputs: { properties: { project: text, parent: text } } },
      {
        type: 'WEBHOOK',
        url: `${outside.url}/gitlab/api/v4/projects/{{ .inputs.project | @uri }}/trigger/pipeline`,
        body: { ref: 'main', variables: { RUN: '{{ .run.id }}', PARENT: '{{ .inputs.parent }}' } },
      },
    );
    await action(
      'change',
      'Deploy with a change',
      { userInputs: { properties: { project: titled('Project', text) }, required: ['project'] } },
      {
        type: 'WEBHOOK',
        url: `${portal.url}/v1/actions/pipeline/runs`,
        body: { properties: { project: '{{ .inputs.project }}', parent: '{{ .run.id }}' } },
      },
    );
    // The pipeline: opens the change, waits for nobody, and reports into both runs as its scripts would.
    outside.answer = async ({ path, body }, response) => {
      if (path.startsWith('/servicenow/')) return json(response, 201, { result: { number: 'CHG0001' } });
      json(response, 201, { id: 7, web_url: 'https://gitlab.example/pipelines/7' });
      const { variables } = JSON.parse(body.toString()) as { variables: { RUN: string; PARENT: string } };
      const opened = await fetch(`${outside.url}/servicenow/api/now/table/change_request`, {
        method: 'POST',
        body: JSON.stringify({ short_description: 'Deploy' }),
      });
      const { result } = (await opened.json()) as { result: { number: string } };
      for (const id of [variables.RUN, variables.PARENT]) {
        const params = { run_id: id };
        await portal.call(runRoutes.addLog, { params, body: { message: `Change ${result.number} is open` } });
        await portal.call(runRoutes.addLog, { params, body: { message: 'Deployed', terminationStatus: 'SUCCESS' } });
      }
    };
    await openAs(page, '/self-serve?action=change', developer);
    await field('Project').fill('shop/cart');
    await press('Create');
    await status('Success').waitFor();
    await page.getByRole('region', { name: 'Log', exact: true }).getByText('Change CHG0001 is open').waitFor();
    expect(outside.requests.map(({ path }) => path)).toContain('/gitlab/api/v4/projects/shop%2Fcart/trigger/pipeline');
    const { runs } = await portal.call(runRoutes.list, { query: { action: 'pipeline', version: 'v2' } });
    expect(runs).toMatchObject([{ status: 'SUCCESS', properties: { project: 'shop/cart' } }]);
    await page.goto(`/runs/${runs[0]?.id}`);
    await page.getByRole('region', { name: 'Log', exact: true }).getByText('Deployed').waitFor();
  });

  it('5: a verified service is verified for ninety days; when they are over it is not, and that is noticed', async () => {
    await blueprint('verifiable', {
      is_verified: { type: 'boolean', title: 'Verified' },
      until: { ...text, format: 'timer', title: 'Verified until' },
    });
    await entity('verifiable', { identifier: 'cart', title: 'Cart' });
    await action(
      'verify',
      'Verify',
      { operation: 'DAY-2', blueprintIdentifier: 'verifiable', userInputs: { properties: {} } },
      {
        type: 'UPSERT_ENTITY',
        blueprintIdentifier: 'verifiable',
        mapping: {
          identifier: '{{ .entity.identifier }}',
          properties: { is_verified: true, until: '{{ now + (90 * 86400) | todateiso8601 }}' },
        },
      } as ActionBody['invocationMethod'],
    );
    await automation(
      'verification_ends',
      { type: 'TIMER_PROPERTY_EXPIRED', blueprintIdentifier: 'verifiable', propertyIdentifier: 'until' },
      [],
      {
        type: 'UPSERT_ENTITY',
        blueprintIdentifier: 'verifiable',
        mapping: { identifier: '{{ .event.context.entityIdentifier }}', properties: { is_verified: false } },
      } as ActionBody['invocationMethod'],
    );
    await automation(
      'notices_the_end',
      { type: 'ENTITY_UPDATED', blueprintIdentifier: 'verifiable' },
      ['.diff.before.properties.is_verified == true', '.diff.after.properties.is_verified == false'],
      slack('{{ .event.diff.after.title }} has to be verified again'),
    );
    await openAs(page, '/catalog/verifiable/cart', developer);
    await page.getByRole('button', { name: 'Actions', exact: true }).click();
    await page.getByRole('menuitem', { name: 'Verify' }).click();
    await press('Execute');
    await status('Success').waitFor();
    await page.goto('/catalog/verifiable/cart');
    const properties = page.getByRole('region', { name: 'Properties' });
    await properties.getByText(/^(89 d 23 h|90 d 0 h) left$/).waitFor();
    // Ninety days later.
    await entity('verifiable', { identifier: 'cart', properties: { until: new Date().toISOString() } });
    await expect.poll(messages, patience).toEqual(['Cart has to be verified again']);
    await page.reload();
    await properties.getByText(/^Expired/).waitFor();
    await properties.getByText('No', { exact: true }).waitFor();
  });

  it('6: permissions that fit the resource are granted by a workflow of GitHub, and revoked when their time is up', async () => {
    await blueprint('permission', { provider: text });
    await blueprint('grant', { ttl: { ...text, format: 'timer' }, permissions: { type: 'array' } }, {});
    await blueprint('resource', { provider: text });
    for (const [identifier, provider] of [
      ['s3-read', 'AWS'],
      ['s3-write', 'AWS'],
      ['gke-admin', 'GCP'],
    ] as const)
      await entity('permission', { identifier, title: identifier, properties: { provider } });
    await entity('resource', { identifier: 'bucket', title: 'Bucket', properties: { provider: 'AWS' } });
    const workflow = (name: string, inputs: Record<string, unknown>): ActionBody['invocationMethod'] => ({
      type: 'GITHUB',
      org: 'acme',
      repo: 'iam',
      workflow: name,
      workflowInputs: inputs,
      reportWorkflowStatus: false,
    });
    await action(
      'ask_permissions',
      'Ask for permissions',
      {
        operation: 'DAY-2',
        blueprintIdentifier: 'resource',
        userInputs: {
          properties: {
            permissions: titled('Permissions', {
              type: 'array',
              items: {
                type: 'string',
                format: 'entity',
                blueprint: 'permission',
                dataset: {
                  combinator: 'and',
                  rules: [{ property: 'provider', operator: '=', value: jq('.entity.properties.provider') }],
                },
              },
            }),
          },
          required: ['permissions'],
        },
      } as never,
      workflow('grant.yml', {
        ref: 'main',
        context: '{{ {run: .run.id, resource: .entity.identifier} }}',
        inputs: '{{ .inputs }}',
      }),
    );
    await automation(
      'revoke',
      { type: 'TIMER_PROPERTY_EXPIRED', blueprintIdentifier: 'grant', propertyIdentifier: 'ttl' },
      [],
      workflow('revoke.yml', { ref: 'main', grant: '{{ .event.context.entityIdentifier }}' }),
    );
    // The workflow writes the grant, tied to the run, and reports.
    outside.answer = async ({ path, body }, response) => {
      if (!path.endsWith('/dispatches')) return json(response, 404, { message: 'Not Found' });
      response.statusCode = 204;
      response.end();
      if (!path.includes('grant.yml')) return;
      const { inputs } = JSON.parse(body.toString()) as { inputs: { context: string; inputs: string } };
      const { run } = JSON.parse(inputs.context) as { run: string };
      const { permissions } = JSON.parse(inputs.inputs) as { permissions: { identifier: string }[] };
      await portal.call(entityRoutes.create, {
        params: { blueprint_identifier: 'grant' },
        query: { run_id: run },
        body: {
          identifier: 'bucket-grant',
          properties: { ttl: new Date().toISOString(), permissions: permissions.map((each) => each.identifier) },
        },
      });
      await portal.call(runRoutes.patch, { params: { run_id: run }, body: { status: 'SUCCESS', summary: 'Granted' } });
    };
    await openAs(page, '/catalog/resource/bucket', developer);
    await page.getByRole('button', { name: 'Actions', exact: true }).click();
    await page.getByRole('menuitem', { name: 'Ask for permissions' }).click();
    await dialog().getByRole('combobox', { name: 'Permissions' }).click();
    await page.getByRole('option', { name: /s3-read/ }).click();
    await page.getByRole('option', { name: /s3-write/ }).click();
    expect(await page.getByRole('option', { name: /gke-admin/ }).count()).toBe(0);
    await page.keyboard.press('Escape');
    await press('Execute');
    await status('Success').waitFor();
    await page.getByRole('tab', { name: 'Affected entities (1)' }).waitFor();
    expect((await read('grant', 'bucket-grant')).properties.permissions).toEqual(['s3-read', 's3-write']);
    const revoked = () => sentTo('/github/repos/acme/iam/actions/workflows/revoke.yml/dispatches');
    await expect.poll(revoked, patience).toMatchObject([{ ref: 'main', inputs: { grant: 'bucket-grant' } }]);
  });

  it('7: a survey in three steps knows who answers, and its answers become an entity', async () => {
    await blueprint('answer', { team: text, rating: { type: 'number' }, remarks: text, answers: { type: 'array' } });
    await action(
      'survey',
      'Answer the survey',
      {
        userInputs: {
          properties: {
            user: { ...text, format: 'entity', blueprint: '_user', visible: false, default: jq('.user.email') },
            rating: titled('How is it', { type: 'number', enum: [1, 2, 3, 4, 5] }),
            slow: titled('What is slow', text),
            wish: titled('What you wish', { ...text, format: 'multi-line' }),
          },
          required: ['rating'],
          steps: [
            { title: 'Overall', order: ['user', 'rating'] },
            { title: 'Speed', order: ['slow'] },
            { title: 'Wishes', order: ['wish'] },
          ],
        },
      },
      {
        type: 'UPSERT_ENTITY',
        blueprintIdentifier: 'answer',
        mapping: {
          identifier: '{{ .inputs.user.identifier | gsub("[@.]"; "-") }}',
          title: 'Answers of {{ .inputs.user.title }}',
          properties: {
            team: "{{ .inputs.user.properties.status // 'none' }}",
            rating: '{{ .inputs.rating }}',
            remarks: '{{ [.inputs.slow, .inputs.wish] | map(select(. != null)) | join(" / ") }}',
            answers: '{{ .inputs | del(.user) | to_entries | map({question: .key, answer: .value}) }}',
          },
        },
      } as ActionBody['invocationMethod'],
    );
    await openAs(page, '/self-serve?action=survey', developer);
    await dialog().getByText('Step 1 of 3').waitFor();
    await choose('How is it', '4');
    await press('Next');
    await field('What is slow').fill('the pipeline');
    await press('Next');
    await field('What you wish').fill('more berths');
    await press('Create');
    await status('Success').waitFor();
    const { properties } = await read('answer', 'dev-example-com');
    expect(properties).toMatchObject({
      rating: 4,
      remarks: 'the pipeline / more berths',
      answers: [
        { question: 'rating', answer: 4 },
        { question: 'slow', answer: 'the pipeline' },
        { question: 'wish', answer: 'more berths' },
      ],
    });
    expect(properties.team).not.toBe('none');
  });

  it('8: a request waits as an entity, and what becomes of the entity decides the run', async () => {
    await blueprint('request', {
      status: { ...text, enum: ['Open', 'Approved', 'Rejected'] },
      what: text,
      answer: text,
    });
    await action(
      'ask_platform',
      'Ask the platform team',
      { userInputs: { properties: { what: titled('What', text) }, required: ['what'] } },
      { type: 'WEBHOOK', url: `${outside.url}/platform`, synchronized: true, body: { what: '{{ .inputs.what }}' } },
      { requiredApproval: true },
    );
    await automation('file_request', { type: 'RUN_CREATED', actionIdentifier: 'ask_platform' }, [], {
      type: 'UPSERT_ENTITY',
      blueprintIdentifier: 'request',
      mapping: {
        identifier: '{{ .event.diff.after.id }}',
        title: '{{ .event.diff.after.properties.what }}',
        properties: { status: 'Open', what: '{{ .event.diff.after.properties.what }}' },
      },
    } as ActionBody['invocationMethod']);
    await automation(
      'decide_run',
      { type: 'ENTITY_UPDATED', blueprintIdentifier: 'request' },
      ['.diff.before.properties.status == "Open"', '.diff.after.properties.status != "Open"'],
      toOwnApi('/actions/runs/{{ .event.context.entityIdentifier }}/approval', 'PATCH', {
        status: "{{ if .event.diff.after.properties.status == 'Approved' then 'APPROVE' else 'DECLINE' end }}",
        description: '{{ .event.diff.after.properties.answer }}',
      }),
    );
    await action(
      'triage',
      'Triage',
      {
        operation: 'DAY-2',
        blueprintIdentifier: 'request',
        userInputs: {
          properties: {
            status: titled('Status', { ...text, enum: ['Approved', 'Rejected'] }),
            answer: titled('Answer', text),
          },
          required: ['status'],
        },
      },
      {
        type: 'UPSERT_ENTITY',
        blueprintIdentifier: 'request',
        mapping: {
          identifier: '{{ .entity.identifier }}',
          properties: { status: '{{ .inputs.status }}', answer: '{{ .inputs.answer }}' },
        },
      } as ActionBody['invocationMethod'],
    );
    const ask = async (what: string): Promise<string> => {
      await openAs(page, '/self-serve?action=ask_platform', developer);
      await field('What').fill(what);
      await press('Create');
      await status('Waiting for approval').waitFor();
      return startedRun();
    };
    const triage = async (id: string, decision: string, answer: string): Promise<void> => {
      await expect
        .poll(
          () =>
            read('request', id).then(
              (found) => found.properties.status,
              () => undefined,
            ),
          patience,
        )
        .toBe('Open');
      await openAs(page, `/catalog/request/${id}`);
      await page.getByRole('button', { name: 'Actions', exact: true }).click();
      await page.getByRole('menuitem', { name: 'Triage' }).click();
      await choose('Status', decision);
      await field('Answer').fill(answer);
      await press('Execute');
      await status('Success').waitFor();
      await openAs(page, `/runs/${id}`, developer);
    };
    await triage(await ask('a bigger crane'), 'Rejected', 'No room for it.');
    await status('Declined').waitFor();
    await page.getByText('No room for it.').first().waitFor();
    expect(sentTo('/platform')).toEqual([]);
    await triage(await ask('a second gate'), 'Approved', 'Good idea.');
    await status('Success').waitFor();
    expect(sentTo('/platform')).toEqual([{ what: 'a second gate' }]);
  });

  it('9: an incident is changed at PagerDuty, and what it answered is in the catalog', async () => {
    await blueprint('incident', { status: { ...text, title: 'Status' }, urgency: text });
    await entity('incident', { identifier: 'PD1', title: 'Crane is stuck', properties: { status: 'triggered' } });
    await action(
      'acknowledge',
      'Acknowledge',
      { operation: 'DAY-2', blueprintIdentifier: 'incident', userInputs: { properties: {} } },
      {
        type: 'WEBHOOK',
        url: `${outside.url}/pagerduty/incidents/{{ .entity.identifier }}`,
        method: 'PUT',
        synchronized: true,
        headers: { Authorization: 'Token token={{ .secrets.PAGERDUTY }}', From: '{{ .trigger.by.user.email }}' },
        body: { incident: { type: 'incident_reference', status: 'acknowledged' } },
      },
    );
    await automation(
      'mirror_incident',
      { type: 'RUN_UPDATED', actionIdentifier: 'acknowledge' },
      ['.diff.after.status == "SUCCESS"'],
      {
        type: 'UPSERT_ENTITY',
        blueprintIdentifier: 'incident',
        mapping: {
          identifier: '{{ .event.diff.after.response.incident.id }}',
          properties: {
            status: '{{ .event.diff.after.response.incident.status }}',
            urgency: '{{ .event.diff.after.response.incident.urgency }}',
          },
        },
      } as ActionBody['invocationMethod'],
    );
    outside.answer = (_request, response) =>
      json(response, 200, { incident: { id: 'PD1', status: 'acknowledged', urgency: 'high' } });
    await openAs(page, '/catalog/incident/PD1', developer);
    await page.getByRole('button', { name: 'Actions', exact: true }).click();
    await page.getByRole('menuitem', { name: 'Acknowledge' }).click();
    await press('Execute');
    await status('Success').waitFor();
    await page.getByRole('tab', { name: 'Data' }).click();
    await page.getByRole('region', { name: 'Response' }).getByText('acknowledged').waitFor();
    expect(await page.content()).not.toContain('pd-key-of-the-tests');
    const [{ method, headers } = { method: '', headers: {} }] = outside.requests;
    expect([method, headers.authorization, headers.from]).toEqual([
      'PUT',
      'Token token=pd-key-of-the-tests',
      developer.email,
    ]);
    await expect
      .poll(async () => (await read('incident', 'PD1')).properties, patience)
      .toEqual({
        status: 'acknowledged',
        urgency: 'high',
      });
    await page.goto('/catalog/incident/PD1');
    await page.getByRole('region', { name: 'Properties' }).getByText('acknowledged').waitFor();
  });
});

describe('the action of the documentation', () => {
  /** As it is printed there; its holes are the URL and what the header carries. */
  const printed = (identifier: string) => ({
    identifier,
    title: `Title of ${identifier}`,
    icon: 'iconIdentifier',
    description: 'Action description',
    trigger: {
      type: 'self-service',
      operation: 'CREATE',
      userInputs: {
        properties: {
          property1: { type: 'string', title: 'Property title', default: 'default value' },
          property2: { type: 'number', title: 'property title', default: 5 },
        },
      },
    },
    invocationMethod: {
      type: 'WEBHOOK',
      url: `${outside.url}/printed`,
      agent: false,
      synchronized: false,
      method: 'POST',
      headers: { RUN_ID: '{{ .run.id }}' },
      body: { property1: '{{ .inputs.property1 }}', property2: '{{ .inputs.property2 }}' },
    },
  });

  it('works from the portal, pasted as JSON, and by API', async () => {
    await openAs(page, '/self-serve/new');
    await page.getByRole('radiogroup', { name: 'Result as' }).getByText('JSON').click();
    await page.getByLabel('Action as JSON').fill(JSON.stringify(printed('unique_id'), null, 2));
    await expect.poll(() => page.getByLabel('Title *').inputValue(), patience).toBe('Title of unique_id');
    await page.getByRole('button', { name: 'Create', exact: true }).first().click();
    await page.getByRole('link', { name: 'Create: Title of unique_id' }).click();
    expect(await field('Property title').inputValue()).toBe('default value');
    expect(await field('property title').inputValue()).toBe('5');
    await press('Create');
    const fromPortal = await startedRun();
    await expect.poll(() => outside.requests.length, patience).toBe(1);

    await portal.call(actionRoutes.create, { body: printed('unique_id_2') as ActionBody });
    const { run } = await portal.call(runRoutes.execute, {
      params: { action_identifier: 'unique_id_2' },
      query: { run_as: testOrganization.adminEmail },
      body: { properties: {} },
    });
    await expect.poll(() => outside.requests.length, patience).toBe(2);
    expect(outside.requests.map(({ method, path, headers }) => [method, path, headers.run_id])).toEqual([
      ['POST', '/printed', fromPortal],
      ['POST', '/printed', run.id],
    ]);
    expect(sentTo('/printed')).toEqual([
      { property1: 'default value', property2: 5 },
      { property1: 'default value', property2: 5 },
    ]);
    // Both are stored as they were written.
    const stored = async (identifier: string) =>
      (
        await portal.call(actionRoutes.get, {
          params: { action_identifier: identifier },
          query: { version: 'v2' },
        })
      ).action;
    for (const identifier of ['unique_id', 'unique_id_2'])
      expect(await stored(identifier)).toMatchObject(printed(identifier));
  });
});
