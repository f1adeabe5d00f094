import { type ErrorName, type EventName, eventNames, type Route } from '@quayside/contracts';
import { createWorld, type World } from './ctx.ts';
import type { Database } from './db.ts';
import { createRateLimit } from './rate-limit.ts';
import type { Refusal } from './refusal.ts';

/**
 * Writes that were refused are in the audit log: who tried what, and why not. The event is `<noun>.refused`, committed on its
 * own, as the transaction of the write has been rolled back. `after` names the request, never what was in it: a body may hold secrets.
 *
 * At most `perMinute` of an organization are recorded, so that a client in a loop fills no disk; the metrics of requests count all.
 */
export interface RefusedWrites {
  record(refused: RefusedWrite): Promise<void>;
}

export interface RefusedWrite {
  world: Omit<World, 'transaction' | 'now'>;
  route: Route;
  params: unknown;
  body: unknown;
  query: unknown;
  url: string;
  refusal: Refusal;
}

const perMinute = 600;
const maxMessage = 2_000;
/** Said of the state of the connection or of a lease, not of what was asked for. */
const unremarkable: ReadonlySet<ErrorName> = new Set<ErrorName>([
  'unauthorized',
  'too_many_requests',
  'lease_lost',
  'already_acknowledged',
  'internal_error',
  'unavailable',
]);
/** Asks only, although it needs a permission to write. */
const asksOnly = new Set(['run.preview']);

function eventOf(route: Route): EventName | undefined {
  if (route.method === 'GET' || asksOnly.has(route.id)) return undefined;
  const [noun, verb] = route.can.split(':');
  if (verb === undefined || verb === 'read' || verb === 'claim') return undefined;
  return eventNames.find((name) => name === `${noun}.refused`);
}

export function createRefusedWrites(database: Database): RefusedWrites {
  const limit = createRateLimit(perMinute);
  return {
    async record({ world, route, params, body, query, url, refusal }) {
      const name = eventOf(route);
      if (name === undefined || unremarkable.has(refusal.error)) return;
      if (!limit.take(world.orgId, Date.now()).allowed) return;
      const named = params as Record<string, string | undefined>;
      const identifier = (body as { identifier?: unknown } | null | undefined)?.identifier;
      const subject = Object.values(named).at(-1) ?? (typeof identifier === 'string' ? identifier : '');
      const blueprint = named.blueprint_identifier ?? named.blueprint;
      const entity =
        named.entity_identifier ??
        (name === 'entity.refused' && typeof identifier === 'string' ? identifier : undefined);
      const runId = named.run_id ?? (query as { run_id?: unknown } | undefined)?.run_id;
      const problems = refusal.details?.map(({ path, message }) => `${path} ${message}`).join(' ') ?? '';
      await createWorld({ ...world, database }).transaction((ctx) =>
        ctx.emit({
          name,
          subject: (entity ?? subject).slice(0, 200),
          status: 'FAILURE',
          message: `${refusal.message}${problems && !refusal.message.includes(problems) ? ` ${problems}` : ''}`.slice(
            0,
            maxMessage,
          ),
          after: { method: route.method, path: url.split('?')[0], error: refusal.error },
          ...(blueprint === undefined ? {} : { blueprint }),
          ...(entity === undefined ? {} : { entity: entity.slice(0, 200) }),
          ...(typeof runId === 'string' ? { runId } : {}),
        }),
      );
    },
  };
}
