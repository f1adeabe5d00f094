import type { Run, RunGroup, RunSort } from '@quayside/contracts';
import type { ReactNode } from 'react';
import { type Sorting, Table } from '../../ui/index.ts';
import { columnSorts, columnsShown, type RunColumn, runColumns, runGroupings } from './run-columns.tsx';

export interface RunOrder {
  sort: RunSort;
  order: 'ASC' | 'DESC';
}

/** Runs as rows; used by the runs page, and by an entity's and an automation's own runs. */
export function RunsTable({
  runs,
  columns = columnsShown,
  without,
  sorted,
  onSort,
  group,
  hasMore = false,
}: {
  runs: readonly Run[];
  columns?: readonly RunColumn[];
  /** What the page says already. */
  without?: RunColumn;
  sorted?: RunOrder;
  onSort?: (order: RunOrder) => void;
  /** The runs come group by group. */
  group?: RunGroup | undefined;
  /** The last group may go on. */
  hasMore?: boolean;
}): ReactNode {
  const shown = runColumns.filter(({ key }) => key !== without && columns.includes(key));
  const sortings: Record<string, Sorting> = {};
  for (const { key, title } of shown) {
    const sort = columnSorts[key];
    if (sort === undefined || !onSort) continue;
    sortings[title] = {
      order: sorted?.sort === sort ? sorted.order : undefined,
      onSort: (order) => onSort({ sort, order }),
    };
  }
  const rowsOf = (some: readonly Run[]): ReactNode =>
    some.map((run) => (
      <tr key={run.id}>
        {shown.map(({ key, cell }) => (
          <td key={key}>{cell(run)}</td>
        ))}
      </tr>
    ));
  const groups = group ? groupsOf(runs, runGroupings[group].keyOf) : [];
  return (
    <Table
      label="Table of runs"
      columns={shown.map(({ title }) => title)}
      sortings={sortings}
      isGrouped={group !== undefined}
    >
      {group
        ? groups.map(({ key, first, members }, index) => (
            <tbody key={key}>
              <tr className="q-group">
                <th scope="rowgroup" colSpan={shown.length}>
                  {runGroupings[group].heading(first)}{' '}
                  <span className="q-dim">
                    {members.length}
                    {hasMore && index === groups.length - 1 ? '+' : ''}
                  </span>
                </th>
              </tr>
              {rowsOf(members)}
            </tbody>
          ))
        : rowsOf(runs)}
    </Table>
  );
}

interface Group {
  key: string;
  first: Run;
  members: Run[];
}

function groupsOf(runs: readonly Run[], keyOf: (run: Run) => string): Group[] {
  const groups = new Map<string, Group>();
  for (const run of runs) {
    const key = keyOf(run);
    const group = groups.get(key) ?? { key, first: run, members: [] };
    group.members.push(run);
    groups.set(key, group);
  }
  return [...groups.values()];
}
