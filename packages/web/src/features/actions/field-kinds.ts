import type { ActionInput } from '@quayside/contracts';

/**
 * Which control shows an input, and how its value travels: `toDraft` from a submitted value to what the control holds,
 * `toValue` back. An empty control is `undefined`: the key is left out of the request, so that the server's defaults apply.
 */
export type FieldKind =
  | 'text'
  | 'multi-line'
  | 'secret'
  | 'number'
  | 'boolean'
  | 'select'
  | 'multi-select'
  | 'date-time'
  | 'entity'
  | 'entities'
  | 'list'
  | 'labeled-url'
  | 'json';

const proseFormats = new Set(['multi-line', 'yaml', 'markdown', 'proto']);

export function itemsOf(input: ActionInput): ActionInput | undefined {
  return input.items as ActionInput | undefined;
}

export function kindOf(input: ActionInput): FieldKind {
  if (input.type === 'boolean') return 'boolean';
  if (input.type === 'array') {
    const items = itemsOf(input);
    if (input.enum !== undefined) return 'select';
    if (items?.format === 'entity' && items.blueprint) return 'entities';
    if (items?.enum !== undefined) return 'multi-select';
    return items?.type === 'string' || items?.type === 'number' ? 'list' : 'json';
  }
  if (input.enum !== undefined) return 'select';
  if (input.type === 'number') return 'number';
  if (input.type === 'object') return input.format === 'labeled-url' ? 'labeled-url' : 'json';
  if (input.format === 'entity' && input.blueprint) return 'entity';
  if (input.format === 'date-time' || input.format === 'timer') return 'date-time';
  if (input.format !== undefined && proseFormats.has(input.format)) return 'multi-line';
  return input.encryption === undefined ? 'text' : 'secret';
}

/** Options can be any JSON value; their text is the key that select controls need. */
export function optionKey(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

export function toDraft(input: ActionInput, value: unknown): unknown {
  if (value === undefined || value === null) return undefined;
  switch (kindOf(input)) {
    case 'select':
      return optionKey(value);
    case 'multi-select':
    case 'list':
      return Array.isArray(value) ? value.map(optionKey) : [optionKey(value)];
    case 'entities':
      return (Array.isArray(value) ? value : [value]).map(identifierOf);
    case 'entity':
      return identifierOf(value);
    case 'date-time':
      return typeof value === 'string' ? toLocalInput(value) : undefined;
    case 'json':
      return typeof value === 'string' ? value : JSON.stringify(value, null, 2);
    case 'boolean':
      return value === true || value === 'true';
    case 'number':
    case 'labeled-url':
      return value;
    default:
      return typeof value === 'string' ? value : JSON.stringify(value);
  }
}

/** Published prefills carry whole entities as well as identifiers. */
function identifierOf(value: unknown): string {
  const identifier = (value as { identifier?: unknown } | null)?.identifier;
  return typeof identifier === 'string' ? identifier : String(value);
}

/** `2026-11-21T08:05`, in the time zone of the person: what a datetime-local control holds. */
function toLocalInput(instant: string): string | undefined {
  const time = new Date(instant);
  if (Number.isNaN(time.getTime())) return undefined;
  return new Date(time.getTime() - time.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}

export type Parsed = { kind: 'value'; value: unknown } | { kind: 'unreadable'; message: string };

export function toValue(input: ActionInput, draft: unknown, options: readonly unknown[]): Parsed {
  if (draft === undefined || draft === null || draft === '') return { kind: 'value', value: undefined };
  const optionOf = (key: unknown): unknown => options.find((option) => optionKey(option) === key) ?? key;
  switch (kindOf(input)) {
    case 'select':
      return { kind: 'value', value: optionOf(draft) };
    case 'multi-select':
      return { kind: 'value', value: emptyAsNothing((draft as unknown[]).map(optionOf)) };
    case 'entities':
      return { kind: 'value', value: emptyAsNothing(draft as unknown[]) };
    case 'list':
      return toList(input, draft as string[]);
    case 'number': {
      const number = Number(draft);
      return Number.isFinite(number)
        ? { kind: 'value', value: number }
        : { kind: 'unreadable', message: 'must be a number' };
    }
    case 'date-time': {
      const time = new Date(String(draft));
      if (Number.isNaN(time.getTime())) return { kind: 'unreadable', message: 'must be a date and time' };
      return { kind: 'value', value: time.toISOString() };
    }
    case 'json':
      return toJson(input, String(draft));
    case 'labeled-url': {
      const link = draft as { url?: string; displayText?: string };
      return { kind: 'value', value: link.url || link.displayText ? link : undefined };
    }
    default:
      return { kind: 'value', value: draft };
  }
}

function emptyAsNothing(list: unknown[]): unknown[] | undefined {
  return list.length === 0 ? undefined : list;
}

function toList(input: ActionInput, texts: readonly string[]): Parsed {
  if (itemsOf(input)?.type !== 'number') return { kind: 'value', value: emptyAsNothing([...texts]) };
  const numbers = texts.map(Number);
  const wrong = texts.find((_text, index) => !Number.isFinite(numbers[index]));
  if (wrong !== undefined) return { kind: 'unreadable', message: `“${wrong}” is not a number` };
  return { kind: 'value', value: emptyAsNothing(numbers) };
}

function toJson(input: ActionInput, text: string): Parsed {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    return { kind: 'unreadable', message: `is not valid JSON: ${(error as Error).message}` };
  }
  const isArray = Array.isArray(value);
  if (input.type === 'array' && !isArray)
    return { kind: 'unreadable', message: 'must be a JSON array, like ["a", "b"]' };
  if (input.type === 'object' && (isArray || typeof value !== 'object' || value === null)) {
    return { kind: 'unreadable', message: 'must be a JSON object, like {"key": "value"}' };
  }
  return { kind: 'value', value };
}
