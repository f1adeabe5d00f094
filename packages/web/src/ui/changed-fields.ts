/** One top-level field that a record changed. */
export interface FieldChange {
  name: string;
  before: string | undefined;
  after: string | undefined;
}

/** What differs between the two states of a resource, field by field; nothing for records without states (a login). */
export function changedFields(before: unknown, after: unknown): FieldChange[] {
  const [old, now] = [fieldsOf(before), fieldsOf(after)];
  return [...new Set([...Object.keys(old), ...Object.keys(now)])].flatMap((name) => {
    const change = { name, before: textOf(old[name]), after: textOf(now[name]) };
    return change.before === change.after ? [] : [change];
  });
}

function fieldsOf(state: unknown): Record<string, unknown> {
  return typeof state === 'object' && state !== null && !Array.isArray(state) ? (state as Record<string, unknown>) : {};
}

function textOf(value: unknown): string | undefined {
  if (value === undefined || value === null) return undefined;
  return typeof value === 'string' ? value : JSON.stringify(value, null, 2);
}
