import { blueprintRoutes, deliveryRoutes, dispatchRoutes, secretRoutes } from '@quayside/contracts';
import { type Receiver, startReceiver } from '@quayside/testkit/receiver';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Caller, startTestApp, type TestApp } from '../../../test/harness.ts';

let test: TestApp;
let target: Receiver;
let member: Caller;
const secret = 'a-secret-of-the-organization';

beforeAll(async () => {
  target = await startReceiver();
  test = await startTestApp({ QUAYSIDE_ALLOW_PRIVATE_TARGETS: 'true' });
  await test.machine.call(secretRoutes.create, { body: { secretName: 'KEY', secretValue: secret } });
  member = await test.join('ada@example.com');
}, 60_000);
afterAll(async () => {
  await test.stop();
  await target.close();
});
beforeEach(() => {
  target.requests.length = 0;
  target.answer = (_request, response) =>
    void response.setHeader('content-type', 'application/json').end('{"ok":true}');
});

async function execute(invocation: object = {}, extra: object = {}): Promise<{ id: string; action: string }> {
  const { id, action } = await test.executeNew(
    { type: 'WEBHOOK', url: `${target.url}/{{ .action.identifier }}`, ...invocation },
    extra,
  );
  return { id, action: action.identifier };
}
type Query = NonNullable<Parameters<typeof test.machine.call<typeof deliveryRoutes.list>>[1]>['query'];
const list = async (query: Query = {}, who: Caller = test.machine) =>
  (await who.call(deliveryRoutes.list, { query: query ?? {} })).body;
const read = async (subject: string, who: Caller = test.machine) =>
  (await who.call(deliveryRoutes.get, { params: { subject } })).body.delivery;
const settled = (action: string) =>
  expect.poll(async () => (await list({ action })).deliveries[0]?.state, { timeout: 10_000 }).toBe('settled');
const agent = (id: string) => ({ id, version: '1', inFlight: 0, capacity: 1 });
const claim = async (id: string) =>
  (await test.machine.call(dispatchRoutes.claim, { body: { installationId: '_PORT_EXEC_AGENT', agent: agent(id) } }))
    .body;

describe('is refused', () => {
  it('to nobody, with a cursor that is none, and for what does not exist or belongs to others', async () => {
    expect((await test.nobody.refused(deliveryRoutes.list)).status).toBe(401);
    for (const after of ['x', Buffer.from('["2026","r_1",1]').toString('base64url')]) {
      const refused = await test.machine.refused(deliveryRoutes.list, { query: { after } });
      expect([refused.status, refused.body.message]).toEqual([422, expect.stringContaining('query.after')]);
    }
    expect((await test.machine.refused(deliveryRoutes.get, { params: { subject: 'e_x' } })).status).toBe(404);
    const { id, action } = await execute();
    await settled(action);
    const other = await test.otherOrganization();
    expect((await other.refused(deliveryRoutes.get, { params: { subject: id } })).status).toBe(404);
    expect((await list({}, other)).deliveries).toEqual([]);
  });
});

