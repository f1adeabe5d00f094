import type { Ctx } from '../../platform/ctx.ts';
import type { Vault } from '../../platform/vault.ts';
import { findPrimaryCredential, findUser, findUserByEmail, type StoredUser } from './store.ts';

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
