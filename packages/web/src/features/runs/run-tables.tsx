import { Group, Text } from '@mantine/core';
import { type AffectedEntity, type Delivery, describeOutcome } from '@quayside/contracts';
import { useQuery } from '@tanstack/react-query';
import { type ReactNode, useId, useState } from 'react';
import {
  Ago,
  ChangeChip,
  Chip,
  changedFields,
  Duration,
  EmptyState,
  ErrorPanel,
  FieldDiff,
  Loading,
  None,
  originWord,
  RowDetails,
  RowToggle,
  Table,
} from '../../ui/index.ts';
import { EntityLink } from '../entities/index.ts';
import { Person } from '../people/index.ts';
import { changesQuery } from './queries.ts';

export function AffectedTable({ runId, entities }: { runId: string; entities: readonly AffectedEntity[] }): ReactNode {
  if (entities.length === 0) {
    return (
      <EmptyState title="No entity was changed">
        A service that sends the run's id with its changes (`run_id`) ties them to the run.
      </EmptyState>
    );
  }
  return (
    <Table label="Affected entities" columns={affectedColumns}>
      {entities.map((each) => (
        <AffectedRow key={each.record} runId={runId} change={each} />
      ))}
    </Table>
  );
}

const affectedColumns = ['Entity', 'Change', 'By', 'From', 'When', 'Details'];

function AffectedRow({ runId, change }: { runId: string; change: AffectedEntity }): ReactNode {
  const [isOpen, setOpen] = useState(false);
  const detailsId = useId();
  return (
    <>
      <tr>
        <td>
          {change.operation === 'DELETE' ? (
            change.entity
          ) : (
            <EntityLink blueprint={change.blueprint} identifier={change.entity} />
          )}
          <Text size="xs" c="dimmed">
            {change.blueprint}
          </Text>
        </td>
        <td>
          <Group gap={6} wrap="nowrap">
            <ChangeChip change={change.operation} />
            {change.error !== undefined && <Chip tone="stop">Refused</Chip>}
          </Group>
          {change.error && (
            <Text size="xs" c="dimmed">
              {change.error}
            </Text>
          )}
        </td>
        <td>
          <span className="q-cell">
            <Person id={change.by} />
          </span>
        </td>
        <td style={{ whiteSpace: 'nowrap' }}>{originWord(change.origin)}</td>
        <td style={{ whiteSpace: 'nowrap' }}>
          <Ago at={change.at} />
        </td>
        <td>
          {change.error === undefined ? (
            <RowToggle
              label={`Details of ${change.entity}`}
              isOpen={isOpen}
              controls={detailsId}
              onToggle={() => setOpen(!isOpen)}
            >
              Details
            </RowToggle>
          ) : (
            <None />
          )}
        </td>
      </tr>
      {isOpen && (
        <RowDetails id={detailsId} columns={affectedColumns.length} isFlush>
          <div className="q-below">
            <WhatChanged runId={runId} change={change} />
          </div>
        </RowDetails>
      )}
    </>
  );
}

function WhatChanged({ runId, change }: { runId: string; change: AffectedEntity }): ReactNode {
  const records = useQuery(changesQuery(runId, change));
  if (records.isPending) return <Loading label="Loading the change" />;
  if (records.isError) return <ErrorPanel error={records.error} onRetry={() => void records.refetch()} />;
  const diff = records.data.find(({ identifier }) => identifier === change.record)?.diff;
  const fields = changedFields(diff?.before, diff?.after);
  if (fields.length > 0) return <FieldDiff fields={fields} />;
  return (
    <Text size="sm" p="sm">
      {diff ? 'Nothing differs from what was there before.' : 'The record of this change is not kept any more.'}
    </Text>
  );
}

const states = {
  open: 'In progress',
  settled: 'Recorded',
  lost: 'Lost',
  acknowledged: 'Taken for good',
  returned: 'Given back',
} as const;

export function DeliveriesTable({ deliveries }: { deliveries: readonly Delivery[] }): ReactNode {
  if (deliveries.length === 0) {
    return (
      <EmptyState title="Nothing was sent yet">
        Each attempt to hand the run to its backend is listed here, with what came of it.
      </EmptyState>
    );
  }
  return (
    <Table label="Deliveries" columns={['Attempt', 'Holder', 'Request', 'State', 'Outcome', 'Took']}>
      {deliveries.map((each) => (
        <tr key={each.attempt}>
          <td>{each.attempt}</td>
          <td style={{ whiteSpace: 'nowrap' }}>{each.holder}</td>
          <td>
            {each.request ? (
              <span className="q-cell q-mono" title={each.request.url}>
                {each.request.method} {each.request.url}
              </span>
            ) : (
              <None />
            )}
          </td>
          <td>
            <Chip tone={each.state === 'lost' ? 'stop' : each.state === 'open' ? 'busy' : 'calm'}>
              {states[each.state]}
            </Chip>
          </td>
          <td className="q-wrap" style={{ minWidth: 180 }}>
            {each.outcome ? `The target ${describeOutcome(each.outcome)}` : <None />}
          </td>
          <td style={{ whiteSpace: 'nowrap' }}>
            <Duration from={each.startedAt} to={each.endedAt} />
          </td>
        </tr>
      ))}
    </Table>
  );
}
