import type { Ctx } from '../../platform/ctx.ts';
import type { Vault } from '../../platform/vault.ts';
import { fullName, type Person } from './model.ts';
import { findPrimaryCredential, findUser, findUserByEmail, getOrganization, type StoredUser } from './store.ts';
import { listTeams, listUsers, teamsOfUsers } from './store-people.ts';

export type { Person } from './model.ts';

/** The clear secret that signs the organization's webhooks and encrypts its secret inputs: that of its primary credential. */
export async function signingSecret(ctx: Ctx, vault: Vault): Promise<string> {
  const credential = await findPrimaryCredential(ctx.db, ctx.orgId);
  if (!credential) throw new Error('The organization has no primary credential.');
  return vault.open(credential.secretSealed, credential.id);
}

export async function findUserOfOrganization(ctx: Ctx, email: string): Promise<StoredUser | undefined> {
  return findUserByEmail(ctx.db, email);
}

export async function findUserOfOrganizationById(ctx: Ctx, id: string): Promise<StoredUser | undefined> {
  return findUser(ctx.db, id);
}

async function toPeople(ctx: Ctx, users: readonly StoredUser[]): Promise<Person[]> {
  const ids = users.map((user) => user.id);
  const teams = await teamsOfUsers(ctx.db, ctx.orgId, ids);
  return users.map((user) => ({
    id: user.id,
    email: user.email,
    firstName: user.firstName,
    lastName: user.lastName,
    name: fullName(user),
    role: user.role,
    teams: teams.get(user.id) ?? [],
  }));
}

/** Everybody who can act. */
export async function listPeople(ctx: Ctx): Promise<Person[]> {
  const users = await listUsers(ctx.db, ctx.orgId);
  return toPeople(
    ctx,
    users.filter((user) => user.status === 'ACTIVE'),
  );
}

export async function findPersonById(ctx: Ctx, id: string): Promise<Person | undefined> {
  const user = await findUser(ctx.db, id);
  return user && (await toPeople(ctx, [user]))[0];
}

export async function findPersonByEmail(ctx: Ctx, email: string): Promise<Person | undefined> {
  const user = await findUserByEmail(ctx.db, email);
  return user && (await toPeople(ctx, [user]))[0];
}

/** Names and identifiers of all teams: inputs and rules may use either. */
export async function listTeamNames(ctx: Ctx): Promise<string[]> {
  return (await listTeams(ctx.db, ctx.orgId)).flatMap((team) => [team.name, team.identifier]);
}

export async function organizationSettings(ctx: Ctx): Promise<Record<string, unknown>> {
  return (await getOrganization(ctx.db, ctx.orgId)).settings;
}

/** How the organization's agents said that they get their runs; the last that started decides. */
export async function readAgentStreamer(ctx: Ctx): Promise<'KAFKA' | 'POLLING'> {
  const { settings } = await getOrganization(ctx.db, ctx.orgId);
  return settings.portAgentStreamerName === 'KAFKA' ? 'KAFKA' : 'POLLING';
}
