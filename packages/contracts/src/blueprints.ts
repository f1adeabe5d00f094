import { type Static, Type } from 'typebox';
import { ok, route } from './route.ts';
import { BlueprintIdentifier, Document, Instant, keyPattern } from './values.ts';

/** A blueprint is the type of a catalog entity, in the customer's own words (spec/catalog.md §1). */

export const propertyTypes = ['string', 'number', 'boolean', 'object', 'array'] as const;

/** Open: unknown keys are kept, because Terraform reads back what it wrote. */
export const BlueprintProperty = Type.Object(
  {
    type: Type.Enum(propertyTypes),
    title: Type.Optional(Type.String({ maxLength: 100 })),
    description: Type.Optional(Type.String()),
    icon: Type.Optional(Type.String()),
    format: Type.Optional(Type.String()),
    enum: Type.Optional(Type.Array(Type.Unknown())),
    enumColors: Type.Optional(Type.Record(Type.String(), Type.String())),
    default: Type.Optional(Type.Unknown()),
    items: Type.Optional(Document),
    minLength: Type.Optional(Type.Integer({ minimum: 0 })),
    maxLength: Type.Optional(Type.Integer({ minimum: 0 })),
    pattern: Type.Optional(Type.String()),
    minimum: Type.Optional(Type.Number()),
    maximum: Type.Optional(Type.Number()),
    exclusiveMinimum: Type.Optional(Type.Number()),
    exclusiveMaximum: Type.Optional(Type.Number()),
    minItems: Type.Optional(Type.Integer({ minimum: 0 })),
    maxItems: Type.Optional(Type.Integer({ minimum: 0 })),
    uniqueItems: Type.Optional(Type.Boolean()),
  },
  { additionalProperties: true },
);
export type BlueprintProperty = Static<typeof BlueprintProperty>;

export const BlueprintRelation = Type.Object(
  {
    target: Type.String({ minLength: 1 }),
    title: Type.Optional(Type.String({ maxLength: 100 })),
    description: Type.Optional(Type.String()),
    required: Type.Optional(Type.Boolean()),
    many: Type.Optional(Type.Boolean()),
    type: Type.Optional(Type.String()),
  },
  { additionalProperties: false },
);
export type BlueprintRelation = Static<typeof BlueprintRelation>;

const closedMap = { additionalProperties: false };
const keys = Type.String({ pattern: keyPattern, maxLength: 100 });

const blueprintFields = {
  title: Type.String({ minLength: 1, maxLength: 100 }),
  description: Type.Optional(Type.String({ maxLength: 200 })),
  icon: Type.Optional(Type.String()),
  schema: Type.Object(
    {
      properties: Type.Record(keys, BlueprintProperty, closedMap),
      required: Type.Optional(Type.Array(Type.String())),
    },
    { additionalProperties: false },
  ),
  relations: Type.Optional(Type.Record(keys, BlueprintRelation, closedMap)),
  mirrorProperties: Type.Optional(Type.Record(keys, Document, closedMap)),
  calculationProperties: Type.Optional(Type.Record(keys, Document, closedMap)),
  aggregationProperties: Type.Optional(Type.Record(keys, Document, closedMap)),
  ownership: Type.Optional(Document),
  teamInheritance: Type.Optional(Type.Unknown()),
  changelogDestination: Type.Optional(Document),
  includeInGlobalSearch: Type.Optional(Type.Boolean()),
};

/** What replies add to a document. Clients that write what they read send it back (the Terraform provider does); it is ignored. */
const echoed = {
  createdAt: Type.Optional(Type.Unknown()),
  createdBy: Type.Optional(Type.Unknown()),
  updatedAt: Type.Optional(Type.Unknown()),
  updatedBy: Type.Optional(Type.Unknown()),
};

