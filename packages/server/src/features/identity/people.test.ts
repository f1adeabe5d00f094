import { identityRoutes, peopleRoutes } from '@quayside/contracts';
import { testOrganization } from '@quayside/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestApp, type TestApp } from '../../../test/harness.ts';

let test: TestApp;
beforeAll(async () => {
  test = await startTestApp();
});
afterAll(() => test.stop());

const tokenOf = (link: string): string => new URL(link).hash.slice(1);
const invite = (email: string, more: { roles?: ('Admin' | 'Moderator' | 'Member')[]; teams?: string[] } = {}) =>
  test.admin.call(peopleRoutes.invite, { body: { invitee: { email, ...more } } });
const join = async (email: string, more: Parameters<typeof invite>[1] = {}) => {
  const { passwordLink } = (await invite(email, more)).body;
  const password = `the password of ${email}`;
  await test.nobody.call(peopleRoutes.setPassword, { body: { token: tokenOf(passwordLink.link), password } });
  return { password, caller: await test.login(email, password) };
};

describe('an invited user', () => {
  it('sets a password with the link, once, and is signed in', async () => {
    const { user, passwordLink } = (await invite('Ada@Example.com')).body;
    expect(user).toMatchObject({ email: 'ada@example.com', status: 'INVITED', roles: [{ name: 'Member' }] });
    const token = tokenOf(passwordLink.link);
    expect(JSON.stringify(user)).not.toContain(token);

    const early = await test.login('ada@example.com', 'anything at all');
    expect((await early.refused(identityRoutes.me)).status).toBe(401);

    const set = { body: { token, password: 'a new password' } };
    const answer = await test.nobody.call(peopleRoutes.setPassword, set);
    expect(answer.body.user.status).toBe('ACTIVE');
    expect(answer.headers.get('set-cookie')).toContain('HttpOnly');
    expect((await test.nobody.refused(peopleRoutes.setPassword, set)).body.message).toContain('was used');
    const session = await test.login('ada@example.com', 'a new password');
    expect((await session.call(identityRoutes.me)).body.user.email).toBe('ada@example.com');
  });

  it('is asked for a password of some length, and the link stays usable', async () => {
    const { passwordLink } = (await invite('short@example.com')).body;
    const token = tokenOf(passwordLink.link);
    const refused = await test.nobody.refused(peopleRoutes.setPassword, { body: { token, password: 'short' } });
    expect(refused.body.details?.[0]?.path).toBe('body.password');
    await test.nobody.call(peopleRoutes.setPassword, { body: { token, password: 'long enough now' } });
  });

  it('can not be invited twice, nor into a team that does not exist; nothing is half-written', async () => {
    await invite('twice@example.com');
    expect(
      (await test.admin.refused(peopleRoutes.invite, { body: { invitee: { email: 'twice@example.com' } } })).body,
    ).toMatchObject({ error: 'identifier_taken' });
    const refused = await test.admin.refused(peopleRoutes.invite, {
      body: { invitee: { email: 'lost@example.com', teams: ['nowhere'] } },
    });
    expect(refused.body.message).toContain('"nowhere", which was not found');
    expect(
      (await test.admin.refused(peopleRoutes.getUser, { params: { user_email: 'lost@example.com' } })).status,
    ).toBe(404);
  });

  it('gets a new link when the old one is lost; the old one is void', async () => {
    const first = tokenOf((await invite('again@example.com')).body.passwordLink.link);
    const params = { user_email: 'again@example.com' };
    const second = tokenOf((await test.admin.call(peopleRoutes.createPasswordLink, { params })).body.passwordLink.link);
    const set = (token: string) => ({ body: { token, password: 'a good password' } });
    expect((await test.nobody.refused(peopleRoutes.setPassword, set(first))).status).toBe(401);
    await test.nobody.call(peopleRoutes.setPassword, set(second));
  });
});

describe('a password', () => {
  it('is changed by its owner, which ends the other sessions and no more', async () => {
    const { password, caller } = await join('grace@example.com');
    const other = await test.login('grace@example.com', password);
    const wrong = { body: { currentPassword: 'not this one', newPassword: 'another password' } };
    expect((await caller.refused(peopleRoutes.changePassword, wrong)).body.details?.[0]?.path).toBe(
      'body.currentPassword',
    );
    await caller.call(peopleRoutes.changePassword, {
      body: { currentPassword: password, newPassword: 'another password' },
    });
    expect((await caller.call(identityRoutes.me)).body.user.email).toBe('grace@example.com');
    expect((await other.refused(identityRoutes.me)).status).toBe(401);
    expect((await (await test.login('grace@example.com', password)).refused(identityRoutes.me)).status).toBe(401);
  });

  it('is nothing that a credential has', async () => {
    const body = { currentPassword: 'x', newPassword: 'another password' };
    expect((await test.machine.refused(peopleRoutes.changePassword, { body })).status).toBe(403);
  });
});

