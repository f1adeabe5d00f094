import type { App, Organization, User } from '@quayside/contracts';
import { named, sql, type Tx } from '../../platform/db.ts';

export interface UserRow {
  org_id: string;
  id: string;
  email: string;
  first_name: string;
  last_name: string;
  role: string;
  status: string;
  password_hash: string | null;
  created_at: Date;
  updated_at: Date;
}

export interface StoredUser extends Omit<User, 'teams' | 'teamsIdentifiers'> {
  orgId: string;
  role: string;
  passwordHash: string | undefined;
}

export const toUser = (row: UserRow): StoredUser => ({
  orgId: row.org_id,
  id: row.id,
  email: row.email,
  firstName: row.first_name,
  lastName: row.last_name,
  picture: '',
  role: row.role,
  status: row.status,
  type: 'STANDARD',
  providers: ['port'],
  roles: [{ name: row.role }],
  passwordHash: row.password_hash ?? undefined,
  createdAt: row.created_at.toISOString(),
  updatedAt: row.updated_at.toISOString(),
});

export async function findUserByEmail(tx: Tx, email: string): Promise<StoredUser | undefined> {
  const row = await tx.find<UserRow>(sql`select * from users where email = ${email}`);
  return row && toUser(row);
}

export async function findUser(tx: Tx, id: string): Promise<StoredUser | undefined> {
  const row = await tx.find<UserRow>(
    named(
      'user.find',
      sql`
      select org_id, id, email, first_name, last_name, role, status, password_hash, created_at, updated_at
      from users where id = ${id}`,
    ),
  );
  return row && toUser(row);
}

export async function insertUser(
  tx: Tx,
  user: {
    orgId: string;
    id: string;
    email: string;
    firstName: string;
    lastName: string;
    role: string;
    status?: 'ACTIVE' | 'INVITED';
    passwordHash: string | undefined;
  },
): Promise<void> {
  await tx.run(sql`
    insert into users (org_id, id, email, first_name, last_name, role, status, password_hash)
    values (${user.orgId}, ${user.id}, ${user.email}, ${user.firstName}, ${user.lastName}, ${user.role}, ${user.status ?? 'ACTIVE'}, ${user.passwordHash ?? null})`);
}

export async function markLogin(tx: Tx, orgId: string, id: string): Promise<void> {
  await tx.run(sql`update users set last_login_at = now() where org_id = ${orgId} and id = ${id}`);
}

export async function insertSession(
  tx: Tx,
  session: { orgId: string; userId: string; tokenHash: Buffer; idleMs: number; absoluteMs: number; userAgent: string },
): Promise<void> {
  await tx.run(sql`
    insert into sessions (org_id, token_hash, user_id, idle_until, absolute_until, user_agent)
    values (${session.orgId}, ${session.tokenHash}, ${session.userId},
      now() + ${session.idleMs} * interval '1 millisecond', now() + ${session.absoluteMs} * interval '1 millisecond',
      ${session.userAgent.slice(0, 400)})`);
}

/** The user of a live session. Slides the idle end at most once a minute, so that reads stay reads. */
export async function useSession(tx: Tx, tokenHash: Buffer, idleMs: number): Promise<StoredUser | undefined> {
  const row = await tx.find<UserRow & { slides: boolean }>(sql`
    select users.*, sessions.idle_until < now() + (${idleMs} - 60000) * interval '1 millisecond' as slides
    from sessions join users on users.org_id = sessions.org_id and users.id = sessions.user_id
    where sessions.token_hash = ${tokenHash} and sessions.idle_until > now() and sessions.absolute_until > now()
      and users.status = 'ACTIVE'`);
  if (row?.slides)
    await tx.run(
      sql`update sessions set idle_until = now() + ${idleMs} * interval '1 millisecond' where token_hash = ${tokenHash}`,
    );
  return row && toUser(row);
}

export async function deleteSession(tx: Tx, orgId: string, tokenHash: Buffer): Promise<boolean> {
  return (await tx.run(sql`delete from sessions where org_id = ${orgId} and token_hash = ${tokenHash}`)) > 0;
}

export async function deleteEndedSessions(tx: Tx): Promise<number> {
  return tx.run(sql`delete from sessions where absolute_until < now() or idle_until < now()`);
}

interface CredentialRow {
  org_id: string;
  id: string;
  name: string;
  secret_hash: Buffer;
  secret_sealed: Buffer;
  enabled: boolean;
  is_primary: boolean;
  created_at: Date;
  updated_at: Date;
}

