import { STATUS_CODES } from 'node:http';
import {
  type BodyOf,
  type Origin,
  type ParamsOf,
  type Permission,
  type QueryOf,
  type ReplyOf,
  type Route,
  routes,
  sessionCookie,
} from '@quayside/contracts';
import { type FastifyInstance, type FastifyReply, type FastifyRequest, fastify } from 'fastify';
import { type Actor, createWorld, type World } from './ctx.ts';
import { type Database, isDatabaseAway } from './db.ts';
import { newTraceId } from './ids.ts';
import type { Logger } from './log.ts';
import type { Metrics } from './metrics.ts';
import { createRateLimit } from './rate-limit.ts';
import { Refusal, refuse, refuseLack } from './refusal.ts';
import { createRefusedWrites } from './refused-writes.ts';
import { compileChecks, compileReplyCheck } from './validation.ts';

// A route may refuse what its row can not say.
export { refuse } from './refusal.ts';

/**
 * HTTP. `serve(route, handler)` turns a row of the route table into an endpoint: who asks → may they → is the request
 * well-formed → handler → reply. The order matters: an unknown caller learns nothing about what a valid request is.
 * Every answer, 404 of an unknown route and faults included, is JSON with a boolean `ok` and an X-Trace-Id.
 */
export interface HandlerInput<R> {
  world: World;
  params: ParamsOf<R>;
  query: QueryOf<R>;
  body: BodyOf<R>;
  request: FastifyRequest;
  reply: FastifyReply;
}

/** Returns the reply without its `ok`, which `serve` adds. */
export type Handler<R> = (input: HandlerInput<R>) => Promise<Omit<ReplyOf<R>, 'ok'>>;
/** A stream handler writes the response itself. */
export type StreamHandler<R> = (input: HandlerInput<R>) => Promise<void>;

export interface Http {
  serve<R extends Route>(route: R, handler: Handler<R>): void;
  serveStream<R extends Route>(route: R, handler: StreamHandler<R>): void;
  /** Throws when the route table and what is served differ; then no request may be accepted. */
  assertComplete(): void;
  readonly app: FastifyInstance;
  /** From now on `/readyz` says no, responses close their connections, and live views end (browsers come back elsewhere). */
  startDraining(): void;
  readonly draining: AbortSignal;
}

/** Who sent this request? Undefined = nobody known. Given by the identity feature: the platform knows no feature. */
export type Authenticate = (request: {
  bearer: string | undefined;
  session: string | undefined;
}) => Promise<Actor | undefined>;

export interface HttpOptions {
  database: Database;
  log: Logger;
  metrics: Metrics;
  authenticate: Authenticate;
  rateLimitPerMinute: number;
  trustProxy: boolean;
  /** Origins whose pages may use the session cookie, e.g. `http://localhost:3000`. */
  isOwnOrigin(origin: string, request: FastifyRequest): boolean;
  /** In tests: a reply that breaks its contract is a fault. */
  checkReplies: boolean;
  /** Answers a browser's navigation with the UI; false = the path is unknown. */
  servePage?: (request: FastifyRequest, reply: FastifyReply) => boolean;
}

/** Routes that real agents call without pause; a limit here would stop the work itself. */
const unlimitedRoutes = new Set([
  'identity.accessToken',
  'dispatch.claim',
  'dispatch.acknowledge',
  'dispatch.extend',
  'dispatch.settle',
  'dispatch.settleMany',
  'dispatch.release',
  'system.health',
  'system.ready',
  'system.metrics',
]);

const nobody: Actor = { kind: 'machine', orgId: 'nobody', id: 'nobody', name: 'nobody', permissions: new Set() };

