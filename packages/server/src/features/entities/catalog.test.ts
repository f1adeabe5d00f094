import { auditRoutes, blueprintRoutes, entityRoutes } from '@quayside/contracts';
import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { serviceBlueprint } from '../../../test/documents.ts';
import { startTestApp, type TestApp } from '../../../test/harness.ts';

let test: TestApp;
beforeAll(async () => {
  test = await startTestApp();
  await test.machine.call(blueprintRoutes.create, { body: serviceBlueprint });
});
afterAll(() => test.stop());

const params = { blueprint_identifier: 'service' };
const at = (identifier: string) => ({ ...params, entity_identifier: identifier });
const create = async (body: Record<string, unknown>, query: Record<string, unknown> = {}) =>
  (await test.machine.call(entityRoutes.create, { params, query, body: body as never })).body.entity;
const refused = (body: Record<string, unknown>, query: Record<string, string> = {}) =>
  test.machine.refused(entityRoutes.create, { params, query, body });

/** Somebody else at the database, who holds what others want. */
async function connect(): Promise<Client> {
  const client = new Client({ connectionString: test.databaseUrl });
  await client.connect();
  return client;
}
const waiting = "select from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()";
const untilOneWaits = (client: Client) =>
  vi.waitFor(async () => expect((await client.query(waiting)).rowCount).toBe(1), 10_000);

describe('blueprints', () => {
  it('come back as they were written, with what clients rely on filled in', async () => {
    const { blueprint } = (await test.machine.call(blueprintRoutes.get, { params })).body;
    expect(Object.keys(blueprint.schema.properties)).toEqual(['tier', 'language', 'url', 'lifecycle']);
    expect(blueprint).toMatchObject({
      relations: { depends_on: { many: true, required: false } },
      mirrorProperties: {},
      calculationProperties: {},
      aggregationProperties: {},
    });
  });

  it.each([
    ['a taken identifier', serviceBlueprint, 409, 'taken'],
    [
      'a relation to nowhere',
      { ...serviceBlueprint, identifier: 'x', relations: { a: { target: 'nowhere' } } },
      422,
      'body.relations.a.target',
    ],
    [
      'a required name that is no property',
      { identifier: 'x', title: 'X', schema: { properties: {}, required: ['a'] } },
      422,
      'body.schema.required',
    ],
    [
      'a key in two maps',
      {
        identifier: 'x',
        title: 'X',
        schema: { properties: { a: { type: 'string' } } },
        mirrorProperties: { a: { path: 'b.c' } },
      },
      422,
      'mirrorProperties.a',
    ],
    [
      'a property without a type',
      { identifier: 'x', title: 'X', schema: { properties: { a: {} } } },
      422,
      'body.schema.properties.a.type is required.',
    ],
    [
      'an unknown key',
      { identifier: 'x', title: 'X', schema: { properties: {} }, colour: 1 },
      422,
      'body.colour is not known here.',
    ],
  ])('refuse %s', async (_name, body, status, message) => {
    const answer = await test.machine.refused(blueprintRoutes.create, { body });
    expect(answer.status).toBe(status);
    expect(answer.body.message).toContain(message);
  });

  it('keep the type of a property; removing and adding it again is the way', async () => {
    const body = (type: string) => ({ title: 'T', schema: { properties: { a: { type } } } });
    await test.machine.call(blueprintRoutes.create, { body: { identifier: 'typed', ...body('string') } as never });
    const typed = { blueprint_identifier: 'typed' };
    expect(
      (await test.machine.refused(blueprintRoutes.replace, { params: typed, body: body('number') })).body.message,
    ).toContain('can not change from string to number');
    await test.machine.call(blueprintRoutes.replace, {
      params: typed,
      body: { title: 'T', schema: { properties: {} } },
    });
    await test.machine.call(blueprintRoutes.replace, { params: typed, body: body('number') as never });
  });

  it('are renamed with the relations that point at them', async () => {
    await test.machine.call(blueprintRoutes.create, {
      body: { identifier: 'team/old', title: 'Team', schema: { properties: {} } },
    });
    await test.machine.call(blueprintRoutes.create, {
      body: {
        identifier: 'member',
        title: 'Member',
        schema: { properties: {} },
        relations: { team: { target: 'team/old' } },
      },
    });
    await test.machine.call(blueprintRoutes.patch, {
      params: { blueprint_identifier: 'team/old' },
      body: { identifier: 'team' },
    });
    const { blueprint } = (await test.machine.call(blueprintRoutes.get, { params: { blueprint_identifier: 'member' } }))
      .body;
    expect(blueprint.relations?.team?.target).toBe('team');
    expect(
      (await test.machine.refused(blueprintRoutes.remove, { params: { blueprint_identifier: 'team' } })).body.message,
    ).toContain('has_dependents');
  });

  it('with entities are not deleted', async () => {
    await create({ identifier: 'kept', properties: { tier: 1 } });
    expect((await test.machine.refused(blueprintRoutes.remove, { params })).body.message).toContain('has_dependents');
  });
});

