import type { Run } from '@quayside/contracts';
import type { ReactNode } from 'react';
import { Table } from '../../ui/index.ts';
import { columnsShown, type RunColumn, runColumns } from './run-columns.tsx';

/** Runs as rows; used by the runs page, and by an entity's and an automation's own runs. */
export function RunsTable({
  runs,
  columns = columnsShown,
  without,
}: {
  runs: readonly Run[];
  columns?: readonly RunColumn[];
  /** What the page says already. */
  without?: RunColumn;
}): ReactNode {
  const shown = runColumns.filter(({ key }) => key !== without && columns.includes(key));
  return (
    <Table label="Table of runs" columns={shown.map(({ title }) => title)}>
      {runs.map((run) => (
        <tr key={run.id}>
          {shown.map(({ key, cell }) => (
            <td key={key}>{cell(run)}</td>
          ))}
        </tr>
      ))}
    </Table>
  );
}
