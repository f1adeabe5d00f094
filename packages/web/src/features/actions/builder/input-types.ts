import type { ActionInput } from '@quayside/contracts';
import { kindOf } from '../field-kinds.ts';

/** The kinds of input as an author thinks of them (spec/actions.md §1.4), and the schema that each begins with. */
export interface InputType {
  key: string;
  label: string;
  group: 'Text' | 'Choice' | 'Number and time' | 'Catalog' | 'Structured' | 'Secret';
  schema: ActionInput;
}

const type = (key: string, label: string, group: InputType['group'], schema: Record<string, unknown>): InputType => ({
  key,
  label,
  group,
  schema: schema as unknown as ActionInput,
});

export const inputTypes: readonly InputType[] = [
  type('text', 'Text', 'Text', { type: 'string' }),
  type('multi-line', 'Text of several lines', 'Text', { type: 'string', format: 'multi-line' }),
  type('url', 'URL', 'Text', { type: 'string', format: 'url' }),
  type('email', 'E-mail', 'Text', { type: 'string', format: 'email' }),
  type('ipv4', 'IPv4 address', 'Text', { type: 'string', format: 'ipv4' }),
  type('ipv6', 'IPv6 address', 'Text', { type: 'string', format: 'ipv6' }),
  type('markdown', 'Markdown', 'Text', { type: 'string', format: 'markdown' }),
  type('select', 'Choice of texts', 'Choice', { type: 'string', enum: [] }),
  type('select-number', 'Choice of numbers', 'Choice', { type: 'number', enum: [] }),
  type('multi-select', 'Several of some texts', 'Choice', { type: 'array', items: { type: 'string', enum: [] } }),
  type('list', 'List of texts', 'Choice', { type: 'array', items: { type: 'string' } }),
  type('list-number', 'List of numbers', 'Choice', { type: 'array', items: { type: 'number' } }),
  type('toggle', 'Switch', 'Choice', { type: 'boolean' }),
  type('number', 'Number', 'Number and time', { type: 'number' }),
  type('date-time', 'Date and time', 'Number and time', { type: 'string', format: 'date-time' }),
  type('entity', 'Entity', 'Catalog', { type: 'string', format: 'entity', blueprint: '' }),
  type('entities', 'Several entities', 'Catalog', {
    type: 'array',
    items: { type: 'string', format: 'entity', blueprint: '' },
  }),
  type('user', 'User', 'Catalog', { type: 'string', format: 'user' }),
  type('users', 'Several users', 'Catalog', { type: 'array', items: { type: 'string', format: 'user' } }),
  type('team', 'Team', 'Catalog', { type: 'string', format: 'team' }),
  type('teams', 'Several teams', 'Catalog', { type: 'array', items: { type: 'string', format: 'team' } }),
  type('object', 'Object', 'Structured', { type: 'object' }),
  type('array', 'Array', 'Structured', { type: 'array' }),
  type('labeled-url', 'URL with a text', 'Structured', { type: 'object', format: 'labeled-url' }),
  type('yaml', 'YAML', 'Structured', { type: 'string', format: 'yaml' }),
  type('proto', 'Proto', 'Structured', { type: 'string', format: 'proto' }),
  type('secret', 'Secret', 'Secret', { type: 'string', encryption: 'aes256-gcm' }),
  type('secret-lines', 'Secret of several lines', 'Secret', {
    type: 'string',
    format: 'multi-line',
    encryption: 'aes256-gcm',
  }),
  type('secret-object', 'Secret object', 'Secret', { type: 'object', encryption: 'aes256-gcm' }),
];

/** What makes an input of a kind; everything else about it stays when the kind stays. */
function signature(input: ActionInput): string {
  const items = input.items as Record<string, unknown> | undefined;
  return JSON.stringify([
    input.type,
    input.format ?? null,
    input.enum !== undefined,
    input.encryption !== undefined,
    items ? [items.type ?? null, items.format ?? null, items.enum !== undefined] : null,
  ]);
}

export function typeOf(input: ActionInput): InputType | undefined {
  return inputTypes.find((each) => signature(each.schema) === signature(input));
}

/** The name of the kind; of an unusual schema, the control that it gets. */
export function typeLabel(input: ActionInput): string {
  return typeOf(input)?.label ?? kindOf(input);
}

const described = ['title', 'description', 'icon', 'visible', 'disabled', 'dependsOn'] as const;

/** Another kind: what the input says about itself stays, what it says about its values does not. */
export function withType(input: ActionInput, key: string): ActionInput {
  const chosen = inputTypes.find((each) => each.key === key);
  if (!chosen) return input;
  const kept = described.flatMap((name) => (input[name] === undefined ? [] : [[name, input[name]] as const]));
  return { ...chosen.schema, ...Object.fromEntries(kept) };
}

/** The keyword under which the rules of one value stand: of a list, in its items. */
export function rulesOf(input: ActionInput): { path: 'items' | undefined; rules: ActionInput } {
  const items = input.items as ActionInput | undefined;
  return items ? { path: 'items', rules: items } : { path: undefined, rules: input };
}
