import { auditRoutes, blueprintRoutes, entityRoutes, identityRoutes, runRoutes } from '@quayside/contracts';
import { testOrganization } from '@quayside/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestApp, type TestApp } from '../../../test/harness.ts';

let test: TestApp;
beforeAll(async () => {
  test = await startTestApp();
  await test.machine.call(blueprintRoutes.create, {
    body: { identifier: 'service', title: 'Service', schema: { properties: { tier: { type: 'number' } } } },
  });
});
afterAll(() => test.stop());

const records = async (query: Record<string, string | string[]>) =>
  (await test.admin.call(auditRoutes.list, { query })).body.audits;

describe('a write that was refused', () => {
  it('is in the log with who, what and why, and without what was in it', async () => {
    await test.machine.refused(entityRoutes.create, {
      params: { blueprint_identifier: 'service' },
      body: { identifier: 'checkout', properties: { tier: 'geheim' } },
    });
    const [record, ...more] = await records({ entity: 'checkout' });
    expect(more).toEqual([]);
    expect(record).toMatchObject({
      action: 'CREATE',
      resourceType: 'entity',
      status: 'FAILURE',
      message: expect.stringContaining('tier'),
      trigger: { by: { machine: { id: testOrganization.clientId } }, origin: 'API' },
      context: { blueprint: 'service', entity: 'checkout' },
      diff: { before: null, after: null },
      additionalData: { method: 'POST', path: '/v1/blueprints/service/entities' },
    });
    expect(JSON.stringify(record)).not.toContain('geheim');
  });

  it('is found by what was tried, and by its failure', async () => {
    await test.admin.refused(blueprintRoutes.create, {
      body: { identifier: 'service', title: 'Again', schema: { properties: {} } },
    });
    await test.admin.refused(blueprintRoutes.remove, { params: { identifier: 'nothing' } });
    const found = async (query: Record<string, string | string[]>) =>
      (await records({ ...query, resources: ['blueprint'], status: 'FAILURE' })).map(({ message }) => message);
    expect(await found({ action: 'CREATE' })).toEqual([expect.stringContaining('taken')]);
    expect(await found({ action: 'DELETE' })).toEqual([expect.stringContaining('was not found')]);
    expect(await found({ action: 'UPDATE' })).toEqual([]);
    expect(await found({ by: testOrganization.adminEmail })).toHaveLength(2);
    expect(await found({ by: 'somebody@else.example' })).toEqual([]);
  });

  it('is recorded when the caller may not do it at all', async () => {
    const member = await test.join('member@example.com');
    await member.refused(blueprintRoutes.create, { body: { identifier: 'x', title: 'X', schema: { properties: {} } } });
    expect(await records({ by: 'member@example.com', status: 'FAILURE' })).toMatchObject([
      { resourceType: 'blueprint', message: expect.stringContaining('blueprint:write'), trigger: { origin: 'UI' } },
    ]);
    // And a member does not read it.
    expect((await member.refused(auditRoutes.list)).status).toBe(403);
    expect((await member.refused(auditRoutes.checkpoints)).status).toBe(403);
    expect((await member.fetch('/v1/audit-log/export')).status).toBe(403);
  });

  it('is not recorded for reads, and for callers that nobody knows', async () => {
    const before = (await records({ status: 'FAILURE' })).length;
    await test.machine.refused(entityRoutes.get, {
      params: { blueprint_identifier: 'service', entity_identifier: 'no' },
    });
    await test.machine.refused(entityRoutes.searchAll, { body: { combinator: 'x', rules: [] } });
    await test.machine.refused(runRoutes.preview, { params: { action_identifier: 'no' }, body: {} });
    await test.nobody.refused(blueprintRoutes.create, { body: {} });
    expect((await records({ status: 'FAILURE' })).length).toBe(before);
  });

  it('changes nothing about the entity and fires nothing', async () => {
    await test.machine.call(entityRoutes.create, {
      params: { blueprint_identifier: 'service' },
      body: { identifier: 'orders', properties: { tier: 1 } },
    });
    await test.machine.refused(entityRoutes.patch, {
      params: { blueprint_identifier: 'service', entity_identifier: 'orders' },
      body: { properties: { tier: 'x' } },
    });
    const { body } = await test.machine.call(entityRoutes.history, {
      params: { blueprint_identifier: 'service', entity_identifier: 'orders' },
    });
    expect(body.changes.map(({ operation }) => operation)).toEqual(['CREATE']);
  });
});

describe('a session', () => {
  it('is in the log from its begin to its end, and so is a login that failed', async () => {
    const login = (password: string) =>
      test.nobody.fetch('/v1/auth/login', {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ email: testOrganization.adminEmail, password }),
      });
    expect((await login('wrong')).status).toBe(401);
    const session = await test.login(testOrganization.adminEmail, testOrganization.adminPassword);
    await session.call(identityRoutes.logout);
    const seen = (await records({ resources: ['session'] })).slice(0, 3);
    expect(seen.map(({ action, status, message }) => [action, status, message])).toEqual([
      ['DELETE', 'SUCCESS', undefined],
      ['CREATE', 'SUCCESS', undefined],
      ['UPDATE', 'FAILURE', 'The password was wrong.'],
    ]);
  });
});
