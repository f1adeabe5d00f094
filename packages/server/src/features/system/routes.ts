import { createHash, timingSafeEqual } from 'node:crypto';
import { systemRoutes } from '@quayside/contracts';
import { type Http, refuse } from '../../platform/http.ts';
import type { System } from './service.ts';

/** `metricsToken`: whoever reads the metrics names it. */
export function serveSystem(http: Http, system: System, metricsToken: string | undefined): void {
  http.serve(systemRoutes.health, async () => ({}));
  http.serve(systemRoutes.ready, async () => {
    if (http.draining.aborted) refuse('unavailable', 'The server is draining.');
    await system.assertReady();
    return {};
  });
  http.serveStream(systemRoutes.metrics, async ({ request, reply }) => {
    if (metricsToken !== undefined && !isBearer(request.headers.authorization, metricsToken))
      refuse('unauthorized', 'The metrics need "Authorization: Bearer <QUAYSIDE_METRICS_TOKEN>".');
    const { contentType, text } = await system.metricsText();
    reply.type(contentType).send(text);
  });
  http.serve(systemRoutes.status, async ({ world }) => ({ status: await system.readStatus(world) }));
  http.serveStream(systemRoutes.openapi, async ({ reply }) => {
    reply.type('application/json; charset=utf-8').send(system.openApiText());
  });
}

/** Digests, because they have one length: the time tells nothing about the token. */
function isBearer(header: string | undefined, token: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(header ?? ''), digest(`Bearer ${token}`));
}
