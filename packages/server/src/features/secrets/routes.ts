import { secretRoutes } from '@quayside/contracts';
import type { Http } from '../../platform/http.ts';
import type { Vault } from '../../platform/vault.ts';
import * as service from './service.ts';

export function serveSecrets(http: Http, vault: Vault): void {
  http.serve(secretRoutes.create, async ({ world, body }) => ({
    secret: await service.createSecret(world, vault, body),
  }));
  http.serve(secretRoutes.list, async ({ world }) => ({ secrets: await service.listSecrets(world) }));
  http.serve(secretRoutes.get, async ({ world, params }) => ({
    secret: await service.readSecret(world, params.secret_name),
  }));
  http.serve(secretRoutes.patch, async ({ world, params, body }) => ({
    secret: await service.changeSecret(world, vault, params.secret_name, body),
  }));
  http.serve(secretRoutes.remove, async ({ world, params }) => {
    await service.removeSecret(world, params.secret_name);
    return {};
  });
}