export interface StoredCredential extends App {
  orgId: string;
  secretHash: Buffer;
  secretSealed: Buffer;
}

const toCredential = (row: CredentialRow): StoredCredential => ({
  orgId: row.org_id,
  id: row.id,
  name: row.name,
  enabled: row.enabled,
  isPrimary: row.is_primary,
  secretHash: row.secret_hash,
  secretSealed: row.secret_sealed,
  createdAt: row.created_at.toISOString(),
  updatedAt: row.updated_at.toISOString(),
});

export async function findCredential(tx: Tx, id: string): Promise<StoredCredential | undefined> {
  const row = await tx.find<CredentialRow>(sql`select * from credentials where id = ${id}`);
  return row && toCredential(row);
}

export async function findPrimaryCredential(tx: Tx, orgId: string): Promise<StoredCredential | undefined> {
  const row = await tx.find<CredentialRow>(sql`select * from credentials where org_id = ${orgId} and is_primary`);
  return row && toCredential(row);
}

/** Of the organization that the first start made. */
export async function findOldestPrimaryCredential(tx: Tx): Promise<StoredCredential | undefined> {
  const row = await tx.find<CredentialRow>(sql`select * from credentials where is_primary order by created_at limit 1`);
  return row && toCredential(row);
}

export async function listCredentials(tx: Tx, orgId: string): Promise<StoredCredential[]> {
  return (
    await tx.many<CredentialRow>(sql`select * from credentials where org_id = ${orgId} order by created_at, id`)
  ).map(toCredential);
}

export async function insertCredential(
  tx: Tx,
  credential: { orgId: string; id: string; name: string; secretHash: Buffer; secretSealed: Buffer; isPrimary: boolean },
): Promise<void> {
  await tx.run(sql`
    insert into credentials (org_id, id, name, secret_hash, secret_sealed, is_primary)
    values (${credential.orgId}, ${credential.id}, ${credential.name}, ${credential.secretHash}, ${credential.secretSealed}, ${credential.isPrimary})`);
}

export async function updateCredential(
  tx: Tx,
  orgId: string,
  id: string,
  change: { name?: string; secretHash?: Buffer; secretSealed?: Buffer },
): Promise<boolean> {
  const count = await tx.run(sql`
    update credentials set
      name = coalesce(${change.name ?? null}, name),
      secret_hash = coalesce(${change.secretHash ?? null}, secret_hash),
      secret_sealed = coalesce(${change.secretSealed ?? null}, secret_sealed),
      updated_at = now()
    where org_id = ${orgId} and id = ${id}`);
  return count > 0;
}

export async function deleteCredential(tx: Tx, orgId: string, id: string): Promise<void> {
  await tx.run(sql`delete from credentials where org_id = ${orgId} and id = ${id}`);
}

interface OrganizationRow {
  org_id: string;
  name: string;
  settings: Record<string, unknown>;
}

// No feature flags: real integrations change their protocol when they see some (spec/clients.md §1.9).
const toOrganization = (row: OrganizationRow): Organization => ({
  id: row.org_id,
  name: row.name,
  featureFlags: [],
  settings: row.settings,
});

export async function getOrganization(tx: Tx, orgId: string): Promise<Organization> {
  return toOrganization(
    await tx.one<OrganizationRow>(
      named('organization.get', sql`select org_id, name, settings from organizations where org_id = ${orgId}`),
    ),
  );
}

export async function updateOrganization(tx: Tx, organization: Organization): Promise<void> {
  await tx.run(sql`
    update organizations set name = ${organization.name}, settings = ${JSON.stringify(organization.settings)}, updated_at = now()
    where org_id = ${organization.id}`);
}

export async function insertOrganization(
  tx: Tx,
  orgId: string,
  name: string,
  settings: Record<string, unknown>,
): Promise<void> {
  await tx.run(
    sql`insert into organizations (org_id, name, settings) values (${orgId}, ${name}, ${JSON.stringify(settings)})`,
  );
}

export async function countOrganizations(tx: Tx): Promise<number> {
  return (await tx.one<{ count: number }>(sql`select count(*) as count from organizations`)).count;
}

/** Serialises first starts of several servers on one database until the transaction ends. */
export async function lockFirstStart(tx: Tx): Promise<void> {
  await tx.run(sql`select pg_advisory_xact_lock(7142027)`);
}
