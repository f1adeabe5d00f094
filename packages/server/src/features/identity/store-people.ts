import type { Team } from '@quayside/contracts';
import { sql, type Tx } from '../../platform/db.ts';
import { type StoredUser, toUser, type UserRow } from './store.ts';

/** Users as a collection, teams, and password links. */

export async function listUsers(tx: Tx, orgId: string): Promise<StoredUser[]> {
  return (await tx.many<UserRow>(sql`select * from users where org_id = ${orgId} order by email`)).map(toUser);
}

/** Two administrators who demote each other at the same moment must not both succeed. */
export async function lockAdministrators(tx: Tx, orgId: string): Promise<string[]> {
  const rows = await tx.many<{ id: string }>(sql`
    select id from users where org_id = ${orgId} and role = 'Admin' and status = 'ACTIVE' order by id for update`);
  return rows.map((row) => row.id);
}

export async function updateUser(
  tx: Tx,
  orgId: string,
  id: string,
  change: { role?: string; status?: string; passwordHash?: string; firstName?: string; lastName?: string },
): Promise<void> {
  await tx.run(sql`
    update users set role = coalesce(${change.role ?? null}, role), status = coalesce(${change.status ?? null}, status),
      password_hash = coalesce(${change.passwordHash ?? null}, password_hash),
      first_name = coalesce(${change.firstName ?? null}, first_name), last_name = coalesce(${change.lastName ?? null}, last_name),
      updated_at = now()
    where org_id = ${orgId} and id = ${id}`);
}

export async function deleteUser(tx: Tx, orgId: string, id: string): Promise<void> {
  await tx.run(sql`delete from users where org_id = ${orgId} and id = ${id}`);
}

/** `keep` = the session that goes on. */
export async function deleteSessionsOf(tx: Tx, orgId: string, userId: string, keep?: Buffer): Promise<void> {
  await tx.run(sql`
    delete from sessions where org_id = ${orgId} and user_id = ${userId} and token_hash is distinct from ${keep ?? null}`);
}

export async function insertPasswordLink(
  tx: Tx,
  link: { orgId: string; tokenHash: Buffer; userId: string; seconds: number },
): Promise<Date> {
  await tx.run(sql`delete from password_links where org_id = ${link.orgId} and user_id = ${link.userId}`);
  const row = await tx.one<{ expires_at: Date }>(sql`
    insert into password_links (org_id, token_hash, user_id, expires_at)
    values (${link.orgId}, ${link.tokenHash}, ${link.userId}, now() + ${link.seconds} * interval '1 second')
    returning expires_at`);
  return row.expires_at;
}

/** Uses the link up: of two at the same moment, one finds it. */
export async function takePasswordLink(tx: Tx, tokenHash: Buffer): Promise<{ userId: string } | undefined> {
  const row = await tx.find<{ user_id: string; is_live: boolean }>(sql`
    delete from password_links where token_hash = ${tokenHash} returning user_id, expires_at > now() as is_live`);
  return row?.is_live ? { userId: row.user_id } : undefined;
}

export interface TeamName {
  identifier: string;
  name: string;
}

/** Teams of each of the users, by name. */
export async function teamsOfUsers(
  tx: Tx,
  orgId: string,
  userIds: readonly string[],
): Promise<ReadonlyMap<string, TeamName[]>> {
  const rows = await tx.many<TeamName & { user_id: string }>(sql`
    select member.user_id, teams.identifier, teams.name
    from team_members member join teams on teams.org_id = member.org_id and teams.id = member.team_id
    where member.org_id = ${orgId} and member.user_id = any(${userIds})
    order by teams.name`);
  const teams = new Map<string, TeamName[]>(userIds.map((id) => [id, []]));
  for (const { user_id, identifier, name } of rows) teams.get(user_id)?.push({ identifier, name });
  return teams;
}

interface TeamRow {
  id: number;
  identifier: string;
  name: string;
  description: string | null;
  provider: string;
  created_at: Date;
  updated_at: Date;
  users: Team['users'];
}

