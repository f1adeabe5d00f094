import { type Static, Type } from 'typebox';
import { ok, route } from './route.ts';
import { Instant } from './values.ts';

/** Secrets of the organization (spec/catalog.md §5.7): templates of actions name them, nothing ever shows them again. */

export const Secret = Type.Object({
  secretName: Type.String(),
  description: Type.String(),
  createdAt: Instant,
  updatedAt: Instant,
});
export type Secret = Static<typeof Secret>;

const SecretName = Type.String({ pattern: '^[A-Za-z0-9_-]+$', minLength: 1, maxLength: 100 });
const SecretValue = Type.String({ minLength: 1, maxLength: 64 * 1024 });
const Description = Type.Optional(Type.String({ maxLength: 200 }));
const SecretParams = Type.Object({ secret_name: Type.String() });

export const SecretBody = Type.Object(
  { secretName: SecretName, secretValue: SecretValue, description: Description },
  { additionalProperties: false },
);
export type SecretBody = Static<typeof SecretBody>;
/** The Terraform provider sends the name with every change; it must be that of the path. */
export const SecretPatch = Type.Object(
  { secretName: Type.Optional(SecretName), secretValue: Type.Optional(SecretValue), description: Description },
  { additionalProperties: false },
);
export type SecretPatch = Static<typeof SecretPatch>;

export const secretRoutes = {
  create: route({
    id: 'secret.create',
    method: 'POST',
    path: '/v1/organization/secrets',
    summary: 'Store a secret; its value is never shown again',
    can: 'secret:manage',
    body: SecretBody,
    reply: ok({ secret: Secret }),
    refusals: ['identifier_taken'],
  }),
  list: route({
    id: 'secret.list',
    method: 'GET',
    path: '/v1/organization/secrets',
    summary: 'List secrets, without their values',
    can: 'secret:manage',
    reply: ok({ secrets: Type.Array(Secret) }),
  }),
  get: route({
    id: 'secret.get',
    method: 'GET',
    path: '/v1/organization/secrets/:secret_name',
    summary: 'Read a secret, without its value',
    can: 'secret:manage',
    params: SecretParams,
    reply: ok({ secret: Secret }),
    refusals: ['not_found'],
  }),
  patch: route({
    id: 'secret.patch',
    method: 'PATCH',
    path: '/v1/organization/secrets/:secret_name',
    summary: 'Replace the value or the description',
    can: 'secret:manage',
    params: SecretParams,
    body: SecretPatch,
    reply: ok({ secret: Secret }),
    refusals: ['not_found'],
  }),
  remove: route({
    id: 'secret.remove',
    method: 'DELETE',
    path: '/v1/organization/secrets/:secret_name',
    summary: 'Delete a secret; templates that name it get null',
    can: 'secret:manage',
    params: SecretParams,
    reply: ok({}),
    refusals: ['not_found'],
  }),
};
