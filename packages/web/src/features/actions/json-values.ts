import type { UserInputs } from '@quayside/contracts';

export type ReadValues =
  | { kind: 'read'; values: Readonly<Record<string, unknown>> }
  | { kind: 'unreadable'; message: string };

/** The text of JSON mode as values of inputs. */
export function readValues(inputs: UserInputs, text: string): ReadValues {
  let values: unknown;
  try {
    values = JSON.parse(text.trim() || '{}');
  } catch {
    return { kind: 'unreadable', message: 'This is not valid JSON.' };
  }
  if (typeof values !== 'object' || values === null || Array.isArray(values))
    return { kind: 'unreadable', message: 'Write one JSON object, with a key for each input.' };
  for (const name of Object.keys(values)) {
    const input = Object.hasOwn(inputs.properties, name) ? inputs.properties[name] : undefined;
    if (!input) return { kind: 'unreadable', message: `“${name}” is not an input of this action.` };
    if (input.encryption !== undefined)
      return { kind: 'unreadable', message: `“${name}” is a secret; fill it in in the form.` };
  }
  return { kind: 'read', values: values as Record<string, unknown> };
}
