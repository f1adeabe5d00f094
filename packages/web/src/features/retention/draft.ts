import { defaultRetention, type Retention } from '@quayside/contracts';

/** What the fields hold: texts; empty = for ever. */
export type Kind = keyof typeof defaultRetention;
export type Draft = Record<Kind, string>;

export const kinds = Object.keys(defaultRetention) as Kind[];

export function toDraft(retention: Retention = {}): Draft {
  const kept = { ...defaultRetention, ...retention };
  return Object.fromEntries(kinds.map((kind) => [kind, kept[kind] === null ? '' : String(kept[kind])])) as Draft;
}

/** The settings, or what is wrong with which field. */
export function fromDraft(draft: Draft): { retention: Retention } | { mistakes: Partial<Record<Kind, string>> } {
  const mistakes: Partial<Record<Kind, string>> = {};
  const retention: Retention = {};
  for (const kind of kinds) {
    const text = draft[kind].trim();
    const days = Number(text);
    if (text === '') retention[kind] = null;
    else if (Number.isInteger(days) && days >= 1 && days <= 3650) retention[kind] = days;
    else mistakes[kind] = 'A whole number of days from 1 to 3650, or nothing for ever.';
  }
  return Object.keys(mistakes).length > 0 ? { mistakes } : { retention };
}
