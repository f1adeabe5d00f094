import { auditRoutes, blueprintRoutes, entityRoutes, peopleRoutes } from '@quayside/contracts';
import { testOrganization } from '@quayside/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Caller, startTestApp, type TestApp } from '../../../test/harness.ts';

/** Teams and users have twins in the catalog; either side is written, both follow. */
let test: TestApp;
beforeAll(async () => {
  test = await startTestApp();
});
afterAll(() => test.stop());

const at = (blueprint_identifier: string, entity_identifier: string) => ({ blueprint_identifier, entity_identifier });
const twin = async (blueprint: string, identifier: string) =>
  (await test.machine.call(entityRoutes.get, { params: at(blueprint, identifier) })).body.entity;
const isGone = async (blueprint: string, identifier: string) =>
  (await test.machine.refused(entityRoutes.get, { params: at(blueprint, identifier) })).status === 404;
const write = (blueprint_identifier: string, body: Record<string, unknown>, who: Caller = test.machine) =>
  who.call(entityRoutes.create, { params: { blueprint_identifier }, query: { upsert: true }, body: body as never });
const invite = async (email: string, more: Record<string, unknown> = {}) =>
  (await test.admin.call(peopleRoutes.invite, { body: { invitee: { email, ...more } as never } })).body;
const user = async (user_email: string) =>
  (await test.admin.call(peopleRoutes.getUser, { params: { user_email } })).body.user;

describe('a user', () => {
  it('is in the catalog from the first start on, and from the invitation on', async () => {
    expect(await twin('_user', testOrganization.adminEmail)).toMatchObject({
      title: 'Admin',
      properties: { status: 'Active', port_role: 'Admin' },
    });
    const { passwordLink } = await invite('ada@example.com', { firstName: 'Ada', lastName: 'L' });
    expect(await twin('_user', 'ada@example.com')).toMatchObject({
      title: 'Ada L',
      team: [],
      properties: { status: 'Invited', port_role: 'Member' },
    });
    await test.nobody.call(peopleRoutes.setPassword, {
      body: { token: new URL(passwordLink.link).hash.slice(1), password: 'a long password' },
    });
    expect((await twin('_user', 'ada@example.com')).properties.status).toBe('Active');
  });

  it('changes and goes with their twin, on either side', async () => {
    await invite('bob@example.com');
    const params = { user_email: 'bob@example.com' };
    await test.admin.call(peopleRoutes.patchUser, { params, body: { roles: ['Moderator'] } });
    expect((await twin('_user', 'bob@example.com')).properties.port_role).toBe('Moderator');
    await write('_user', {
      identifier: 'bob@example.com',
      title: 'Bob B. Builder',
      properties: { port_role: 'Member', status: 'Disabled' },
    });
    expect(await user('bob@example.com')).toMatchObject({
      firstName: 'Bob',
      lastName: 'B. Builder',
      status: 'DISABLED',
      roles: [{ name: 'Member' }],
    });
    await test.admin.call(peopleRoutes.removeUser, { params });
    expect(await isGone('_user', 'bob@example.com')).toBe(true);

    await write('_user', { identifier: 'eve@example.com', title: 'Eve', properties: { port_role: 'Moderator' } });
    expect(await user('eve@example.com')).toMatchObject({ status: 'INVITED', roles: [{ name: 'Moderator' }] });
    await test.machine.call(entityRoutes.remove, { params: at('_user', 'eve@example.com') });
    expect((await test.admin.refused(peopleRoutes.getUser, { params: { user_email: 'eve@example.com' } })).status).toBe(
      404,
    );
  });

  it.each([
    ['no e-mail address', { identifier: 'somebody' }, 'e-mail address in lower case'],
    ['an unknown team', { identifier: 'new@example.com', team: ['nowhere'] }, 'names the team "nowhere"'],
    ['an unknown role', { identifier: 'new@example.com', properties: { port_role: 'King' } }, 'port_role'],
  ])('is not made of an entity with %s, and nothing is half-written', async (_name, body, message) => {
    const refused = await test.machine.refused(entityRoutes.create, {
      params: { blueprint_identifier: '_user' },
      body,
    });
    expect([refused.status, refused.body.message]).toEqual([422, expect.stringContaining(message)]);
    expect(await isGone('_user', body.identifier)).toBe(true);
  });

  it('who is the last administrator stays it, whichever side is written', async () => {
    const params = at('_user', testOrganization.adminEmail);
    expect((await test.machine.refused(entityRoutes.remove, { params })).body.message).toContain('only active');
    const demoted = await test.machine.refused(entityRoutes.patch, {
      params,
      body: { properties: { port_role: 'Member' } },
    });
    expect(demoted.body.message).toContain('only active administrator');
    expect((await twin('_user', testOrganization.adminEmail)).properties.port_role).toBe('Admin');
  });

  // A moderator writes entities; an entity of _user with the role Admin would make them an administrator.
  it('is not changed by those who may write entities but not manage users', async () => {
    const { passwordLink } = await invite('mod@example.com', { roles: ['Moderator'] });
    const password = 'a long password';
    await test.nobody.call(peopleRoutes.setPassword, {
      body: { token: new URL(passwordLink.link).hash.slice(1), password },
    });
    const moderator = await test.login('mod@example.com', password);
    const raised = await moderator.refused(entityRoutes.patch, {
      params: at('_user', 'mod@example.com'),
      body: { properties: { port_role: 'Admin' } },
    });
    expect([raised.status, raised.body.message]).toEqual([403, expect.stringContaining('user:manage')]);
    expect(
      (await moderator.refused(entityRoutes.remove, { params: at('_user', testOrganization.adminEmail) })).status,
    ).toBe(403);
    expect((await user('mod@example.com')).roles).toEqual([{ name: 'Moderator' }]);
  });
});