export const BlueprintBody = Type.Object(
  { identifier: BlueprintIdentifier, ...blueprintFields, ...echoed },
  { additionalProperties: false },
);
export type BlueprintBody = Static<typeof BlueprintBody>;
export const BlueprintReplaceBody = Type.Object(
  { identifier: Type.Optional(BlueprintIdentifier), ...blueprintFields, ...echoed },
  { additionalProperties: false },
);
export const BlueprintPatch = Type.Partial(BlueprintBody, { additionalProperties: false });
export type BlueprintPatch = Static<typeof BlueprintPatch>;

export const Blueprint = Type.Object({
  identifier: BlueprintIdentifier,
  ...blueprintFields,
  createdAt: Instant,
  createdBy: Type.String(),
  updatedAt: Instant,
  updatedBy: Type.String(),
});
export type Blueprint = Static<typeof Blueprint>;

/** What is built into a system blueprint; an organization may add to it. */
export const BlueprintStructure = Type.Object({ identifier: BlueprintIdentifier, ...blueprintFields });
export type BlueprintStructure = Static<typeof BlueprintStructure>;

const BlueprintParams = Type.Object({ blueprint_identifier: Type.String() });

export const blueprintRoutes = {
  create: route({
    id: 'blueprint.create',
    method: 'POST',
    path: '/v1/blueprints',
    summary: 'Create a blueprint',
    can: 'blueprint:write',
    query: Type.Object({ create_catalog_page: Type.Optional(Type.Boolean()) }),
    body: BlueprintBody,
    status: 201,
    reply: ok({ blueprint: Blueprint }),
    refusals: ['identifier_taken', 'not_found'],
  }),
  list: route({
    id: 'blueprint.list',
    method: 'GET',
    path: '/v1/blueprints',
    summary: 'List all blueprints',
    can: 'blueprint:read',
    reply: ok({ blueprints: Type.Array(Blueprint) }),
  }),
  get: route({
    id: 'blueprint.get',
    method: 'GET',
    path: '/v1/blueprints/:blueprint_identifier',
    summary: 'Read one blueprint',
    can: 'blueprint:read',
    params: BlueprintParams,
    query: Type.Object({ exclude_calculated_properties: Type.Optional(Type.Boolean()) }),
    reply: ok({ blueprint: Blueprint }),
    refusals: ['not_found'],
  }),
  getStructure: route({
    id: 'blueprint.getStructure',
    method: 'GET',
    path: '/v1/blueprints/system/:blueprint_identifier/structure',
    summary: 'Read what is built into a system blueprint (_user, _team)',
    can: 'blueprint:read',
    params: BlueprintParams,
    reply: ok({ blueprint: BlueprintStructure }),
    refusals: ['not_found'],
  }),
  replace: route({
    id: 'blueprint.replace',
    method: 'PUT',
    path: '/v1/blueprints/:blueprint_identifier',
    summary: 'Replace a blueprint; a different identifier in the body renames it',
    can: 'blueprint:write',
    params: BlueprintParams,
    body: BlueprintReplaceBody,
    reply: ok({ blueprint: Blueprint }),
    refusals: ['not_found', 'identifier_taken'],
  }),
  patch: route({
    id: 'blueprint.patch',
    method: 'PATCH',
    path: '/v1/blueprints/:blueprint_identifier',
    summary: 'Change the top-level keys that the body names',
    can: 'blueprint:write',
    params: BlueprintParams,
    body: BlueprintPatch,
    reply: ok({ blueprint: Blueprint }),
    refusals: ['not_found', 'identifier_taken'],
  }),
  remove: route({
    id: 'blueprint.remove',
    method: 'DELETE',
    path: '/v1/blueprints/:blueprint_identifier',
    summary: 'Delete a blueprint that has no entities',
    can: 'blueprint:write',
    params: BlueprintParams,
    query: Type.Object({ delete_actions: Type.Optional(Type.Boolean()) }),
    reply: ok({}),
    refusals: ['not_found', 'has_dependents'],
  }),
};
