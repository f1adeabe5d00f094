import type { ActionInput, Entity, EntityQuery, ErrorDetail, JqQuery, UserInputs } from '@quayside/contracts';
import { type FieldKind, itemsOf, kindOf, toDraft, toValue } from './field-kinds.ts';
import { mistakeIn } from './validate.ts';

/**
 * The form as data: what is shown, in which order, with which values (spec/actions.md §1.3–1.6). Pure; recomputed from
 * scratch on every change, so that no order of typing can leave an input in a state that its rules do not give.
 *
 * `drafts` holds only what the person touched (or a prefill set). Everything else follows from defaults, which may be jq
 * over the other inputs, so values are computed in rounds until nothing moves; a cycle stops after `maxRounds`.
 */
export type Evaluate = (source: string, input: unknown) => unknown;
export type Drafts = Readonly<Record<string, unknown>>;

export interface Surroundings {
  entity: Entity | null;
  user: unknown;
  /** Entities that inputs name, by `blueprint/identifier`, as far as they are loaded. */
  entities: ReadonlyMap<string, Entity>;
}

export interface Field {
  name: string;
  input: ActionInput;
  kind: FieldKind;
  label: string;
  isRequired: boolean;
  isVisible: boolean;
  isDisabled: boolean;
  /** Why it is disabled, where the form knows. */
  hint: string | undefined;
  options: readonly unknown[];
  draft: unknown;
  blueprint: string | undefined;
  query: EntityQuery | undefined;
}

export type Item =
  | { kind: 'field'; field: Field }
  | { kind: 'title'; key: string; title: string; description: string | undefined };
export interface Step {
  title: string | undefined;
  items: readonly Item[];
}
export interface FormState {
  fields: Readonly<Record<string, Field>>;
  steps: readonly Step[];
  /** What would be submitted now. */
  values: Readonly<Record<string, unknown>>;
}

const maxRounds = 10;

export const entityKey = (blueprint: string, identifier: string): string => `${blueprint}/${identifier}`;

function isJq(value: unknown): value is JqQuery {
  return typeof (value as JqQuery | null | undefined)?.jqQuery === 'string';
}

export function resolveForm(inputs: UserInputs, drafts: Drafts, about: Surroundings, evaluate: Evaluate): FormState {
  let form = contextForm(inputs, drafts, about);
  let settledDrafts: Record<string, unknown> = { ...drafts };
  for (let round = 0; round < maxRounds; round++) {
    const settle = settlerOf(form, about, evaluate);
    const next: Record<string, unknown> = { ...drafts };
    for (const [name, input] of Object.entries(inputs.properties)) {
      if (!(name in drafts)) next[name] = toDraft(input, settle(input.default));
    }
    const isSettled = JSON.stringify(next) === JSON.stringify(settledDrafts);
    settledDrafts = next;
    form = contextForm(inputs, next, about);
    if (isSettled) break;
  }
  const settle = settlerOf(form, about, evaluate);
  const required = requiredNames(inputs, settle);
  const fields: Record<string, Field> = {};
  const values: Record<string, unknown> = {};
  for (const [name, input] of Object.entries(inputs.properties)) {
    const field = fieldOf(name, input, settledDrafts, required.has(name), inputs, settle);
    fields[name] = field;
    const parsed = toValue(input, field.draft, field.options);
    if (parsed.kind === 'value' && parsed.value !== undefined) values[name] = parsed.value;
  }
  return { fields, steps: stepsOf(inputs, fields, settle), values };
}

type Settle = (value: unknown) => unknown;

function settlerOf(form: unknown, about: Surroundings, evaluate: Evaluate): Settle {
  const context = { form, entity: about.entity, user: about.user };
  return (value) => (isJq(value) ? evaluate(value.jqQuery, context) : value);
}

/** `.form` as expressions see it: entities as objects, an empty text as "", any other emptiness as null. */
function contextForm(inputs: UserInputs, drafts: Drafts, about: Surroundings): Record<string, unknown> {
  const form: Record<string, unknown> = {};
  for (const [name, input] of Object.entries(inputs.properties)) {
    const parsed = toValue(input, drafts[name], staticOptions(input));
    const value = parsed.kind === 'value' ? parsed.value : undefined;
    const kind = kindOf(input);
    if (value === undefined)
      form[name] = kind === 'text' || kind === 'multi-line' ? '' : kind === 'boolean' ? false : null;
    else if (kind === 'entity') form[name] = entityOf(input.blueprint, value, about);
    else if (kind === 'entities')
      form[name] = (value as unknown[]).map((each) => entityOf(itemsOf(input)?.blueprint, each, about));
    else form[name] = value;
  }
  return form;
}

function entityOf(blueprint: string | undefined, identifier: unknown, about: Surroundings): unknown {
  // Until it is loaded, the identifier alone answers the most common question, `.form.x.identifier`.
  return about.entities.get(entityKey(blueprint ?? '', String(identifier))) ?? { identifier, blueprint };
}

function staticOptions(input: ActionInput): readonly unknown[] {
  const options = input.type === 'array' && input.enum === undefined ? itemsOf(input)?.enum : input.enum;
  return Array.isArray(options) ? options : [];
}

function requiredNames(inputs: UserInputs, settle: Settle): ReadonlySet<unknown> {
  const required = settle(inputs.required);
  return new Set(Array.isArray(required) ? required : []);
}

