import { identityRoutes, sessionAbsoluteMs, sessionCookie } from '@quayside/contracts';
import type { Http } from '../../platform/http.ts';
import type { Vault } from '../../platform/vault.ts';
import * as service from './service.ts';

export function serveIdentity(
  http: Http,
  dependencies: { identity: service.Identity; vault: Vault; isSecure: boolean },
): void {
  const { identity, vault, isSecure } = dependencies;
  const cookie = (value: string, maxAgeSeconds: number) =>
    `${sessionCookie}=${value}; Path=/; HttpOnly; SameSite=Lax; Max-Age=${maxAgeSeconds}${isSecure ? '; Secure' : ''}`;

  http.serve(identityRoutes.accessToken, async ({ body }) => ({
    ...(await identity.accessToken(body.clientId, body.clientSecret)),
    tokenType: 'Bearer' as const,
  }));
  http.serve(identityRoutes.login, async ({ body, request, reply, world }) => {
    const { token, signedIn } = await identity.login(world, { ...body, address: request.ip });
    reply.header('set-cookie', cookie(token, sessionAbsoluteMs / 1000));
    return { ...signedIn };
  });
  http.serve(identityRoutes.logout, async ({ request, reply }) => {
    const session = new RegExp(`(?:^|;\\s*)${sessionCookie}=([^;]+)`).exec(request.headers.cookie ?? '')?.[1];
    if (session) await identity.logout(session);
    reply.header('set-cookie', cookie('', 0));
    return {};
  });
  http.serve(identityRoutes.me, async ({ world }) => ({ ...(await service.readSignedIn(world)) }));
  http.serve(identityRoutes.getOrganization, async ({ world }) => ({
    organization: await service.readOrganization(world),
  }));
  http.serve(identityRoutes.patchOrganization, async ({ world, body }) => ({
    organization: await service.changeOrganization(world, body),
  }));
  http.serve(identityRoutes.listUsers, async ({ world }) => ({ users: await service.listUsers(world) }));
  http.serve(identityRoutes.createApp, async ({ world, body }) => ({
    app: await service.createApp(world, vault, body.name),
  }));
  http.serve(identityRoutes.listApps, async ({ world }) => ({ apps: await service.listApps(world) }));
  http.serve(identityRoutes.renameApp, async ({ world, params, body }) => ({
    app: await service.renameApp(world, params.id, body.name),
  }));
  http.serve(identityRoutes.rotateApp, async ({ world, params }) => ({
    app: await service.rotateApp(world, vault, params.id),
  }));
  http.serve(identityRoutes.removeApp, async ({ world, params }) => {
    await service.removeApp(world, params.id);
    return {};
  });
}
