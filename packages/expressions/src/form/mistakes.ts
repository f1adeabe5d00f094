import type { ActionInput, UserInputs } from '@quayside/contracts';
import type { Form, InputState } from './form.ts';
import { patternWork } from './pattern.ts';
import { isSealedByClient, itemsOf } from './shape.ts';
import { checkValue, type Schema, type ValueMistake } from './value.ts';

/** What is wrong with an input: `path` leads into its value. The message ends the sentence that the input's name begins. */
export interface FormMistake extends ValueMistake {
  name: string;
}

const keywords = [
  'type',
  'minLength',
  'maxLength',
  'minimum',
  'maximum',
  'exclusiveMinimum',
  'exclusiveMaximum',
  'multipleOf',
  'minItems',
  'maxItems',
  'uniqueItems',
  'properties',
  'patternProperties',
  'additionalProperties',
  'propertyNames',
  'minProperties',
  'maxProperties',
  'required',
  'format',
  'const',
  'allOf',
  'anyOf',
  'oneOf',
  'not',
] as const;

/**
 * Everything wrong at once, in the order of the definition. `areSealed`: secrets that the client encrypts have been; what
 * is in them nobody here can judge. Not judged here: whether what a value names exists, which only a catalog knows.
 */
export function findMistakes(
  inputs: UserInputs,
  submitted: Readonly<Record<string, unknown>>,
  form: Form,
  { areSealed }: { areSealed: boolean },
): FormMistake[] {
  const declared = Object.entries(inputs.properties);
  const mistakes: FormMistake[] = [];
  // An action without declared inputs takes anything: published clients pass what they have (ADR 0011).
  if (declared.length > 0) {
    const known = declared.map(([name]) => `"${name}"`).join(', ');
    for (const name of Object.keys(submitted))
      if (!Object.hasOwn(inputs.properties, name))
        mistakes.push({ name, path: [], message: `is not an input of this action; it has ${known}` });
  }
  const work = patternWork();
  for (const [name, input] of declared) {
    const state = form.inputs[name];
    if (!state) continue;
    if (state.value === undefined || state.value === '') {
      // A hidden input can not be filled in, so its absence is no mistake.
      if (state.isRequired && state.isVisible) mistakes.push({ name, path: [], message: 'is required' });
      continue;
    }
    if (areSealed && isSealedByClient(input)) continue;
    for (const mistake of checkValue(schemaOf(input, state), state.value, work)) mistakes.push({ name, ...mistake });
  }
  return mistakes;
}

/** The schema of an input with what its rules yield now in place of its expressions. */
function schemaOf(input: ActionInput, state: InputState): Schema {
  const schema = plainSchema(input);
  // A bound or a pattern whose program fails is none; a list of choices whose program fails is empty (§1.6).
  for (const bound of ['minItems', 'maxItems'] as const) {
    delete schema[bound];
    if (typeof state[bound] === 'number') schema[bound] = state[bound];
  }
  if (typeof state.pattern === 'string') schema.pattern = state.pattern;
  else if (Array.isArray(state.pattern)) schema.enum = state.pattern;
  const items = itemsOf(input);
  if (items) {
    const itemSchema = plainSchema(items);
    if (typeof items.pattern === 'string') itemSchema.pattern = items.pattern;
    if (input.enum === undefined && state.choices) itemSchema.enum = state.choices;
    schema.items = itemSchema;
  }
  if (input.enum !== undefined && state.choices) schema.enum = state.choices;
  return schema;
}

function plainSchema(input: ActionInput): Schema {
  const source = input as Record<string, unknown>;
  const schema: Schema = {};
  for (const keyword of keywords) if (source[keyword] !== undefined) schema[keyword] = source[keyword];
  return schema;
}
