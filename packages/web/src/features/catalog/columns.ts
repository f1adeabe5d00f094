import type { Blueprint, BlueprintProperty } from '@quayside/contracts';

/** What a table of a blueprint's entities shows: the title, each property, each relation, the last change. */
export type Column =
  | { kind: 'title'; key: '$title'; title: string }
  | { kind: 'property'; key: string; title: string; property: BlueprintProperty }
  | { kind: 'relation'; key: string; title: string; target: string }
  | { kind: 'updated'; key: '$updatedAt'; title: string };

export function columnsOf(blueprint: Blueprint): Column[] {
  const properties = Object.entries(blueprint.schema.properties).map(
    ([key, property]): Column => ({ kind: 'property', key, title: property.title ?? key, property }),
  );
  const relations = Object.entries(blueprint.relations ?? {}).map(
    ([key, relation]): Column => ({ kind: 'relation', key, title: relation.title ?? key, target: relation.target }),
  );
  return [
    { kind: 'title', key: '$title', title: 'Title' },
    ...properties,
    ...relations,
    { kind: 'updated', key: '$updatedAt', title: 'Last change' },
  ];
}

/** Lists and objects have no order; neither has a relation, whose identifier means nothing to the reader. */
export function isSortable(column: Column): boolean {
  if (column.kind === 'relation') return false;
  return column.kind !== 'property' || (column.property.type !== 'object' && column.property.type !== 'array');
}
