import { deliveryRoutes } from '@quayside/contracts';
import type { Http } from '../../platform/http.ts';
import * as service from './service.ts';

const defaultLimit = 50;

export function serveDeliveries(http: Http): void {
  http.serve(deliveryRoutes.list, async ({ world, query }) => {
    const { run_id: runId, from, to, limit, after, ...same } = query;
    const filter = {
      ...same,
      ...(runId === undefined ? {} : { runId }),
      ...(from === undefined ? {} : { from: new Date(from) }),
      ...(to === undefined ? {} : { to: new Date(to) }),
    };
    return service.listLedger(world, filter, { limit: limit ?? defaultLimit, after });
  });
  http.serve(deliveryRoutes.get, async ({ world, params }) => ({
    delivery: await service.readSubject(world, params.subject),
  }));
}
