import { actionRoutes, permissionRoutes } from '@quayside/contracts';
import type { Http } from '../../platform/http.ts';
import * as service from './service.ts';
import * as permissions from './service-permissions.ts';

export function serveActions(http: Http, findHolds: permissions.FindHolds): void {
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

  http.serve(permissionRoutes.get, async ({ world, params }) => ({
    permissions: await permissions.readPermissions(world, params.action_identifier),
  }));
  http.serve(permissionRoutes.patch, async ({ world, params, body }) => ({
    permissions: await permissions.changePermissions(world, params.action_identifier, body),
  }));
  http.serve(permissionRoutes.why, async ({ world, params, query }) => ({
    verdict: await permissions.why(world, findHolds, params.action_identifier, query),
  }));
  http.serve(permissionRoutes.getLimits, async ({ world, params }) => ({
    limits: await permissions.readLimits(world, params.action_identifier),
  }));
  http.serve(permissionRoutes.putLimits, async ({ world, params, body }) => ({
    limits: await permissions.replaceLimits(world, params.action_identifier, body),
  }));
  http.serve(permissionRoutes.caller, async ({ world }) => ({ user: await permissions.describeCaller(world) }));
  http.serve(permissionRoutes.refused, async ({ world }) => ({
    refused: await permissions.listRefused(world, findHolds),
  }));
  http.serve(permissionRoutes.mine, async ({ world }) => ({ permissions: await permissions.listMine(world) }));
}
