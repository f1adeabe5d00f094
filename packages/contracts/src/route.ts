import type { Static, TObject, TSchema } from 'typebox';
import type { ErrorName } from './errors.ts';

/**
 * What a caller must hold to use a route. `public` needs nothing; `signed-in` needs any valid session or token;
 * everything else is a permission that roles and machine credentials carry (see `permissions.ts`).
 */
export type Requirement = 'public' | 'signed-in' | Permission;

export const permissions = [
  'organization:read',
  'organization:update',
  'user:read',
  'user:manage',
  'credential:manage',
  'secret:manage',
  'blueprint:read',
  'blueprint:write',
  'entity:read',
  'entity:write',
  'action:read',
  'action:create',
  'action:update',
  'action:delete',
  'action:execute',
  'run:read',
  'run:update',
  'run:approve',
  'run:claim',
  'agent:read',
  'audit:read',
  'delivery:replay',
] as const;
export type Permission = (typeof permissions)[number];

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

/**
 * One row of the route table. Validation, authorisation, serialisation, the OpenAPI document, the typed client and the
 * reference docs are all derived from it; nothing about an endpoint is written anywhere else.
 */
export interface Route<
  Params extends TSchema = TSchema,
  Query extends TSchema = TSchema,
  Body extends TSchema = TSchema,
  Reply extends TSchema = TSchema,
> {
  /** Unique, `noun.verb`; the OpenAPI operation id and the name in logs and metrics. */
  readonly id: string;
  readonly method: Method;
  /** Fastify syntax, e.g. `/v1/actions/:action_identifier`. */
  readonly path: string;
  readonly summary: string;
  readonly can: Requirement;
  readonly params: Params;
  readonly query: Query;
  readonly body: Body;
  /** Status of the one success answer, and its body. */
  readonly status: number;
  readonly reply: Reply;
  /** Refusals beyond those every route shares (unauthorized, forbidden, invalid_request …). */
  readonly refusals: readonly ErrorName[];
  /** `stream` = the handler writes the response itself (server-sent events, metrics text). */
  readonly kind: 'json' | 'stream';
  /** `compatible` = part of the public contract the product speaks; `quayside` = ours. */
  readonly dialect: 'compatible' | 'quayside';
  /** The reply for callers that ask for `version=v1`. */
  readonly v1?: OlderReply;
}

/** A shape that an earlier version of the contract had, made of today's. */
export interface OlderReply {
  readonly reply: TSchema;
  of(reply: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>>;
}

export interface RouteInput {
  params: unknown;
  query: unknown;
  body: unknown;
}

export type ParamsOf<R> = R extends Route<infer P, TSchema, TSchema, TSchema> ? Static<P> : never;
export type QueryOf<R> = R extends Route<TSchema, infer Q, TSchema, TSchema> ? Static<Q> : never;
export type BodyOf<R> = R extends Route<TSchema, TSchema, infer B, TSchema> ? Static<B> : never;
export type ReplyOf<R> = R extends Route<TSchema, TSchema, TSchema, infer S> ? Static<S> : never;

import { Type } from 'typebox';

type EmptyObject = ReturnType<typeof Type.Object<Record<never, never>>>;
const nothing: EmptyObject = Type.Object({});

interface RouteSpec<P extends TSchema, Q extends TSchema, B extends TSchema, S extends TSchema> {
  id: string;
  method: Method;
  path: string;
  summary: string;
  can: Requirement;
  params?: P;
  query?: Q;
  body?: B;
  status?: number;
  reply: S;
  refusals?: readonly ErrorName[];
  kind?: 'json' | 'stream';
  dialect?: 'compatible' | 'quayside';
  v1?: OlderReply;
}

/** Fills a row's defaults: no parameters, no body, 200, JSON, compatible dialect. */
export function route<
  S extends TSchema,
  P extends TSchema = EmptyObject,
  Q extends TSchema = EmptyObject,
  B extends TSchema = EmptyObject,
>(spec: RouteSpec<P, Q, B, S>): Route<P, Q, B, S> {
  return {
    id: spec.id,
    method: spec.method,
    path: spec.path,
    summary: spec.summary,
    can: spec.can,
    params: spec.params ?? (nothing as unknown as P),
    query: spec.query ?? (nothing as unknown as Q),
    body: spec.body ?? (nothing as unknown as B),
    status: spec.status ?? 200,
    reply: spec.reply,
    refusals: spec.refusals ?? [],
    kind: spec.kind ?? 'json',
    dialect: spec.dialect ?? 'compatible',
    ...(spec.v1 && { v1: spec.v1 }),
  };
}

/** Every success body is an object with `ok: true`; real clients treat a 2xx without it as a failure. */
export function ok<T extends Record<string, TSchema>>(
  shape: T,
): TObject<{ ok: ReturnType<typeof Type.Literal<true>> } & T> {
  return Type.Object({ ok: Type.Literal(true), ...shape }) as never;
}