export function createHttp(options: HttpOptions): Http {
  const { log, metrics } = options;
  const limit = createRateLimit(options.rateLimitPerMinute);
  const refusedWrites = createRefusedWrites(options.database);
  const served = new Set<string>();
  const draining = new AbortController();
  const app = fastify({
    logger: false,
    bodyLimit: 1024 * 1024,
    trustProxy: options.trustProxy,
    genReqId: () => newTraceId(),
    routerOptions: { maxParamLength: 4_000, ignoreTrailingSlash: true },
    forceCloseConnections: 'idle',
    keepAliveTimeout: 72_000,
    requestTimeout: 60_000,
    // A path that can not be decoded fails before any hook runs.
    frameworkErrors: (error, request, reply) => {
      reply.header('x-trace-id', request.id);
      sendError(error, request, reply as unknown as FastifyReply, log);
    },
  });

  app.addHook('onRequest', async (request, reply) => {
    reply.header('x-trace-id', request.id);
    reply.header('x-content-type-options', 'nosniff');
    if (draining.signal.aborted) reply.header('connection', 'close');
  });
  app.addHook('onResponse', async (request, reply) => {
    const config = request.routeOptions.config as { routeId?: string };
    metrics.requests.observe(
      { route: config.routeId ?? 'unknown', status: reply.statusCode },
      reply.elapsedTime / 1000,
    );
    const line = {
      traceId: request.id,
      route: config.routeId,
      method: request.method,
      status: reply.statusCode,
      ms: Math.round(reply.elapsedTime),
    };
    if (reply.statusCode >= 500) log.error(line, 'request failed');
    else log.debug(line, 'request');
  });
  // An empty body counts as {}: `curl -X POST` and several clients send the header without a body.
  app.addContentTypeParser('application/json', { parseAs: 'string' }, (_request, text, done) => {
    if (text === '') return done(null, undefined);
    try {
      done(null, JSON.parse(text as string));
    } catch (error) {
      done(new Refusal('malformed_json', `The body is not JSON: ${(error as Error).message}`));
    }
  });
  app.addContentTypeParser('*', (request, payload, done) => {
    payload.resume();
    if (!request.headers['content-length'] && !request.headers['transfer-encoding']) return done(null, undefined);
    done(
      new Refusal(
        'unsupported_media_type',
        `Send the body as application/json, not as ${request.headers['content-type']}.`,
      ),
    );
  });
  app.setErrorHandler(async (error, request, reply) => {
    const { recordRefusal } = request as { recordRefusal?: (refusal: Refusal) => Promise<void> };
    const refusal = asRefusal(error);
    if (refusal)
      await recordRefusal?.(refusal).catch((fault: Error) =>
        log.warn({ traceId: request.id, error: fault.message }, 'a refused write is missing in the audit log'),
      );
    sendError(error, request, reply, log);
    return reply;
  });
  app.setNotFoundHandler((request, reply) => {
    if (options.servePage?.(request, reply)) return;
    const path = request.url.split('?')[0];
    const isOtherMethod = routes.some((route) => route.path === path);
    const refusal = isOtherMethod
      ? new Refusal('method_not_allowed', `${request.method} is not possible at ${path}.`)
      : new Refusal(
          'not_found',
          `There is no route ${request.method} ${path}. The API is described at /v1/openapi.json.`,
        );
    reply.status(refusal.status).send(refusal.toBody());
  });

  async function actorOf(request: FastifyRequest): Promise<Actor | undefined> {
    const header = request.headers.authorization;
    const bearer = header ? /^Bearer\s+(\S+)$/i.exec(header)?.[1] : undefined;
    if (header && !bearer) refuse('unauthorized', 'The Authorization header must be "Bearer <token>".');
    if (bearer) return options.authenticate({ bearer, session: undefined });
    const session = cookieOf(request, sessionCookie);
    if (!session) return undefined;
    // Cross-site requests carry no cookie where SameSite works; this is the second check, for writes.
    if (request.method !== 'GET' && request.method !== 'HEAD') assertSameSite(request, options.isOwnOrigin);
    return options.authenticate({ bearer: undefined, session });
  }

  const seenBy = (actor: Actor, request: FastifyRequest) => {
    const userAgent = request.headers['user-agent'] ?? '';
    return {
      orgId: actor.orgId,
      actor,
      origin: originOf(actor, userAgent, request),
      log: log.child({ traceId: request.id }),
      traceId: request.id,
      userAgent,
    };
  };

  function add<R extends Route>(route: R, handler: Handler<R> | StreamHandler<R>): void {
    const key = `${route.method} ${route.path}`;
    if (served.has(key)) throw new Error(`${key} is served twice.`);
    served.add(key);
    const checks = compileChecks(route);
    const isChecked = options.checkReplies && route.kind === 'json';
    const checkReply = isChecked ? compileReplyCheck(route, route.reply) : undefined;
    const checkOlderReply = isChecked && route.v1 ? compileReplyCheck(route, route.v1.reply) : undefined;
    app.route({
      method: route.method,
      url: route.path,
      config: { routeId: route.id },
      onRequest: async (request, reply) => {
        const actor = await actorOf(request);
        if (actor)
          (request as { recordRefusal?: (refusal: Refusal) => Promise<void> }).recordRefusal = (refusal) =>
            refusedWrites.record({
              world: seenBy(actor, request),
              route,
              params: request.params,
              query: request.query,
              body: request.body,
              url: request.url,
              refusal,
            });
        if (!actor && route.can !== 'public')
          refuse('unauthorized', 'Sign in, or send "Authorization: Bearer <token>".');
        if (!unlimitedRoutes.has(route.id)) {
          const { allowed, headers } = limit.take(actor ? `${actor.orgId} ${actor.id}` : request.ip, Date.now());
          reply.headers(headers);
          if (!allowed)
            refuse(
              'too_many_requests',
              `More than ${options.rateLimitPerMinute} requests in a minute. Try again in ${headers['retry-after']} s.`,
            );
        }
        if (
          actor &&
          route.can !== 'public' &&
          route.can !== 'signed-in' &&
          !actor.permissions.has(route.can as Permission)
        )
          refuseLack(actor, route.can as Permission);
        (request as { actor?: Actor | undefined }).actor = actor;
      },
      handler: async (request, reply) => {
        const actor = (request as { actor?: Actor | undefined }).actor ?? nobody;
        const world = createWorld({ database: options.database, ...seenBy(actor, request) });
        const input = {
          world,
          params: checks.params(request.params),
          query: checks.query(request.query),
          body: checks.body(request.body),
          request,
          reply,
        } as HandlerInput<R>;
        const result = await handler(input);
        if (route.kind === 'stream') return reply;
        const isOlder = route.v1 !== undefined && (input.query as { version?: unknown }).version === 'v1';
        const text = JSON.stringify({ ok: true, ...(isOlder ? route.v1?.of({ ...result }) : result) });
        (isOlder ? checkOlderReply : checkReply)?.(JSON.parse(text));
        reply.status(route.status).type('application/json; charset=utf-8');
        return text;
      },
    });
  }

  return {
    app,
    serve: add,
    serveStream: add,
    startDraining: () => draining.abort(),
    draining: draining.signal,
    assertComplete() {
      const table = new Set(routes.map((route) => `${route.method} ${route.path}`));
      const missing = [...table].filter((key) => !served.has(key));
      const extra = [...served].filter((key) => !table.has(key));
      if (missing.length + extra.length > 0)
        throw new Error(
          `The route table and what is served differ. Not served: ${missing.join(', ') || 'none'}. Not in the table: ${extra.join(', ') || 'none'}.`,
        );
    },
  };
}

