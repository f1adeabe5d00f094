import { type Static, Type } from 'typebox';
import { ok, route } from './route.ts';
import { Document, EntityIdentifier, Instant, Limit } from './values.ts';

/** An entity is one thing in the catalog: a service, an environment, a deployment (spec/catalog.md §2). */

export const Entity = Type.Object({
  identifier: Type.String(),
  title: Type.String(),
  icon: Type.Union([Type.String(), Type.Null()]),
  blueprint: Type.String(),
  team: Type.Array(Type.String()),
  properties: Document,
  /** Single relation: identifier or null. Many: identifiers. */
  relations: Type.Record(Type.String(), Type.Union([Type.String(), Type.Null(), Type.Array(Type.String())])),
  createdAt: Instant,
  createdBy: Type.String(),
  updatedAt: Instant,
  updatedBy: Type.String(),
});
export type Entity = Static<typeof Entity>;

const Relations = Type.Record(
  Type.String(),
  Type.Union([Type.String(), Type.Null(), Type.Array(Type.String()), Document]),
);

/** Open, because real clients send read-only and foreign keys along (spec/clients.md §0.5). */
export const EntityBody = Type.Object({
  identifier: Type.Optional(EntityIdentifier),
  title: Type.Optional(Type.Union([Type.String(), Type.Null()])),
  icon: Type.Optional(Type.Union([Type.String(), Type.Null()])),
  team: Type.Optional(Type.Union([Type.String(), Type.Null(), Type.Array(Type.String())])),
  blueprint: Type.Optional(Type.String()),
  properties: Type.Optional(Document),
  relations: Type.Optional(Relations),
});
export type EntityBody = Static<typeof EntityBody>;

/** A search over entities (§2.6.2): rules and nested groups. The rules' shapes are checked by the catalog. */
export const EntityQuery = Type.Object({
  combinator: Type.Union([Type.Literal('and'), Type.Literal('or')]),
  rules: Type.Array(Document),
});
export type EntityQuery = Static<typeof EntityQuery>;

/** A change of many entities at once, and how far it is. Clients poll it until it is COMPLETED (spec/catalog.md §1.11). */
export const Migration = Type.Object({
  id: Type.String(),
  actor: Type.String(),
  sourceBlueprint: Type.String(),
  status: Type.Literal('COMPLETED'),
  deleteEntities: Type.Boolean(),
  deleteBlueprint: Type.Boolean(),
  successCount: Type.Integer(),
  failureCount: Type.Integer(),
  createdAt: Instant,
  updatedAt: Instant,
});
export type Migration = Static<typeof Migration>;

const BlueprintParams = Type.Object({ blueprint_identifier: Type.String() });
const EntityParams = Type.Object({ blueprint_identifier: Type.String(), entity_identifier: Type.String() });

const writeFlags = {
  create_missing_related_entities: Type.Optional(Type.Boolean()),
  /** Ties the change to a run; empty text counts as absent (real clients send it). */
  run_id: Type.Optional(Type.String()),
};

