import type { Secret, SecretBody, SecretPatch } from '@quayside/contracts';
import type { Ctx, World } from '../../platform/ctx.ts';
import { refuse, refuseMissing } from '../../platform/refusal.ts';
import type { Vault } from '../../platform/vault.ts';
import { ownerOf } from './model.ts';
import * as store from './store.ts';

export async function createSecret(world: World, vault: Vault, body: SecretBody): Promise<Secret> {
  const name = body.secretName;
  return world.transaction(async (ctx) => {
    const isNew = await store.insertSecret(ctx.db, ctx.orgId, {
      name,
      sealed: vault.seal(body.secretValue, ownerOf(ctx.orgId, name)),
      description: body.description ?? '',
    });
    if (!isNew) refuse('identifier_taken', `A secret with the name "${name}" is already taken.`);
    const after = await mustFind(ctx, name);
    await ctx.emit({ name: 'secret.created', subject: name, after });
    return after;
  });
}

async function mustFind(ctx: Ctx, name: string): Promise<Secret> {
  return (await store.findSecret(ctx.db, ctx.orgId, name)) ?? refuseMissing('Secret', name);
}

export async function listSecrets(world: World): Promise<Secret[]> {
  return world.transaction((ctx) => store.listSecrets(ctx.db, ctx.orgId));
}

export async function readSecret(world: World, name: string): Promise<Secret> {
  return world.transaction((ctx) => mustFind(ctx, name));
}

export async function changeSecret(world: World, vault: Vault, name: string, patch: SecretPatch): Promise<Secret> {
  if (patch.secretName !== undefined && patch.secretName !== name)
    refuse('invalid_request', 'body.secretName differs from the name in the path; a secret can not be renamed.', [
      { path: 'body.secretName', message: 'differs from the name in the path.' },
    ]);
  return world.transaction(async (ctx) => {
    const before = await mustFind(ctx, name);
    await store.updateSecret(ctx.db, ctx.orgId, name, {
      ...(patch.secretValue === undefined ? {} : { sealed: vault.seal(patch.secretValue, ownerOf(ctx.orgId, name)) }),
      ...(patch.description === undefined ? {} : { description: patch.description }),
    });
    const after = await mustFind(ctx, name);
    await ctx.emit({
      name: 'secret.updated',
      subject: name,
      before,
      after: { ...after, isValueNew: patch.secretValue !== undefined },
    });
    return after;
  });
}

export async function removeSecret(world: World, name: string): Promise<void> {
  await world.transaction(async (ctx) => {
    const before = await mustFind(ctx, name);
    await store.deleteSecret(ctx.db, ctx.orgId, name);
    await ctx.emit({ name: 'secret.deleted', subject: name, before });
  });
}
