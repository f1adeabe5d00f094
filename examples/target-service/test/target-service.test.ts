import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { entityRoutes, runRoutes } from '@quayside/contracts';
import { signatureHeaders } from '@quayside/delivery';
import Value from 'typebox/value';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createService, type Service } from '../src/service.ts';

const secret = 'test-secret';

/** A portal over real HTTP that takes reports down and checks their shapes against the contracts. */
interface Reported {
  method: string;
  path: string;
  body: Record<string, unknown>;
}
let reported: Reported[];
let refuse: (call: Reported) => number | undefined;
let portal: Server;
let service: Service;
let url: string;

const listen = (server: Server) =>
  new Promise<string>((resolve) => {
    server.listen(0, '127.0.0.1', () => resolve(`http://127.0.0.1:${(server.address() as AddressInfo).port}`));
  });

beforeEach(async () => {
  reported = [];
  refuse = () => undefined;
  portal = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const text = Buffer.concat(chunks).toString();
    const call = { method: request.method ?? '', path: request.url ?? '', body: text === '' ? {} : JSON.parse(text) };
    const answer = (status: number, body: unknown) => void response.writeHead(status).end(JSON.stringify(body));
    if (call.path === '/v1/auth/access_token') return answer(200, { ok: true, accessToken: 't', expiresIn: 3600 });
    const status = refuse(call);
    if (status !== undefined)
      return answer(status, { ok: false, error: 'invalid_request', message: 'no such property' });
    reported.push(call);
    answer(200, { ok: true });
  });
  service = createService({
    portalUrl: await listen(portal),
    clientId: 'id',
    clientSecret: secret,
    stepMs: 1,
    retryMs: [5, 5],
    log: () => {},
  });
  url = await listen(service.server);
});
afterEach(async () => {
  await service.stop();
  portal.closeAllConnections();
  await new Promise((resolve) => portal.close(resolve));
});

interface Sending {
  path?: string;
  headers?: Record<string, string>;
  runId?: string;
  signedBody?: string;
  ageSeconds?: number;
}
async function post(body: unknown, sending: Sending = {}) {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  const timestamp = Math.floor(Date.now() / 1000) - (sending.ageSeconds ?? 0);
  const runId = sending.runId ?? 'r_1';
  const response = await fetch(url + (sending.path ?? '/'), {
    method: 'POST',
    body: text,
    headers: {
      'content-type': 'application/json',
      'idempotency-key': runId,
      ...signatureHeaders(runId, sending.signedBody ?? text, secret, timestamp),
      ...sending.headers,
    },
  });
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
}

const request = (action: string, inputs: Record<string, unknown>, more: Record<string, unknown> = {}) => ({
  action,
  context: { runId: 'r_1' },
  inputs,
  requestedBy: 'mara@harbour.example',
  ...more,
});

