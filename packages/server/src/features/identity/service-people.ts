import { randomBytes } from 'node:crypto';
import {
  type PasswordLink,
  passwordLinkSeconds,
  type Role,
  roles,
  type Team,
  type TeamBody,
  type TeamPatch,
  type User,
  type UserPatch,
  type WrittenTeam,
} from '@quayside/contracts';
import type { Ctx, World } from '../../platform/ctx.ts';
import { isViolation } from '../../platform/db.ts';
import { newId } from '../../platform/ids.ts';
import { hashPassword } from '../../platform/password.ts';
import { refuse, refuseMissing } from '../../platform/refusal.ts';
import { hashOf, normaliseEmail, teamIdentifier } from './model.ts';
import * as store from './store.ts';
import * as people from './store-people.ts';

/** Users and teams: who is in the organization, with which role, in which teams. */

export async function toShownUser(ctx: Ctx, user: store.StoredUser): Promise<User> {
  const teams = (await people.teamsOfUsers(ctx.db, ctx.orgId, [user.id])).get(user.id) ?? [];
  return shown(user, teams);
}

function shown(user: store.StoredUser, teams: readonly people.TeamName[]): User {
  const { orgId: _orgId, role: _role, passwordHash: _passwordHash, ...rest } = user;
  return { ...rest, teams: teams.map((team) => team.name), teamsIdentifiers: teams.map((team) => team.identifier) };
}

export async function listUsers(world: World): Promise<User[]> {
  return world.transaction(async (ctx) => {
    const users = await people.listUsers(ctx.db, ctx.orgId);
    const teams = await people.teamsOfUsers(
      ctx.db,
      ctx.orgId,
      users.map((user) => user.id),
    );
    return users.map((user) => shown(user, teams.get(user.id) ?? []));
  });
}

async function mustFindUser(ctx: Ctx, email: string): Promise<store.StoredUser> {
  return (await store.findUserByEmail(ctx.db, normaliseEmail(email))) ?? refuseMissing('User', email);
}

export async function readUser(world: World, email: string): Promise<User> {
  return world.transaction(async (ctx) => toShownUser(ctx, await mustFindUser(ctx, email)));
}

/** The highest of the given roles: a user has one, and it includes those below. */
function highest(given: readonly Role[] | undefined): Role | undefined {
  return roles.find((role) => given?.includes(role));
}

export async function invite(
  world: World,
  baseUrl: string,
  invitee: { email: string; firstName?: string; lastName?: string; roles?: Role[]; teams?: string[] },
): Promise<{ user: User; passwordLink: PasswordLink }> {
  const email = normaliseEmail(invitee.email);
  try {
    return await world.transaction(async (ctx) => {
      const id = newId('user');
      await store.insertUser(ctx.db, {
        orgId: ctx.orgId,
        id,
        email,
        firstName: invitee.firstName ?? '',
        lastName: invitee.lastName ?? '',
        role: highest(invitee.roles) ?? 'Member',
        status: 'INVITED',
        passwordHash: undefined,
      });
      await putInTeams(ctx, id, invitee.teams ?? [], 'body.invitee.teams');
      const user = await toShownUser(ctx, await mustFindUser(ctx, email));
      await ctx.emit({ name: 'user.created', subject: email, after: user });
      return { user, passwordLink: await makePasswordLink(ctx, baseUrl, id) };
    });
  } catch (error) {
    if (isViolation(error, '23505')) refuse('identifier_taken', `A user with the e-mail "${email}" is already taken.`);
    throw error;
  }
}

export async function putInTeams(ctx: Ctx, userId: string, names: readonly string[], path: string): Promise<void> {
  const [unknown] = await people.replaceTeamsOf(ctx.db, ctx.orgId, userId, names);
  if (unknown !== undefined) {
    const message = `names the team "${unknown}", which was not found.`;
    refuse('invalid_request', `${path} ${message}`, [{ path, message }]);
  }
}

export async function changeUser(world: World, email: string, patch: UserPatch): Promise<User> {
  return world.transaction(async (ctx) => changeFoundUser(ctx, await mustFindUser(ctx, email), patch));
}

/** In the caller's transaction. */
export async function changeFoundUser(
  ctx: Ctx,
  user: store.StoredUser,
  patch: UserPatch & { firstName?: string; lastName?: string },
): Promise<User> {
  const before = await toShownUser(ctx, user);
  const role = highest(patch.roles);
  if ((role !== undefined && role !== 'Admin') || patch.status === 'DISABLED')
    await assertNotLastAdministrator(ctx, user, 'demoted or disabled');
  if (patch.status === 'ACTIVE' && !user.passwordHash)
    refuse('invalid_request', `${user.email} has not set a password yet; send them a password link instead.`, [
      { path: 'body.status', message: 'is not possible before the user has set a password.' },
    ]);
  await people.updateUser(ctx.db, ctx.orgId, user.id, {
    ...(role === undefined ? {} : { role }),
    ...(patch.status === undefined ? {} : { status: patch.status }),
    ...(patch.firstName === undefined ? {} : { firstName: patch.firstName }),
    ...(patch.lastName === undefined ? {} : { lastName: patch.lastName }),
  });
  if (patch.teams) await putInTeams(ctx, user.id, patch.teams, 'body.teams');
  if (patch.status === 'DISABLED') await people.deleteSessionsOf(ctx.db, ctx.orgId, user.id);
  const after = await toShownUser(ctx, await mustFindUser(ctx, user.email));
  await ctx.emit({ name: 'user.updated', subject: user.email, before, after });
  return after;
}