export const entityRoutes = {
  create: route({
    id: 'entity.create',
    method: 'POST',
    path: '/v1/blueprints/:blueprint_identifier/entities',
    summary: 'Create an entity, or update it with upsert=true',
    can: 'entity:write',
    params: BlueprintParams,
    query: Type.Object({
      upsert: Type.Optional(Type.Boolean()),
      merge: Type.Optional(Type.Boolean()),
      validation_only: Type.Optional(Type.Boolean()),
      ...writeFlags,
    }),
    body: EntityBody,
    status: 201,
    reply: ok({ entity: Entity }),
    refusals: ['not_found', 'identifier_taken'],
  }),
  list: route({
    id: 'entity.list',
    method: 'GET',
    path: '/v1/blueprints/:blueprint_identifier/entities',
    summary: 'All entities of a blueprint',
    can: 'entity:read',
    params: BlueprintParams,
    reply: ok({ entities: Type.Array(Entity) }),
    refusals: ['not_found'],
  }),
  search: route({
    id: 'entity.search',
    method: 'POST',
    path: '/v1/blueprints/:blueprint_identifier/entities/search',
    summary: 'Search the entities of one blueprint, page by page',
    can: 'entity:read',
    params: BlueprintParams,
    body: Type.Object({
      query: Type.Optional(EntityQuery),
      limit: Limit,
      from: Type.Optional(Type.String()),
      /** Ours: free text over identifier, title and text properties, case-insensitive. */
      text: Type.Optional(Type.String({ maxLength: 200 })),
      /** Ours: `$title`, `$identifier`, `$createdAt`, `$updatedAt` or a property, with a direction. */
      sort: Type.Optional(
        Type.Object({
          property: Type.String(),
          order: Type.Union([Type.Literal('ASC'), Type.Literal('DESC')]),
        }),
      ),
    }),
    reply: ok({ entities: Type.Array(Entity), next: Type.Optional(Type.String()) }),
    refusals: ['not_found'],
  }),
  searchAll: route({
    id: 'entity.searchAll',
    method: 'POST',
    path: '/v1/entities/search',
    summary: 'Search all blueprints',
    can: 'entity:read',
    body: EntityQuery,
    reply: ok({ matchingBlueprints: Type.Array(Type.String()), entities: Type.Array(Entity) }),
  }),
  count: route({
    id: 'entity.count',
    method: 'GET',
    path: '/v1/blueprints/:blueprint_identifier/entities-count',
    summary: 'How many entities a blueprint has',
    can: 'entity:read',
    params: BlueprintParams,
    reply: ok({ count: Type.Integer() }),
    refusals: ['not_found'],
  }),
  get: route({
    id: 'entity.get',
    method: 'GET',
    path: '/v1/blueprints/:blueprint_identifier/entities/:entity_identifier',
    summary: 'Read one entity',
    can: 'entity:read',
    params: EntityParams,
    reply: ok({ entity: Entity }),
    refusals: ['not_found'],
  }),
  replace: route({
    id: 'entity.replace',
    method: 'PUT',
    path: '/v1/blueprints/:blueprint_identifier/entities/:entity_identifier',
    summary: 'Replace an entity; a different identifier in the body renames it',
    can: 'entity:write',
    params: EntityParams,
    query: Type.Object(writeFlags),
    body: EntityBody,
    reply: ok({ entity: Entity }),
    refusals: ['not_found', 'identifier_taken'],
  }),
  patch: route({
    id: 'entity.patch',
    method: 'PATCH',
    path: '/v1/blueprints/:blueprint_identifier/entities/:entity_identifier',
    summary: 'Change the keys that the body names; null clears',
    can: 'entity:write',
    params: EntityParams,
    query: Type.Object(writeFlags),
    body: EntityBody,
    reply: ok({ entity: Entity }),
    refusals: ['not_found', 'identifier_taken'],
  }),
  remove: route({
    id: 'entity.remove',
    method: 'DELETE',
    path: '/v1/blueprints/:blueprint_identifier/entities/:entity_identifier',
    summary: 'Delete an entity',
    can: 'entity:write',
    params: EntityParams,
    query: Type.Object({
      delete_dependents: Type.Optional(Type.Boolean()),
      run_id: Type.Optional(Type.String()),
    }),
    reply: ok({}),
    refusals: ['not_found', 'has_dependents'],
  }),
  removeAll: route({
    id: 'entity.removeAll',
    method: 'DELETE',
    path: '/v1/blueprints/:blueprint_identifier/all-entities',
    summary: 'Delete all entities of a blueprint, with delete_blueprint=true the blueprint too: everything or nothing',
    can: 'blueprint:write',
    params: BlueprintParams,
    query: Type.Object({
      delete_blueprint: Type.Optional(Type.Boolean()),
      run_id: Type.Optional(Type.String()),
    }),
    reply: ok({ migrationId: Type.String() }),
    refusals: ['not_found', 'has_dependents'],
  }),
  getMigration: route({
    id: 'entity.getMigration',
    method: 'GET',
    path: '/v1/migrations/:migration_id',
    summary: 'Read how far a change of many entities is',
    can: 'blueprint:read',
    params: Type.Object({ migration_id: Type.String() }),
    reply: ok({ migration: Migration }),
    refusals: ['not_found'],
  }),
  /** Which run created or last changed the entity, for the page's "created by run …". */
  history: route({
    id: 'entity.history',
    method: 'GET',
    path: '/v1/blueprints/:blueprint_identifier/entities/:entity_identifier/history',
    summary: 'Changes of one entity, newest first, with the run each belongs to',
    can: 'entity:read',
    params: EntityParams,
    query: Type.Object({ limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 200 })) }),
    reply: ok({
      changes: Type.Array(
        Type.Object({
          operation: Type.Union([
            Type.Literal('CREATE'),
            Type.Literal('UPDATE'),
            Type.Literal('DELETE'),
            Type.Literal('TIMER_EXPIRED'),
          ]),
          at: Instant,
          by: Type.String(),
          origin: Type.String(),
          runId: Type.Optional(Type.String()),
        }),
      ),
    }),
    refusals: ['not_found'],
    dialect: 'quayside',
  }),
};
