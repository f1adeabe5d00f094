import { type Static, Type } from 'typebox';
import { ok, route } from './route.ts';
import { Instant } from './values.ts';

const Seconds = Type.Number({ minimum: 0 });

/** What an operator looks at, of the organization and of the database it is in. */
export const SystemStatus = Type.Object({
  at: Instant,
  /** Open work: runs and messages to be delivered, timers, workflow runs that are watched. */
  queues: Type.Array(
    Type.Object({
      queue: Type.String(),
      /** May be taken now, is held under a lease, or waits for its time (a retry, a timer). */
      due: Type.Integer(),
      leased: Type.Integer(),
      later: Type.Integer(),
      /** Who holds the leases, an agent or a server: those with most of them, at most `shownHolders`. */
      holders: Type.Array(Type.Object({ holder: Type.String(), leases: Type.Integer() })),
      /** Since the oldest due work may be taken; null = none is due. */
      oldestDueSeconds: Type.Union([Seconds, Type.Null()]),
    }),
  ),
  /** Who follows the record of what happened: automations, change log, audit seals, timers, Kafka. */
  readers: Type.Array(
    Type.Object({
      reader: Type.String(),
      /** Age of the oldest event that it has not dealt with; 0 = none. */
      lagSeconds: Seconds,
      /** How many there are, counted up to `maxBehind`. */
      behind: Type.Integer(),
      /** The server that holds it; null = none at this moment. */
      holder: Type.Union([Type.String(), Type.Null()]),
      movedAt: Instant,
    }),
  ),
  agents: Type.Object({ connected: Type.Integer(), known: Type.Integer() }),
  deadLetters: Type.Object({ lastDay: Type.Integer(), all: Type.Integer() }),
  audit: Type.Union([
    Type.Object({ checkpoint: Type.Integer(), records: Type.Integer(), sealedAt: Instant }),
    Type.Null(),
  ]),
  /** The loops of the server that answers, by queue, and when each last looked for work without a fault. */
  jobs: Type.Array(Type.Object({ queue: Type.String(), lookedAt: Instant })),
  /** Of all organizations. `rows` is PostgreSQL's estimate. */
  database: Type.Object({
    version: Type.String(),
    bytes: Type.Integer(),
    connections: Type.Integer(),
    maxConnections: Type.Integer(),
    tables: Type.Array(Type.Object({ table: Type.String(), bytes: Type.Integer(), rows: Type.Integer() })),
  }),
});
export type SystemStatus = Static<typeof SystemStatus>;
export const maxBehind = 10_000;
export const shownHolders = 10;

/** What operators and tools ask of the process itself. */
export const systemRoutes = {
  health: route({
    id: 'system.health',
    method: 'GET',
    path: '/healthz',
    summary: 'The process is alive',
    can: 'public',
    reply: ok({}),
    dialect: 'quayside',
  }),
  ready: route({
    id: 'system.ready',
    method: 'GET',
    path: '/readyz',
    summary: 'The process can serve: database reachable, migrations applied, not draining',
    can: 'public',
    reply: ok({}),
    refusals: ['unavailable'],
    dialect: 'quayside',
  }),
  metrics: route({
    id: 'system.metrics',
    method: 'GET',
    path: '/metrics',
    summary: 'Prometheus metrics',
    can: 'public',
    reply: Type.String(),
    kind: 'stream',
    refusals: ['unauthorized'],
    dialect: 'quayside',
  }),
  status: route({
    id: 'system.status',
    method: 'GET',
    path: '/v1/status',
    summary: 'Queues, leases, readers of events, dead letters, audit seals and database, for operators',
    can: 'organization:update',
    reply: ok({ status: SystemStatus }),
    dialect: 'quayside',
  }),
  openapi: route({
    id: 'system.openapi',
    method: 'GET',
    path: '/v1/openapi.json',
    summary: 'This API as an OpenAPI document',
    can: 'public',
    reply: Type.Unknown(),
    kind: 'stream',
    dialect: 'quayside',
  }),
};
