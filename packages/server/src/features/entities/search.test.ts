import { blueprintRoutes, entityRoutes, peopleRoutes } from '@quayside/contracts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Caller, startTestApp, type TestApp } from '../../../test/harness.ts';

/** Rules that follow relations, and rules about who asks. */
let test: TestApp;
let ada: Caller;

const blueprint = (identifier: string, rest: Record<string, unknown>) =>
  test.machine.call(blueprintRoutes.create, {
    body: { identifier, title: identifier, schema: { properties: {} }, ...rest } as never,
  });
const entity = (of: string, identifier: string, body: Record<string, unknown> = {}) =>
  test.machine.call(entityRoutes.create, {
    params: { blueprint_identifier: of },
    body: { identifier, title: `The ${identifier}`, ...body } as never,
  });

/**
 * domain  ◄── system ◄── service ──► service …
 * d1      ◄── shop   ◄── cart ──► price ──► tax ──► cart (a cycle); search stands alone below d1's other system
 */
beforeAll(async () => {
  test = await startTestApp();
  await test.admin.call(peopleRoutes.createTeam, { body: { name: 'Shop team' } });
  const { passwordLink } = (
    await test.admin.call(peopleRoutes.invite, {
      body: { invitee: { email: 'ada@example.com', teams: ['Shop team'] } },
    })
  ).body;
  await test.nobody.call(peopleRoutes.setPassword, {
    body: { token: new URL(passwordLink.link).hash.slice(1), password: 'the password of ada' },
  });
  ada = await test.login('ada@example.com', 'the password of ada');

  await blueprint('domain', {});
  await blueprint('system', { relations: { domain: { target: 'domain', required: true } } });
  await blueprint('service', {
    schema: {
      properties: {
        owner: { type: 'string', format: 'user' },
        contact: { type: 'string', format: 'email' },
        tags: { type: 'array' },
      },
    },
    relations: { system: { target: 'system', required: true }, calls: { target: 'service', many: true } },
    ownership: { type: 'Direct' },
  });
  await entity('domain', 'd1');
  await entity('system', 'shop', { relations: { domain: 'd1' } });
  await entity('system', 'find', { relations: { domain: 'd1' } });
  await entity('service', 'cart', {
    team: ['Shop_team'],
    properties: { owner: 'ada@example.com', contact: 'cart@example.com', tags: ['fast'] },
    relations: { system: 'shop' },
  });
  await entity('service', 'tax', { relations: { system: 'shop', calls: ['cart'] } });
  await entity('service', 'price', {
    team: ['Other'],
    properties: { owner: 'grace@example.com' },
    relations: { system: 'shop', calls: ['tax'] },
  });
  await entity('service', 'search', { relations: { system: 'find' } });
  await test.machine.call(entityRoutes.patch, {
    params: { blueprint_identifier: 'service', entity_identifier: 'cart' },
    body: { relations: { calls: ['price'] } } as never,
  });
}, 60_000);
afterAll(() => test.stop());

/** Identifiers, without the twins of teams and users. */
async function found(rule: Record<string, unknown>, who: Caller = test.machine): Promise<string> {
  const body = { combinator: 'and' as const, rules: [rule] };
  const { entities } = (await who.call(entityRoutes.searchAll, { body })).body;
  return (entities as { identifier: string; blueprint: string }[])
    .filter((one) => !one.blueprint.startsWith('_'))
    .map((one) => one.identifier)
    .sort()
    .join(' ');
}

