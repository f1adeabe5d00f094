import {
  type ActionBody,
  actionRoutes,
  blueprintRoutes,
  dispatchRoutes,
  entityRoutes,
  identityRoutes,
  permissionRoutes,
  type Run,
  runRoutes,
} from '@quayside/contracts';
import { verify } from '@quayside/delivery';
import { testOrganization } from '@quayside/testkit';
import { type Receiver, startReceiver } from '@quayside/testkit/receiver';
import { SMTPServer } from 'smtp-server';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startTestApp, type TestApp } from '../../../test/harness.ts';

interface Mail {
  to: string[];
  text: string;
}

/** A real SMTP server; it takes what is not for nobody@. */
async function startMailbox(): Promise<{ url: string; mails: Mail[]; close(): Promise<void> }> {
  const mails: Mail[] = [];
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ['STARTTLS'],
    onRcptTo(address, _session, done) {
      done(address.address.startsWith('nobody@') ? new Error('no such mailbox') : undefined);
    },
    onData(stream, session, done) {
      const chunks: Buffer[] = [];
      stream.on('data', (chunk: Buffer) => chunks.push(chunk));
      stream.on('end', () => {
        mails.push({
          to: session.envelope.rcptTo.map((recipient) => recipient.address),
          text: Buffer.concat(chunks)
            .toString()
            .replace(/=\r?\n/g, ''),
        });
        done();
      });
    },
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.server.address() as { port: number };
  return {
    url: `smtp://127.0.0.1:${port}`,
    mails,
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
}

let test: TestApp;
let hook: Receiver;
let mailbox: Awaited<ReturnType<typeof startMailbox>>;
beforeAll(async () => {
  [hook, mailbox] = await Promise.all([startReceiver(), startMailbox()]);
  test = await startTestApp({
    QUAYSIDE_SMTP_URL: mailbox.url,
    QUAYSIDE_SMTP_FROM: 'Portal <portal@example.com>',
    QUAYSIDE_BASE_URL: 'https://portal.example.com',
    QUAYSIDE_ALLOW_PRIVATE_TARGETS: 'true',
  });
}, 60_000);
afterAll(async () => {
  await test.stop();
  await Promise.all([hook.close(), mailbox.close()]);
});
beforeEach(() => {
  hook.requests.length = 0;
  mailbox.mails.length = 0;
});

let count = 0;
async function ask(
  approvalNotification: ActionBody['approvalNotification'] | undefined,
  properties: Record<string, unknown> = {},
  approve?: object,
): Promise<Run> {
  const identifier = `ask-${++count}`;
  await test.machine.call(actionRoutes.create, {
    body: {
      identifier,
      title: 'Drop a <database>',
      requiredApproval: true,
      ...(approvalNotification ? { approvalNotification } : {}),
      trigger: {
        type: 'self-service',
        operation: 'CREATE',
        userInputs: {
          properties: {
            name: { type: 'string' },
            hidden: { type: 'string', visible: false, default: 'kept' },
            password: { type: 'string', encryption: 'aes256-gcm' },
          },
        },
      },
      invocationMethod: { type: 'WEBHOOK', url: `${hook.url}/backend` },
    } as ActionBody,
  });
  if (approve)
    await test.machine.call(permissionRoutes.patch, { params: { action_identifier: identifier }, body: { approve } });
  const answer = await test.machine.call(runRoutes.execute, {
    params: { action_identifier: identifier },
    body: { properties },
  });
  return answer.body.run;
}
const logsOf = async (run: Run) =>
  (await test.machine.call(runRoutes.listLogs, { params: { run_id: run.id } })).body.runLogs.map((log) => log.message);

describe('approvers are told', () => {
  it('by e-mail, with every input and no secret', async () => {
    const run = await ask(undefined, { name: 'orders', password: 'hunter2hunter2' });
    await expect.poll(() => mailbox.mails.length).toBe(1);
    const [mail] = mailbox.mails;
    expect(mail?.to).toEqual([testOrganization.adminEmail]);
    expect(mail?.text).toContain('From: Portal <portal@example.com>');
    expect(mail?.text).toContain('Subject: Approval needed: Drop a <database>');
    expect(mail?.text).toContain('name: orders');
    expect(mail?.text).toContain('hidden: kept');
    expect(mail?.text).toContain(`https://portal.example.com/runs/${run.id}`);
    expect(mail?.text).not.toContain('hunter2');
    expect(mail?.text).not.toContain(String(run.rawProperties.password));
    expect(await logsOf(run)).toEqual([`Waiting for approval; e-mail to ${testOrganization.adminEmail}.`]);
  });

  it('by a signed webhook in the classic shape', async () => {
    const run = await ask(
      { type: 'webhook', url: `${hook.url}/approvals` },
      { name: 'orders', password: 'hunter2hunter2' },
    );
    await expect.poll(() => hook.requests.length).toBe(1);
    const [request] = hook.requests;
    const body = JSON.parse(String(request?.body));
    expect(body).toMatchObject({
      action: run.action.identifier,
      resourceType: 'run',
      status: 'WAITING_FOR_APPROVAL',
      trigger: { origin: 'API', by: { orgId: testOrganization.orgId } },
      context: { runId: run.id, blueprint: null, entity: null },
      payload: { properties: { name: 'orders', hidden: 'kept', password: '******' } },
      link: `https://portal.example.com/runs/${run.id}`,
    });
    const timestamp = Number(request?.headers['x-port-timestamp']);
    expect(
      verify(
        String(request?.headers['x-port-signature']),
        String(request?.body),
        testOrganization.clientSecret,
        timestamp,
      ),
    ).toBe(true);
    expect(mailbox.mails).toEqual([]);
  });

  it('in Slack, with what a person typed escaped', async () => {
    await ask(
      { type: 'webhook', url: `${hook.url}/slack`, format: 'slack' },
      { name: '<!channel> & more', password: 'hunter2hunter2' },
    );
    await expect.poll(() => hook.requests.length).toBe(1);
    const body = JSON.parse(String(hook.requests[0]?.body));
    expect(body.text).toContain('asks for approval: Drop a <database>');
    expect(JSON.stringify(body.blocks)).toContain('name: &lt;!channel&gt; &amp; more');
    expect(JSON.stringify(body.blocks)).not.toContain('<!channel>');
    expect(JSON.stringify(body.blocks)).toContain('hidden: kept');
    expect(JSON.stringify(body.blocks)).toContain('password: ******');
  });

  it('not by e-mail where a policy names them', async () => {
    const run = await ask(
      undefined,
      {},
      {
        policy: {
          queries: { all: { combinator: 'and', rules: [{ property: '$blueprint', operator: '=', value: 'none' }] } },
          conditions: [`["${testOrganization.adminEmail}"]`],
        },
      },
    );
    expect(await logsOf(run)).toEqual([
      `Waiting for approval by ${testOrganization.adminEmail}, who find it among their approvals.`,
    ]);
    const { deliveries } = await open(run);
    expect(deliveries).toEqual([]);
  });

  it('or the log says that nobody may approve', async () => {
    const run = await ask(undefined, {}, { roles: [], users: [] });
    expect((await logsOf(run))[0]).toContain('nobody may approve');
  });

  async function open(run: Run) {
    return (await test.machine.call(runRoutes.deliveries, { params: { run_id: run.id } })).body;
  }
});

describe('a message that is not delivered', () => {
  it('is tried again under the same key', async () => {
    let calls = 0;
    hook.answer = (_request, response) => {
      calls += 1;
      response.writeHead(calls === 1 ? 503 : 200).end();
    };
    await ask({ type: 'webhook', url: `${hook.url}/approvals` });
    await expect.poll(() => hook.requests.length, { timeout: 10_000 }).toBe(2);
    const [first, second] = hook.requests.map((request) => request.headers);
    expect(first?.['idempotency-key']).toMatch(/^m_/);
    expect(second?.['idempotency-key']).toBe(first?.['idempotency-key']);
    expect([first?.['x-quayside-attempt'], second?.['x-quayside-attempt']]).toEqual(['1', '2']);
  });

  it('is a dead letter at once where another attempt would fail, too; the alert says so, and makes no further alert', async () => {
    await test.machine.call(identityRoutes.patchOrganization, {
      body: { settings: { deadLetterUrl: `${hook.url}/dead` } },
    });
    hook.answer = (_request, response) => void response.writeHead(404).end();
    const run = await ask({ type: 'webhook', url: `${hook.url}/approvals` });
    await expect.poll(() => hook.requests.map((request) => request.path)).toEqual(['/approvals', '/dead']);
    expect(JSON.parse(String(hook.requests[1]?.body))).toMatchObject({
      event: 'dead_letter',
      organization: testOrganization.orgId,
      kind: 'approval',
      runId: run.id,
      request: { method: 'POST', url: `${hook.url}/approvals` },
      reason: expect.stringContaining('answered 404'),
    });
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(hook.requests).toHaveLength(2);
    await test.machine.call(identityRoutes.patchOrganization, { body: { settings: { deadLetterUrl: null } } });
  });
});

describe('the change log', () => {
  const blueprint = (identifier: string, changelogDestination?: object) =>
    test.machine.call(blueprintRoutes.create, {
      body: {
        identifier,
        title: identifier,
        schema: { properties: {} },
        ...(changelogDestination ? { changelogDestination } : {}),
      } as never,
    });
  const entity = (blueprint_identifier: string, identifier: string) =>
    test.machine.call(entityRoutes.create, { params: { blueprint_identifier }, body: { identifier } });
  const bodies = () => hook.requests.map((request) => JSON.parse(String(request.body)));

  it('goes to the URL of the blueprint, and only its', async () => {
    hook.answer = (_request, response) => void response.end();
    await blueprint('silent');
    await blueprint('told', { type: 'WEBHOOK', url: `${hook.url}/changes` });
    await entity('silent', 'a');
    await entity('told', 'b');
    await test.machine.call(entityRoutes.remove, {
      params: { blueprint_identifier: 'told', entity_identifier: 'b' },
    });
    await expect.poll(() => hook.requests.length).toBe(3);
    const sorted = bodies().sort((a, b) => (a.trigger.at < b.trigger.at ? -1 : 1));
    expect(sorted.map((body) => [body.action, body.resourceType, body.context])).toEqual([
      ['CREATE', 'blueprint', { blueprint: 'told', entity: null }],
      ['CREATE', 'entity', { blueprint: 'told', entity: 'b' }],
      ['DELETE', 'entity', { blueprint: 'told', entity: 'b' }],
    ]);
    expect(sorted[1]).toMatchObject({
      status: 'SUCCESS',
      trigger: { origin: 'API', by: { orgId: testOrganization.orgId } },
      diff: { before: null, after: { identifier: 'b', blueprint: 'told' } },
    });
    expect(new Set(hook.requests.map((request) => request.headers['idempotency-key'])).size).toBe(3);
  });

  it('for agents is claimed with their runs, leased, and settled', async () => {
    await blueprint('carried', { type: 'WEBHOOK', agent: true, url: 'http://10.0.0.1/changes' });
    const agent = { id: 'a', version: '1', inFlight: 0, capacity: 1 };
    const claim = () =>
      test.machine.call(dispatchRoutes.claim, {
        body: { installationId: '_PORT_EXEC_AGENT', limit: 5, waitMs: 5_000, agent },
      });
    const { messages = [], runs } = (await claim()).body;
    expect(runs).toEqual([]);
    expect(messages).toHaveLength(1);
    const [message] = messages;
    expect(message?.message).toMatchObject({
      action: 'CREATE',
      resourceType: 'blueprint',
      changelogDestination: { type: 'WEBHOOK', agent: true, url: 'http://10.0.0.1/changes' },
    });
    const params = { run_id: message?.id ?? '' };
    const token = message?.lease.token ?? '';
    await test.machine.call(dispatchRoutes.extend, { params, body: { token } });
    const outcome = { kind: 'broken' as const, message: 'cut', durationMs: 1 };
    const settled = await test.machine.call(dispatchRoutes.settle, { params, body: { token, outcome } });
    expect(settled.body).toEqual({ ok: true, result: 'will_retry' });
    const late = await test.machine.refused(dispatchRoutes.settle, { params, body: { token: '9', outcome } });
    expect([late.status, late.body.error]).toEqual([409, 'lease_lost']);
    const again = (await claim()).body.messages?.[0];
    expect(again).toMatchObject({ id: message?.id, lease: { attempt: 2 } });
    // Among others: the call for several takes it, too.
    const one = { runId: message?.id ?? '', outcome };
    const both = [
      { ...one, token: '9' },
      { ...one, token: again?.lease.token ?? '' },
    ];
    const { results } = (await test.machine.call(dispatchRoutes.settleMany, { body: { settlements: both } })).body;
    expect(results).toEqual([
      { runId: message?.id, status: 409, error: 'lease_lost', message: expect.any(String) },
      { runId: message?.id, result: 'will_retry' },
    ]);
  });

  it('is not handed to agents of the published dialect, which would not know what to do with it', async () => {
    const { body } = await test.machine.call(dispatchRoutes.claim, {
      body: { installationId: '_PORT_EXEC_AGENT', limit: 5, invocationMethod: 'WEBHOOK' },
    });
    expect(body).toEqual({ ok: true, runs: [] });
  });
});

describe('without a mail server', () => {
  it('the log of the run says so', async () => {
    const silent = await startTestApp();
    try {
      await silent.machine.call(actionRoutes.create, {
        body: {
          identifier: 'ask',
          requiredApproval: true,
          trigger: { type: 'self-service', operation: 'CREATE', userInputs: { properties: {} } },
          invocationMethod: { type: 'WEBHOOK', url: 'https://example.com' },
        } as ActionBody,
      });
      const { run } = (
        await silent.machine.call(runRoutes.execute, {
          params: { action_identifier: 'ask' },
          body: { properties: {} },
        })
      ).body;
      const { runLogs } = (await silent.machine.call(runRoutes.listLogs, { params: { run_id: run.id } })).body;
      expect(runLogs[0]?.message).toContain('no mail server (QUAYSIDE_SMTP_URL)');
    } finally {
      await silent.stop();
    }
  });
});
