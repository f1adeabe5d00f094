import type { Organization } from '@quayside/contracts';
import type { World } from '../../platform/ctx.ts';
import type { Database } from '../../platform/db.ts';
import { newId, randomText } from '../../platform/ids.ts';
import { hashPassword } from '../../platform/password.ts';
import type { Vault } from '../../platform/vault.ts';
import { hashOf, normaliseEmail } from './model.ts';
import * as store from './store.ts';

/** The organization: its settings, and how it comes to be at the first start. */

export async function readOrganization(world: World): Promise<Organization> {
  return world.transaction((ctx) => store.getOrganization(ctx.db, ctx.orgId));
}

export async function changeOrganization(
  world: World,
  change: { name?: string; settings?: Record<string, unknown> },
): Promise<Organization> {
  return world.transaction(async (ctx) => {
    const before = await store.getOrganization(ctx.db, ctx.orgId);
    const after = { ...before, name: change.name ?? before.name, settings: { ...before.settings, ...change.settings } };
    if (JSON.stringify(before) === JSON.stringify(after)) return before;
    await store.updateOrganization(ctx.db, after);
    await ctx.emit({ name: 'organization.updated', subject: ctx.orgId, before, after });
    return after;
  });
}

export interface FirstStart {
  orgId: string;
  adminEmail: string;
  adminPassword: string;
  clientId: string;
  clientSecret: string;
}

/**
 * Creates organization, administrator and primary credential in one transaction, if the database has no organization yet.
 * What the environment does not give is generated. Any number of servers may try at once; one does it. `keep` is called
 * before anything is committed, so that a generated password is never lost with the process that made it.
 */
export async function setUpFirstOrganization(
  database: Database,
  vault: Vault,
  given: {
    orgId?: string | undefined;
    orgName: string;
    orgSettings?: Record<string, unknown>;
    adminEmail: string;
    adminPassword?: string | undefined;
    clientId?: string | undefined;
    clientSecret?: string | undefined;
  },
  keep: (start: FirstStart) => void,
): Promise<FirstStart | undefined> {
  if ((await database.system(store.countOrganizations)) > 0) return undefined;
  const start: FirstStart = {
    orgId: given.orgId ?? newId('org'),
    adminEmail: normaliseEmail(given.adminEmail),
    adminPassword: given.adminPassword ?? randomText(16),
    clientId: given.clientId ?? randomText(32),
    clientSecret: given.clientSecret ?? randomText(64),
  };
  const passwordHash = await hashPassword(start.adminPassword);
  return database.system(async (tx) => {
    await store.lockFirstStart(tx);
    if ((await store.countOrganizations(tx)) > 0) return undefined;
    keep(start);
    await createOrganization(tx, vault, {
      ...start,
      orgName: given.orgName,
      orgSettings: given.orgSettings ?? {},
      passwordHash,
    });
    return start;
  });
}

/** Also for tests that need a second organization. */
export async function createOrganization(
  tx: Parameters<Parameters<Database['system']>[0]>[0],
  vault: Vault,
  start: Omit<FirstStart, 'adminPassword'> & {
    orgName: string;
    orgSettings: Record<string, unknown>;
    passwordHash: string;
  },
): Promise<void> {
  await store.insertOrganization(tx, start.orgId, start.orgName, start.orgSettings);
  await store.insertUser(tx, {
    orgId: start.orgId,
    id: newId('user'),
    email: start.adminEmail,
    firstName: 'Admin',
    lastName: '',
    role: 'Admin',
    passwordHash: start.passwordHash,
  });
  await store.insertCredential(tx, {
    orgId: start.orgId,
    id: start.clientId,
    name: 'Primary',
    secretHash: hashOf(start.clientSecret),
    secretSealed: vault.seal(start.clientSecret, start.clientId),
    isPrimary: true,
  });
}

/** Does this key open what was sealed first? Of a database without any secret every key is right. */
export async function opensOldestSecret(database: Database, vault: Vault): Promise<boolean> {
  const credential = await database.system(store.findOldestPrimaryCredential);
  if (!credential) return true;
  try {
    vault.open(credential.secretSealed, credential.id);
    return true;
  } catch {
    return false;
  }
}

/** Organization and primary credential, in clear: for the demo's agent, which the server starts itself. */
export async function primaryCredential(
  database: Database,
  vault: Vault,
): Promise<{ orgId: string; clientId: string; clientSecret: string }> {
  const credential = await database.system(store.findOldestPrimaryCredential);
  if (!credential) throw new Error('The organization has no primary credential.');
  return {
    orgId: credential.orgId,
    clientId: credential.id,
    clientSecret: vault.open(credential.secretSealed, credential.id),
  };
}
