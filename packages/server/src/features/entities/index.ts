import type { Entity } from '@quayside/contracts';
import type { Ctx } from '../../platform/ctx.ts';
import { findBlueprintIfAny, getBlueprint, type StoredBlueprint } from '../blueprints/index.ts';
import type { Person } from '../identity/index.ts';
import { QueryMistake } from './model.ts';
import type { Query, SearchCaller } from './model-search.ts';
import { findEntity, toEntity } from './store.ts';
import { searchEntities } from './store-search.ts';

/** The entity as the API shows it; `undefined` when it does not exist. The blueprint must. */
export async function findEntityOf(ctx: Ctx, blueprint: string, identifier: string): Promise<Entity | undefined> {
  const owner = await getBlueprint(ctx, blueprint);
  const stored = await findEntity(ctx.db, ctx.orgId, owner.rowId, identifier);
  return stored && toEntity(stored, owner);
}

/** Of the blueprint `_user`, where the catalog has it. */
async function findUserEntity(ctx: Ctx, person: Person): Promise<Entity | undefined> {
  return (await findBlueprintIfAny(ctx, '_user')) && findEntityOf(ctx, '_user', person.email);
}

/** A person as expressions see them (spec/actions.md §1.6): their account, and their entity in the catalog where it has one. */
export async function describePerson(ctx: Ctx, person: Person): Promise<Record<string, unknown>> {
  const entity = await findUserEntity(ctx, person);
  return {
    id: person.id,
    userId: person.id,
    identifier: person.email,
    title: person.name,
    email: person.email,
    name: person.name,
    firstName: person.firstName,
    lastName: person.lastName,
    picture: '',
    mainRole: person.role,
    roles: [{ name: person.role }],
    teams: person.teams.map((team) => ({ name: team.name, provider: 'port' })),
    teamsIdentifiers: person.teams.map((team) => team.identifier),
    team: entity?.team ?? person.teams.map((team) => team.identifier),
    properties: { port_role: person.role, status: 'Active', ...entity?.properties },
    relations: entity?.relations ?? {},
  };
}

/** The person whose `user` and `userTeams` a query means. */
export async function toCaller(ctx: Ctx, person: Person | undefined): Promise<SearchCaller | undefined> {
  return person && { person, entity: await findUserEntity(ctx, person) };
}

/** For rules that users wrote long ago: a query that can not be read finds nothing. */
export async function queryEntities(ctx: Ctx, query: Query, limit: number, caller?: SearchCaller): Promise<Entity[]> {
  const found = await tryQuery(ctx, query, limit, caller);
  return typeof found === 'string' ? [] : found;
}

/** Where finding nothing would mean something: a query that can not be read answers with its mistake, a sentence. */
export async function tryQuery(
  ctx: Ctx,
  query: Query,
  limit: number,
  caller?: SearchCaller,
): Promise<Entity[] | string> {
  try {
    const { entities } = await searchEntities(ctx.db, ctx.orgId, { query, limit, ...(caller ? { caller } : {}) });
    const blueprints = new Map<string, StoredBlueprint | undefined>();
    for (const { blueprint } of entities)
      if (!blueprints.has(blueprint)) blueprints.set(blueprint, await findBlueprintIfAny(ctx, blueprint));
    return entities.map((stored) => toEntity(stored, blueprints.get(stored.blueprint)));
  } catch (error) {
    if (error instanceof QueryMistake) return error.message;
    throw error;
  }
}

/** Does the entity match the condition? One that can not be read matches nothing. */
export async function matchesQuery(ctx: Ctx, entity: Entity, query: Query, caller?: SearchCaller): Promise<boolean> {
  const itself = [
    { property: '$blueprint', operator: '=', value: entity.blueprint },
    { property: '$identifier', operator: '=', value: entity.identifier },
  ];
  return (await queryEntities(ctx, { combinator: 'and', rules: [...itself, query] }, 1, caller)).length > 0;
}