function cookieOf(request: FastifyRequest, name: string): string | undefined {
  for (const part of (request.headers.cookie ?? '').split(';')) {
    const at = part.indexOf('=');
    if (at > 0 && part.slice(0, at).trim() === name) return part.slice(at + 1).trim();
  }
  return undefined;
}

function assertSameSite(request: FastifyRequest, isOwnOrigin: HttpOptions['isOwnOrigin']): void {
  const site = request.headers['sec-fetch-site'];
  if (site !== undefined && site !== 'same-origin' && site !== 'none')
    refuse('forbidden', 'This request came from another site. Use an access token for calls from elsewhere.');
  const origin = request.headers.origin;
  if (origin !== undefined && !isOwnOrigin(origin, request))
    refuse(
      'forbidden',
      `The page at ${origin} may not act with this session. If that is this portal, set QUAYSIDE_BASE_URL to it.`,
    );
}

/** Where an action came from, as the audit log shows it (spec/actions.md §2.10). */
function originOf(actor: Actor, userAgent: string, request: FastifyRequest): Origin {
  if (actor.kind === 'system') return 'SYSTEM';
  if (actor.kind === 'user' && !request.headers.authorization) return 'UI';
  if (/^(port|quayside)-agent/.test(userAgent)) return 'AGENT';
  if (userAgent.startsWith('github-action/')) return 'GITHUB_ACTION';
  if (userAgent.startsWith('port-ocean/')) return 'OCEAN';
  if (userAgent.startsWith('port-k8s-exporter')) return 'K8S_EXPORTER';
  if (userAgent.startsWith('port-mcp-server')) return 'MCP';
  return 'API';
}

function sendError(error: unknown, request: FastifyRequest, reply: FastifyReply, log: Logger): void {
  const refusal = asRefusal(error);
  if (refusal) {
    // Whoever called learns to try again; what is wrong with the database is for the operator.
    if (!(error instanceof Refusal) && refusal.error === 'unavailable')
      log.warn({ traceId: request.id, problem: (error as Error).message }, 'the database could not serve a request');
    reply.status(refusal.status).send(refusal.toBody());
    return;
  }
  log.error({ traceId: request.id, err: error }, 'a request met a fault');
  const body = new Refusal(
    'internal_error',
    `Something went wrong on the server. The trace id ${request.id} finds it in the log.`,
  );
  reply.status(body.status).send(body.toBody());
}

function asRefusal(error: unknown): Refusal | undefined {
  if (error instanceof Refusal) return error;
  if (isDatabaseAway(error))
    return new Refusal('unavailable', 'The database can not serve this at the moment. Try again shortly.');
  const { code, statusCode, message } = error as { code?: string; statusCode?: number; message?: string };
  if (code === 'FST_ERR_CTP_BODY_TOO_LARGE') return new Refusal('payload_too_large', 'The body is larger than 1 MiB.');
  if (code === 'FST_ERR_CTP_INVALID_MEDIA_TYPE')
    return new Refusal('unsupported_media_type', 'Send the body as application/json.');
  if (statusCode !== undefined && statusCode >= 400 && statusCode < 500)
    return new Refusal('invalid_request', message ?? STATUS_CODES[statusCode] ?? 'The request is invalid.');
  return undefined;
}
