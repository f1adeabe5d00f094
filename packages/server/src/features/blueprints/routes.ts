import { blueprintRoutes } from '@quayside/contracts';
import type { Http } from '../../platform/http.ts';
import * as service from './service.ts';

export function serveBlueprints(http: Http, followers: service.Followers): void {
  http.serve(blueprintRoutes.create, async ({ world, body }) => ({
    blueprint: await service.createBlueprint(world, body),
  }));
  http.serve(blueprintRoutes.list, async ({ world }) => ({ blueprints: await service.listBlueprints(world) }));
  http.serve(blueprintRoutes.get, async ({ world, params }) => ({
    blueprint: await service.readBlueprint(world, params.blueprint_identifier),
  }));
  http.serve(blueprintRoutes.getStructure, async ({ world, params }) => ({
    blueprint: await service.readStructure(world, params.blueprint_identifier),
  }));
  http.serve(blueprintRoutes.replace, async ({ world, params, body }) => ({
    blueprint: await service.replaceBlueprint(world, followers, params.blueprint_identifier, body),
  }));
  http.serve(blueprintRoutes.patch, async ({ world, params, body }) => ({
    blueprint: await service.patchBlueprint(world, followers, params.blueprint_identifier, body),
  }));
  http.serve(blueprintRoutes.remove, async ({ world, params }) => {
    await service.removeBlueprint(world, params.blueprint_identifier);
    return {};
  });
}