describe('users', () => {
  it('get roles and teams; the answer carries the user beside ok', async () => {
    await join('edsger@example.com');
    await test.admin.call(peopleRoutes.createTeam, { body: { name: 'Platform Team' } });
    const { body } = await test.admin.call(peopleRoutes.patchUser, {
      params: { user_email: 'edsger@example.com' },
      body: { roles: ['Member', 'Moderator'], teams: ['Platform Team'] },
    });
    expect(body).toMatchObject({
      ok: true,
      email: 'edsger@example.com',
      roles: [{ name: 'Moderator' }],
      teams: ['Platform Team'],
      teamsIdentifiers: ['Platform_Team'],
    });
  });

  it('are out at once when they are disabled or deleted', async () => {
    const { password, caller } = await join('barbara@example.com');
    const params = { user_email: 'barbara@example.com' };
    await test.admin.call(peopleRoutes.patchUser, { params, body: { status: 'DISABLED' } });
    expect((await caller.refused(identityRoutes.me)).status).toBe(401);
    expect((await (await test.login('barbara@example.com', password)).refused(identityRoutes.me)).status).toBe(401);
    await test.admin.call(peopleRoutes.patchUser, { params, body: { status: 'ACTIVE' } });
    const back = await test.login('barbara@example.com', password);
    await back.call(identityRoutes.me);
    await test.admin.call(peopleRoutes.removeUser, { params });
    expect((await back.refused(identityRoutes.me)).status).toBe(401);
  });

  it('always include an administrator', async () => {
    const params = { user_email: testOrganization.adminEmail };
    for (const body of [{ roles: ['Member' as const] }, { status: 'DISABLED' as const }])
      expect((await test.admin.refused(peopleRoutes.patchUser, { params, body })).body.message).toContain(
        'only active administrator',
      );
    expect((await test.admin.refused(peopleRoutes.removeUser, { params })).status).toBe(409);
  });

  it('are managed by administrators only', async () => {
    const { caller } = await join('member@example.com');
    await caller.call(peopleRoutes.listUsers);
    expect((await caller.refused(peopleRoutes.invite, { body: { invitee: { email: 'x@example.com' } } })).status).toBe(
      403,
    );
    expect((await caller.refused(peopleRoutes.createTeam, { body: { name: 'x' } })).body).toMatchObject({
      error: 'forbidden',
      message:
        'This needs the permission user:manage, which the role Member does not have. It comes with the role Admin, which an administrator can give.',
    });
  });

  it('of another organization are not seen', async () => {
    const other = await test.otherOrganization();
    const { users } = (await other.call(peopleRoutes.listUsers)).body;
    expect(users.map((user) => user.email)).not.toContain(testOrganization.adminEmail);
    const params = { user_email: testOrganization.adminEmail };
    expect((await other.refused(peopleRoutes.getUser, { params })).status).toBe(404);
    expect((await other.refused(peopleRoutes.removeUser, { params })).status).toBe(404);
  });
});

describe('teams', () => {
  it('are created, renamed, emptied and deleted; the identifier stays', async () => {
    await join('linus@example.com');
    const created = (
      await test.admin.call(peopleRoutes.createTeam, {
        body: { name: 'Kernel hackers', description: 'all of them', users: ['linus@example.com'] },
      })
    ).body.team;
    expect(created).toMatchObject({
      identifier: 'Kernel_hackers',
      provider: 'port',
      users: ['linus@example.com'],
    });
    expect(
      (await test.admin.call(peopleRoutes.getTeam, { params: { name: 'Kernel hackers' } })).body.team.users,
    ).toMatchObject([{ email: 'linus@example.com', status: 'ACTIVE' }]);

    const renamed = (
      await test.admin.call(peopleRoutes.patchTeam, { params: { name: 'Kernel hackers' }, body: { name: 'Kernel' } })
    ).body.team;
    expect(renamed).toMatchObject({ identifier: 'Kernel_hackers', name: 'Kernel', description: 'all of them' });
    expect(renamed.users).toHaveLength(1);

    const replaced = (
      await test.admin.call(peopleRoutes.replaceTeam, {
        params: { name: 'Kernel' },
        body: { name: 'Kernel', users: [] },
      })
    ).body.team;
    expect(replaced).toMatchObject({ description: null, users: [] });

    await test.admin.call(peopleRoutes.removeTeam, { params: { name: 'Kernel_hackers' } });
    expect((await test.admin.refused(peopleRoutes.getTeam, { params: { name: 'Kernel' } })).status).toBe(404);
    expect(
      (await test.admin.call(peopleRoutes.getUser, { params: { user_email: 'linus@example.com' } })).body.user.teams,
    ).toEqual([]);
  });

  it('refuse a taken name and an unknown member, and write nothing then', async () => {
    await test.admin.call(peopleRoutes.createTeam, { body: { name: 'Unique' } });
    expect((await test.admin.refused(peopleRoutes.createTeam, { body: { name: 'Unique' } })).body.message).toContain(
      'taken',
    );
    const refused = await test.admin.refused(peopleRoutes.createTeam, {
      body: { name: 'Half', users: ['nobody@example.com'] },
    });
    expect(refused.body.details?.[0]).toMatchObject({ path: 'body.users' });
    expect((await test.admin.refused(peopleRoutes.getTeam, { params: { name: 'Half' } })).status).toBe(404);
  });
});
