import type { TSchema } from 'typebox';
import {
  Action,
  ActionBody,
  ActionInput,
  AutomationTrigger,
  InvocationMethod,
  JqQuery,
  SearchCondition,
  SelfServiceTrigger,
  UserInputs,
  WebhookInvocation,
} from './actions.ts';
import { Blueprint, BlueprintBody, BlueprintPatch, BlueprintProperty, BlueprintRelation } from './blueprints.ts';
import {
  Delivery,
  DeliveryOutcome,
  DeliveryRequest,
  LedgerEntry,
  Replay,
  SubjectDeliveries,
  WhyDelivery,
} from './deliveries.ts';
import { Agent, AgentIdentity, ClaimedRun, Settlement } from './dispatch.ts';
import { Entity, EntityBody, EntityQuery } from './entities.ts';
import { ErrorBody, ErrorDetail, type ErrorName, errors } from './errors.ts';
import { App, Organization, sessionCookie, User } from './identity.ts';
import type { Route } from './route.ts';
import { AffectedEntity, Lease, Run, RunLog, RunPatch, RunV1 } from './runs.ts';

/**
 * The route table as an OpenAPI 3.1 document: what docs/api/openapi.json holds and the server answers at
 * /v1/openapi.json. A pure function of its argument, keys in a fixed order, so that the committed file can be compared
 * as text. Schemas that have a name in the contracts become components; everything else stays in place.
 */
const named = {
  Action,
  ActionBody,
  ActionInput,
  AffectedEntity,
  Agent,
  AgentIdentity,
  App,
  AutomationTrigger,
  Blueprint,
  BlueprintBody,
  BlueprintPatch,
  BlueprintProperty,
  BlueprintRelation,
  ClaimedRun,
  Delivery,
  DeliveryOutcome,
  DeliveryRequest,
  Entity,
  EntityBody,
  EntityQuery,
  ErrorBody,
  ErrorDetail,
  InvocationMethod,
  JqQuery,
  Lease,
  LedgerEntry,
  Organization,
  Replay,
  Run,
  RunLog,
  RunPatch,
  RunV1,
  SearchCondition,
  SelfServiceTrigger,
  Settlement,
  SubjectDeliveries,
  User,
  UserInputs,
  WebhookInvocation,
  WhyDelivery,
} satisfies Record<string, TSchema>;

type Json = null | boolean | number | string | Json[] | { [key: string]: Json };
type JsonObject = { [key: string]: Json };

export interface OpenApiDocument extends JsonObject {
  openapi: string;
  info: JsonObject;
  paths: { [path: string]: JsonObject };
  components: { schemas: JsonObject; responses: JsonObject; securitySchemes: JsonObject };
}

