import { systemRoutes } from '@quayside/contracts';
import { type Http, refuse } from '../../platform/http.ts';
import type { System } from './service.ts';

export function serveSystem(http: Http, system: System): void {
  http.serve(systemRoutes.health, async () => ({}));
  http.serve(systemRoutes.ready, async () => {
    if (http.draining.aborted) refuse('unavailable', 'The server is draining.');
    await system.assertReady();
    return {};
  });
  http.serveStream(systemRoutes.metrics, async ({ reply }) => {
    const { contentType, text } = await system.metricsText();
    reply.type(contentType).send(text);
  });
  http.serve(systemRoutes.status, async ({ world }) => ({ status: await system.readStatus(world) }));
  http.serveStream(systemRoutes.openapi, async ({ reply }) => {
    reply.type('application/json; charset=utf-8').send(system.openApiText());
  });
}
