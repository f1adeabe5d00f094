import { type Operation, operations } from '@quayside/contracts';
import type { SelfServiceAction } from './queries.ts';

/** What the button of an action says, unless the action brings its own words. */
export const operationWords: Record<Operation, string> = { CREATE: 'Create', 'DAY-2': 'Execute', DELETE: 'Delete' };

export const groupings = [
  { value: 'none', label: 'Not grouped' },
  { value: 'blueprint', label: 'By blueprint' },
  { value: 'operation', label: 'By operation' },
] as const;
export type Grouping = (typeof groupings)[number]['value'];

/** As many as one sees at once; more than these need headings. */
const shownWithoutGroups = 12;

export function groupingFor(count: number): Grouping {
  return count > shownWithoutGroups ? 'blueprint' : 'none';
}

export interface ActionGroup {
  key: string;
  title: string;
  actions: SelfServiceAction[];
}

const operationTitles: Record<Operation, string> = { CREATE: 'Create', 'DAY-2': 'Day-2 operations', DELETE: 'Delete' };

/** Every word of the search must be found somewhere in the card, in any order. */
export function groupActions(
  actions: readonly SelfServiceAction[],
  by: {
    text: string;
    operation: Operation | undefined;
    by: Grouping;
    titleOf: (blueprint: string) => string;
    /** Identifiers of those with a star: a group of their own, before the others. */
    favourites?: ReadonlySet<string>;
    /** Those the person executed lately, the last first. */
    used?: readonly string[];
  },
): ActionGroup[] {
  const words = by.text.toLowerCase().split(/\s+/).filter(Boolean);
  const found = actions.filter((action) => {
    const { operation, blueprintIdentifier = '' } = action.trigger;
    if (by.operation && operation !== by.operation) return false;
    const haystack = [
      action.title,
      action.identifier,
      action.description,
      operation,
      blueprintIdentifier,
      by.titleOf(blueprintIdentifier),
    ]
      .join(' ')
      .toLowerCase();
    return words.every((word) => haystack.includes(word));
  });
  const groups = new Map<string, ActionGroup>();
  for (const action of found) {
    const { operation, blueprintIdentifier } = action.trigger;
    const ofBlueprint = { key: blueprintIdentifier ?? '', title: by.titleOf(blueprintIdentifier ?? '') || 'General' };
    const { key, title } = {
      none: { key: 'all', title: '' },
      blueprint: ofBlueprint,
      operation: { key: operation, title: operationTitles[operation] },
    }[by.by];
    const group = groups.get(key) ?? { key, title, actions: [] };
    group.actions.push(action);
    groups.set(key, group);
  }
  for (const group of groups.values()) {
    group.actions.sort((a, b) => (a.title ?? a.identifier).localeCompare(b.title ?? b.identifier));
  }
  const own = ownGroups(found, by);
  const rank = (group: ActionGroup): number =>
    by.by === 'operation' ? operations.indexOf(group.key as Operation) : group.key ? 0 : 1;
  const rest = [...groups.values()].sort((a, b) => rank(a) - rank(b) || a.title.localeCompare(b.title));
  const only = rest[0];
  // A single list needs a heading as soon as another stands above it.
  if (by.by === 'none' && only && own.length > 0) rest[0] = { ...only, title: 'All actions' };
  return [...own, ...rest];
}

/** As many as stand in a row. */
const shownUsed = 4;

/** Favourites, and what was used last. Where everything fits into one look, what was used last needs no second place. */
function ownGroups(
  found: readonly SelfServiceAction[],
  by: { text: string; favourites?: ReadonlySet<string>; used?: readonly string[] },
): ActionGroup[] {
  const favourites = found.filter((action) => by.favourites?.has(action.identifier));
  favourites.sort((a, b) => (a.title ?? a.identifier).localeCompare(b.title ?? b.identifier));
  const used =
    found.length > shownWithoutGroups && by.text === ''
      ? (by.used ?? []).flatMap((name) => found.filter((action) => action.identifier === name)).slice(0, shownUsed)
      : [];
  return [
    { key: '$favourites', title: 'Favourites', actions: favourites },
    { key: '$used', title: 'Recently used', actions: used },
  ].filter((group) => group.actions.length > 0);
}