function fieldOf(
  name: string,
  input: ActionInput,
  drafts: Drafts,
  isRequired: boolean,
  inputs: UserInputs,
  settle: Settle,
): Field {
  const source = input.type === 'array' && input.enum === undefined ? itemsOf(input)?.enum : input.enum;
  const options = settle(source);
  const missing = (input.dependsOn ?? []).filter((parent) => isEmpty(drafts[parent]));
  const items = itemsOf(input);
  const isList = kindOf(input) === 'entities';
  const dataset = isList ? (items?.dataset ?? input.dataset) : input.dataset;
  return {
    name,
    input,
    kind: kindOf(input),
    label: input.title ?? name,
    isRequired,
    isVisible: settle(input.visible) !== false,
    isDisabled: missing.length > 0 || settle(input.disabled) === true,
    hint:
      missing.length > 0
        ? `First fill in ${missing.map((parent) => inputs.properties[parent]?.title ?? parent).join(', ')}`
        : undefined,
    options: Array.isArray(options) ? options : [],
    draft: drafts[name],
    blueprint: isList ? items?.blueprint : input.blueprint,
    query: dataset ? settleDataset(dataset as EntityQuery, settle) : undefined,
  };
}

function isEmpty(draft: unknown): boolean {
  return draft === undefined || draft === null || draft === '' || (Array.isArray(draft) && draft.length === 0);
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

function stepsOf(inputs: UserInputs, fields: Readonly<Record<string, Field>>, settle: Settle): readonly Step[] {
  const names = Object.keys(inputs.properties);
  const itemsFor = (order: readonly string[]): Item[] => order.flatMap((key) => itemFor(key, inputs, fields, settle));
  if (!inputs.steps || inputs.steps.length === 0) {
    const listed = inputs.order ?? [];
    const titles = Object.keys(inputs.titles ?? {}).filter((key) => !listed.includes(key));
    return [
      { title: undefined, items: itemsFor([...listed, ...titles, ...names.filter((name) => !listed.includes(name))]) },
    ];
  }
  const listed = new Set(inputs.steps.flatMap((step) => step.order));
  const rest = names.filter((name) => !listed.has(name));
  const last = inputs.steps.length - 1;
  return inputs.steps
    .map((step, index) => ({ step, order: index === last ? [...step.order, ...rest] : step.order }))
    .filter(({ step }) => settle(step.visible) !== false)
    .map(({ step, order }) => ({ title: step.title, items: itemsFor(order) }));
}

function itemFor(key: string, inputs: UserInputs, fields: Readonly<Record<string, Field>>, settle: Settle): Item[] {
  const field = fields[key];
  if (field) return field.isVisible ? [{ kind: 'field', field }] : [];
  const title = inputs.titles?.[key];
  if (!title || settle(title.visible) === false) return [];
  return [{ kind: 'title', key, title: title.title, description: title.description }];
}

/** Mistakes by input, in the order of the form. Hidden inputs can not be mended by the person, so they are not judged. */
export function findMistakes(
  fields: readonly Field[],
  settleLimit: (value: unknown) => unknown,
): Record<string, string> {
  const mistakes: Record<string, string> = {};
  for (const field of fields) {
    if (!field.isVisible) continue;
    const parsed = toValue(field.input, field.draft, field.options);
    if (parsed.kind === 'unreadable') {
      mistakes[field.name] = sentence(field.label, parsed.message);
      continue;
    }
    if (parsed.value === undefined) {
      if (field.isRequired) mistakes[field.name] = sentence(field.label, 'is required');
      continue;
    }
    const mistake = mistakeIn(field.input, parsed.value, {
      pattern: settleLimit(field.input.pattern),
      minItems: settleLimit(field.input.minItems),
      maxItems: settleLimit(field.input.maxItems),
    });
    if (mistake) mistakes[field.name] = sentence(field.label, mistake);
  }
  return mistakes;
}

export function limitsOf(inputs: UserInputs, drafts: Drafts, about: Surroundings, evaluate: Evaluate): Settle {
  return settlerOf(contextForm(inputs, drafts, about), about, evaluate);
}

function sentence(label: string, predicate: string): string {
  return `${label} ${predicate.replace(/\.$/, '')}.`;
}

/** A child's value was chosen under its parents; when one of them changes it starts again, and so do its own children. */
export function dependentsOf(inputs: UserInputs, name: string): ReadonlySet<string> {
  const found = new Set<string>();
  const visit = (parent: string): void => {
    for (const [child, input] of Object.entries(inputs.properties)) {
      if (found.has(child) || child === name || !input.dependsOn?.includes(parent)) continue;
      found.add(child);
      visit(child);
    }
  };
  visit(name);
  return found;
}

/** The server's details, beside the fields they are about; the rest is told above the form. */
export function placeDetails(details: readonly ErrorDetail[], fields: Readonly<Record<string, Field>>) {
  const byField: Record<string, string> = {};
  const others: ErrorDetail[] = [];
  for (const detail of details) {
    const name = /^body\.properties\.([^.[]+)/.exec(detail.path)?.[1];
    const field = name === undefined ? undefined : fields[name];
    if (field) byField[field.name] ??= sentence(field.label, detail.message);
    else if (/^body\.entity\b/.test(detail.path)) byField[targetName] ??= sentence('The target entity', detail.message);
    else others.push(detail);
  }
  return { byField, others };
}

/** Stands for the entity a DAY-2 or DELETE action works on; no input can have this name. */
export const targetName = '$target';
