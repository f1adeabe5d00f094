import type { ActionInput, ErrorDetail, UserInputs } from '@quayside/contracts';
import {
  findMistakes as findRuleMistakes,
  type InputState,
  resolveForm as resolveRules,
  type Surroundings,
} from '@quayside/expressions';
import { type FieldKind, kindOf, optionText, toDraft, toValue } from './field-kinds.ts';

/**
 * The form as a person sees it: controls in their steps, over the rules that the server judges with, too
 * (packages/expressions/src/form). `drafts` holds what the person touched, or a link filled in; the rest follows from
 * defaults. A field that was emptied is sent as null where it has a default, so that it stays empty.
 */
export type Drafts = Readonly<Record<string, unknown>>;

export interface Field extends InputState {
  name: string;
  input: ActionInput;
  kind: FieldKind;
  label: string;
  /** Why it is disabled, where the form knows. */
  hint: string | undefined;
  draft: unknown;
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
  /** What would be sent now. */
  submitted: Readonly<Record<string, unknown>>;
  /** What the run would get: also the defaults. */
  values: Readonly<Record<string, unknown>>;
  /** Entities that the values name. */
  names: readonly { blueprint: string; identifier: string }[];
  /** What is wrong, by input, in the order of the form. */
  mistakes: Readonly<Record<string, string>>;
  /** The same about inputs that are not shown: the person can not mend them, the author of the action has to. */
  hiddenMistakes: readonly string[];
}

export function resolveForm(inputs: UserInputs, drafts: Drafts, about: Surroundings): FormState {
  const { submitted, unreadable } = toSubmitted(inputs, drafts);
  const form = resolveRules(inputs, submitted, about);
  const fields: Record<string, Field> = {};
  for (const [name, input] of Object.entries(inputs.properties)) {
    const state = form.inputs[name];
    if (state) fields[name] = fieldOf(name, input, state, inputs, drafts);
  }
  const steps = stepsOf(inputs, fields, form);
  const found: Record<string, string> = { ...unreadable };
  for (const { name, path, message } of findRuleMistakes(inputs, submitted, form, { areSealed: false }))
    found[name] ??= `${placeIn(form.values[name], path)}${message}`;
  const mistakes: Record<string, string> = {};
  for (const { name, label } of fieldsOf(steps)) {
    const message = found[name];
    if (message !== undefined) mistakes[name] = sentence(label, message);
    delete found[name];
  }
  const hiddenMistakes = Object.entries(found).map(([name, message]) => sentence(fields[name]?.label ?? name, message));
  return { fields, steps, submitted, values: form.values, names: form.names, mistakes, hiddenMistakes };
}

function toSubmitted(inputs: UserInputs, drafts: Drafts) {
  const submitted: Record<string, unknown> = {};
  const unreadable: Record<string, string> = {};
  for (const [name, draft] of Object.entries(drafts)) {
    const input = inputs.properties[name];
    if (!input) continue;
    const parsed = toValue(input, draft);
    if (parsed.kind === 'unreadable') unreadable[name] = parsed.message;
    const value = parsed.kind === 'value' ? parsed.value : undefined;
    if (value !== undefined) submitted[name] = value;
    else if (input.default !== undefined) submitted[name] = null;
  }
  return { submitted, unreadable };
}

function fieldOf(name: string, input: ActionInput, state: InputState, inputs: UserInputs, drafts: Drafts): Field {
  const parents = state.waitsFor.map((parent) => inputs.properties[parent]?.title ?? parent);
  return {
    ...state,
    name,
    input,
    kind: kindOf(input),
    label: input.title ?? name,
    hint: parents.length > 0 ? `First fill in ${parents.join(', ')}` : undefined,
    draft: Object.hasOwn(drafts, name) ? drafts[name] : toDraft(input, state.value),
  };
}

export function fieldsOf(steps: readonly Step[]): Field[] {
  return steps.flatMap((step) => step.items.flatMap((item) => (item.kind === 'field' ? [item.field] : [])));
}

function stepsOf(
  inputs: UserInputs,
  fields: Readonly<Record<string, Field>>,
  form: { steps: readonly boolean[]; titles: Readonly<Record<string, boolean>> },
): readonly Step[] {
  const itemsFor = (order: readonly string[]): Item[] =>
    order.flatMap((key) => itemFor(key, inputs, fields, form.titles));
  const names = Object.keys(inputs.properties);
  const steps = inputs.steps ?? [];
  if (steps.length === 0) {
    const listed = inputs.order ?? [];
    const titles = Object.keys(inputs.titles ?? {}).filter((key) => !listed.includes(key));
    const rest = names.filter((name) => !listed.includes(name));
    return [{ title: undefined, items: itemsFor([...listed, ...titles, ...rest]) }];
  }
  const listed = new Set(steps.flatMap((step) => step.order));
  const rest = names.filter((name) => !listed.has(name));
  const last = form.steps.lastIndexOf(true);
  return steps.flatMap((step, index) =>
    form.steps[index]
      ? [{ title: step.title, items: itemsFor(index === last ? [...step.order, ...rest] : step.order) }]
      : [],
  );
}

function itemFor(
  key: string,
  inputs: UserInputs,
  fields: Readonly<Record<string, Field>>,
  titles: Readonly<Record<string, boolean>>,
): Item[] {
  const field = fields[key];
  if (field) return field.isVisible ? [{ kind: 'field', field }] : [];
  const title = inputs.titles?.[key];
  if (!title || titles[key] === false) return [];
  return [{ kind: 'title', key, title: title.title, description: title.description }];
}

/** Where in the value: an item of a list by what it says, everything else by its path. */
function placeIn(value: unknown, path: readonly string[]): string {
  if (path.length === 0) return '';
  const item = path.length === 1 && Array.isArray(value) ? value[Number(path[0])] : undefined;
  return item === undefined || typeof item === 'object' ? `at ${path.join('.')} ` : `“${optionText(item)}” `;
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

/** A secret comes back as its ciphertext, which is no value to send again: the person types it anew. */
export function draftsOf(inputs: UserInputs, values: Readonly<Record<string, unknown>>): Drafts {
  const drafts: Record<string, unknown> = {};
  for (const [name, input] of Object.entries(inputs.properties)) {
    if (values[name] === undefined || input.encryption !== undefined) continue;
    drafts[name] = toDraft(input, values[name]);
  }
  return drafts;
}

/** The server's details, beside the fields they are about; the rest is told above the form. */
export function placeDetails(details: readonly ErrorDetail[], fields: Readonly<Record<string, Field>>) {
  const byField: Record<string, string> = {};
  const others: ErrorDetail[] = [];
  for (const detail of details) {
    const name = /^body\.properties\.([^.[]+)/.exec(detail.path)?.[1];
    const field = name === undefined ? undefined : fields[name];
    if (field?.isVisible) byField[field.name] ??= sentence(field.label, detail.message);
    else if (/^body\.entity\b/.test(detail.path)) byField[targetName] ??= sentence('The target entity', detail.message);
    else others.push(detail);
  }
  return { byField, others };
}

/** Stands for the entity a DAY-2 or DELETE action works on; no input can have this name. */
export const targetName = '$target';
