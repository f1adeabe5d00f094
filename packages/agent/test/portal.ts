import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type NamedSettlement, type Route, routes, type Settlement } from '@quayside/contracts';
import { testOrganization } from '@quayside/testkit';
import Value from 'typebox/value';

/**
 * A small portal over real HTTP: the dispatch routes of the contracts, with leases and fencing tokens, in memory. It checks
 * every body against the route table, so an agent that strays from the contract fails here.
 *
 * dialect   quayside   holds claims, hands out leases
 *           ignoring   a Port-compatible portal that ignores fields it does not know: answers at once, no leases
 *           refusing   one that refuses them with 422
 */
export interface TestRun {
  id: string;
  payload: Record<string, unknown>;
  status: 'IN_PROGRESS' | 'SUCCESS' | 'FAILURE';
  summary: string | undefined;
  response: unknown;
  logs: string[];
  /** Fencing token; raised by every claim. */
  fence: number;
  heldUntilMs: number;
  isOpen: boolean;
  settlements: Settlement[];
  wasAcknowledged: boolean;
}

export interface Call {
  method: string;
  path: string;
  body: Record<string, unknown>;
  headers: IncomingMessage['headers'];
}

type Dialect = 'quayside' | 'ignoring' | 'refusing';

export class TestPortal {
  dialect: Dialect = 'quayside';
  leaseMs = 30_000;
  tokenSeconds = 10_800;
  clientSecret: string = testOrganization.clientSecret;
  readonly calls: Call[] = [];
  readonly runs = new Map<string, TestRun>();
  /** False = a Quayside of before there was the call. */
  settlesMany = true;
  /** Bodies that broke the contract; a test ends with none. */
  readonly violations: string[] = [];
  /** Answers instead of the portal when it returns a status; for faults. */
  fault: (call: Call) => number | 'cut' | undefined = () => undefined;
  url = '';
  private server: Server | undefined;
  private port = 0;
  private validTokens = new Set<string>();
  private tokenCount = 0;
  private readonly waiting = new Set<() => void>();

  async start(): Promise<void> {
    const server = createServer((request, response) => void this.onRequest(request, response));
    this.server = server;
    await new Promise<void>((resolve) => server.listen(this.port, '127.0.0.1', resolve));
    this.port = (server.address() as AddressInfo).port;
    this.url = `http://127.0.0.1:${this.port}`;
  }

  /** As when the process dies: connections break, the port is closed. What was recorded stays. */
  async stop(): Promise<void> {
    const { server } = this;
    this.server = undefined;
    if (server === undefined) return;
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }

  enqueue(invocation: Record<string, unknown>): TestRun {
    const run: TestRun = {
      id: `r_${String(this.runs.size + 1).padStart(16, '0')}`,
      payload: { type: 'WEBHOOK', agent: true, body: {}, ...invocation },
      status: 'IN_PROGRESS',
      summary: undefined,
      response: undefined,
      logs: [],
      fence: 0,
      heldUntilMs: 0,
      isOpen: true,
      settlements: [],
      wasAcknowledged: false,
    };
    this.runs.set(run.id, run);
    for (const wake of this.waiting) wake();
    return run;
  }

  /** Takes the run from its holder, as after a lost lease. */
  steal(run: TestRun): void {
    run.fence += 1;
  }

  revokeTokens(): void {
    this.validTokens.clear();
  }

  callsTo(pattern: RegExp): Call[] {
    return this.calls.filter((call) => pattern.test(`${call.method} ${call.path}`));
  }

  private async onRequest(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const text = Buffer.concat(chunks).toString();
    const call: Call = {
      method: request.method ?? '',
      path: request.url ?? '',
      body: text === '' ? {} : (JSON.parse(text) as Record<string, unknown>),
      headers: request.headers,
    };
    this.calls.push(call);
    const reply = (status: number, body: unknown) => {
      if (response.destroyed) return;
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    };
    const refuse = (status: number, error: string) => reply(status, { ok: false, error, message: `refused: ${error}` });

    const fault = this.fault(call);
    if (fault === 'cut') return void response.destroy();
    if (fault !== undefined) return refuse(fault, `status_${fault}`);
    const row = this.check(call);
    if (row === undefined) return refuse(404, 'not_found');
    if (row.id === 'identity.accessToken') {
      if (call.body.clientSecret !== this.clientSecret) return refuse(401, 'unauthorized');
      this.tokenCount += 1;
      const token = `token-${this.tokenCount}`;
      this.validTokens.add(token);
      return reply(200, { ok: true, accessToken: token, expiresIn: this.tokenSeconds, tokenType: 'Bearer' });
    }
    if (!this.validTokens.has(call.headers.authorization?.replace('Bearer ', '') ?? ''))
      return refuse(401, 'unauthorized');
    await this.serve(row.id, call, response, reply, refuse);
  }

  /** The row of the route table that the call belongs to; undefined = no such route. */
  private check(call: Call): Route | undefined {
    const matches = routes.filter(
      (route) =>
        route.method === call.method && new RegExp(`^${route.path.replace(/:\w+/g, '[^/]+')}$`).test(call.path),
    );
    // `/runs/ack` is not the run called "ack".
    const row = matches.find((route) => route.path === call.path) ?? matches[0];
    if (row !== undefined && !Value.Check(row.body, call.body)) {
      const problems = [...Value.Errors(row.body, call.body)].map((error) => JSON.stringify(error)).join('; ');
      this.violations.push(`${row.id}: ${problems}`);
    }
    return row;
  }