describe('a search that follows relations', () => {
  it.each([
    [
      'what an entity depends on',
      { operator: 'relatedTo', blueprint: 'service', value: 'search', direction: 'upstream' },
      'd1 find',
    ],
    [
      'what depends on it',
      { operator: 'relatedTo', blueprint: 'system', value: 'find', direction: 'downstream' },
      'search',
    ],
    ['both, without a turn', { operator: 'relatedTo', blueprint: 'system', value: 'find' }, 'd1 search'],
    [
      'of several',
      { operator: 'relatedTo', blueprint: 'system', value: ['find', 'shop'], direction: 'downstream' },
      'cart price search tax',
    ],
    [
      'through a cycle, which ends',
      { operator: 'relatedTo', blueprint: 'service', value: 'tax', direction: 'upstream' },
      'cart d1 price shop tax',
    ],
    [
      'along required relations only',
      { operator: 'relatedTo', blueprint: 'service', value: 'tax', direction: 'upstream', required: true },
      'd1 shop',
    ],
    [
      'along other relations only',
      { operator: 'relatedTo', blueprint: 'service', value: 'tax', direction: 'upstream', required: false },
      'cart price tax',
    ],
    ['of nothing', { operator: 'relatedTo', blueprint: 'service', value: 'unheard-of' }, ''],
    [
      'a path from the searched',
      { operator: 'matchAny', property: { path: ['system', 'domain'] }, value: 'd1' },
      'cart price search tax',
    ],
    [
      'a path with hops',
      { operator: 'matchAny', property: { path: [{ relation: 'calls', maxHops: 2 }] }, value: 'tax' },
      'cart price',
    ],
    [
      'a path with one hop',
      { operator: 'matchAny', property: { path: [{ relation: 'calls', maxHops: 1 }] }, value: 'tax' },
      'price',
    ],
    [
      'a path to the searched',
      { operator: 'matchAny', property: { path: ['system', 'domain'], fromBlueprint: 'service' }, value: ['cart'] },
      'd1',
    ],
    [
      'a path that ends in teams',
      { operator: 'matchAny', property: { path: ['calls', '$team'] }, value: ['Other'] },
      'cart',
    ],
    ['the entity of a relation', { relation: 'system', operator: '=', value: 'find' }, 'search'],
    [
      'the title at a relation',
      { relation: 'system', targetProperty: '$title', operator: 'endsWith', value: 'find' },
      'search',
    ],
    ['one of a list at a relation', { relation: 'calls', operator: 'in', value: ['cart', 'x'] }, 'tax'],
    ['a relation that points nowhere', { relation: 'calls', operator: 'isEmpty' }, 'd1 find search shop'],
    [
      'any property of a type',
      { propertySchema: { type: 'string', format: 'user' }, operator: '=', value: 'ada@example.com' },
      'cart',
    ],
    ['any list that has', { propertySchema: { type: 'array' }, operator: 'contains', value: 'fast' }, 'cart'],
  ])('finds %s', async (_name, rule, expected) => {
    expect(await found(rule)).toBe(expected);
  });

  it.each([
    [{ operator: 'relatedTo', value: 'x' }, 'needs the "blueprint"'],
    [{ operator: 'relatedTo', blueprint: 'service', value: 5 }, 'an identifier or a list'],
    [{ operator: 'relatedTo', blueprint: 'service', value: 'x', direction: 'sideways' }, '"upstream" or "downstream"'],
    [{ operator: 'matchAny', property: { path: [] }, value: 'x' }, '1 to 15 relations'],
    [
      { operator: 'matchAny', property: { path: [{ relation: 'calls', maxHops: 99 }] }, value: 'x' },
      'maxHops: 1 to 15',
    ],
    [{ relation: 'calls', operator: '>', value: 1 }, 'not possible for a relation'],
    [{ propertySchema: {}, operator: '=', value: 1 }, 'needs a "type"'],
    [{ property: '$identifier', operator: '=', value: { context: 'moon', property: 'x' } }, 'The context "moon"'],
  ])('refuses %j', async (rule, message) => {
    const refused = await test.admin.refused(entityRoutes.searchAll, { body: { combinator: 'and', rules: [rule] } });
    expect([refused.status, refused.body.message]).toEqual([422, expect.stringContaining(message)]);
  });
});

describe('a search about who asks', () => {
  const mine = { property: 'owner', operator: '=', value: { context: 'user', property: '$identifier' } };

  it.each([
    ['their own', mine, 'cart'],
    [
      'those of their teams',
      { property: '$team', operator: 'containsAny', value: { context: 'userTeams', property: '$identifier' } },
      'cart',
    ],
    ['those of "My Teams"', { property: '$team', operator: 'containsAny', value: ['My Teams'] }, 'cart'],
    [
      'all, when they are in the team',
      { property: { context: 'userTeams', property: '$title' }, operator: 'in', value: ['Shop team'] },
      'cart d1 find price search shop tax',
    ],
    [
      'none, when they are not',
      { property: { context: 'userTeams', property: '$title' }, operator: 'in', value: ['Other'] },
      '',
    ],
    [
      'none, for a property they lack',
      { property: 'owner', operator: '!=', value: { context: 'user', property: 'nickname' } },
      '',
    ],
  ])('finds %s', async (_name, rule, expected) => {
    expect(await found(rule, ada)).toBe(expected);
  });

  it('finds nothing for a credential, which is nobody', async () => {
    expect(await found(mine, test.machine)).toBe('');
  });

  it('reads properties of their entity in the catalog', async () => {
    const params = { blueprint_identifier: '_user' };
    const { schema } = (await test.admin.call(blueprintRoutes.get, { params })).body.blueprint;
    const properties = { ...schema.properties, favourite: { type: 'string' as const } };
    await test.admin.call(blueprintRoutes.patch, { params, body: { schema: { properties } } });
    await test.admin.call(entityRoutes.patch, {
      params: { ...params, entity_identifier: 'ada@example.com' },
      body: { properties: { favourite: 'tax' } },
    });
    const favourite = { property: '$identifier', operator: '=', value: { context: 'user', property: 'favourite' } };
    expect(await found(favourite, ada)).toBe('tax');
  });
});
