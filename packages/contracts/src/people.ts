import { type Static, Type } from 'typebox';
import { RoleSchema, signedIn, User } from './identity.ts';
import { ok, route } from './route.ts';
import { Instant } from './values.ts';

/** Users and teams (spec/catalog.md §5.1). Teams are addressed by name, users by e-mail. */

export const Team = Type.Object({
  id: Type.String(),
  identifier: Type.String(),
  name: Type.String(),
  description: Type.Union([Type.String(), Type.Null()]),
  provider: Type.String(),
  users: Type.Array(
    Type.Object({
      email: Type.String(),
      firstName: Type.String(),
      lastName: Type.String(),
      picture: Type.String(),
      status: Type.String(),
    }),
  ),
  createdAt: Instant,
  updatedAt: Instant,
});
export type Team = Static<typeof Team>;

/** A team in the answer to a write: members by e-mail, as in the request. The Terraform provider reads no other shape here. */
export const WrittenTeam = Type.Object({ ...Team.properties, users: Type.Array(Type.String()) });
export type WrittenTeam = Static<typeof WrittenTeam>;

export const TeamBody = Type.Object({
  name: Type.String({ minLength: 1, maxLength: 200 }),
  description: Type.Optional(Type.Union([Type.String({ maxLength: 1_000 }), Type.Null()])),
  /** E-mails; replaces the list. */
  users: Type.Optional(Type.Array(Type.String(), { maxItems: 10_000 })),
});
export type TeamBody = Static<typeof TeamBody>;
const TeamPatch = Type.Partial(TeamBody);
export type TeamPatch = Static<typeof TeamPatch>;

/** A link with which a person sets a password, once. Send it to them by a way you trust. */
export const PasswordLink = Type.Object({ link: Type.String(), expiresAt: Instant });
export type PasswordLink = Static<typeof PasswordLink>;
export const passwordLinkSeconds = 7 * 24 * 60 * 60;

export const minPasswordLength = 12;
const newPassword = Type.String({ minLength: minPasswordLength, maxLength: 1024 });

const UserParams = Type.Object({ user_email: Type.String() });
const TeamParams = Type.Object({ name: Type.String() });
/** Clients may name the fields they want; all are answered. */
const Fields = Type.Object({ fields: Type.Optional(Type.Array(Type.String())) });

export const UserPatch = Type.Object(
  {
    roles: Type.Optional(Type.Array(RoleSchema, { minItems: 1 })),
    /** Team names; replaces the list. */
    teams: Type.Optional(Type.Array(Type.String())),
    status: Type.Optional(Type.Union([Type.Literal('ACTIVE'), Type.Literal('DISABLED')])),
  },
  { additionalProperties: false },
);
export type UserPatch = Static<typeof UserPatch>;

