import type { ActionInput } from '@quayside/contracts';
import { entityBlueprint, identifiersIn, itemsOf, personKind } from '@quayside/expressions';

/**
 * Which control shows an input, and how its value travels: `toDraft` from a value to what the control holds, `toValue`
 * back. An empty control is `undefined`.
 */
export type FieldKind =
  | 'text'
  | 'multi-line'
  | 'markdown'
  | 'code'
  | 'secret'
  | 'number'
  | 'boolean'
  | 'select'
  | 'multi-select'
  | 'date-time'
  | 'entity'
  | 'entities'
  | 'person'
  | 'people'
  | 'list'
  | 'labeled-url'
  | 'json';

export function kindOf(input: ActionInput): FieldKind {
  if (input.type === 'boolean') return 'boolean';
  if (input.type === 'array') return listKindOf(input);
  if (input.enum !== undefined) return 'select';
  if (input.type === 'number') return 'number';
  if (input.type === 'object') return input.format === 'labeled-url' ? 'labeled-url' : 'json';
  if (entityBlueprint(input) !== undefined) return 'entity';
  if (personKind(input)) return 'person';
  switch (input.format) {
    case 'date-time':
    case 'timer':
      return 'date-time';
    case 'multi-line':
    case 'markdown':
      return input.format;
    case 'yaml':
    case 'proto':
      return 'code';
    default:
      return input.encryption === undefined ? 'text' : 'secret';
  }
}

function listKindOf(input: ActionInput): FieldKind {
  const items = itemsOf(input);
  if (input.enum !== undefined) return 'select';
  if (entityBlueprint(input) !== undefined) return 'entities';
  if (items?.enum !== undefined) return 'multi-select';
  if (personKind(input)) return 'people';
  // Items of several lines can not stand in one.
  if (items?.format === 'yaml' || items?.format === 'multi-line' || items?.format === 'markdown') return 'json';
  return items?.type === 'string' || items?.type === 'number' ? 'list' : 'json';
}

/** How an option, which can be any JSON value, reads. */
export function optionText(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

export function toDraft(input: ActionInput, value: unknown): unknown {
  if (value === undefined || value === null) return undefined;
  switch (kindOf(input)) {
    case 'select':
    case 'number':
    case 'labeled-url':
      return value;
    case 'multi-select':
      return Array.isArray(value) ? value : [value];
    case 'list':
      return (Array.isArray(value) ? value : [value]).map(optionText);
    case 'entities':
    case 'people':
      return identifiersIn(value);
    case 'entity':
    case 'person':
      return identifiersIn(value)[0];
    case 'date-time':
      return typeof value === 'string' ? toLocalInput(value) : undefined;
    case 'json':
      return typeof value === 'string' ? value : JSON.stringify(value, null, 2);
    case 'boolean':
      return value === true || value === 'true';
    default:
      return optionText(value);
  }
}

/** `2026-11-21T08:05`, in the time zone of the person: what a datetime-local control holds; seconds only where there are. */
function toLocalInput(instant: string): string | undefined {
  const time = new Date(instant);
  if (Number.isNaN(time.getTime())) return undefined;
  const local = new Date(time.getTime() - time.getTimezoneOffset() * 60_000).toISOString();
  return local.slice(0, local.slice(16, 23) === ':00.000' ? 16 : 23);
}

export type Parsed = { kind: 'value'; value: unknown } | { kind: 'unreadable'; message: string };

const nothing: Parsed = { kind: 'value', value: undefined };

export function toValue(input: ActionInput, draft: unknown): Parsed {
  if (draft === undefined || draft === null || draft === '') return nothing;
  if (Array.isArray(draft) && draft.length === 0) return nothing;
  switch (kindOf(input)) {
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
      const { url, displayText } = draft as { url?: string; displayText?: string };
      if (!url && !displayText) return nothing;
      return { kind: 'value', value: { ...(url ? { url } : {}), ...(displayText ? { displayText } : {}) } };
    }
    default:
      return { kind: 'value', value: draft };
  }
}

function toList(input: ActionInput, texts: readonly string[]): Parsed {
  if (itemsOf(input)?.type !== 'number') return { kind: 'value', value: [...texts] };
  const numbers = texts.map(Number);
  const wrong = texts.find((_text, index) => !Number.isFinite(numbers[index]));
  if (wrong !== undefined) return { kind: 'unreadable', message: `has “${wrong}”, which is not a number` };
  return { kind: 'value', value: numbers };
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