describe('a team', () => {
  it('is in the catalog, with its members knowing it', async () => {
    await invite('carl@example.com');
    await test.admin.call(peopleRoutes.createTeam, {
      body: { name: 'Shop team', description: 'sells', users: ['carl@example.com'] },
    });
    expect(await twin('_team', 'Shop_team')).toMatchObject({
      title: 'Shop team',
      properties: { description: 'sells' },
    });
    expect((await twin('_user', 'carl@example.com')).team).toEqual(['Shop_team']);
    await test.admin.call(peopleRoutes.replaceTeam, {
      params: { name: 'Shop team' },
      body: { name: 'Shop', users: [] },
    });
    expect(await twin('_team', 'Shop_team')).toMatchObject({ title: 'Shop', properties: { description: null } });
    expect((await twin('_user', 'carl@example.com')).team).toEqual([]);

    await write('_user', { identifier: 'carl@example.com', team: ['Shop_team'] });
    expect((await user('carl@example.com')).teams).toEqual(['Shop']);
    await test.admin.call(peopleRoutes.removeTeam, { params: { name: 'Shop' } });
    expect(await isGone('_team', 'Shop_team')).toBe(true);
    expect((await twin('_user', 'carl@example.com')).team).toEqual([]);
  });

  it('is made, renamed and deleted through its entity, with both events', async () => {
    await write('_team', { identifier: 'ops', title: 'Operations', properties: { description: 'runs it' } });
    const team = async (name: string) => (await test.admin.call(peopleRoutes.getTeam, { params: { name } })).body.team;
    expect(await team('Operations')).toMatchObject({ identifier: 'ops', description: 'runs it' });
    await test.machine.call(entityRoutes.patch, { params: at('_team', 'ops'), body: { title: 'Ops' } });
    expect(await team('Ops')).toMatchObject({ identifier: 'ops', description: 'runs it' });
    expect(
      (await test.machine.refused(entityRoutes.patch, { params: at('_team', 'ops'), body: { identifier: 'x' } }))
        .status,
    ).toBe(422);
    const { audits } = (
      await test.machine.call(auditRoutes.list, {
        query: { blueprint: '_team', entity: 'ops', resources: ['entity'], status: 'SUCCESS' },
      })
    ).body;
    expect(audits.map(({ action }) => action)).toEqual(['UPDATE', 'CREATE']);
    await test.machine.call(entityRoutes.remove, { params: at('_team', 'ops') });
    expect((await test.admin.refused(peopleRoutes.getTeam, { params: { name: 'Ops' } })).status).toBe(404);
  });

  it('is made once when many upsert its entity at once, and so is a user', async () => {
    const many = Array.from({ length: 8 }, (_, index) => index);
    await Promise.all(many.map(() => write('_team', { identifier: 'raced', title: 'Raced' })));
    await Promise.all(many.map(() => write('_user', { identifier: 'raced@example.com', team: ['raced'] })));
    expect((await user('raced@example.com')).teams).toEqual(['Raced']);
  });

  it('of a taken name is refused', async () => {
    await write('_team', { identifier: 'one', title: 'The same' });
    const refused = await test.machine.refused(entityRoutes.create, {
      params: { blueprint_identifier: '_team' },
      body: { identifier: 'two', title: 'The same' },
    });
    expect([refused.status, refused.body.error]).toEqual([409, 'identifier_taken']);
  });

  it('of another organization has its twin there', async () => {
    const other = await test.otherOrganization();
    await other.call(peopleRoutes.createTeam, { body: { name: 'Theirs' } });
    expect((await other.call(entityRoutes.get, { params: at('_team', 'Theirs') })).body.entity.title).toBe('Theirs');
    expect(await isGone('_team', 'Theirs')).toBe(true);
  });
});