  private async serve(
    id: string,
    call: Call,
    response: ServerResponse,
    reply: (status: number, body: unknown) => void,
    refuse: (status: number, error: string) => void,
  ): Promise<void> {
    const run = this.runs.get(/\/runs\/(r_\d+)/.exec(call.path)?.[1] ?? '');
    switch (id) {
      case 'dispatch.claim': {
        if (this.dialect === 'refusing' && 'waitMs' in call.body) return refuse(422, 'invalid_request');
        const limit = Number(call.body.limit);
        let claimed = this.take(limit);
        const waitMs = this.dialect === 'quayside' ? Number(call.body.waitMs ?? 0) : 0;
        if (claimed.length === 0 && waitMs > 0) {
          await this.waitForWork(waitMs, response);
          claimed = response.destroyed ? [] : this.take(limit);
        }
        return reply(200, { ok: true, runs: claimed });
      }
      case 'dispatch.acknowledge': {
        const [runId] = call.body.runIds as string[];
        const target = this.runs.get(runId ?? '');
        const ackedCount = target === undefined || target.wasAcknowledged ? 0 : 1;
        if (target) target.wasAcknowledged = true;
        if (target) target.isOpen = false;
        return reply(200, { ok: true, ackedCount });
      }
      case 'dispatch.extend':
        if (!isHeld(run, call.body.token)) return refuse(409, 'lease_lost');
        run.heldUntilMs = Date.now() + this.leaseMs;
        return reply(200, { ok: true, lease: this.leaseOf(run) });
      case 'dispatch.release':
        if (!isHeld(run, call.body.token)) return refuse(409, 'lease_lost');
        run.heldUntilMs = Date.now() + Number(call.body.delayMs ?? 0);
        return reply(200, { ok: true });
      case 'dispatch.settle': {
        if (!isHeld(run, call.body.token)) return refuse(409, 'lease_lost');
        record(run, call.body as unknown as Settlement);
        return reply(200, { ok: true, result: 'recorded', run: {} });
      }
      case 'dispatch.settleMany': {
        if (!this.settlesMany) return refuse(404, 'not_found');
        const results = (call.body.settlements as NamedSettlement[]).map(({ runId, ...settlement }) => {
          const settled = this.runs.get(runId);
          if (!isHeld(settled, settlement.token))
            return { runId, status: 409, error: 'lease_lost', message: 'refused: lease_lost' };
          record(settled, settlement);
          return { runId, result: 'recorded' };
        });
        return reply(200, { ok: true, results });
      }
      case 'run.addLog':
        run?.logs.push(String(call.body.message));
        return reply(201, { ok: true, runLog: {} });
      case 'run.setResponse':
        if (run) run.response = call.body.response;
        return reply(200, { ok: true, run: {} });
      case 'run.patch':
        if (run) {
          run.status = (call.body.status as TestRun['status'] | undefined) ?? run.status;
          run.summary = call.body.summary as string | undefined;
        }
        return reply(200, { ok: true, run: {} });
      case 'identity.patchOrganization':
        return reply(200, { ok: true, organization: {} });
      default:
        return refuse(404, 'not_found');
    }
  }

  private take(limit: number): unknown[] {
    const now = Date.now();
    const due = [...this.runs.values()].filter((run) => run.isOpen && run.heldUntilMs < now).slice(0, limit);
    return due.map((run) => {
      run.heldUntilMs = now + this.leaseMs;
      if (this.dialect !== 'quayside') return { id: run.id, payload: run.payload };
      run.fence += 1;
      return { id: run.id, payload: run.payload, lease: this.leaseOf(run) };
    });
  }

  private leaseOf(run: TestRun): unknown {
    return { token: String(run.fence), attempt: run.fence, expiresAt: new Date(run.heldUntilMs).toISOString() };
  }

  private waitForWork(waitMs: number, response: ServerResponse): Promise<void> {
    return new Promise((resolve) => {
      const end = () => {
        clearTimeout(timer);
        clearInterval(poll);
        this.waiting.delete(end);
        resolve();
      };
      const timer = setTimeout(end, waitMs);
      // Leases and delays run out without anybody saying so.
      const poll = setInterval(() => {
        if ([...this.runs.values()].some((run) => run.isOpen && run.heldUntilMs < Date.now())) end();
      }, 100);
      this.waiting.add(end);
      response.on('close', end);
    });
  }
}

function isHeld(run: TestRun | undefined, token: unknown): run is TestRun {
  return run?.isOpen === true && String(run.fence) === token;
}

function record(run: TestRun, settlement: Settlement): void {
  run.isOpen = false;
  run.settlements.push(settlement);
  run.logs.push(...(settlement.logs ?? []));
  run.response = settlement.response;
  run.status = settlement.report?.status ?? run.status;
  run.summary = settlement.report?.summary;
}

/** Waits until the condition holds; fails with what was waited for. */
export async function eventually(what: string, condition: () => boolean, withinMs = 20_000): Promise<void> {
  const endMs = performance.now() + withinMs;
  while (!condition()) {
    if (performance.now() > endMs) throw new Error(`not within ${withinMs} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
