import { identityRoutes, peopleRoutes, sessionAbsoluteMs, sessionCookie } from '@quayside/contracts';
import type { Http } from '../../platform/http.ts';
import type { Vault } from '../../platform/vault.ts';
import * as service from './service.ts';
import * as credentials from './service-credentials.ts';
import * as organization from './service-organization.ts';
import * as people from './service-people.ts';

const sessionOf = (cookies = ''): string | undefined =>
  new RegExp(`(?:^|;\\s*)${sessionCookie}=([^;]+)`).exec(cookies)?.[1];

export function serveIdentity(
  http: Http,
  dependencies: { identity: service.Identity; vault: Vault; isSecure: boolean; baseUrl: () => string },
): void {
  const { identity, vault, isSecure, baseUrl } = dependencies;
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
  http.serve(identityRoutes.logout, async ({ world, request, reply }) => {
    const session = sessionOf(request.headers.cookie);
    if (session) await identity.logout(world, session);
    reply.header('set-cookie', cookie('', 0));
    return {};
  });
  http.serve(identityRoutes.me, async ({ world }) => ({ ...(await service.readSignedIn(world)) }));
  http.serve(identityRoutes.getOrganization, async ({ world }) => ({
    organization: await organization.readOrganization(world),
  }));
  http.serve(identityRoutes.patchOrganization, async ({ world, body }) => ({
    organization: await organization.changeOrganization(world, body),
  }));
  http.serve(identityRoutes.createApp, async ({ world, body }) => ({
    app: await credentials.createApp(world, vault, body.name),
  }));
  http.serve(identityRoutes.listApps, async ({ world }) => ({ apps: await credentials.listApps(world) }));
  http.serve(identityRoutes.renameApp, async ({ world, params, body }) => ({
    app: await credentials.renameApp(world, params.id, body.name),
  }));
  http.serve(identityRoutes.rotateApp, async ({ world, params }) => ({
    app: await credentials.rotateApp(world, vault, params.id),
  }));
  http.serve(identityRoutes.removeApp, async ({ world, params }) => {
    await credentials.removeApp(world, params.id);
    return {};
  });

  http.serve(peopleRoutes.listUsers, async ({ world }) => ({ users: await people.listUsers(world) }));
  http.serve(peopleRoutes.getUser, async ({ world, params }) => ({
    user: await people.readUser(world, params.user_email),
  }));
  http.serve(peopleRoutes.invite, ({ world, body }) => people.invite(world, baseUrl(), body.invitee));
  http.serve(peopleRoutes.patchUser, ({ world, params, body }) => people.changeUser(world, params.user_email, body));
  http.serve(peopleRoutes.removeUser, async ({ world, params }) => {
    await people.removeUser(world, params.user_email);
    return {};
  });
  http.serve(peopleRoutes.createPasswordLink, async ({ world, params }) => ({
    passwordLink: await people.createPasswordLink(world, baseUrl(), params.user_email),
  }));
  http.serve(peopleRoutes.setPassword, async ({ world, body, reply }) => {
    const { token, signedIn } = await identity.setPassword(world, body);
    reply.header('set-cookie', cookie(token, sessionAbsoluteMs / 1000));
    return { ...signedIn };
  });
  http.serve(peopleRoutes.changePassword, async ({ world, body, request }) => {
    await identity.changePassword(world, { ...body, session: sessionOf(request.headers.cookie) });
    return {};
  });
  http.serve(peopleRoutes.listTeams, async ({ world }) => ({ teams: await people.listTeams(world) }));
  http.serve(peopleRoutes.getTeam, async ({ world, params }) => ({ team: await people.readTeam(world, params.name) }));
  http.serve(peopleRoutes.createTeam, async ({ world, body }) => ({ team: await people.createTeam(world, body) }));
  http.serve(peopleRoutes.replaceTeam, async ({ world, params, body }) => ({
    team: await people.changeTeam(world, params.name, body, true),
  }));
  http.serve(peopleRoutes.patchTeam, async ({ world, params, body }) => ({
    team: await people.changeTeam(world, params.name, body, false),
  }));
  http.serve(peopleRoutes.removeTeam, async ({ world, params }) => {
    await people.removeTeam(world, params.name);
    return {};
  });
}