describe('entities', () => {
  it('are created with defaults, a generated identifier when none is given, and every relation shown', async () => {
    const entity = await create({ title: 'Shop', team: 'core', properties: { tier: 1, undeclared: { a: 1 } } });
    expect(entity.identifier).toMatch(/^e_\w{16}$/);
    expect(entity).toMatchObject({
      team: ['core'],
      properties: { tier: 1, lifecycle: 'beta', undeclared: { a: 1 } },
      relations: { depends_on: [], replaces: null },
    });
    expect(entity).not.toHaveProperty('scorecards');
  });

  it.each([
    ['a missing property', {}, 422, 'body.properties.tier is required.'],
    ['a wrong type', { properties: { tier: 'one' } }, 422, 'body.properties.tier must be number'],
    ['a value outside the list', { properties: { tier: 1, language: 'Basic' } }, 422, 'body.properties.language'],
    ['a malformed URL', { properties: { tier: 1, url: 'no url' } }, 422, 'body.properties.url'],
    [
      'an unknown relation',
      { properties: { tier: 1 }, relations: { owner: 'x' } },
      404,
      'relation "owner" was not found',
    ],
    [
      'a relation to nowhere',
      { properties: { tier: 1 }, relations: { replaces: 'nowhere' } },
      404,
      'Entity with identifier "nowhere"',
    ],
    ['two targets where one fits', { properties: { tier: 1 }, relations: { replaces: ['a', 'b'] } }, 422, 'takes one'],
    ['a contradicting blueprint', { blueprint: 'other', properties: { tier: 1 } }, 422, 'body.blueprint'],
    ['an identifier with a space', { identifier: 'a b', properties: { tier: 1 } }, 422, 'body.identifier'],
  ])('refuse %s, and write nothing', async (_name, body, status, message) => {
    const count = async () => (await test.machine.call(entityRoutes.count, { params })).body.count;
    const before = await count();
    const answer = await refused({ identifier: 'refused', ...body });
    expect(answer.status).toBe(status);
    expect(answer.body.message).toContain(message);
    expect(await count()).toBe(before);
  });

  it('are a 409 when taken, are overwritten by upsert, and merged by merge', async () => {
    await create({ identifier: 'upserted', properties: { tier: 1, language: 'Go' } });
    expect((await refused({ identifier: 'upserted', properties: { tier: 2 } })).status).toBe(409);
    const merged = await create(
      { identifier: 'upserted', properties: { tier: 2, lifecycle: null } },
      { upsert: true, merge: true },
    );
    expect(merged.properties).toEqual({ tier: 2, language: 'Go', url: null, lifecycle: null });
    const replaced = await create({ identifier: 'upserted', properties: { tier: 3 } }, { upsert: true });
    expect(replaced.properties).toEqual({ tier: 3, language: null, url: null, lifecycle: null });
  });

  it('are created once and updated by all others when many upsert the same one at once', async () => {
    const writers = Array.from({ length: 10 }, (_, index) => index);
    for (const identifier of ['raced-1', 'raced-2', 'raced-3'])
      await Promise.all(writers.map((tier) => create({ identifier, properties: { tier } }, { upsert: true })));
    const { audits } = (
      await test.machine.call(auditRoutes.list, {
        query: { entity: 'raced-1', blueprint: 'service', resources: ['entity'] },
      })
    ).body;
    expect(audits.map((audit) => audit.action).toSorted()).toEqual(['CREATE', ...Array<string>(9).fill('UPDATE')]);
  });

  it.each([
    ['that are there', ['here-a', 'here-b', 'here-c']],
    ['that they make', ['made-a', 'made-b', 'made-c']],
  ])('are written by many at once who name each other, %s', async (_name, [a = '', b = '', c = '']) => {
    if (a.startsWith('here')) for (const identifier of [a, b, c]) await create({ identifier, properties: { tier: 1 } });
    const circle = [
      [a, b, c],
      [b, c, a],
      [c, a, b],
    ];
    for (let tier = 1; tier <= 3; tier += 1)
      await Promise.all(
        circle.map(([identifier = '', ...others]) =>
          create(
            { identifier, properties: { tier }, relations: { depends_on: others } },
            { upsert: true, create_missing_related_entities: true },
          ),
        ),
      );
    for (const [identifier = '', ...others] of circle)
      expect((await test.machine.call(entityRoutes.get, { params: at(identifier) })).body.entity).toMatchObject({
        properties: { tier: 3 },
        relations: { depends_on: others },
      });
  });

  it('are refused, and nothing is written, when what they relate to is removed meanwhile', async () => {
    await create({ identifier: 'vanishes', properties: { tier: 1 } });
    const other = await connect();
    await other.query("begin; delete from entities where identifier = 'vanishes'");
    const body = { identifier: 'relates', properties: { tier: 1 }, relations: { depends_on: ['vanishes'] } };
    const answer = refused(body);
    await untilOneWaits(other);
    await other.query('commit');
    await other.end();
    expect((await answer).status).toBe(404);
    expect((await answer).body.message).toContain('"vanishes"');
    expect((await test.machine.refused(entityRoutes.get, { params: at('relates') })).status).toBe(404);
  });

  it('are checked, not written, by validation_only', async () => {
    await create({ identifier: 'only-checked', properties: { tier: 1 } }, { validation_only: true });
    expect((await test.machine.refused(entityRoutes.get, { params: at('only-checked') })).status).toBe(404);
  });

  it('that are missing are created bare when asked for', async () => {
    const entity = await create(
      { identifier: 'points', properties: { tier: 1 }, relations: { depends_on: ['new-a', 'new-b'] } },
      { create_missing_related_entities: true },
    );
    expect(entity.relations.depends_on).toEqual(['new-a', 'new-b']);
    expect((await test.machine.call(entityRoutes.get, { params: at('new-a') })).body.entity).toMatchObject({
      title: 'new-a',
      properties: { tier: null, language: null, url: null, lifecycle: null },
    });
  });

  it('record no event for a write that changes nothing', async () => {
    await create({ identifier: 'same', properties: { tier: 1 } });
    await create({ identifier: 'same', properties: { tier: 1 } }, { upsert: true, merge: true });
    const { audits } = (
      await test.machine.call(auditRoutes.list, {
        query: { entity: 'same', blueprint: 'service', resources: ['entity'] },
      })
    ).body;
    expect(audits.map((audit) => audit.action)).toEqual(['CREATE']);
  });

  it('are renamed with the relations that point at them', async () => {
    await create({ identifier: 'old/name', properties: { tier: 1 } });
    await create({ identifier: 'pointing', properties: { tier: 1 }, relations: { replaces: 'old/name' } });
    await test.machine.call(entityRoutes.patch, { params: at('old/name'), body: { identifier: 'new-name' } });
    expect((await test.machine.call(entityRoutes.get, { params: at('pointing') })).body.entity.relations.replaces).toBe(
      'new-name',
    );
    expect(
      (await test.machine.refused(entityRoutes.patch, { params: at('new-name'), body: { identifier: 'pointing' } }))
        .body.message,
    ).toContain('taken');
  });

  it('that others need are deleted only with them; optional pointers are cleared', async () => {
    await test.machine.call(blueprintRoutes.create, {
      body: {
        identifier: 'deployment',
        title: 'Deployment',
        schema: { properties: {} },
        relations: { service: { target: 'service', required: true } },
      },
    });
    await create({ identifier: 'needed', properties: { tier: 1 } });
    await create({ identifier: 'optional', properties: { tier: 1 }, relations: { depends_on: ['needed'] } });
    await test.machine.call(entityRoutes.create, {
      params: { blueprint_identifier: 'deployment' },
      body: { identifier: 'd1', relations: { service: 'needed' } },
    });
    const answer = await test.machine.refused(entityRoutes.remove, { params: at('needed') });
    expect(answer.body).toMatchObject({ error: 'has_dependents', details: [{ path: 'deployment/d1' }] });
    await test.machine.call(entityRoutes.remove, { params: at('needed'), query: { delete_dependents: true } });
    expect(
      (
        await test.machine.refused(entityRoutes.get, {
          params: { blueprint_identifier: 'deployment', entity_identifier: 'd1' },
        })
      ).status,
    ).toBe(404);
    expect(
      (await test.machine.call(entityRoutes.get, { params: at('optional') })).body.entity.relations.depends_on,
    ).toEqual([]);
  });

  it.each(['one', 'all'])(
    'are removed, %s of them, though the database ends a deadlock with a writer',
    async (which) => {
      const blueprint_identifier = `removed-${which}`;
      const relations = { peer: { target: blueprint_identifier, many: false, required: false } };
      const schema = { properties: {}, required: [] };
      const blueprint = { identifier: blueprint_identifier, title: 'Removed', schema, relations };
      await test.machine.call(blueprintRoutes.create, { body: blueprint as never });
      for (const body of [{ identifier: 'wanted' }, { identifier: 'points', relations: { peer: 'wanted' } }])
        await test.machine.call(entityRoutes.create, { params: { blueprint_identifier }, body });
      const mine = `(select e.id from entities e join blueprints b on b.id = e.blueprint_id where b.identifier = '${blueprint_identifier}' and e.identifier = 'wanted')`;
      const other = await connect();
      await other.query(`begin; delete from entity_relations where target_id = ${mine}`);
      const removal =
        which === 'one'
          ? test.machine.call(entityRoutes.remove, { params: { blueprint_identifier, entity_identifier: 'wanted' } })
          : test.machine.call(entityRoutes.removeAll, { params: { blueprint_identifier } });
      await untilOneWaits(other);
      // Each waits for the other now; who began to wait first is ended.
      await other.query(`select from entities where id = ${mine} for update; commit`);
      await other.end();
      expect((await removal).status).toBe(200);
      const { count } = (await test.machine.call(entityRoutes.count, { params: { blueprint_identifier } })).body;
      expect(count).toBe(which === 'one' ? 1 : 0);
    },
  );

  it('written by many at once with the same missing relation do not collide', async () => {
    const writes = Array.from({ length: 12 }, (_, index) =>
      create(
        { identifier: `many-${index}`, properties: { tier: 1 }, relations: { depends_on: ['shared-target'] } },
        { create_missing_related_entities: true },
      ),
    );
    expect(await Promise.all(writes)).toHaveLength(12);
  });
});