export async function removeUser(world: World, email: string): Promise<void> {
  await world.transaction(async (ctx) => deleteFoundUser(ctx, await mustFindUser(ctx, email)));
}

export async function deleteFoundUser(ctx: Ctx, user: store.StoredUser): Promise<void> {
  await assertNotLastAdministrator(ctx, user, 'deleted');
  const before = await toShownUser(ctx, user);
  await people.deleteUser(ctx.db, ctx.orgId, user.id);
  await ctx.emit({ name: 'user.deleted', subject: user.email, before });
}

async function assertNotLastAdministrator(ctx: Ctx, user: store.StoredUser, what: string): Promise<void> {
  const administrators = await people.lockAdministrators(ctx.db, ctx.orgId);
  if (administrators.length === 1 && administrators[0] === user.id)
    refuse(
      'has_dependents',
      `${user.email} is the only active administrator and can not be ${what}. Make somebody else an administrator first.`,
    );
}

async function makePasswordLink(ctx: Ctx, baseUrl: string, userId: string): Promise<PasswordLink> {
  const token = randomBytes(32).toString('base64url');
  const expiresAt = await people.insertPasswordLink(ctx.db, {
    orgId: ctx.orgId,
    tokenHash: hashOf(token),
    userId,
    seconds: passwordLinkSeconds,
  });
  // In the fragment: it reaches no server log and no referrer.
  return { link: `${baseUrl}/password#${token}`, expiresAt: expiresAt.toISOString() };
}

export async function createPasswordLink(world: World, baseUrl: string, email: string): Promise<PasswordLink> {
  return world.transaction(async (ctx) => {
    const user = await mustFindUser(ctx, email);
    await ctx.emit({ name: 'user.updated', subject: user.email, message: 'A link to set a new password was made.' });
    return makePasswordLink(ctx, baseUrl, user.id);
  });
}

export async function listTeams(world: World): Promise<Team[]> {
  return world.transaction((ctx) => people.listTeams(ctx.db, ctx.orgId));
}

async function mustFindTeam(ctx: Ctx, name: string): Promise<Team> {
  return (await people.findTeam(ctx.db, ctx.orgId, name)) ?? refuseMissing('Team', name);
}

export async function readTeam(world: World, name: string): Promise<Team> {
  return world.transaction((ctx) => mustFindTeam(ctx, name));
}

async function setMembers(ctx: Ctx, teamId: string, emails: readonly string[] | undefined): Promise<void> {
  if (!emails) return;
  const [unknown] = await people.replaceMembers(ctx.db, ctx.orgId, teamId, [...new Set(emails.map(normaliseEmail))]);
  if (unknown !== undefined) {
    const message = `names the user "${unknown}", who was not found. Invite them first.`;
    refuse('invalid_request', `body.users ${message}`, [{ path: 'body.users', message }]);
  }
}

async function orTaken<T>(name: string, work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (isViolation(error, '23505')) refuse('identifier_taken', `A team with the name "${name}" is already taken.`);
    throw error;
  }
}

const asWritten = (team: Team): WrittenTeam => ({ ...team, users: team.users.map((user) => user.email) });

export async function createTeam(world: World, body: TeamBody): Promise<WrittenTeam> {
  return orTaken(
    body.name,
    world.transaction(async (ctx) => {
      const id = await people.insertTeam(ctx.db, ctx.orgId, {
        identifier: teamIdentifier(body.name),
        name: body.name,
        description: body.description ?? null,
      });
      await setMembers(ctx, id, body.users);
      const after = await mustFindTeam(ctx, body.name);
      await ctx.emit({ name: 'team.created', subject: after.name, after });
      return asWritten(after);
    }),
  );
}

/** PUT and PATCH differ in what an absent description means: nothing, or what it was. */
export async function changeTeam(
  world: World,
  name: string,
  change: TeamPatch,
  isWhole: boolean,
): Promise<WrittenTeam> {
  return orTaken(
    change.name ?? name,
    world.transaction(async (ctx) => {
      const before = await mustFindTeam(ctx, name);
      await people.updateTeam(ctx.db, ctx.orgId, before.id, {
        name: change.name ?? before.name,
        description: change.description === undefined && !isWhole ? before.description : (change.description ?? null),
      });
      await setMembers(ctx, before.id, change.users);
      const after = await mustFindTeam(ctx, change.name ?? before.name);
      await ctx.emit({ name: 'team.updated', subject: after.name, before, after });
      return asWritten(after);
    }),
  );
}

export async function removeTeam(world: World, name: string): Promise<void> {
  await world.transaction(async (ctx) => {
    const before = await mustFindTeam(ctx, name);
    await people.deleteTeam(ctx.db, ctx.orgId, before.id);
    await ctx.emit({ name: 'team.deleted', subject: before.name, before });
  });
}

/** A further user with a password (demo, tests). */
export async function addUser(
  world: World,
  user: { email: string; firstName: string; lastName: string; role: string; password: string | undefined },
): Promise<void> {
  const passwordHash = user.password === undefined ? undefined : await hashPassword(user.password);
  await world.transaction(async (ctx) => {
    const id = newId('user');
    const email = normaliseEmail(user.email);
    await store.insertUser(ctx.db, {
      orgId: ctx.orgId,
      id,
      email,
      firstName: user.firstName,
      lastName: user.lastName,
      role: user.role,
      passwordHash,
    });
    await ctx.emit({ name: 'user.created', subject: email, after: { id, email, role: user.role } });
  });
}
