import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { type JobOptions, runJob } from './job.ts';
import { Portal } from './portal.ts';
import { readRequest } from './request.ts';
import { checkSignature } from './signature.ts';
import { works } from './works.ts';

/**
 * An internal API that a portal starts work at:
 *
 *   POST (any path) ► signature over the raw bytes ► seen before? ► 202 at once ► work, reported to the portal
 *
 * The answer never waits for the work, so no timeout on the way matters. A delivery may come twice (the network can not
 * promise otherwise): the second one, recognised by its Idempotency-Key, is answered and not worked on.
 */
export interface ServiceOptions {
  portalUrl: string;
  clientId: string;
  /** Also the key of the signatures. */
  clientSecret: string;
  stepMs: number;
  log(event: string, details: Record<string, unknown>): void;
  retryMs?: readonly number[];
}

export interface Service {
  server: Server;
  /** No new requests; work under way is told to stop and reports that. */
  stop(): Promise<void>;
}

const maxBodyBytes = 5 * 1024 * 1024;
/** Remembered keys; the oldest are forgotten first. A service with a database would keep them there. */
const maxKeys = 10_000;
const maxTimerMs = 2 ** 31 - 1;

export function createService(options: ServiceOptions): Service {
  const { clientSecret, log } = options;
  const portal = new Portal({
    baseUrl: options.portalUrl,
    clientId: options.clientId,
    clientSecret,
    ...(options.retryMs && { retryMs: options.retryMs }),
  });
  const seen = new Set<string>();
  const running = new Set<Promise<void>>();
  const stopping = new AbortController();
  const jobOptions: JobOptions = { portal, stepMs: options.stepMs, signal: stopping.signal, removeLater };

  function removeLater(blueprint: string, identifier: string, afterMs: number): void {
    const remove = () =>
      portal.remove(blueprint, identifier).then(
        () => log('expired', { blueprint, identifier }),
        (error: unknown) => log('not removed', { blueprint, identifier, error: String(error) }),
      );
    setTimeout(remove, Math.min(afterMs, maxTimerMs)).unref();
  }

  async function onRequest(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const answer = (status: number, body: Record<string, unknown>) => {
      const headers = { 'content-type': 'application/json', ...(status === 413 && { connection: 'close' }) };
      response.writeHead(status, headers).end(JSON.stringify(body));
    };
    if (request.method === 'GET' && request.url === '/healthz') return answer(200, { ok: true, working: running.size });
    if (request.method !== 'POST') return answer(405, { ok: false, error: 'only POST is understood' });

    const body = await readBody(request);
    if (body === undefined) return answer(413, { ok: false, error: `at most ${maxBodyBytes} bytes are read` });
    const verdict = checkSignature(request.headers, body, clientSecret, Date.now());
    if (!verdict.ok) {
      log('refused', { reason: verdict.reason });
      return answer(401, { ok: false, error: verdict.reason });
    }
    const parsed = readRequest(parseJson(body), request.url ?? '');
    if (typeof parsed === 'string') return answer(400, { ok: false, error: parsed });
    const work = works[parsed.action];
    if (work === undefined) {
      return answer(404, {
        ok: false,
        error: `the action "${parsed.action}" is unknown here`,
        known: Object.keys(works),
      });
    }

    const key = String(request.headers['idempotency-key'] ?? request.headers['webhook-id'] ?? parsed.runId);
    const { runId, action } = parsed;
    if (seen.has(key)) {
      log('duplicate', { run: runId, action });
      return answer(200, { ok: true, run: runId, duplicate: true });
    }
    seen.add(key);
    if (seen.size > maxKeys) seen.delete(seen.values().next().value ?? key);
    answer(202, { ok: true, run: runId });
    log('accepted', { run: runId, action });
    const job = runJob(parsed, work, jobOptions)
      .then((status) => log('ended', { run: runId, action, status }))
      .catch((error: unknown) => log('not reported', { run: runId, action, error: String(error) }))
      .finally(() => running.delete(job));
    running.add(job);
  }

  const server = createServer((request, response) => {
    onRequest(request, response).catch((error: unknown) => {
      log('fault', { error: String(error) });
      if (!response.headersSent) response.writeHead(500).end();
    });
  });
  return {
    server,
    async stop() {
      stopping.abort();
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeIdleConnections();
      await Promise.all([closed, ...running]);
    },
  };
}

/** Exactly the bytes that came; undefined = too many. */
async function readBody(request: IncomingMessage): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request) {
    size += (chunk as Buffer).length;
    if (size > maxBodyBytes) return undefined;
    chunks.push(chunk as Buffer);
  }
  return Buffer.concat(chunks);
}

function parseJson(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8'));
  } catch {
    return undefined;
  }
}
