import { entityRoutes } from '@quayside/contracts';
import type { Http } from '../../platform/http.ts';
import type { EntityService } from './service.ts';
import * as search from './service-search.ts';

const defaultPage = 200;

export function serveEntities(http: Http, entities: EntityService): void {
  http.serve(entityRoutes.create, async ({ world, params, query, body }) => ({
    entity: await entities.create(world, params.blueprint_identifier, body, query),
  }));
  http.serve(entityRoutes.list, async ({ world, params }) => ({
    entities: await search.listEntities(world, params.blueprint_identifier),
  }));
  http.serve(entityRoutes.search, async ({ world, params, body }) =>
    search.searchBlueprint(world, params.blueprint_identifier, { ...body, limit: body.limit ?? defaultPage }),
  );
  http.serve(entityRoutes.searchAll, async ({ world, body }) => search.searchEverywhere(world, body));
  http.serve(entityRoutes.count, async ({ world, params }) => ({
    count: await search.countEntities(world, params.blueprint_identifier),
  }));
  http.serve(entityRoutes.get, async ({ world, params }) => ({
    entity: await search.readEntity(world, params.blueprint_identifier, params.entity_identifier),
  }));
  http.serve(entityRoutes.replace, async ({ world, params, query, body }) => ({
    entity: await entities.replace(world, params.blueprint_identifier, params.entity_identifier, body, query),
  }));
  http.serve(entityRoutes.patch, async ({ world, params, query, body }) => ({
    entity: await entities.patch(world, params.blueprint_identifier, params.entity_identifier, body, query),
  }));
  http.serve(entityRoutes.remove, async ({ world, params, query }) => {
    await entities.remove(world, params.blueprint_identifier, params.entity_identifier, query);
    return {};
  });
  http.serve(entityRoutes.removeAll, async ({ world, params, query }) => ({
    migrationId: await entities.removeAll(world, params.blueprint_identifier, query),
  }));
  http.serve(entityRoutes.getMigration, async ({ world, params }) => ({
    migration: await search.readMigration(world, params.migration_id),
  }));
  http.serve(entityRoutes.history, async ({ world, params, query }) => ({
    changes: await search.readHistory(world, params.blueprint_identifier, params.entity_identifier, query.limit ?? 50),
  }));
}