async function ended(): Promise<Record<string, unknown>> {
  for (let tries = 0; tries < 500; tries += 1) {
    const end = reported.find((call) => call.method === 'PATCH' && call.body.status !== undefined);
    if (end) return end.body;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  throw new Error('the run was not ended');
}
const lines = () => reported.filter((call) => call.path.endsWith('/logs')).map((call) => String(call.body.message));
const entities = () => reported.filter((call) => call.path.includes('/entities'));

describe('refuses', () => {
  const body = request('scaffold_service', { name: 'shop' });
  it.each<[string, Parameters<typeof post>, number, RegExp]>([
    ['another body than was signed', [body, { signedBody: '{}' }], 401, /does not match/],
    ['an old request', [body, { ageSeconds: 600 }], 401, /five minutes/],
    [
      'a wrong Port signature beside a right standard one',
      [body, { headers: { 'x-port-signature': 'v1,AAAA' } }],
      401,
      /match/,
    ],
    ['a wrong standard signature', [body, { headers: { 'webhook-signature': 'v1,AAAA' } }], 401, /does not match/],
    ['what is not JSON', ['{"a":'], 400, /JSON object/],
    ['a request without a run', [{ action: 'scaffold_service' }], 400, /context.runId is missing/],
    ['an unknown action', [request('make_coffee', {})], 404, /"make_coffee" is unknown/],
    ['an endless body', ['x'.repeat(5 * 1024 * 1024 + 1)], 413, /at most/],
  ])('%s', async (_, sent, status, error) => {
    const answer = await post(...sent);
    expect(answer).toMatchObject({ status, body: { ok: false, error: expect.stringMatching(error) as string } });
    expect(reported).toEqual([]);
  });

  it('a request that is not signed at all', async () => {
    const response = await fetch(url, { method: 'POST', body: '{}' });
    expect(response.status).toBe(401);
    expect((await fetch(url)).status).toBe(405);
    expect((await fetch(`${url}/healthz`)).status).toBe(200);
  });
});

describe('works', () => {
  it('scaffold_service: lines, label, link, a service tied to the run, success', async () => {
    const answer = await post(
      request('scaffold_service', {
        name: 'gift-cards',
        language: 'Go',
        depends_on: ['checkout'],
        with_database: true,
      }),
    );
    expect(answer).toEqual({ status: 202, body: { ok: true, run: 'r_1' } });
    expect(await ended()).toMatchObject({
      status: 'SUCCESS',
      summary: expect.stringContaining('gift-cards is ready') as string,
    });
    expect(lines().length).toBeGreaterThan(4);
    expect(reported.some((call) => call.body.link === 'https://git.harbour.example/gift-cards')).toBe(true);
    expect(entities()).toEqual([
      {
        method: 'POST',
        path: '/v1/blueprints/service/entities?upsert=true&merge=true&run_id=r_1',
        body: {
          identifier: 'gift-cards',
          title: 'Gift cards',
          properties: {
            language: 'Go',
            tier: 'standard',
            lifecycle: 'beta',
            repository: 'https://git.harbour.example/gift-cards',
          },
          relations: { depends_on: ['checkout'] },
        },
      },
    ]);
  });

  it('provision_environment: an environment with a timer, a deployment, and both gone in time', async () => {
    const oneSecond = 1 / 3600;
    await post(request('provision_environment', { name: 'pr-7', service: 'checkout', hours: oneSecond }));
    expect(await ended()).toMatchObject({ status: 'SUCCESS' });
    const [environment, deployment] = entities();
    expect(environment?.body).toMatchObject({ identifier: 'pr-7', properties: { type: 'temporary' } });
    const { ttl } = (environment?.body.properties ?? {}) as { ttl?: string };
    expect(Date.parse(ttl ?? '')).toBeGreaterThan(Date.now() - 5_000);
    expect(deployment?.body).toMatchObject({ relations: { service: 'checkout', environment: 'pr-7' } });
    await new Promise((resolve) => setTimeout(resolve, 1_100));
    expect(entities().at(-1)).toMatchObject({
      method: 'DELETE',
      path: '/v1/blueprints/environment/entities/pr-7?delete_dependents=true',
    });
  });

  const entity = {
    identifier: 'checkout-production',
    title: 'x',
    properties: { version: '7.2.0', replicas: 6 },
    relations: {},
  };
  it('rollback_service: the version before, healthy again', async () => {
    await post(request('rollback_service', { reason: 'errors' }, { entity }));
    expect(await ended()).toMatchObject({ status: 'SUCCESS', summary: 'checkout-production runs 7.1.0 again' });
    expect(entities()[0]?.body).toMatchObject({ properties: { version: '7.1.0', status: 'healthy' } });
  });

  it('change_replicas: the new count', async () => {
    await post(request('change_replicas', { replicas: 0 }, { entity }));
    expect(await ended()).toMatchObject({ status: 'SUCCESS' });
    expect(entities()[0]?.body).toMatchObject({ properties: { replicas: 0, status: 'stopped' } });
  });

  it('the default message of an agent as well as a template', async () => {
    const message = {
      action: 'change_replicas',
      headers: {},
      context: { runId: 'r_1', entity: 'x' },
      trigger: { by: { user: { email: 'a@b.c' } } },
      payload: { entity, properties: { replicas: 3 }, action: { identifier: 'change_replicas', invocationMethod: {} } },
    };
    expect((await post(message)).status).toBe(202);
    expect(await ended()).toMatchObject({ status: 'SUCCESS' });
    expect(lines()[0]).toBe('Scaling checkout-production from 6 to 3');
  });

  it('an action that only the path names', async () => {
    const answer = await post(
      { context: { runId: 'r_1' }, inputs: { replicas: 1 }, entity },
      { path: '/actions/change_replicas' },
    );
    expect(answer.status).toBe(202);
    expect(await ended()).toMatchObject({ status: 'SUCCESS' });
  });

  it('a duplicate once', async () => {
    const body = request('change_replicas', { replicas: 1 }, { entity });
    expect((await post(body)).status).toBe(202);
    expect(await post(body)).toEqual({ status: 200, body: { ok: true, run: 'r_1', duplicate: true } });
    await ended();
    expect(entities()).toHaveLength(1);
    expect((await post(body, { runId: 'r_2' })).status).toBe(202);
  });

  it('in the shapes of the contracts', async () => {
    await post(request('scaffold_service', { name: 'gift-cards' }));
    await ended();
    for (const { path, body, method } of reported) {
      const row = path.includes('/entities')
        ? entityRoutes.create
        : method === 'PATCH'
          ? runRoutes.patch
          : runRoutes.addLog;
      expect([...Value.Errors(row.body, body)]).toEqual([]);
    }
  });
});

describe('a failure ends the run with what to do', () => {
  const failing = (inputs: Record<string, unknown>, more = {}) => post(request('scaffold_service', inputs, more));

  it.each<[string, Record<string, unknown>, RegExp]>([
    ['that was asked for', { name: 'shop', simulate_failure: true }, /Pick another name/],
    ['by name', { name: 'fail-shop' }, /fail-shop is taken/],
    ['of the inputs', {}, /The input "name" is missing/],
  ])('%s', async (_, inputs, text) => {
    await failing(inputs);
    expect(await ended()).toMatchObject({ status: 'FAILURE', summary: expect.stringMatching(text) as string });
    expect(lines().at(-1)).toMatch(text);
    expect(entities()).toEqual([]);
  });

  it('of the catalog, in the portal’s own words', async () => {
    refuse = (call) => (call.path.includes('/entities') ? 422 : undefined);
    await failing({ name: 'shop' });
    expect(await ended()).toMatchObject({
      status: 'FAILURE',
      summary: expect.stringContaining('no such property') as string,
    });
  });

  it('when the process is stopped in the middle', async () => {
    const entity = { identifier: 'a', properties: {}, relations: {} };
    await post(request('change_replicas', { replicas: 1 }, { entity }));
    await service.stop();
    expect(await ended()).toMatchObject({
      status: 'FAILURE',
      summary: expect.stringContaining('was stopped') as string,
    });
  });

  it('but not when the portal is away for a moment', async () => {
    let failures = 2;
    refuse = () => (failures-- > 0 ? 503 : undefined);
    await failing({ name: 'shop' });
    expect(await ended()).toMatchObject({ status: 'SUCCESS' });
  });
});
