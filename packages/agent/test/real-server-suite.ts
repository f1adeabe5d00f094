import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Delivery, Run, RunLog } from '@quayside/contracts';
import { type ServerProcess, startServerProcess, testOrganization } from '@quayside/testkit';
import { answerOk, type Receiver, startReceiver } from '@quayside/testkit/receiver';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';

/**
 * The real agent process at the real server process, with a real target. Nothing of the dispatch is stood in for. The same
 * suite runs once per streamer (real-server.test.ts, real-server.kafka.test.ts).
 */
export interface Streamer {
  name: 'POLLING' | 'KAFKA';
  serverEnvironment: Readonly<Record<string, string>>;
  agentEnvironment: Readonly<Record<string, string>>;
}

const main = new URL('../src/main.ts', import.meta.url).pathname;

export function testAtRealServer(streamer: Streamer): void {
  let dir: string;
  let server: ServerProcess;
  let target: Receiver;
  let headers: Record<string, string>;
  const agents: ChildProcess[] = [];

  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'quayside-agent-real-'));
    server = await startServerProcess({ dataDir: dir, environment: streamer.serverEnvironment });
    const { clientId, clientSecret } = testOrganization;
    const answer = await fetch(`${server.url}/v1/auth/access_token`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ clientId, clientSecret }),
    });
    const { accessToken } = (await answer.json()) as { accessToken: string };
    headers = { authorization: `Bearer ${accessToken}`, 'content-type': 'application/json' };
    target = await startReceiver();
    for (const synchronized of [false, true]) {
      await call('POST', '/v1/actions', {
        identifier: synchronized ? 'ask' : 'start',
        trigger: {
          type: 'self-service',
          operation: 'CREATE',
          userInputs: { properties: { name: { type: 'string' } } },
        },
        invocationMethod: {
          type: 'WEBHOOK',
          url: `${target.url}/work`,
          agent: true,
          synchronized,
          body: { inputs: '{{ .inputs }}', context: { runId: '{{ .run.id }}' } },
        },
      });
    }
  }, 90_000);
  afterAll(async () => {
    await server.stop();
    await target.close();
    await rm(dir, { recursive: true, force: true });
  }, 90_000);
  beforeEach(() => {
    target.requests.length = 0;
    target.answer = answerOk;
  });
  afterEach(async () => {
    await Promise.all(agents.splice(0).map(stopAgent));
  });

  async function call<T>(method: string, path: string, body?: unknown): Promise<T> {
    const answer = await fetch(server.url + path, {
      method,
      headers,
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    const reply = (await answer.json()) as T;
    if (!answer.ok) throw new Error(`${method} ${path}: ${JSON.stringify(reply)}`);
    return reply;
  }

  function startAgent(id: string, more: Record<string, string> = {}): ChildProcess {
    const child = spawn(process.execPath, [main], {
      cwd: dir,
      stdio: 'ignore',
      env: {
        PATH: process.env.PATH,
        STREAMER_NAME: streamer.name,
        PORT_ORG_ID: streamer.serverEnvironment.QUAYSIDE_ORG_ID ?? testOrganization.orgId,
        PORT_CLIENT_ID: testOrganization.clientId,
        PORT_CLIENT_SECRET: testOrganization.clientSecret,
        PORT_API_BASE_URL: server.url,
        POLLING_MAX_BACKOFF_SECONDS: '1',
        QUAYSIDE_AGENT_ID: id,
        ...streamer.agentEnvironment,
        ...more,
      },
    });
    agents.push(child);
    return child;
  }

  async function stopAgent(child: ChildProcess): Promise<void> {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill('SIGTERM');
    await once(child, 'exit');
  }

  const execute = async (action: string, name = 'shop') =>
    (await call<{ run: Run }>('POST', `/v1/actions/${action}/runs`, { properties: { name } })).run;
  const read = async (id: string) => (await call<{ run: Run }>('GET', `/v1/actions/runs/${id}`)).run;
  const logsOf = async (id: string) =>
    (await call<{ runLogs: RunLog[] }>('GET', `/v1/actions/runs/${id}/logs`)).runLogs.map((line) => line.message);
  const deliveriesOf = async (id: string) =>
    (await call<{ deliveries: Delivery[] }>('GET', `/v1/actions/runs/${id}/deliveries`)).deliveries;

  async function until<T>(what: string, get: () => Promise<T> | T, isDone: (value: T) => boolean): Promise<T> {
    for (const endMs = performance.now() + 60_000; ; ) {
      const value = await get();
      if (isDone(value)) return value;
      if (performance.now() > endMs) throw new Error(`not in time: ${what}; last: ${JSON.stringify(value)}`);
      await new Promise((resolve) => setTimeout(resolve, 25));
    }
  }
  const isSettled = (deliveries: Delivery[]) => deliveries.some(({ state }) => state === 'settled');

  describe(`the agent at the real server, ${streamer.name}`, () => {
    it('delivers an asynchronous run and leaves it in progress, with its log', async () => {
      startAgent('a-1');
      const run = await execute('start');
      const [delivery] = await until('it is settled', () => deliveriesOf(run.id), isSettled);
      expect(delivery).toMatchObject({ attempt: 1, holder: 'a-1', outcome: { kind: 'answered', statusCode: 200 } });
      expect((await read(run.id)).status).toBe('IN_PROGRESS');
      expect((await logsOf(run.id)).at(-1)).toBe('Delivered: the target has the run and reports its progress');
      const [request] = target.requests;
      expect(request?.headers['idempotency-key']).toBe(run.id);
      expect(JSON.parse(request?.body.toString() ?? '')).toMatchObject({
        inputs: { name: 'shop' },
        context: { runId: run.id },
      });
    });

    it('ends a synchronous run with its answer', async () => {
      startAgent('a-1');
      target.answer = (_, response) => void response.end('{"ticket":7}');
      const { id } = await execute('ask');
      const run = await until(
        'it ended',
        () => read(id),
        ({ status }) => status !== 'IN_PROGRESS',
      );
      expect(run).toMatchObject({ status: 'SUCCESS', response: { ticket: 7 } });
    });

    it('sends once more when the portal decides so, under the same key, and then fails the run', async () => {
      startAgent('a-1');
      target.answer = (_, response) => void response.writeHead(500).end('out of cheese');
      const { id } = await execute('start');
      const run = await until(
        'it ended',
        () => read(id),
        ({ status }) => status !== 'IN_PROGRESS',
      );
      expect(run).toMatchObject({ status: 'FAILURE', summary: expect.stringContaining('out of cheese') as string });
      expect(target.requests.map((request) => request.headers['x-quayside-attempt'])).toEqual(['1', '2', '3']);
      expect(new Set(target.requests.map((request) => request.headers['idempotency-key']))).toEqual(new Set([id]));
    }, 90_000);

    it('shares work among agents, each run going to one', async () => {
      for (const id of ['b-1', 'b-2', 'b-3']) startAgent(id, { QUAYSIDE_AGENT_CONCURRENCY: '4' });
      const runs = await Promise.all(Array.from({ length: 60 }, (_, index) => execute('start', `n-${index}`)));
      await until(
        'all arrived',
        () => target.requests.length,
        (count) => count >= 60,
      );
      await Promise.all(runs.map(({ id }) => until('it is settled', () => deliveriesOf(id), isSettled)));
      expect(target.requests).toHaveLength(60);
      expect(new Set(target.requests.map((request) => request.headers['idempotency-key'])).size).toBe(60);
    }, 90_000);

    it('gives its work back at once when it is told to stop before it could start', async () => {
      const first = startAgent('c-1', { QUAYSIDE_AGENT_CONCURRENCY: '1', WEBHOOK_INVOKER_TIMEOUT: '10' });
      target.answer = (_, response) => void setTimeout(() => response.end('{}'), 500);
      const busy = await execute('start');
      await until(
        'it is sent',
        () => target.requests.length,
        (count) => count === 1,
      );
      const waiting = await execute('start');
      await stopAgent(first);
      expect(isSettled(await deliveriesOf(busy.id))).toBe(true);
      startAgent('c-2');
      const [delivery] = await until('the other is settled', () => deliveriesOf(waiting.id), isSettled);
      expect(delivery?.holder).toBe('c-2');
    });

    it('keeps an outcome while the server is away, and reports it without sending again', async () => {
      startAgent('d-1');
      let answer = () => {};
      target.answer = (_, response) => {
        answer = () => response.end('{"kept":true}');
      };
      const { id } = await execute('ask');
      await until(
        'it is sent',
        () => target.requests.length,
        (count) => count === 1,
      );
      const { port } = server;
      await server.stop();
      answer();
      server = await startServerProcess({ dataDir: dir, port, environment: streamer.serverEnvironment });
      const run = await until(
        'it ended',
        () => read(id),
        ({ status }) => status !== 'IN_PROGRESS',
      );
      expect(run).toMatchObject({ status: 'SUCCESS', response: { kept: true } });
      expect(target.requests).toHaveLength(1);
    }, 60_000);
  });
}
