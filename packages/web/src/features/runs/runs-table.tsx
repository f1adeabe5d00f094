import { isFinal, type Run } from '@quayside/contracts';
import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { Ago, Duration, None, originWord, ScrollRegion, StatusChip } from '../../ui/index.ts';
import { EntityLink } from '../entities/index.ts';
import { Person } from '../people/index.ts';

/** Runs as rows; used by the runs page and by an entity's own runs. */
export function RunsTable({ runs, withEntity = true }: { runs: readonly Run[]; withEntity?: boolean }): ReactNode {
  return (
    <ScrollRegion label="Table of runs">
      <table className="q-table">
        <thead>
          <tr>
            <th scope="col">Action</th>
            <th scope="col">Status</th>
            {withEntity && <th scope="col">Entity</th>}
            <th scope="col">Requested by</th>
            <th scope="col">Source</th>
            <th scope="col">Started</th>
            <th scope="col">Duration</th>
          </tr>
        </thead>
        <tbody>
          {runs.map((run) => (
            <tr key={run.id}>
              <td>
                <Link to="/runs/$runId" params={{ runId: run.id }} className="q-cell">
                  {run.action.title ?? run.action.identifier}
                </Link>
              </td>
              <td>
                <StatusChip status={run.status} label={run.statusLabel} />
              </td>
              {withEntity && (
                <td>
                  {run.entity && run.blueprint ? (
                    <EntityLink
                      blueprint={run.blueprint.identifier}
                      identifier={run.entity.identifier}
                      title={run.entity.title ?? run.entity.identifier}
                    />
                  ) : (
                    <None />
                  )}
                </td>
              )}
              <td>
                <span className="q-cell">
                  <Person id={run.createdBy} />
                </span>
              </td>
              <td>{originWord(run.source)}</td>
              <td style={{ whiteSpace: 'nowrap' }}>
                <Ago at={run.createdAt} />
              </td>
              <td style={{ whiteSpace: 'nowrap' }}>
                <Duration from={run.createdAt} to={run.endedAt ?? (isFinal(run.status) ? run.updatedAt : undefined)} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </ScrollRegion>
  );
}
