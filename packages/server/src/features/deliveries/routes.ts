import { deliveryRoutes } from '@quayside/contracts';
import type { Http } from '../../platform/http.ts';
import * as service from './service.ts';
import type { Replays } from './service-replays.ts';

const defaultLimit = 50;

export function serveDeliveries(http: Http, replays: Replays): void {
  http.serve(deliveryRoutes.list, async ({ world, query: { limit, after, ...filter } }) =>
    service.listLedger(world, filter, { limit: limit ?? defaultLimit, after }),
  );
  http.serve(deliveryRoutes.get, async ({ world, params }) => ({
    delivery: await service.readSubject(world, params.subject),
  }));
  http.serve(deliveryRoutes.replays, async ({ world }) => ({ replays: await replays.list(world) }));
  http.serve(deliveryRoutes.replay, async ({ world, params }) => ({
    replay: await replays.replayOne(world, params.subject),
  }));
  http.serve(deliveryRoutes.replayMany, async ({ world, body }) => ({ replay: await replays.replayMany(world, body) }));
  http.serve(deliveryRoutes.countReplay, async ({ world, body, query }) => replays.count(world, body, query.after));
  http.serve(deliveryRoutes.getReplay, async ({ world, params }) => ({
    replay: await replays.get(world, params.replay_id),
  }));
  http.serve(deliveryRoutes.cancelReplay, async ({ world, params }) => ({
    replay: await replays.cancel(world, params.replay_id),
  }));
}
