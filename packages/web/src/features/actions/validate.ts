import type { ActionInput } from '@quayside/contracts';
import { itemsOf, kindOf } from './field-kinds.ts';

/**
 * What the browser can tell at once. The server judges again, and its word counts: whatever is missing here (`anyOf`,
 * nested schemas, whether an entity exists) comes back as a 422 and lands beside the same field.
 */
export interface Limits {
  pattern: unknown;
  minItems: unknown;
  maxItems: unknown;
}

/** A pattern is the action author's; against a text this long even a bad one ends, and longer ones the server judges. */
const maxPatternText = 500;
const email = /^[^\s@]+@[^\s@]+\.[^\s@]+$/;
const ipv4 = /^(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)(?:\.(?!$)|$)){4}$/;

export function mistakeIn(input: ActionInput, value: unknown, limits: Limits): string | undefined {
  if (typeof value === 'string') return kindOf(input) === 'select' ? undefined : textMistake(input, value, limits);
  if (typeof value === 'number') return numberMistake(input, value);
  if (Array.isArray(value)) return listMistake(input, value, limits);
  if (kindOf(input) === 'labeled-url') {
    const url = (value as { url?: string }).url ?? '';
    return URL.canParse(url) ? undefined : 'needs a full URL, like https://example.com';
  }
  return undefined;
}

function textMistake(input: ActionInput, text: string, limits: Limits): string | undefined {
  const length = [...text].length;
  if (input.minLength !== undefined && length < input.minLength)
    return `must have at least ${count(input.minLength, 'character')}`;
  if (input.maxLength !== undefined && length > input.maxLength) {
    return `must have at most ${count(input.maxLength, 'character')}; it has ${length}`;
  }
  if (input.format === 'url' && !URL.canParse(text)) return 'must be a full URL, like https://example.com';
  if ((input.format === 'email' || input.format === 'idn-email') && !email.test(text)) {
    return 'must be an e-mail address, like ana@example.com';
  }
  if (input.format === 'ipv4' && !ipv4.test(text)) return 'must be an IPv4 address, like 10.0.0.1';
  if (Array.isArray(limits.pattern)) {
    return limits.pattern.includes(text) ? undefined : `must be one of ${limits.pattern.join(', ')}`;
  }
  if (typeof limits.pattern === 'string' && text.length <= maxPatternText && !matches(limits.pattern, text)) {
    return `must match the pattern ${limits.pattern}`;
  }
  return undefined;
}

function matches(pattern: string, text: string): boolean {
  try {
    return new RegExp(pattern, 'u').test(text);
  } catch {
    // A dialect the browser does not speak: the server knows.
    return true;
  }
}

function numberMistake(input: ActionInput, value: number): string | undefined {
  const { minimum, maximum, exclusiveMinimum, exclusiveMaximum } = input;
  if (minimum !== undefined && value < minimum) return `must be ${minimum} or more`;
  if (maximum !== undefined && value > maximum) return `must be ${maximum} or less`;
  if (exclusiveMinimum !== undefined && value <= exclusiveMinimum) return `must be more than ${exclusiveMinimum}`;
  if (exclusiveMaximum !== undefined && value >= exclusiveMaximum) return `must be less than ${exclusiveMaximum}`;
  return undefined;
}

function listMistake(input: ActionInput, list: readonly unknown[], limits: Limits): string | undefined {
  const { minItems, maxItems } = limits;
  if (typeof minItems === 'number' && list.length < minItems) return `needs at least ${count(minItems, 'item')}`;
  if (typeof maxItems === 'number' && list.length > maxItems)
    return `may have at most ${count(maxItems, 'item')}; it has ${list.length}`;
  if (input.uniqueItems && new Set(list.map((item) => JSON.stringify(item))).size < list.length)
    return 'has an item twice';
  const items = itemsOf(input);
  if (!items || items.enum !== undefined) return undefined;
  for (const item of list) {
    const mistake = mistakeIn(items, item, { pattern: items.pattern, minItems: undefined, maxItems: undefined });
    if (mistake) return `“${String(item)}” ${mistake}`;
  }
  return undefined;
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}
