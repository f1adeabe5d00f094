import type { ActionInput, JqQuery } from '@quayside/contracts';

/** What kind of thing an input holds, as far as rules differ. */

export function isJq(value: unknown): value is JqQuery {
  return typeof (value as JqQuery | null | undefined)?.jqQuery === 'string';
}

export function itemsOf(input: ActionInput): ActionInput | undefined {
  return input.type === 'array' ? (input.items as ActionInput | undefined) : undefined;
}

/** Where the choices of an input are written: of a list with choices, in its items. */
export function choicesOf(input: ActionInput): ActionInput['enum'] {
  return input.enum ?? itemsOf(input)?.enum;
}

/** The blueprint whose entities the input names, alone or in a list. */
export function entityBlueprint(input: ActionInput): string | undefined {
  const named = itemsOf(input) ?? input;
  return named.format === 'entity' ? named.blueprint : undefined;
}

/** Does the input hold e-mails of users, or names of teams? */
export function personKind(input: ActionInput): 'user' | 'team' | undefined {
  const { format } = itemsOf(input) ?? input;
  return format === 'user' || format === 'team' ? format : undefined;
}

const pickedFormats = new Set(['date-time', 'timer', 'entity', 'user', 'team']);

/** A text that one types: its emptiness is "" to expressions, every other is null (spec/actions.md §1.6). */
export function isTyped(input: ActionInput): boolean {
  return input.type === 'string' && input.enum === undefined && !pickedFormats.has(input.format ?? '');
}

/** `{algorithm: "client-side"}`: only the backend can read it, so it arrives sealed. */
export function isSealedByClient(input: ActionInput): boolean {
  return typeof input.encryption === 'object';
}

/** Entities in the inputs of a form, as they were written: identifiers, or whole entities as published links carry them. */
export function identifiersIn(value: unknown): string[] {
  return [value].flat().flatMap((each) => {
    if (typeof each === 'string') return each === '' ? [] : [each];
    const identifier = (each as { identifier?: unknown } | null | undefined)?.identifier;
    return typeof identifier === 'string' ? [identifier] : [];
  });
}
