import { ActionIcon } from '@mantine/core';
import type { Blueprint, BlueprintProperty, Entity } from '@quayside/contracts';
import { IconDots } from '@tabler/icons-react';
import { Link } from '@tanstack/react-router';
import { useVirtualizer } from '@tanstack/react-virtual';
import { type ReactNode, useRef } from 'react';
import { Ago, Head, ScrollRegion, Value } from '../../ui/index.ts';
import { EntityActions } from '../actions/index.ts';
import { EntityLinks } from '../entities/index.ts';
import { type Column, columnsOf, isSortable } from './columns.ts';

export interface Sort {
  property: string;
  order: 'ASC' | 'DESC';
}

const rowHeight = 39;
/** Below this the browser lays out all rows faster than a virtual window is worth. */
const virtualFrom = 200;

interface EntityTableProps {
  blueprint: Blueprint;
  entities: readonly Entity[];
  sort: Sort;
  onSort: (sort: Sort) => void;
  /** Is there anything that can be done with one of them? */
  hasActions: boolean;
}

export function EntityTable({ blueprint, entities, sort, onSort, hasActions }: EntityTableProps): ReactNode {
  const scroller = useRef<HTMLElement>(null);
  const columns = columnsOf(blueprint);
  const isVirtual = entities.length > virtualFrom;
  const rows = useVirtualizer({
    count: entities.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => rowHeight,
    overscan: 12,
    enabled: isVirtual,
  });
  const window = rows.getVirtualItems();
  const shown = isVirtual ? entities.slice(window[0]?.index ?? 0, (window.at(-1)?.index ?? -1) + 1) : entities;
  const before = isVirtual ? (window[0]?.start ?? 0) : 0;
  const after = isVirtual ? rows.getTotalSize() - (window.at(-1)?.end ?? 0) : 0;
  return (
    <ScrollRegion ref={scroller} label={`${blueprint.title} entities`} style={isVirtual ? { maxHeight: '68vh' } : {}}>
      <table className="q-table" aria-rowcount={entities.length + 1}>
        <thead style={{ position: 'sticky', top: 0, zIndex: 1 }}>
          <tr>
            {columns.map((column) => (
              <Head
                key={`${column.kind} ${column.key}`}
                title={column.title}
                sorting={
                  isSortable(column)
                    ? {
                        order: sort.property === column.key ? sort.order : undefined,
                        onSort: (order) => onSort({ property: column.key, order }),
                      }
                    : undefined
                }
              />
            ))}
            {hasActions && (
              <th scope="col" className="q-pinned">
                Actions
              </th>
            )}
          </tr>
        </thead>
        <tbody>
          {before > 0 && <Spacer height={before} span={columns.length + 1} />}
          {shown.map((entity) => (
            <tr key={entity.identifier}>
              {columns.map((column) => (
                <td key={`${column.kind} ${column.key}`} style={{ whiteSpace: 'nowrap' }}>
                  <div className="q-cell">
                    <Cell entity={entity} column={column} />
                  </div>
                </td>
              ))}
              {hasActions && (
                <td className="q-pinned">
                  <EntityActions entity={entity}>
                    <ActionIcon variant="subtle" color="gray" aria-label={`Actions for ${entity.title}`}>
                      <IconDots size={16} />
                    </ActionIcon>
                  </EntityActions>
                </td>
              )}
            </tr>
          ))}
          {after > 0 && <Spacer height={after} span={columns.length + 1} />}
        </tbody>
      </table>
    </ScrollRegion>
  );
}

function Spacer({ height, span }: { height: number; span: number }): ReactNode {
  return (
    <tr>
      <td colSpan={span} style={{ height, padding: 0, border: 0 }} />
    </tr>
  );
}

function Cell({ entity, column }: { entity: Entity; column: Column }): ReactNode {
  switch (column.kind) {
    case 'title':
      return (
        <Link to="/catalog/$blueprint/$entity" params={{ blueprint: entity.blueprint, entity: entity.identifier }}>
          {entity.title}
        </Link>
      );
    case 'property':
      return <Value value={entity.properties[column.key]} shape={shapeOf(column.property)} />;
    case 'relation':
      return <EntityLinks blueprint={column.target} value={entity.relations[column.key]} />;
    case 'updated':
      return <Ago at={entity.updatedAt} />;
  }
}

export function shapeOf(property: BlueprintProperty): {
  type?: string;
  format?: string;
  enumColors?: Record<string, string>;
} {
  const colours = property.enumColors ?? (property.items?.enumColors as Record<string, string> | undefined);
  return {
    type: property.type,
    ...(property.format === undefined ? {} : { format: property.format }),
    ...(colours === undefined ? {} : { enumColors: colours }),
  };
}