const toTeam = (row: TeamRow): Team => ({
  id: String(row.id),
  identifier: row.identifier,
  name: row.name,
  description: row.description,
  provider: row.provider,
  users: row.users,
  createdAt: row.created_at.toISOString(),
  updatedAt: row.updated_at.toISOString(),
});

const selectTeams = sql`
  select teams.*, coalesce((
    select json_agg(json_build_object('email', users.email, 'firstName', users.first_name, 'lastName', users.last_name,
      'picture', '', 'status', users.status) order by users.email)
    from team_members member join users on users.org_id = member.org_id and users.id = member.user_id
    where member.org_id = teams.org_id and member.team_id = teams.id
  ), '[]') as users
  from teams`;

export async function listTeams(tx: Tx, orgId: string): Promise<Team[]> {
  return (await tx.many<TeamRow>(sql`${selectTeams} where org_id = ${orgId} order by name`)).map(toTeam);
}

/** By name, else by identifier: clients hold either. */
export async function findTeam(tx: Tx, orgId: string, name: string): Promise<Team | undefined> {
  const row = await tx.find<TeamRow>(sql`
    ${selectTeams} where org_id = ${orgId} and (name = ${name} or identifier = ${name}) order by name = ${name} desc limit 1`);
  return row && toTeam(row);
}

export async function findTeamByIdentifier(tx: Tx, orgId: string, identifier: string): Promise<Team | undefined> {
  const row = await tx.find<TeamRow>(sql`${selectTeams} where org_id = ${orgId} and identifier = ${identifier}`);
  return row && toTeam(row);
}

export async function insertTeam(
  tx: Tx,
  orgId: string,
  team: { identifier: string; name: string; description: string | null },
): Promise<string> {
  const row = await tx.one<{ id: number }>(sql`
    insert into teams (org_id, identifier, name, description)
    values (${orgId}, ${team.identifier}, ${team.name}, ${team.description}) returning id`);
  return String(row.id);
}

export async function updateTeam(
  tx: Tx,
  orgId: string,
  id: string,
  team: { name: string; description: string | null },
): Promise<void> {
  await tx.run(sql`
    update teams set name = ${team.name}, description = ${team.description}, updated_at = now()
    where org_id = ${orgId} and id = ${id}`);
}

export async function deleteTeam(tx: Tx, orgId: string, id: string): Promise<void> {
  await tx.run(sql`delete from teams where org_id = ${orgId} and id = ${id}`);
}

/** Answers the e-mails that no user has. */
export async function replaceMembers(
  tx: Tx,
  orgId: string,
  teamId: string,
  emails: readonly string[],
): Promise<string[]> {
  await tx.run(sql`delete from team_members where org_id = ${orgId} and team_id = ${teamId}`);
  const found = await tx.many<{ email: string }>(sql`
    with added as (
      insert into team_members (org_id, team_id, user_id)
      select org_id, ${teamId}, id from users where org_id = ${orgId} and email = any(${emails}) returning user_id
    )
    select users.email from added join users on users.org_id = ${orgId} and users.id = added.user_id`);
  const known = new Set(found.map((row) => row.email));
  return emails.filter((email) => !known.has(email));
}

/** Answers the names that no team has. */
export async function replaceTeamsOf(
  tx: Tx,
  orgId: string,
  userId: string,
  names: readonly string[],
): Promise<string[]> {
  await tx.run(sql`delete from team_members where org_id = ${orgId} and user_id = ${userId}`);
  if (names.length === 0) return [];
  const found = await tx.many<TeamName>(sql`
    with added as (
      insert into team_members (org_id, team_id, user_id)
      select org_id, id, ${userId} from teams where org_id = ${orgId} and (name = any(${names}) or identifier = any(${names}))
      returning team_id
    )
    select identifier, name from added join teams on teams.org_id = ${orgId} and teams.id = added.team_id`);
  const known = new Set(found.flatMap((team) => [team.identifier, team.name]));
  return names.filter((name) => !known.has(name));
}
