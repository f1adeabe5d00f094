import type { App } from '@quayside/contracts';
import type { World } from '../../platform/ctx.ts';
import { randomText } from '../../platform/ids.ts';
import { refuse, refuseMissing } from '../../platform/refusal.ts';
import type { Vault } from '../../platform/vault.ts';
import { hashOf } from './model.ts';
import * as store from './store.ts';

/** Credentials of machines: a secret is shown once, kept hashed for logins and sealed for signatures. */

const shownApp = ({ orgId: _orgId, secretHash: _hash, secretSealed: _sealed, ...app }: store.StoredCredential): App =>
  app;

export async function listApps(world: World): Promise<App[]> {
  return world.transaction(async (ctx) => (await store.listCredentials(ctx.db, ctx.orgId)).map(shownApp));
}

export async function createApp(world: World, vault: Vault, name: string): Promise<App> {
  const secret = randomText(64);
  const id = randomText(32);
  return world.transaction(async (ctx) => {
    await store.insertCredential(ctx.db, {
      orgId: ctx.orgId,
      id,
      name,
      secretHash: hashOf(secret),
      secretSealed: vault.seal(secret, id),
      isPrimary: false,
    });
    await ctx.emit({ name: 'credential.created', subject: id, after: { id, name } });
    const created = await store.findCredential(ctx.db, id);
    if (!created) throw new Error('A credential vanished while it was made.');
    return { ...shownApp(created), secret };
  });
}

export async function renameApp(world: World, id: string, name: string): Promise<App> {
  return changeApp(world, id, { name });
}

export async function rotateApp(world: World, vault: Vault, id: string): Promise<App> {
  const secret = randomText(64);
  return {
    ...(await changeApp(world, id, { secretHash: hashOf(secret), secretSealed: vault.seal(secret, id) })),
    secret,
  };
}

async function changeApp(
  world: World,
  id: string,
  change: { name?: string; secretHash?: Buffer; secretSealed?: Buffer },
): Promise<App> {
  return world.transaction(async (ctx) => {
    const before = await store.findCredential(ctx.db, id);
    if (!before) refuseMissing('Credential', id);
    await store.updateCredential(ctx.db, ctx.orgId, id, change);
    const after = await store.findCredential(ctx.db, id);
    if (!after) throw new Error('A credential vanished while it was changed.');
    await ctx.emit({
      name: 'credential.updated',
      subject: id,
      before: { id, name: before.name },
      after: { id, name: after.name, isSecretNew: change.secretHash !== undefined },
    });
    return shownApp(after);
  });
}

export async function removeApp(world: World, id: string): Promise<void> {
  await world.transaction(async (ctx) => {
    const credential = await store.findCredential(ctx.db, id);
    if (!credential) refuseMissing('Credential', id);
    if (credential.isPrimary)
      refuse(
        'has_dependents',
        'This credential signs the webhooks of the organization (has_dependents). Rotate its secret instead of deleting it.',
      );
    await store.deleteCredential(ctx.db, ctx.orgId, id);
    await ctx.emit({ name: 'credential.deleted', subject: id, before: { id, name: credential.name } });
  });
}