describe('search', () => {
  beforeAll(async () => {
    await test.machine.call(blueprintRoutes.create, {
      body: {
        identifier: 'book',
        title: 'Book',
        schema: {
          properties: {
            pages: { type: 'number' },
            tags: { type: 'array' },
            published: { type: 'string', format: 'date-time' },
            genre: { type: 'string' },
          },
        },
      },
    });
    for (const [identifier, title, properties] of [
      ['a', 'Alpha 100%', { pages: 90, tags: ['x', 'y'], published: '2024-01-01T00:00:00Z', genre: 'crime' }],
      ['b', 'Beta', { pages: 300, tags: ['y'], published: '2025-01-01T00:00:00+02:00' }],
      ['c', 'Gamma', { pages: 1000, genre: 'Crime' }],
    ] as const)
      await test.machine.call(entityRoutes.create, {
        params: { blueprint_identifier: 'book' },
        body: { identifier, title, properties: { ...properties } },
      });
  });
  const search = async (body: Record<string, unknown>) =>
    (await test.machine.call(entityRoutes.search, { params: { blueprint_identifier: 'book' }, body: body as never }))
      .body;
  const found = async (rule: Record<string, unknown>) =>
    (await search({ query: { combinator: 'and', rules: [rule] } })).entities
      .map((entity) => entity.identifier)
      .join('');

  it.each([
    [{ property: 'genre', operator: '=', value: 'crime' }, 'a'],
    [{ property: 'genre', operator: '!=', value: 'crime' }, 'bc'],
    [{ property: 'genre', operator: '=', value: null }, 'b'],
    [{ property: 'genre', operator: 'isEmpty' }, 'b'],
    [{ property: 'genre', operator: 'isNotEmpty' }, 'ac'],
    [{ property: 'pages', operator: '>', value: 90 }, 'bc'],
    [{ property: 'pages', operator: '<=', value: 300 }, 'ab'],
    [{ property: 'pages', operator: 'in', value: [90, 1000] }, 'ac'],
    [{ property: 'pages', operator: 'notIn', value: [90] }, 'bc'],
    [{ property: 'tags', operator: 'contains', value: 'y' }, 'ab'],
    [{ property: 'tags', operator: 'containsAny', value: ['x', 'z'] }, 'a'],
    [{ property: 'tags', operator: 'doesNotContains', value: 'x' }, 'bc'],
    [{ property: '$title', operator: 'beginsWith', value: 'Al' }, 'a'],
    [{ property: '$title', operator: 'endsWith', value: '%' }, 'a'],
    [{ property: '$title', operator: 'contains', value: '0%' }, 'a'],
    [{ property: '$identifier', operator: 'in', value: ['a', 'c', 'zzz'] }, 'ac'],
    [{ property: 'published', operator: '=', value: '2024-12-31T22:00:00Z' }, 'b'],
    [
      {
        property: 'published',
        operator: 'between',
        value: { from: '2023-12-31T00:00:00Z', to: '2024-06-01T00:00:00Z' },
      },
      'a',
    ],
    [{ property: '$createdAt', operator: 'between', value: { preset: 'today' } }, 'abc'],
    [
      {
        combinator: 'or',
        rules: [
          { property: 'pages', operator: '=', value: 90 },
          { property: 'pages', operator: '=', value: 300 },
        ],
      },
      'ab',
    ],
    [{ combinator: 'and', rules: [] }, 'abc'],
    [{ combinator: 'or', rules: [] }, 'abc'],
  ])('%j finds %s', async (rule, expected) => {
    expect(await found(rule)).toBe(expected);
  });

  it.each([
    [{ property: 'pages', operator: 'resembles', value: 1 }, 'The operator "resembles"'],
    [{ operator: '=', value: 'y' }, 'needs a "property"'],
    [{ property: 'published', operator: 'between', value: { preset: 'someday' } }, '"someday"'],
    [{ property: 'pages', operator: 'in', value: 5 }, 'needs a list'],
  ])('%j is refused', async (rule, message) => {
    const answer = await test.machine.refused(entityRoutes.search, {
      params: { blueprint_identifier: 'book' },
      body: { query: { combinator: 'and', rules: [rule] } },
    });
    expect(answer).toMatchObject({ status: 422 });
    expect(answer.body.message).toContain(message);
  });

  it('pages in any order without missing or repeating', async () => {
    for (const sort of [undefined, { property: 'pages', order: 'DESC' }, { property: '$updatedAt', order: 'ASC' }]) {
      const seen: string[] = [];
      let from: string | undefined;
      do {
        const page = await search({ limit: 1, ...(sort ? { sort } : {}), ...(from ? { from } : {}) });
        seen.push(...page.entities.map((entity) => entity.identifier));
        from = page.next;
      } while (from);
      expect(seen.join('')).toBe(sort?.property === 'pages' ? 'cba' : 'abc');
    }
  });

  it('refuses the cursor of another search', async () => {
    const { next } = await search({ limit: 1 });
    const answer = await test.machine.refused(entityRoutes.search, {
      params: { blueprint_identifier: 'book' },
      body: { limit: 1, from: next, text: 'x' },
    });
    expect(answer.body.message).toContain('body.from');
  });

  it('finds free text in titles and values, in any case, with wildcards taken literally', async () => {
    expect((await search({ text: 'CRIME' })).entities).toHaveLength(2);
    expect((await search({ text: '100%' })).entities).toHaveLength(1);
    expect((await search({ text: '%' })).entities).toHaveLength(1);
  });

  it('over all blueprints tells which ones matched', async () => {
    const { body } = await test.machine.call(entityRoutes.searchAll, {
      body: { combinator: 'and', rules: [{ property: '$identifier', operator: '=', value: 'a' }] },
    });
    expect(body).toMatchObject({ matchingBlueprints: ['book'], entities: [{ identifier: 'a', blueprint: 'book' }] });
  });
});

it('a pattern of a blueprint that would hold the server for ages is answered, or told', async () => {
  const text = { type: 'string' as const };
  await test.machine.call(blueprintRoutes.create, {
    body: {
      identifier: 'patterned',
      title: 'Patterned',
      schema: { properties: { linear: { ...text, pattern: '(a+)+$' }, ahead: { ...text, pattern: '^(?=(a+)+$)' } } },
    },
  });
  const create = (properties: Record<string, unknown>) =>
    test.machine.refused(entityRoutes.create, {
      params: { blueprint_identifier: 'patterned' },
      body: { identifier: 'x', properties },
    });
  const hostile = `${'a'.repeat(5_000)}!`;
  expect((await create({ linear: hostile })).body.message).toContain('must match pattern "(a+)+$"');
  expect((await create({ ahead: hostile })).body.message).toContain('takes too long on this text');
});