export function toOpenApi(routes: readonly Route[]): OpenApiDocument {
  const components: Components = {
    nameByText: new Map(Object.entries(named).map(([name, schema]) => [JSON.stringify(schema), name])),
    schemas: new Set(),
    responses: new Set(),
  };
  const paths: OpenApiDocument['paths'] = {};
  for (const route of routes) {
    const path = route.path.replace(/:([A-Za-z0-9_]+)/g, '{$1}');
    paths[path] = { ...paths[path], [route.method.toLowerCase()]: operation(route, components) };
  }
  const responses = Object.fromEntries(
    (Object.keys(errors) as ErrorName[])
      .filter((name) => components.responses.has(name))
      .map((name) => [name, errorResponse([name], components)]),
  );
  return {
    openapi: '3.1.0',
    info: {
      title: 'Quayside',
      version: '1',
      description: 'The HTTP API of the portal. Generated from the route table in packages/contracts.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: '/' }],
    tags: [...new Set(routes.map(tagOf))].map((name) => ({ name })),
    paths,
    components: {
      schemas: componentSchemas(components),
      responses,
      securitySchemes: {
        bearer: { type: 'http', scheme: 'bearer', description: 'A token from POST /v1/auth/access_token.' },
        session: { type: 'apiKey', in: 'cookie', name: sessionCookie, description: 'Set by POST /v1/auth/login.' },
      },
    },
  };
}

function operation(route: Route, components: Components): JsonObject {
  const rewrite = (schema: TSchema): Json => referTo(asJson(schema), components);
  const parameters = [
    ...fieldsOf(route.params).map(([name, schema]) => ({ name, in: 'path', required: true, schema: rewrite(schema) })),
    ...fieldsOf(route.query).map(([name, schema]) => {
      return { name, in: 'query', required: requiredOf(route.query).includes(name), schema: rewrite(schema) };
    }),
  ];
  const needs = route.can === 'signed-in' ? 'Needs a session or a token.' : `Needs the permission \`${route.can}\`.`;
  return {
    operationId: route.id,
    tags: [tagOf(route)],
    summary: route.summary,
    ...(route.can === 'public' ? {} : { description: needs }),
    security: route.can === 'public' ? [] : [{ bearer: [] }, { session: [] }],
    ...(parameters.length > 0 ? { parameters } : {}),
    ...(hasBody(route)
      ? {
          requestBody: {
            required: requiredOf(route.body).length > 0,
            content: { 'application/json': { schema: rewrite(route.body) } },
          },
        }
      : {}),
    responses: {
      [route.status]: {
        description: route.v1 ? 'Done; the second shape with `version=v1`' : 'Done',
        content: {
          [mediaTypeOf(route)]: {
            schema: route.v1 ? { anyOf: [rewrite(route.reply), rewrite(route.v1.reply)] } : rewrite(route.reply),
          },
        },
      },
      ...errorResponses(route, components),
    },
    'x-quayside-dialect': route.dialect,
  };
}

/** The refusals of a route: its own, and those that the server makes before any handler runs. */
export function refusalsOf(route: Route): ErrorName[] {
  const shared: ErrorName[] = ['internal_error', 'unavailable'];
  if (route.can !== 'public') shared.push('unauthorized', 'forbidden', 'too_many_requests');
  if (hasBody(route)) shared.push('malformed_json', 'unsupported_media_type', 'payload_too_large');
  if (hasBody(route) || fieldsOf(route.params).length + fieldsOf(route.query).length > 0) {
    shared.push('invalid_request');
  }
  const all = new Set([...route.refusals, ...shared]);
  return (Object.keys(errors) as ErrorName[]).filter((name) => all.has(name));
}

function errorResponses(route: Route, components: Components): JsonObject {
  const byStatus = new Map<number, ErrorName[]>();
  for (const name of refusalsOf(route)) {
    const { status } = errors[name];
    byStatus.set(status, [...(byStatus.get(status) ?? []), name]);
  }
  const responses: JsonObject = {};
  for (const [status, names] of byStatus) {
    const [only, ...others] = names;
    if (only !== undefined && others.length === 0) {
      components.responses.add(only);
      responses[status] = { $ref: `#/components/responses/${only}` };
    } else {
      responses[status] = errorResponse(names, components);
    }
  }
  return responses;
}

function errorResponse(names: readonly ErrorName[], components: Components): JsonObject {
  const body = referTo(asJson(ErrorBody), components);
  return {
    description: names.map((name) => `\`${name}\`: ${errors[name].when}`).join('\n'),
    content: { 'application/json': { schema: { allOf: [body, { properties: { error: { enum: [...names] } } }] } } },
  };
}

/** A stream's media type is not in the table: only metrics are text, and only this document is JSON. */
function mediaTypeOf(route: Route): string {
  if (route.kind === 'json' || route.path.endsWith('.json')) return 'application/json';
  return asJson(route.reply).type === 'string' ? 'text/plain' : 'text/event-stream';
}

function tagOf(route: Route): string {
  return route.id.split('.')[0] ?? route.id;
}

function hasBody(route: Route): boolean {
  const { properties, patternProperties, anyOf, allOf } = asJson(route.body);
  if (anyOf || allOf || patternProperties) return true;
  return properties !== undefined && Object.keys(properties as JsonObject).length > 0;
}

function fieldsOf(schema: TSchema): [string, TSchema][] {
  return Object.entries((schema as { properties?: Record<string, TSchema> }).properties ?? {});
}

function requiredOf(schema: TSchema): string[] {
  return (schema as { required?: string[] }).required ?? [];
}

function asJson(schema: TSchema): JsonObject {
  return schema as unknown as JsonObject;
}

// ---- components ---------------------------------------------------------------------------------------------------

interface Components {
  /** By text, not by identity: an optional property is a copy of its schema. */
  nameByText: ReadonlyMap<string, string>;
  /** What the paths have referred to so far. */
  schemas: Set<string>;
  responses: Set<ErrorName>;
}

function componentSchemas(components: Components): JsonObject {
  const schemas: JsonObject = {};
  // A component may bring in others, so this goes on until nothing new is used.
  for (
    let missing = [...components.schemas];
    missing.length > 0;
    missing = [...components.schemas].filter((name) => !(name in schemas))
  ) {
    for (const name of missing) {
      schemas[name] = referInside(asJson(named[name as keyof typeof named]), components);
    }
  }
  return Object.fromEntries(Object.entries(schemas).sort(([a], [b]) => (a < b ? -1 : 1)));
}

function referTo(schema: Json, components: Components): Json {
  if (typeof schema !== 'object' || schema === null) return schema;
  if (Array.isArray(schema)) return schema.map((item) => referTo(item, components));
  const name = components.nameByText.get(JSON.stringify(schema));
  if (name === undefined) return referInside(schema, components);
  components.schemas.add(name);
  return { $ref: `#/components/schemas/${name}` };
}

/** The schema with references in place of named parts, and in the shorter of two equal spellings where there are two. */
function referInside(schema: JsonObject, components: Components): JsonObject {
  const rewritten = Object.fromEntries(Object.entries(schema).map(([key, value]) => [key, referTo(value, components)]));
  const { anyOf, patternProperties, ...rest } = rewritten;
  if (isListOfConstants(anyOf)) {
    return { ...rest, type: anyOf[0]?.type ?? 'string', enum: anyOf.map((option) => option.const ?? null) };
  }
  if (isListOfTexts(rewritten.enum) && rewritten.type === undefined) return { type: 'string', ...rewritten };
  if (isForEveryKey(patternProperties)) {
    return { ...rest, additionalProperties: patternProperties['^.*$'] ?? {} };
  }
  return rewritten;
}

function isListOfConstants(anyOf: Json | undefined): anyOf is JsonObject[] {
  if (!Array.isArray(anyOf) || anyOf.length === 0) return false;
  const options = anyOf as JsonObject[];
  return options.every((option) => 'const' in option && option.type === options[0]?.type);
}

function isListOfTexts(values: Json | undefined): boolean {
  return Array.isArray(values) && values.every((value) => typeof value === 'string');
}

function isForEveryKey(patterns: Json | undefined): patterns is JsonObject {
  return typeof patterns === 'object' && patterns !== null && Object.keys(patterns).join() === '^.*$';
}
