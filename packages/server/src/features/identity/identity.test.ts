import { auditRoutes, dispatchRoutes, identityRoutes, runRoutes } from '@quayside/contracts';
import { testOrganization } from '@quayside/testkit';
import { decodeJwt, SignJWT } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestApp, type TestApp } from '../../../test/harness.ts';
import { sql } from '../../platform/db.ts';
import { addUser } from './service-people.ts';

let test: TestApp;
beforeAll(async () => {
  test = await startTestApp();
  await addUser(test.app.systemWorld(testOrganization.orgId), {
    email: 'Mara@Example.com',
    firstName: 'Mara',
    lastName: 'Lind',
    role: 'Member',
    password: 'a member password',
  });
});
afterAll(() => test.stop());

const { clientId, clientSecret, adminEmail, adminPassword } = testOrganization;
const exchange = (body: unknown) => test.nobody.refused(identityRoutes.accessToken, { body });
const token = async () =>
  (await test.nobody.call(identityRoutes.accessToken, { body: { clientId, clientSecret } })).body.accessToken;
const withToken = (bearer: string) =>
  test.nobody.fetch('/v1/organization', { headers: { authorization: `Bearer ${bearer}` } });

describe('access tokens', () => {
  it.each([
    ['a wrong secret', { clientId, clientSecret: 'wrong' }],
    ['an unknown client', { clientId: 'nobody', clientSecret }],
  ])('are not given for %s', async (_name, body) => {
    expect(await exchange(body)).toMatchObject({ status: 401, body: { ok: false, error: 'unauthorized' } });
  });

  it('are decodable JWTs of a machine, three hours long, and the same while they last', async () => {
    const { body } = await test.nobody.call(identityRoutes.accessToken, { body: { clientId, clientSecret } });
    expect(body).toMatchObject({ tokenType: 'Bearer' });
    expect(body.expiresIn).toBeGreaterThan(3 * 3600 - 60);
    expect(decodeJwt(body.accessToken)).toMatchObject({
      isMachine: true,
      personalToken: false,
      orgId: testOrganization.orgId,
    });
    expect(await token()).toBe(body.accessToken);
  });

  it('are refused when expired, forged, or not a token', async () => {
    const claims = decodeJwt(await token());
    const expired = await new SignJWT({ ...claims, exp: 1 })
      .setProtectedHeader({ alg: 'HS256' })
      .sign(test.app.vault.keyFor('access tokens'));
    const forged = await new SignJWT({ ...claims }).setProtectedHeader({ alg: 'HS256' }).sign(Buffer.alloc(32, 1));
    const unsigned = `${Buffer.from('{"alg":"none"}').toString('base64url')}.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.`;
    for (const bearer of [expired, forged, unsigned, 'garbage']) expect((await withToken(bearer)).status).toBe(401);
    expect((await withToken(await token())).status).toBe(200);
  });

  it('end with the secret that bought them', async () => {
    const { app } = (await test.admin.call(identityRoutes.createApp, { body: { name: 'CI' } })).body;
    const ci = await test.callerOf(app.id, app.secret ?? '');
    await ci.call(identityRoutes.getOrganization);
    const rotated = (await test.admin.call(identityRoutes.rotateApp, { params: { id: app.id } })).body.app;
    expect(rotated.secret).not.toBe(app.secret);
    expect(await exchange({ clientId: app.id, clientSecret: app.secret })).toMatchObject({ status: 401 });
    await test.callerOf(app.id, rotated.secret ?? '').then((caller) => caller.call(identityRoutes.getOrganization));
  });
});

describe('credentials', () => {
  it('show their secret once', async () => {
    const { app } = (await test.admin.call(identityRoutes.createApp, { body: { name: 'once' } })).body;
    expect(app.secret).toHaveLength(64);
    const { apps } = (await test.admin.call(identityRoutes.listApps)).body;
    expect(apps.find((other) => other.id === app.id)).toBeDefined();
    expect(JSON.stringify(apps)).not.toContain(app.secret);
    const audits = await test.machine.call(auditRoutes.list, { query: { resources: ['credential'] } });
    expect(JSON.stringify(audits.body)).not.toContain(app.secret);
  });

  it('are stored hashed and sealed, never in clear', async () => {
    const rows = await test.app.database.system((tx) =>
      tx.many<Record<string, unknown>>(sql`select *, secret_sealed::text as sealed from credentials`),
    );
    expect(JSON.stringify(rows)).not.toContain(clientSecret);
  });

  it('that sign can not be deleted', async () => {
    expect(await test.admin.refused(identityRoutes.removeApp, { params: { id: clientId } })).toMatchObject({
      status: 409,
      body: { error: 'has_dependents' },
    });
  });
});

