import { Group, Text } from '@mantine/core';
import { type AffectedEntity, type Delivery, describeOutcome } from '@quayside/contracts';
import type { ReactNode } from 'react';
import { Ago, ChangeChip, Chip, Duration, EmptyState, None, Table } from '../../ui/index.ts';
import { EntityLink } from '../entities/index.ts';
import { Person } from '../people/index.ts';

export function AffectedTable({ entities }: { entities: readonly AffectedEntity[] }): ReactNode {
  if (entities.length === 0) {
    return (
      <EmptyState title="No entity was changed">
        A service that sends the run's id with its changes (`run_id`) ties them to the run.
      </EmptyState>
    );
  }
  return (
    <Table label="Affected entities" columns={['Entity', 'Blueprint', 'Change', 'By', 'When']}>
      {entities.map((each) => (
        <tr key={`${each.blueprint} ${each.entity} ${each.operation} ${each.at}`}>
          <td>
            {each.operation === 'DELETE' ? (
              each.entity
            ) : (
              <EntityLink blueprint={each.blueprint} identifier={each.entity} />
            )}
          </td>
          <td>{each.blueprint}</td>
          <td>
            <Group gap={6} wrap="nowrap">
              <ChangeChip change={each.operation} />
              {each.error !== undefined && <Chip tone="stop">Refused</Chip>}
            </Group>
            {each.error && (
              <Text size="xs" c="dimmed">
                {each.error}
              </Text>
            )}
          </td>
          <td>
            <span className="q-cell">
              <Person id={each.by} />
            </span>
          </td>
          <td>
            <Ago at={each.at} />
          </td>
        </tr>
      ))}
    </Table>
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
