import { actionRoutes } from '@quayside/contracts';
import type { Http } from '../../platform/http.ts';
import * as service from './service.ts';

export function serveActions(http: Http): void {
  http.serve(actionRoutes.create, async ({ world, body }) => ({ action: await service.createAction(world, body) }));
  http.serve(actionRoutes.list, async ({ world, query }) => ({ actions: await service.listActions(world, query) }));
  http.serve(actionRoutes.get, async ({ world, params }) => ({
    action: await service.readAction(world, params.action_identifier),
  }));
  http.serve(actionRoutes.replace, async ({ world, params, body }) => ({
    action: await service.replaceAction(world, params.action_identifier, body),
  }));
  http.serve(actionRoutes.remove, async ({ world, params }) => {
    await service.removeAction(world, params.action_identifier);
    return {};
  });
}
