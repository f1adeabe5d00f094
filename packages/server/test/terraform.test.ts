import { auditRoutes, type BlueprintBody, blueprintRoutes, entityRoutes } from '@quayside/contracts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestApp, type TestApp } from './harness.ts';

/**
 * What tools that keep the portal in step with files rely on: what was written is read back, absent stays absent, a second
 * apply changes nothing. Each case is a request that Port's Terraform provider sends.
 */
let test: TestApp;
beforeAll(async () => {
  test = await startTestApp();
});
afterAll(() => test.stop());

const createBlueprint = async (body: BlueprintBody) =>
  (await test.machine.call(blueprintRoutes.create, { body })).body.blueprint;
const createEntity = async (blueprint_identifier: string, body: Record<string, unknown>) =>
  (await test.machine.call(entityRoutes.create, { params: { blueprint_identifier }, body: body as never })).body.entity;

describe('a blueprint', () => {
  // The resource for aggregations reads the blueprint, adds to it, and writes it back whole.
  it('may be written back with the stamps it was read with; they are not believed', async () => {
    const read = await createBlueprint({ identifier: 'echoed', title: 'Echoed', schema: { properties: {} } });
    const aggregationProperties = {
      many: { target: 'echoed', calculationSpec: { func: 'count', calculationBy: 'entities' } },
    };
    const body = { ...read, aggregationProperties, createdAt: '1999-01-01T00:00:00Z', createdBy: 'somebody else' };
    const params = { blueprint_identifier: 'echoed' };
    await test.machine.call(blueprintRoutes.replace, { params, body: body as never });
    const { blueprint } = (await test.machine.call(blueprintRoutes.get, { params })).body;
    expect(blueprint).toMatchObject({ aggregationProperties, createdAt: read.createdAt, createdBy: read.createdBy });

    const { aggregationProperties: _gone, ...without } = read;
    await test.machine.call(blueprintRoutes.replace, { params, body: without as never });
    expect((await test.machine.call(blueprintRoutes.get, { params })).body.blueprint.aggregationProperties).toEqual({});
  });
});

describe('all entities of a blueprint', () => {
  const schema = { properties: { size: { type: 'number' as const } } };

  it('stay where another blueprint needs them', async () => {
    await createBlueprint({ identifier: 'needed', title: 'Needed', schema });
    await createBlueprint({
      identifier: 'needing',
      title: 'Needing',
      schema,
      relations: { on: { target: 'needed', required: true } },
    });
    await createEntity('needed', { identifier: 'one' });
    const params = { blueprint_identifier: 'needed' };
    const answer = await test.machine.refused(entityRoutes.removeAll, { params });
    expect(answer).toMatchObject({ status: 409, body: { error: 'has_dependents' } });
    expect((await test.machine.call(entityRoutes.count, { params })).body.count).toBe(1);
  });

  // The entities go in the same transaction as the blueprint: when it can not go, neither do they.
  it('stay when the blueprint was to go with them and can not', async () => {
    await createBlueprint({ identifier: 'wanted', title: 'Wanted', schema });
    await createBlueprint({ identifier: 'wanting', title: 'W', schema, relations: { on: { target: 'wanted' } } });
    await createEntity('wanted', { identifier: 'one' });
    const params = { blueprint_identifier: 'wanted' };
    await test.machine.refused(entityRoutes.removeAll, { params, query: { delete_blueprint: 'true' } });
    expect((await test.machine.call(entityRoutes.count, { params })).body.count).toBe(1);
  });

  it('are for those who may change the blueprint', async () => {
    const answer = await test.nobody.refused(entityRoutes.removeAll, { params: { blueprint_identifier: 'needed' } });
    expect(answer.status).toBe(401);
  });

  it('go with their blueprint, each with its event, and the record says how many', { timeout: 60_000 }, async () => {
    await createBlueprint({
      identifier: 'gone',
      title: 'Gone',
      schema,
      relations: { next: { target: 'gone', many: true } },
    });
    const next = Array.from({ length: 1_203 }, (_, index) => `e${index}`);
    await test.machine.call(entityRoutes.create, {
      params: { blueprint_identifier: 'gone' },
      query: { create_missing_related_entities: true },
      body: { identifier: 'last', relations: { next } },
    });
    const params = { blueprint_identifier: 'gone' };
    const { migrationId } = (
      await test.machine.call(entityRoutes.removeAll, { params, query: { delete_blueprint: true } })
    ).body;
    const { migration } = (
      await test.machine.call(entityRoutes.getMigration, { params: { migration_id: migrationId } })
    ).body;
    expect(migration).toMatchObject({
      status: 'COMPLETED',
      sourceBlueprint: 'gone',
      deleteEntities: true,
      deleteBlueprint: true,
      successCount: next.length + 1,
      failureCount: 0,
    });
    expect((await test.machine.refused(blueprintRoutes.get, { params })).status).toBe(404);
    const { audits } = (
      await test.machine.call(auditRoutes.list, {
        query: { entity: 'last', blueprint: 'gone', resources: ['entity'], action: 'DELETE' },
      })
    ).body;
    expect(audits).toHaveLength(1);
    const other = await test.otherOrganization();
    expect((await other.refused(entityRoutes.getMigration, { params: { migration_id: migrationId } })).status).toBe(
      404,
    );
  });
});