describe('a delivery of the server', () => {
  it('is on record with request and answer, and no secret', async () => {
    target.answer = (request, response) => void response.end(`you sent ${request.headers['x-plain']}\0`);
    const { id, action } = await execute({
      headers: { 'X-Plain': '{{ .secrets["KEY"] }}', 'X-Env': 'prod', 'X-Api-Key': 'k3y' },
      body: { note: 'in {{ .secrets["KEY"] }}', token: 't0k3n' },
    });
    await settled(action);
    const delivery = await read(id);
    expect(delivery).toMatchObject({ subject: id, kind: 'run', runId: id, action, why: { state: 'delivered' } });
    const [attempt] = delivery.attempts;
    expect(attempt).toMatchObject({
      attempt: 1,
      holder: expect.stringMatching(/^server /),
      state: 'settled',
      request: {
        method: 'POST',
        url: `${target.url}/${action}`,
        headers: { 'X-Env': 'prod', 'X-Api-Key': '******', 'X-Port-Signature': '******', 'Idempotency-Key': id },
        body: expect.stringMatching(/^\{"note":"in [^"]*","token":"\*{6}"\}$/),
      },
      outcome: { kind: 'answered', statusCode: 200 },
    });
    expect(target.requests[0]?.headers['x-plain']).toBe(secret);
    expect(JSON.stringify(delivery)).not.toMatch(new RegExp(`${secret}|t0k3n|k3y"`));
    const [entry] = (await list({ run_id: id })).deliveries;
    expect(entry).toMatchObject({
      subject: id,
      isDelivered: true,
      request: { method: 'POST', url: `${target.url}/${action}` },
      text: expect.stringMatching(/^The target answered 200 after \d+ ms\.$/),
    });
  });

  it('that wrote an entity has what was written', async () => {
    await test.machine.call(blueprintRoutes.create, {
      body: { identifier: 'box', title: 'Box', schema: { properties: { size: { type: 'number' } } } } as never,
    });
    const { id, action } = await execute({
      type: 'UPSERT_ENTITY',
      url: undefined,
      blueprintIdentifier: 'box',
      mapping: { identifier: 'b1', properties: { size: 3 } },
    });
    await settled(action);
    const [attempt] = (await read(id)).attempts;
    expect(attempt?.request).toMatchObject({ method: 'UPSERT', url: 'catalog:box' });
    expect(JSON.parse(attempt?.request?.body ?? '')).toMatchObject({ identifier: 'b1', properties: { size: 3 } });
  });

  it('that is given up says why, and what would help', async () => {
    target.answer = (_request, response) => void response.writeHead(404).end();
    const { id, action } = await execute();
    await settled(action);
    expect((await list({ action, dead: true })).deliveries).toMatchObject([
      { subject: id, isDead: true, isDelivered: false },
    ]);
    expect(await (await test.nobody.fetch('/metrics')).text()).toContain('quayside_dead_letters{kind="runs"} 1');
    expect((await read(id)).why).toMatchObject({
      state: 'given_up',
      text: expect.stringMatching(/answered 404.*would come to the same/),
      remedy: expect.stringContaining('path of the URL'),
    });
  });
});

describe('an attempt of an agent', () => {
  it('is found by its name, exact or as it begins, with what it says that it sent', async () => {
    const { id } = await execute({ agent: true });
    const [run] = (await claim('shop-7')).runs;
    expect(run?.id).toBe(id);
    expect((await read(id)).why).toMatchObject({ state: 'under_way', text: expect.stringMatching(/^shop-7 is at it/) });
    const request = { method: 'POST', url: 'http://10.0.0.1/hook', headers: { 'X-Env': 'prod' }, body: '{"a":1}' };
    await test.machine.call(dispatchRoutes.settle, {
      params: { run_id: id },
      body: {
        token: run?.lease?.token ?? '',
        outcome: { kind: 'unreachable', code: 'ECONNREFUSED', message: 'nobody listens', durationMs: 1 },
        request,
      },
    });
    for (const holder of ['shop-7', 'shop-*'])
      expect((await list({ holder })).deliveries).toMatchObject([{ subject: id, holder: 'shop-7', attempt: 1 }]);
    expect((await list({ holder: 'shop' })).deliveries).toEqual([]);
    const delivery = await read(id);
    expect(delivery.attempts[0]?.request).toEqual(request);
    expect(delivery.why).toMatchObject({
      state: 'waiting',
      triesLeft: 2,
      nextAttemptAt: expect.any(String),
      remedy: expect.stringContaining('Nothing listens there'),
    });
  });
});

describe('messages', () => {
  it('have their place beside runs, by kind', async () => {
    const { id } = await execute(
      {},
      { requiredApproval: true, approvalNotification: { type: 'webhook', url: `${target.url}/approvals` } },
    );
    const about = { identifier: 'told', title: 'Told', schema: { properties: {} } };
    const changelogDestination = { type: 'WEBHOOK', url: `${target.url}/changes` };
    await test.machine.call(blueprintRoutes.create, { body: { ...about, changelogDestination } as never });
    for (const [kind, expected] of [
      ['approval', { runId: id }],
      ['change', { blueprint: 'told' }],
    ] as const) {
      await expect.poll(async () => (await list({ kind })).deliveries[0]?.state, { timeout: 10_000 }).toBe('settled');
      const [entry] = (await list({ kind })).deliveries;
      expect(entry).toMatchObject({ kind, subject: expect.stringMatching(/^m_/), isDelivered: true, ...expected });
      const [attempt] = (await read(entry?.subject ?? '')).attempts;
      expect(attempt?.request).toMatchObject({
        method: 'POST',
        headers: { 'Idempotency-Key': entry?.subject },
        body: expect.stringContaining('resourceType'),
      });
    }
    expect((await list({ kind: 'run' })).deliveries.every((entry) => entry.kind === 'run')).toBe(true);
  });
});

describe('a page', () => {
  it('begins behind the one before, without gaps and repeats', async () => {
    const { action } = await execute();
    await settled(action);
    const all = (await list({ limit: 200 })).deliveries;
    expect(all.length).toBeGreaterThan(3);
    const seen: typeof all = [];
    let after: string | undefined;
    do {
      const page = await list({ limit: 2, ...(after ? { after } : {}) });
      seen.push(...page.deliveries);
      after = page.next;
    } while (after);
    expect(seen).toEqual(all);
    const [newest] = all;
    expect((await list({ to: newest?.startedAt ?? '', limit: 1 })).deliveries[0]).not.toEqual(newest);
    expect((await list({ from: '2100-01-01T00:00:00Z' })).deliveries).toEqual([]);
  });
});

describe('members', () => {
  it('see the deliveries of runs that they may see, and no messages', async () => {
    const open = await execute();
    const hidden = await execute({}, { allowAnyoneToViewRuns: false });
    await settled(open.action);
    await settled(hidden.action);
    expect((await list({ action: open.action }, member)).deliveries).toHaveLength(1);
    expect((await list({ action: hidden.action }, member)).deliveries).toEqual([]);
    expect((await member.refused(deliveryRoutes.get, { params: { subject: hidden.id } })).status).toBe(404);
    expect((await list({ kind: 'change' }, member)).deliveries).toEqual([]);
    expect((await list({ action: hidden.action }, test.admin)).deliveries).toHaveLength(1);
  });
});
