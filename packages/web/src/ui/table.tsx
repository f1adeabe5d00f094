import { Button } from '@mantine/core';
import { IconArrowDown, IconArrowsSort, IconArrowUp, IconChevronDown, IconChevronRight } from '@tabler/icons-react';
import type { ReactNode } from 'react';
import { ScrollRegion } from './scroll-region.tsx';

export interface Sorting {
  /** Which way the table is sorted by this column; undefined = by another. */
  order: 'ASC' | 'DESC' | undefined;
  onSort: (order: 'ASC' | 'DESC') => void;
}

/** The head of a column; pressing one that sorts turns the order round. */
export function Head({ title, sorting }: { title: string; sorting?: Sorting | undefined }): ReactNode {
  if (!sorting) return <th scope="col">{title}</th>;
  const { order, onSort } = sorting;
  const Glyph = order === undefined ? IconArrowsSort : order === 'ASC' ? IconArrowUp : IconArrowDown;
  return (
    <th scope="col" aria-sort={order === undefined ? 'none' : order === 'ASC' ? 'ascending' : 'descending'}>
      <button type="button" onClick={() => onSort(order === 'ASC' ? 'DESC' : 'ASC')}>
        {title}
        <Glyph size={13} aria-hidden="true" opacity={order === undefined ? 0.4 : 1} />
      </button>
    </th>
  );
}

/** A table that scrolls on its own where it is too wide. `children` are its rows, or its bodies where they stand in groups. */
export function Table({
  label,
  columns,
  sortings = {},
  isGrouped = false,
  children,
}: {
  label: string;
  columns: readonly string[];
  /** By the title of the column. */
  sortings?: Readonly<Record<string, Sorting>>;
  isGrouped?: boolean;
  children: ReactNode;
}): ReactNode {
  return (
    <ScrollRegion label={label}>
      <table className="q-table">
        <thead>
          <tr>
            {columns.map((column) => (
              <Head key={column} title={column} sorting={sortings[column]} />
            ))}
          </tr>
        </thead>
        {isGrouped ? children : <tbody>{children}</tbody>}
      </table>
    </ScrollRegion>
  );
}

/** What can be done with a row. `label` says with which one, as the row is not read along with the button. */
export function RowButton({
  label,
  isDanger = false,
  isDisabled = false,
  onClick,
  children,
}: {
  label: string;
  isDanger?: boolean;
  isDisabled?: boolean;
  onClick: () => void;
  children: ReactNode;
}): ReactNode {
  return (
    <Button
      size="compact-xs"
      variant="default"
      aria-label={label}
      disabled={isDisabled}
      onClick={onClick}
      {...(isDanger ? { c: 'var(--mantine-color-error)' } : {})}
    >
      {children}
    </Button>
  );
}

/** Opens and closes what stands below a row; `controls` is its id. */
export function RowToggle({
  label,
  isOpen,
  controls,
  onToggle,
  children,
}: {
  label?: string;
  isOpen: boolean;
  controls: string;
  onToggle: () => void;
  children: ReactNode;
}): ReactNode {
  const Glyph = isOpen ? IconChevronDown : IconChevronRight;
  return (
    <Button
      size="compact-xs"
      variant="default"
      leftSection={<Glyph size={13} aria-hidden="true" />}
      aria-label={label}
      aria-expanded={isOpen}
      {...(isOpen ? { 'aria-controls': controls } : {})}
      onClick={onToggle}
    >
      {children}
    </Button>
  );
}

/** What a RowToggle opens: one cell below its row, as wide as the table. `isFlush` = what is in it has edges of its own. */
export function RowDetails({
  id,
  columns,
  isFlush = false,
  children,
}: {
  id: string;
  columns: number;
  isFlush?: boolean;
  children: ReactNode;
}): ReactNode {
  return (
    <tr id={id}>
      <td colSpan={columns} style={{ maxWidth: 'none', ...(isFlush ? { padding: 0 } : {}) }}>
        {children}
      </td>
    </tr>
  );
}
