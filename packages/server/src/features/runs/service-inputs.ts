import type { Entity, EntityQuery, UserInputs } from '@quayside/contracts';
import {
  entityBlueprint,
  entityKey,
  type Form,
  type FormMistake,
  findMistakes,
  identifiersIn,
  personKind,
  resolveForm,
} from '@quayside/expressions';
import type { Ctx } from '../../platform/ctx.ts';
import { refuse } from '../../platform/refusal.ts';
import { describePerson, queryEntities, toCaller } from '../entities/index.ts';
import { listPeople, listTeamNames, type Person } from '../identity/index.ts';
import { findUnsealed, toDetail } from './model-inputs.ts';

/**
 * The form, judged once more when it is submitted (spec/actions.md §1.7): the same rules as in the browser, and what only
 * the catalog can tell: do entities, users and teams exist, and do the entities satisfy the dataset. Refuses with
 * every mistake at once. What a rule looks at can depend on what it loads, so rules and reads take turns.
 */
const maxTurns = 10;
/** Entities that one run may name: each of them becomes a part of the run. */
const maxNamed = 1_000;

type Entities = Map<string, Entity | null>;

export async function settleInputs(
  ctx: Ctx,
  inputs: UserInputs,
  submitted: Readonly<Record<string, unknown>>,
  asked: { entity: Entity | null; person: Person | undefined },
): Promise<{ values: Readonly<Record<string, unknown>>; entities: ReadonlyMap<string, Entity | null> }> {
  const entities: Entities = new Map();
  const user = asked.person ? await describePerson(ctx, asked.person) : null;
  const about = { entity: asked.entity, user, entities };
  let form = resolveForm(inputs, submitted, about);
  for (let turn = 0; turn < maxTurns && (await loadNamed(ctx, form, entities)); turn++)
    form = resolveForm(inputs, submitted, about);

  const mistakes = findMistakes(inputs, submitted, form, { areSealed: true });
  const broken = new Set(mistakes.map((mistake) => mistake.name));
  const sound = Object.fromEntries(Object.entries(form.values).filter(([name]) => !broken.has(name)));
  mistakes.push(...findUnsealed(inputs, sound));
  mistakes.push(...(await findUnknownEntities(ctx, inputs, sound, form, entities, asked.person)));
  mistakes.push(...(await findUnknownPeople(ctx, inputs, sound)));
  const details = mistakes.map(toDetail);
  const [first] = details;
  if (first) refuse('invalid_request', `${first.path} ${first.message}`, details);
  return { values: form.values, entities };
}

/** Loads what the form names and nobody has asked for yet; false = nothing new. */
async function loadNamed(ctx: Ctx, form: Form, entities: Entities): Promise<boolean> {
  const wanted = new Map<string, Set<string>>();
  for (const { blueprint, identifier } of form.names)
    if (!entities.has(entityKey(blueprint, identifier)))
      wanted.set(blueprint, (wanted.get(blueprint) ?? new Set()).add(identifier));
  for (const [blueprint, identifiers] of wanted) {
    if (entities.size + identifiers.size > maxNamed)
      refuse('invalid_request', `body.properties: the inputs name more than ${maxNamed} entities.`);
    for (const identifier of identifiers) entities.set(entityKey(blueprint, identifier), null);
    for (const entity of await queryEntities(ctx, queryOf(blueprint, [...identifiers]), identifiers.size))
      entities.set(entityKey(blueprint, entity.identifier), entity);
  }
  return wanted.size > 0;
}

function queryOf(blueprint: string, identifiers: readonly string[], dataset?: EntityQuery): EntityQuery {
  return {
    combinator: 'and',
    rules: [
      { property: '$blueprint', operator: '=', value: blueprint },
      { property: '$identifier', operator: 'in', value: identifiers },
      ...(dataset ? [{ ...dataset }] : []),
    ],
  };
}

async function findUnknownEntities(
  ctx: Ctx,
  inputs: UserInputs,
  values: Readonly<Record<string, unknown>>,
  form: Form,
  entities: Entities,
  person: Person | undefined,
): Promise<FormMistake[]> {
  const mistakes: FormMistake[] = [];
  for (const [name, input] of Object.entries(inputs.properties)) {
    const blueprint = entityBlueprint(input);
    const identifiers = identifiersIn(values[name]);
    if (blueprint === undefined || identifiers.length === 0) continue;
    const add = (identifier: string, message: string): void => {
      mistakes.push({
        name,
        path: [],
        message: `names the entity "${identifier}" of blueprint "${blueprint}", ${message}`,
      });
    };
    const found = identifiers.filter((identifier) => entities.get(entityKey(blueprint, identifier)));
    for (const identifier of identifiers) if (!found.includes(identifier)) add(identifier, 'which was not found');
    const dataset = form.inputs[name]?.dataset;
    if (!dataset || found.length === 0) continue;
    const query = queryOf(blueprint, found, dataset);
    const allowed = await queryEntities(ctx, query, found.length, await toCaller(ctx, person));
    const names = new Set(allowed.map((entity) => entity.identifier));
    for (const identifier of found)
      if (!names.has(identifier)) add(identifier, 'which is not one of the choices that the rules of this input leave');
  }
  return mistakes;
}

async function findUnknownPeople(
  ctx: Ctx,
  inputs: UserInputs,
  values: Readonly<Record<string, unknown>>,
): Promise<FormMistake[]> {
  const known: { user?: ReadonlySet<string>; team?: ReadonlySet<string> } = {};
  const mistakes: FormMistake[] = [];
  for (const [name, input] of Object.entries(inputs.properties)) {
    const kind = personKind(input);
    const given = identifiersIn(values[name]);
    if (kind === undefined || given.length === 0) continue;
    known[kind] ??= new Set(
      kind === 'user' ? (await listPeople(ctx)).map((person) => person.email) : await listTeamNames(ctx),
    );
    for (const each of given)
      if (!known[kind].has(kind === 'user' ? each.toLowerCase() : each))
        mistakes.push({ name, path: [], message: `names the ${kind} "${each}", which was not found` });
  }
  return mistakes;
}
