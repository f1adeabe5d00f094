import { Type } from 'typebox';
import { ok, route } from './route.ts';

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
