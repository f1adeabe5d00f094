import type { ActionInput, EntityQuery, UserInputs } from '@quayside/contracts';
import { evaluate } from '../evaluate/expression.ts';
import type { Json } from '../json.ts';
import { SECRET_MASK } from '../template/index.ts';
import { fillOrder } from './order.ts';
import { choicesOf, entityBlueprint, identifiersIn, isJq, isTyped, itemsOf } from './shape.ts';

/**
 * The rules of a form (spec/actions.md §1.3–1.7), for the browser while a person types and for the server when the action
 * is executed: one function, so that both answer the same. Pure, and computed from scratch on every change, so that no
 * order of typing leaves an input in a state that its rules do not give.
 *
 * `submitted` is what would be sent: a key that is absent gets its default, null is nothing on purpose. Defaults may
 * be jq over the other inputs; they are filled in the order in which they name each other, until nothing moves. A cycle
 * stops after `maxRounds`. No expression sees a secret: a filled one is a mask.
 *
 * Cost: one evaluation per dynamic rule, and one more per dynamic default and round (two rounds unless there is a cycle).
 */
export interface Surroundings {
  entity: unknown;
  user: unknown;
  /** What the inputs name, by `entityKey`; null = known not to be there. */
  entities: ReadonlyMap<string, unknown>;
}

/** What the rules say about one input now. */
export interface InputState {
  /** Undefined = nothing is in it. */
  value: unknown;
  isRequired: boolean;
  /** Neither it nor its step is hidden. */
  isVisible: boolean;
  isDisabled: boolean;
  /** Inputs that have to be filled first. */
  waitsFor: readonly string[];
  /** Undefined = anything may be in it. */
  choices: readonly unknown[] | undefined;
  pattern: unknown;
  minItems: unknown;
  maxItems: unknown;
  blueprint: string | undefined;
  /** The dataset, its expressions filled in. */
  dataset: EntityQuery | undefined;
}

export interface Form {
  inputs: Readonly<Record<string, InputState>>;
  /** What the run gets: what was submitted, and defaults. */
  values: Readonly<Record<string, unknown>>;
  titles: Readonly<Record<string, boolean>>;
  /** Of each step, whether it is shown. */
  steps: readonly boolean[];
  /** Entities that the values name: expressions see them whole as soon as `Surroundings.entities` has them. */
  names: readonly { blueprint: string; identifier: string }[];
}

const maxRounds = 10;

export const entityKey = (blueprint: string, identifier: string): string => `${blueprint}/${identifier}`;

type Settle = (value: unknown) => unknown;

export function resolveForm(
  inputs: UserInputs,
  submitted: Readonly<Record<string, unknown>>,
  about: Surroundings,
): Form {
  const declared = Object.entries(inputs.properties);
  const values: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(submitted))
    if (value !== undefined && value !== null) values[name] = value;
  const form: Record<string, unknown> = {};
  const show = (name: string, input: ActionInput): void => {
    form[name] = shown(input, values[name], about);
  };
  const fill = (name: string, value: unknown): void => {
    if (value === undefined || value === null) delete values[name];
    else values[name] = value;
  };
  // A literal default is there before any expression looks.
  for (const [name, input] of declared) {
    if (submitted[name] === undefined && !isJq(input.default)) fill(name, input.default);
    show(name, input);
  }
  const context = { form, entity: about.entity ?? null, user: about.user ?? null } as unknown as Json;
  const settle: Settle = (value) => (isJq(value) ? evaluate(value.jqQuery, context) : value);

  const computed = fillOrder(
    declared.filter(([name, { default: given }]) => submitted[name] === undefined && isJq(given)),
  );
  for (let round = 0, moved = computed.length > 0; moved && round < maxRounds; round++) {
    moved = false;
    for (const [name, input] of computed) {
      const before = JSON.stringify(values[name]);
      fill(name, settle(input.default));
      if (JSON.stringify(values[name]) === before) continue;
      show(name, input);
      moved = true;
    }
  }

  const steps = (inputs.steps ?? []).map((step) => settle(step.visible) !== false);
  const hidden = hiddenBySteps(inputs, steps);
  const isRequired = requirement(settle(inputs.required));
  const states: Record<string, InputState> = {};
  const names: { blueprint: string; identifier: string }[] = [];
  for (const [name, input] of declared) {
    const waitsFor = (input.dependsOn ?? []).filter((parent) => isNothing(values[parent]));
    const choices = choicesOf(input);
    const blueprint = entityBlueprint(input);
    const dataset = input.dataset ?? itemsOf(input)?.dataset;
    states[name] = {
      value: values[name],
      isRequired: isRequired(name),
      isVisible: !hidden.has(name) && settle(input.visible) !== false,
      isDisabled: waitsFor.length > 0 || settle(input.disabled) === true,
      waitsFor,
      choices: choices === undefined ? undefined : asList(settle(choices)),
      pattern: settle(input.pattern),
      minItems: settle(input.minItems),
      maxItems: settle(input.maxItems),
      blueprint,
      dataset: dataset && settleDataset(dataset as EntityQuery, settle),
    };
    if (blueprint !== undefined)
      for (const identifier of identifiersIn(values[name])) names.push({ blueprint, identifier });
  }
  const titles = Object.entries(inputs.titles ?? {}).map(([key, title]) => [key, settle(title.visible) !== false]);
  return { inputs: states, values, titles: Object.fromEntries(titles), steps, names };
}

/** A value as `.form` has it: entities as objects, secrets as a mask, an empty text as "", any other emptiness as null. */
function shown(input: ActionInput, value: unknown, about: Surroundings): unknown {
  if (value === undefined || value === '') {
    if (isTyped(input)) return '';
    return input.type === 'boolean' ? false : null;
  }
  if (input.encryption !== undefined) return SECRET_MASK;
  const blueprint = entityBlueprint(input);
  if (blueprint === undefined) return value;
  // Until it is loaded, the identifier alone answers the most common question, `.form.x.identifier`.
  const found = identifiersIn(value).map(
    (identifier) => about.entities.get(entityKey(blueprint, identifier)) ?? { identifier, blueprint },
  );
  return input.type === 'array' ? found : (found[0] ?? null);
}

function requirement(required: unknown): (name: string) => boolean {
  if (required === true) return () => true;
  const names = new Set(asList(required));
  return (name) => names.has(name);
}

/** Inputs whose step is not shown; one of no step stands in the last step that is. */
function hiddenBySteps(inputs: UserInputs, isShown: readonly boolean[]): ReadonlySet<string> {
  if (!inputs.steps || inputs.steps.length === 0) return new Set();
  const inShown = new Set(inputs.steps.flatMap((step, index) => (isShown[index] ? step.order : [])));
  return new Set(inputs.steps.flatMap((step) => step.order).filter((name) => !inShown.has(name)));
}

function settleDataset(dataset: EntityQuery, settle: Settle): EntityQuery {
  return {
    combinator: dataset.combinator,
    rules: dataset.rules.map((rule) => {
      if (Array.isArray(rule.rules)) return { ...settleDataset(rule as unknown as EntityQuery, settle) };
      if (!isJq(rule.value)) return rule;
      const value = settle(rule.value);
      // An expression that yields nothing matches nothing: showing everything would offer what the author ruled out.
      return value === null || value === undefined
        ? { property: '$identifier', operator: '=', value: '' }
        : { ...rule, value };
    }),
  };
}

function asList(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

export function isNothing(value: unknown): boolean {
  return value === undefined || value === null || value === '' || (Array.isArray(value) && value.length === 0);
}