export const peopleRoutes = {
  listUsers: route({
    id: 'people.listUsers',
    method: 'GET',
    path: '/v1/users',
    summary: 'List users',
    can: 'user:read',
    query: Fields,
    reply: ok({ users: Type.Array(User) }),
  }),
  getUser: route({
    id: 'people.getUser',
    method: 'GET',
    path: '/v1/users/:user_email',
    summary: 'Read a user',
    can: 'user:read',
    params: UserParams,
    query: Fields,
    reply: ok({ user: User }),
    refusals: ['not_found'],
  }),
  invite: route({
    id: 'people.invite',
    method: 'POST',
    path: '/v1/users/invite',
    summary: 'Invite a user; the answer carries the link with which they set a password',
    can: 'user:manage',
    query: Type.Object({ notify: Type.Optional(Type.Boolean()) }),
    body: Type.Object({
      invitee: Type.Object({
        email: Type.String({ format: 'email', maxLength: 320 }),
        firstName: Type.Optional(Type.String({ maxLength: 200 })),
        lastName: Type.Optional(Type.String({ maxLength: 200 })),
        roles: Type.Optional(Type.Array(RoleSchema)),
        teams: Type.Optional(Type.Array(Type.String())),
      }),
    }),
    reply: ok({ user: User, passwordLink: PasswordLink }),
    refusals: ['identifier_taken'],
  }),
  patchUser: route({
    id: 'people.patchUser',
    method: 'PATCH',
    path: '/v1/users/:user_email',
    summary: 'Change roles, teams or status of a user',
    can: 'user:manage',
    params: UserParams,
    body: UserPatch,
    // Beside `ok`, not in an object of its own: clients read it so.
    reply: ok(User.properties),
    refusals: ['not_found', 'has_dependents'],
  }),
  removeUser: route({
    id: 'people.removeUser',
    method: 'DELETE',
    path: '/v1/users/:user_email',
    summary: 'Delete a user; their sessions end, their runs stay',
    can: 'user:manage',
    params: UserParams,
    reply: ok({}),
    refusals: ['not_found', 'has_dependents'],
  }),
  createPasswordLink: route({
    id: 'people.createPasswordLink',
    method: 'POST',
    path: '/v1/users/:user_email/password-link',
    summary: 'Make a link with which a user sets a new password',
    can: 'user:manage',
    params: UserParams,
    reply: ok({ passwordLink: PasswordLink }),
    refusals: ['not_found'],
    dialect: 'quayside',
  }),
  setPassword: route({
    id: 'people.setPassword',
    method: 'POST',
    path: '/v1/auth/password-link',
    summary: 'Set the password with the token of a link, and sign in',
    can: 'public',
    body: Type.Object(
      { token: Type.String({ minLength: 1, maxLength: 200 }), password: newPassword },
      { additionalProperties: false },
    ),
    reply: ok(signedIn),
    dialect: 'quayside',
  }),
  changePassword: route({
    id: 'people.changePassword',
    method: 'POST',
    path: '/v1/auth/password',
    summary: 'Change the own password; other sessions end',
    can: 'signed-in',
    body: Type.Object(
      { currentPassword: Type.String({ minLength: 1, maxLength: 1024 }), newPassword },
      { additionalProperties: false },
    ),
    reply: ok({}),
    refusals: ['too_many_requests'],
    dialect: 'quayside',
  }),
  listTeams: route({
    id: 'people.listTeams',
    method: 'GET',
    path: '/v1/teams',
    summary: 'List teams',
    can: 'user:read',
    query: Fields,
    reply: ok({ teams: Type.Array(Team) }),
  }),
  getTeam: route({
    id: 'people.getTeam',
    method: 'GET',
    path: '/v1/teams/:name',
    summary: 'Read a team',
    can: 'user:read',
    params: TeamParams,
    query: Fields,
    reply: ok({ team: Team }),
    refusals: ['not_found'],
  }),
  createTeam: route({
    id: 'people.createTeam',
    method: 'POST',
    path: '/v1/teams',
    summary: 'Create a team',
    can: 'user:manage',
    body: TeamBody,
    reply: ok({ team: WrittenTeam }),
    refusals: ['identifier_taken'],
  }),
  replaceTeam: route({
    id: 'people.replaceTeam',
    method: 'PUT',
    path: '/v1/teams/:name',
    summary: 'Replace a team; the name may change',
    can: 'user:manage',
    params: TeamParams,
    body: TeamBody,
    reply: ok({ team: WrittenTeam }),
    refusals: ['not_found', 'identifier_taken'],
  }),
  patchTeam: route({
    id: 'people.patchTeam',
    method: 'PATCH',
    path: '/v1/teams/:name',
    summary: 'Change a team; what is absent stays',
    can: 'user:manage',
    params: TeamParams,
    body: TeamPatch,
    reply: ok({ team: WrittenTeam }),
    refusals: ['not_found', 'identifier_taken'],
  }),
  removeTeam: route({
    id: 'people.removeTeam',
    method: 'DELETE',
    path: '/v1/teams/:name',
    summary: 'Delete a team; its members stay users',
    can: 'user:manage',
    params: TeamParams,
    reply: ok({}),
    refusals: ['not_found'],
  }),
};
