import { type Static, Type } from 'typebox';
import { MessageSettings } from './messages.ts';
import { GuardrailSettings } from './permissions.ts';
import { RetentionSettings } from './retention.ts';
import { roles } from './roles.ts';
import { ok, permissions, route } from './route.ts';
import { Document, Instant } from './values.ts';

/** Who may do what: organization, users, sessions, credentials (spec/catalog.md §5). */

export const RoleSchema = Type.Enum(roles);

export const sessionCookie = 'quayside_session';

/** Sessions end after three idle days, and after seven days in any case. */
export const sessionIdleMs = 3 * 24 * 60 * 60 * 1000;
export const sessionAbsoluteMs = 7 * 24 * 60 * 60 * 1000;
export const accessTokenSeconds = 3 * 60 * 60;

export const User = Type.Object({
  id: Type.String(),
  email: Type.String(),
  firstName: Type.String(),
  lastName: Type.String(),
  picture: Type.String(),
  /** `INVITED` until the first password is set, then `ACTIVE`; `DISABLED` users can not sign in. */
  status: Type.String(),
  type: Type.String(),
  providers: Type.Array(Type.String()),
  roles: Type.Array(Type.Object({ name: Type.String() })),
  /** Names; `teamsIdentifiers` are what entities and rules name. */
  teams: Type.Array(Type.String()),
  teamsIdentifiers: Type.Array(Type.String()),
  createdAt: Instant,
  updatedAt: Instant,
});
export type User = Static<typeof User>;

export const Organization = Type.Object({
  id: Type.String(),
  name: Type.String(),
  featureFlags: Type.Array(Type.String()),
  settings: Document,
});
export type Organization = Static<typeof Organization>;

/** A credential set of the organization. `secret` is present only in the answer that creates or rotates it. */
export const App = Type.Object({
  id: Type.String(),
  name: Type.String(),
  enabled: Type.Boolean(),
  isPrimary: Type.Boolean(),
  secret: Type.Optional(Type.String()),
  createdAt: Instant,
  updatedAt: Instant,
});
export type App = Static<typeof App>;

/** What an organization may set; Port's agents and ours add `portAgentStreamerName`. */
export const OrganizationSettings = Type.Object({
  ...GuardrailSettings.properties,
  ...MessageSettings.properties,
  ...RetentionSettings.properties,
});

const AppParams = Type.Object({ id: Type.String() });
export const signedIn = {
  user: User,
  organization: Organization,
  permissions: Type.Array(Type.Enum(permissions)),
};

export const identityRoutes = {
  accessToken: route({
    id: 'identity.accessToken',
    method: 'POST',
    path: '/v1/auth/access_token',
    summary: 'Exchange client id and secret for a bearer token of three hours',
    can: 'public',
    body: Type.Object({ clientId: Type.String({ minLength: 1 }), clientSecret: Type.String({ minLength: 1 }) }),
    reply: ok({ accessToken: Type.String(), expiresIn: Type.Integer(), tokenType: Type.Literal('Bearer') }),
  }),
  login: route({
    id: 'identity.login',
    method: 'POST',
    path: '/v1/auth/login',
    summary: 'Start a session with e-mail and password',
    can: 'public',
    body: Type.Object(
      {
        email: Type.String({ minLength: 1, maxLength: 320 }),
        password: Type.String({ minLength: 1, maxLength: 1024 }),
      },
      { additionalProperties: false },
    ),
    reply: ok(signedIn),
    refusals: ['too_many_requests'],
    dialect: 'quayside',
  }),
  logout: route({
    id: 'identity.logout',
    method: 'POST',
    path: '/v1/auth/logout',
    summary: 'End the session',
    can: 'public',
    reply: ok({}),
    dialect: 'quayside',
  }),
  me: route({
    id: 'identity.me',
    method: 'GET',
    path: '/v1/auth/me',
    summary: 'Who is signed in, where, and what they may do',
    can: 'signed-in',
    reply: ok(signedIn),
    dialect: 'quayside',
  }),
  getOrganization: route({
    id: 'identity.getOrganization',
    method: 'GET',
    path: '/v1/organization',
    summary: 'Read the organization',
    can: 'organization:read',
    reply: ok({ organization: Organization }),
  }),
  patchOrganization: route({
    id: 'identity.patchOrganization',
    method: 'PATCH',
    path: '/v1/organization',
    summary: 'Change name or settings; the agent sends only settings.portAgentStreamerName',
    can: 'organization:update',
    body: Type.Object({
      name: Type.Optional(Type.String({ minLength: 1 })),
      settings: Type.Optional(Type.Unsafe<Record<string, unknown>>(OrganizationSettings)),
    }),
    reply: ok({ organization: Organization }),
  }),
  createApp: route({
    id: 'identity.createApp',
    method: 'POST',
    path: '/v1/apps',
    summary: 'Create a credential set; the secret is shown once',
    can: 'credential:manage',
    body: Type.Object({ name: Type.String({ minLength: 1, maxLength: 100 }) }),
    reply: ok({ app: App }),
  }),
  listApps: route({
    id: 'identity.listApps',
    method: 'GET',
    path: '/v1/apps',
    summary: 'List credential sets, without secrets',
    can: 'credential:manage',
    reply: ok({ apps: Type.Array(App) }),
  }),
  renameApp: route({
    id: 'identity.renameApp',
    method: 'PUT',
    path: '/v1/apps/:id',
    summary: 'Rename a credential set',
    can: 'credential:manage',
    params: AppParams,
    body: Type.Object({ name: Type.String({ minLength: 1, maxLength: 100 }) }),
    reply: ok({ app: App }),
    refusals: ['not_found'],
  }),
  rotateApp: route({
    id: 'identity.rotateApp',
    method: 'POST',
    path: '/v1/apps/:id/rotate-secret',
    summary: 'Replace the secret; the new one is shown once',
    can: 'credential:manage',
    params: AppParams,
    reply: ok({ app: App }),
    refusals: ['not_found'],
  }),
  removeApp: route({
    id: 'identity.removeApp',
    method: 'DELETE',
    path: '/v1/apps/:id',
    summary: 'Delete a credential set; its tokens stop working',
    can: 'credential:manage',
    params: AppParams,
    reply: ok({}),
    refusals: ['not_found', 'has_dependents'],
  }),
};
