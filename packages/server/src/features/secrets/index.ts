import type { Ctx } from '../../platform/ctx.ts';
import type { Vault } from '../../platform/vault.ts';
import { ownerOf } from './model.ts';
import { listSealed } from './store.ts';

/** All secrets of the organization in clear, by name; for the request that is being rendered and nothing else. */
export async function openSecrets(ctx: Ctx, vault: Vault): Promise<Record<string, string>> {
  const sealed = await listSealed(ctx.db, ctx.orgId);
  return Object.fromEntries(sealed.map((row) => [row.name, vault.open(row.sealed, ownerOf(ctx.orgId, row.name))]));
}
