import type { ReactNode } from 'react';
import { ScrollRegion } from './scroll-region.tsx';

/** What stands above one column: a title, or more where the column can be sorted or keeps its place. */
type Head = string | { key: string; head: ReactNode; className?: string; sort?: 'ascending' | 'descending' | 'none' };

/** A table that scrolls on its own where it is too wide. `children` are its rows. */
export function Table({
  label,
  columns,
  children,
}: {
  label: string;
  columns: readonly Head[];
  children: ReactNode;
}): ReactNode {
  return (
    <ScrollRegion label={label}>
      <table className="q-table">
        <thead>
          <tr>
            {columns.map((column) =>
              typeof column === 'string' ? (
                <th key={column} scope="col">
                  {column}
                </th>
              ) : (
                <th key={column.key} scope="col" className={column.className} aria-sort={column.sort}>
                  {column.head}
                </th>
              ),
            )}
          </tr>
        </thead>
        <tbody>{children}</tbody>
      </table>
    </ScrollRegion>
  );
}