describe('a system blueprint', () => {
  const params = { blueprint_identifier: '_user' };
  const read = async () => (await test.machine.call(blueprintRoutes.get, { params })).body.blueprint;

  it('takes properties of yours, which twins keep; what is built in stays', async () => {
    const { blueprint: structure } = (await test.machine.call(blueprintRoutes.getStructure, { params })).body;
    expect(Object.keys(structure.schema.properties)).toEqual(['status', 'port_role']);
    const before = await read();
    expect(before).toMatchObject(structure);
    const body = {
      ...before,
      schema: { ...before.schema, properties: { ...before.schema.properties, slack: { type: 'string' as const } } },
      relations: { lead: { target: '_user' } },
    };
    await test.machine.call(blueprintRoutes.replace, { params, body });
    await invite('dora@example.com');
    await write('_user', { identifier: 'dora@example.com', properties: { slack: '@dora' } });
    await test.admin.call(peopleRoutes.patchUser, {
      params: { user_email: 'dora@example.com' },
      body: { roles: ['Moderator'] },
    });
    expect((await twin('_user', 'dora@example.com')).properties).toEqual({
      status: 'Invited',
      port_role: 'Moderator',
      slack: '@dora',
    });
    await test.machine.call(blueprintRoutes.replace, { params, body: before });
  });

  it.each([
    ['without what is built in', { schema: { properties: {} } }, 'schema.properties.status is built into _user'],
    [
      'with a required relation',
      { relations: { lead: { target: '_team', required: true } } },
      'relations.lead.required',
    ],
  ])('%s is refused', async (_name, change, message) => {
    const refused = await test.machine.refused(blueprintRoutes.replace, {
      params,
      body: { ...(await read()), ...change },
    });
    expect([refused.status, refused.body.message]).toEqual([422, expect.stringContaining(message)]);
  });

  it('is not deleted, renamed or emptied', async () => {
    expect((await test.machine.refused(blueprintRoutes.remove, { params })).status).toBe(403);
    expect((await test.machine.refused(entityRoutes.removeAll, { params })).status).toBe(403);
    expect((await test.machine.refused(blueprintRoutes.patch, { params, body: { identifier: 'mine' } })).status).toBe(
      422,
    );
    expect(
      (await test.machine.refused(blueprintRoutes.getStructure, { params: { blueprint_identifier: 'service' } }))
        .status,
    ).toBe(404);
  });
});
