import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Action, type Entity, type Route, type Run, type RunLog, routes } from '@quayside/contracts';
import * as samples from './samples.ts';

/**
 * A small portal that speaks the contract over real HTTP: routes come from the route table, so a path that the table does
 * not have is a 404 here too. It holds just enough state for a form to start a run and a page to show it.
 */
export interface Portal {
  url: string;
  actions: Action[];
  entities: Entity[];
  runs: Run[];
  logs: Map<string, RunLog[]>;
  /** Every request that came in, `METHOD /path`, with its body. */
  requests: { what: string; body: unknown }[];
  /** Answers the next matching route with this refusal, once. */
  refuseNext: (routeId: string, status: number, body: Record<string, unknown>) => void;
  isSignedIn: boolean;
  close: () => Promise<void>;
}

type Reply = { status?: number; body: Record<string, unknown> };
type Handler = (input: {
  params: Record<string, string>;
  query: URLSearchParams;
  body: Record<string, unknown>;
}) => Reply;

const refusal = (status: number, error: string, message: string): Reply => ({
  status,
  body: { ok: false, error, message },
});

export async function startPortal(): Promise<Portal> {
  const refusals = new Map<string, { status: number; body: Record<string, unknown> }>();
  const server = createServer((request, response) => void answer(request, response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const portal: Portal = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    actions: samples.actions(),
    entities: samples.entities(),
    runs: samples.runs(),
    logs: samples.logs(),
    requests: [],
    refuseNext: (routeId, status, body) => void refusals.set(routeId, { status, body: { ok: false, ...body } }),
    isSignedIn: true,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
  const handlers = handlersOf(portal);

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', portal.url);
    let text = '';
    for await (const chunk of request) text += chunk;
    const body = text ? (JSON.parse(text) as Record<string, unknown>) : {};
    portal.requests.push({ what: `${request.method} ${url.pathname}`, body });
    const found = match(request.method ?? 'GET', url.pathname);
    const planned = found && refusals.get(found.route.id);
    if (found && planned) refusals.delete(found.route.id);
    const isPublic = found?.route.can === 'public';
    const reply: Reply =
      planned ??
      (!found
        ? refusal(404, 'not_found', 'There is no such route.')
        : !portal.isSignedIn && !isPublic
          ? refusal(401, 'unauthorized', 'Sign in.')
          : (handlers[found.route.id]?.({ params: found.params, query: url.searchParams, body }) ??
            refusal(404, 'not_found', `${found.route.id} is not part of this portal.`)));
    response.writeHead(reply.status ?? found?.route.status ?? 200, {
      'content-type': 'application/json',
      'x-trace-id': 'trace-1',
    });
    response.end(JSON.stringify({ ok: true, ...reply.body }));
  }
  return portal;
}

/** Fixed paths win over parameters, as they do in the server: /v1/actions/runs is no action called "runs". */
const ordered = [...routes].sort((a, b) => (a.path.match(/:/g)?.length ?? 0) - (b.path.match(/:/g)?.length ?? 0));

function match(method: string, path: string): { route: Route; params: Record<string, string> } | undefined {
  for (const route of ordered) {
    const pattern = new RegExp(`^${route.path.replace(/:(\w+)/g, '(?<$1>[^/]+)')}$`);
    const found = route.method === method ? pattern.exec(path) : null;
    if (!found) continue;
    const params = Object.entries(found.groups ?? {}).map(([name, value]) => [name, decodeURIComponent(value)]);
    return { route, params: Object.fromEntries(params) };
  }
  return undefined;
}

function handlersOf(portal: Portal): Record<string, Handler> {
  const runOf = (id: string | undefined): Run | undefined => portal.runs.find((run) => run.id === id);
  const withRun = (id: string | undefined, make: (run: Run) => Record<string, unknown>): Reply => {
    const run = runOf(id);
    return run ? { body: make(run) } : refusal(404, 'not_found', `The run ${id} was not found.`);
  };
  return {
    'identity.me': () => ({ body: samples.signedIn() }),
    'identity.login': ({ body }) => {
      if (body.password !== samples.password) return refusal(401, 'unauthorized', 'E-mail or password is wrong.');
      portal.isSignedIn = true;
      return { body: samples.signedIn() };
    },
    'identity.logout': () => {
      portal.isSignedIn = false;
      return { body: {} };
    },
    'identity.listApps': () => ({ body: { apps: samples.apps() } }),
    'identity.createApp': ({ body }) => ({
      body: { app: { ...samples.apps()[0], id: 'client-2', name: body.name, secret: 's3cret' } },
    }),
    'blueprint.list': () => ({ body: { blueprints: samples.blueprints() } }),
    'entity.count': ({ params }) => ({
      body: { count: portal.entities.filter((entity) => entity.blueprint === params.blueprint_identifier).length },
    }),
    'entity.search': ({ params, body }) => {
      const wanted = String(body.text ?? '').toLowerCase();
      const sort = (body.sort ?? { order: 'ASC' }) as { order: string };
      const entities = portal.entities
        .filter((entity) => entity.blueprint === params.blueprint_identifier)
        .filter((entity) => `${entity.identifier} ${entity.title}`.toLowerCase().includes(wanted))
        .sort((a, b) => (sort.order === 'DESC' ? -1 : 1) * a.title.localeCompare(b.title));
      return { body: { entities } };
    },
    'entity.get': ({ params }) => {
      const entity = portal.entities.find(
        (each) => each.blueprint === params.blueprint_identifier && each.identifier === params.entity_identifier,
      );
      return entity ? { body: { entity } } : refusal(404, 'not_found', 'The entity was not found.');
    },
    'entity.history': () => ({ body: { changes: samples.history() } }),
    'action.list': () => ({ body: { actions: portal.actions } }),
    'action.get': ({ params }) => {
      const action = portal.actions.find((each) => each.identifier === params.action_identifier);
      return action ? { body: { action } } : refusal(404, 'not_found', 'The action was not found.');
    },
    'run.execute': ({ params, body }) => {
      const run = samples.startedRun(
        portal.actions.find((each) => each.identifier === params.action_identifier),
        body,
      );
      portal.runs.unshift(run);
      return { body: { run } };
    },
    'run.list': ({ query }) => ({
      body: {
        runs: portal.runs.filter((run) => !query.get('action') || run.action.identifier === query.get('action')),
      },
    }),
    'run.get': ({ params }) => withRun(params.run_id, (run) => ({ run })),
    'run.listLogs': ({ params, query }) =>
      withRun(params.run_id, (run) => {
        const offset = Number(query.get('offset') ?? 0);
        return { runLogs: (portal.logs.get(run.id) ?? []).slice(offset, offset + Number(query.get('limit') ?? 50)) };
      }),
    'run.deliveries': ({ params }) => withRun(params.run_id, (run) => ({ deliveries: samples.deliveries(run) })),
    'run.affectedEntities': ({ params }) => withRun(params.run_id, (run) => ({ entities: samples.affected(run) })),
    'run.approve': ({ params, body }) =>
      withRun(params.run_id, (run) => {
        run.status = body.status === 'APPROVE' ? 'IN_PROGRESS' : 'DECLINED';
        return { run };
      }),
    'dispatch.listAgents': () => ({ body: { agents: samples.agents(), pendingRuns: 0 } }),
  };
}