describe('sessions', () => {
  it('start with the right password only, and do not tell which part was wrong', async () => {
    const wrong = await test.nobody.refused(identityRoutes.login, { body: { email: adminEmail, password: 'wrong' } });
    const unknown = await test.nobody.refused(identityRoutes.login, {
      body: { email: 'nobody@example.com', password: 'wrong' },
    });
    expect(wrong.status).toBe(401);
    expect(wrong.body.message).toBe(unknown.body.message);
  });

  it('are kept in a cookie that scripts and other sites do not get', async () => {
    const response = await test.nobody.fetch('/v1/auth/login', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ email: adminEmail.toUpperCase(), password: adminPassword }),
    });
    expect(response.headers.get('set-cookie')).toMatch(
      /^quayside_session=[\w-]{43}; Path=\/; HttpOnly; SameSite=Lax; Max-Age=604800$/,
    );
  });

  it('know who is signed in and what they may do', async () => {
    const { body } = await test.admin.call(identityRoutes.me);
    expect(body).toMatchObject({
      user: { email: adminEmail, roles: [{ name: 'Admin' }] },
      organization: { id: testOrganization.orgId, featureFlags: [] },
    });
    expect(body.permissions).toContain('action:create');
  });

  it('are not usable by a page of another site', async () => {
    const init = (headers: Record<string, string>) => ({
      method: 'PATCH',
      headers: { 'content-type': 'application/json', ...headers },
      body: '{"name":"Taken over"}',
    });
    expect((await test.admin.fetch('/v1/organization', init({ origin: 'https://evil.example' }))).status).toBe(403);
    expect((await test.admin.fetch('/v1/organization', init({ 'sec-fetch-site': 'cross-site' }))).status).toBe(403);
    expect((await test.admin.fetch('/v1/organization', init({}))).status).toBe(200);
  });

  it('end at three idle days and at seven days in any case; activity at 2 days 23:59 keeps them', async () => {
    const caller = await test.login(adminEmail, adminPassword);
    const age = (idle: string, absolute: string) =>
      test.app.database.system((tx) =>
        tx.run(
          sql`update sessions set idle_until = now() + ${idle}::interval, absolute_until = now() + ${absolute}::interval`,
        ),
      );
    await age('1 minute', '4 days');
    await caller.call(identityRoutes.me);
    const [row] = await test.app.database.system((tx) =>
      tx.many<{ slid: boolean }>(
        sql`select idle_until > now() + interval '71 hours' as slid from sessions order by idle_until desc limit 1`,
      ),
    );
    expect(row?.slid).toBe(true);
    await age('-1 second', '4 days');
    expect((await caller.refused(identityRoutes.me)).status).toBe(401);
    await age('1 day', '-1 second');
    expect((await caller.refused(identityRoutes.me)).status).toBe(401);
    test.admin = await test.login(adminEmail, adminPassword);
  });

  it('end at logout', async () => {
    const caller = await test.login(adminEmail, adminPassword);
    await caller.call(identityRoutes.logout);
    expect((await caller.refused(identityRoutes.me)).status).toBe(401);
  });

  it('make a guesser wait', async () => {
    const guess = () =>
      test.nobody.refused(identityRoutes.login, { body: { email: 'guessed@example.com', password: 'guess' } });
    const statuses = [];
    for (let index = 0; index < 11; index++) statuses.push((await guess()).status);
    expect(statuses.at(-1)).toBe(429);
  });
});

describe('roles', () => {
  it('keep members from what is for administrators, and say which permission is missing', async () => {
    const member = await test.login('mara@example.com', 'a member password');
    const refusal = await member.refused(identityRoutes.createApp, { body: { name: 'mine' } });
    expect(refusal).toMatchObject({ status: 403, body: { error: 'forbidden' } });
    expect(refusal.body.message).toContain('credential:manage');
    expect((await member.refused(dispatchRoutes.claim, { body: { installationId: '_PORT_EXEC_AGENT' } })).status).toBe(
      403,
    );
    expect((await member.refused(auditRoutes.list)).status).toBe(403);
    await member.call(runRoutes.list);
  });
});

describe('organization', () => {
  it('takes the one setting that real agents send, without a name', async () => {
    const { body } = await test.machine.call(identityRoutes.patchOrganization, {
      body: { settings: { portAgentStreamerName: 'POLLING' } },
    });
    expect(body.organization).toMatchObject({
      id: testOrganization.orgId,
      settings: { portAgentStreamerName: 'POLLING' },
    });
  });
});
