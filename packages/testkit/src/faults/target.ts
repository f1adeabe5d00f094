import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { PortalClient } from './portal-client.ts';
import { type Observed, type Report, reportedBlueprint, type SeenChange, type SeenRequest } from './record.ts';

/**
 * The private service of the fault tests. It behaves as a good receiver does: a request whose key it knows is answered as
 * before and starts nothing new. Of an asynchronous run it tells the portal two log lines, an entity, a link and at last the
 * status, each until it knows what became of it. Everything that it got, answered and told is in `seen`.
 *
 * How it answers follows from the inputs of the run: `delayMs` before the answer, `failures` first requests of the run that
 * are answered with 503, `outcome` of the work.
 */
export interface FaultTarget {
  readonly url: string;
  readonly port: number;
  readonly seen: Observed;
  /** Runs on which it still works or reports. */
  readonly busy: number;
  close(): Promise<void>;
}

interface Order {
  runId: string;
  ticket: string;
  delayMs: number;
  failures: number;
  outcome: 'SUCCESS' | 'FAILURE';
  isSync: boolean;
}

/** Where the target takes messages about changes of the catalog; it answers them with 200. */
export const changesPath = '/changes';

/** A blueprint for what the target reports, and its actions: `ask` is synchronous, `start` is not, `direct` needs no agent. */
export async function setUpTarget(portal: PortalClient, targetUrl: string): Promise<void> {
  await portal.must('POST', '/v1/blueprints', {
    identifier: reportedBlueprint,
    title: 'Service',
    schema: { properties: { run: { type: 'string' }, ticket: { type: 'string' } }, required: [] },
    relations: {},
  });
  for (const [identifier, agent, synchronized] of [
    ['ask', true, true],
    ['start', true, false],
    ['direct', false, false],
  ] as const)
    await portal.must('POST', '/v1/actions', {
      identifier,
      trigger: {
        type: 'self-service',
        operation: 'CREATE',
        userInputs: {
          properties: {
            ticket: { type: 'string' },
            delayMs: { type: 'number' },
            failures: { type: 'number' },
            outcome: { type: 'string', enum: ['SUCCESS', 'FAILURE'] },
          },
          required: ['ticket'],
        },
      },
      invocationMethod: {
        type: 'WEBHOOK',
        url: `${targetUrl}/orders`,
        agent,
        synchronized,
        body: { inputs: '{{ .inputs }}', isSync: synchronized, context: { runId: '{{ .run.id }}' } },
      },
    });
}

export async function startFaultTarget(portal: PortalClient): Promise<FaultTarget> {
  const seen: Observed = {
    executions: [],
    requests: [],
    reports: [],
    changes: [],
    things: new Map(),
    retried: new Map(),
    timers: new Set(),
  };
  const begun = new Map<string, number>();
  let busy = 0;

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = Buffer.concat(chunks).toString();
    const header = (name: string) => String(request.headers[name] ?? '');
    const identity = {
      idempotencyKey: header('idempotency-key'),
      webhookId: header('webhook-id'),
      attempt: Number(header('x-quayside-attempt')),
    };
    if (request.url === changesPath) {
      seen.changes.push({ runId: identity.webhookId, ...identity, body, answered: 200 } satisfies SeenChange);
      response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
      return;
    }
    const order = readOrder(body);
    const entry: SeenRequest = { runId: order.runId, ...identity };
    seen.requests.push(entry);
    // An agent that sends no key is given the run for one.
    const key = entry.idempotencyKey || order.runId;
    const count = (begun.get(key) ?? 0) + 1;
    begun.set(key, count);
    if (count === order.failures + 1 && !order.isSync) void work(order);
    await sleep(order.delayMs);
    // Noted before a byte of it goes out: what the portal records must have been given.
    entry.answered = count <= order.failures ? 503 : 200;
    response.writeHead(entry.answered, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ ticket: order.ticket, run: order.runId }));
  }

  async function work(order: Order): Promise<void> {
    busy += 1;
    const { runId, ticket } = order;
    const base = `/v1/actions/runs/${runId}`;
    const tell = async (report: Report, method: string, path: string, body: unknown) => {
      seen.reports.push(report);
      for (report.tries = 1; ; report.tries += 1) {
        const answer = await portal.call(method, path, body);
        report.verdict = answer.verdict;
        // An earlier try, whose answer was lost, may have closed the run; or its deliveries failed, and this comes too late.
        if (answer.body.error === 'run_finished' && report.kind === 'status' && report.tries > 1) {
          const { run } = await portal.must('GET', base);
          if ((run as { status: string }).status === report.status) report.verdict = 'accepted';
        }
        if (report.verdict !== 'unknown') return;
        await sleep(50);
      }
    };
    const open = { runId, tries: 0, verdict: 'unknown' } as const;
    for (const message of [`begun ${ticket}`, `built ${ticket}`])
      await tell({ ...open, kind: 'log', message }, 'POST', `${base}/logs`, { message });
    const properties = { run: runId, ticket };
    const entity = { blueprint: reportedBlueprint, identifier: ticket, properties };
    await tell(
      { ...open, kind: 'entity', ...entity },
      'POST',
      `/v1/blueprints/${reportedBlueprint}/entities?upsert=true&run_id=${runId}`,
      {
        identifier: ticket,
        properties,
      },
    );
    await tell({ ...open, kind: 'status', status: order.outcome }, 'PATCH', base, {
      status: order.outcome,
      link: `https://ci.example.com/${ticket}`,
    });
    busy -= 1;
  }

  const server = createServer((request, response) => {
    // A sender that is killed in the middle of its request never sent it.
    handle(request, response).catch(() => response.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    seen,
    get busy() {
      return busy;
    },
    close() {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}

function readOrder(text: string): Order {
  const { inputs, context, isSync } = JSON.parse(text) as {
    inputs: { ticket: string; delayMs?: number; failures?: number; outcome?: Order['outcome'] };
    context: { runId: string };
    isSync: boolean;
  };
  const { ticket, delayMs = 0, failures = 0, outcome = 'SUCCESS' } = inputs;
  return { runId: context.runId, ticket, delayMs, failures, outcome, isSync };
}
