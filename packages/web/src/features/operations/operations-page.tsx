import { Alert, Stack } from '@mantine/core';
import type { SystemStatus } from '@quayside/contracts';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { Ago, Chip, EmptyState, ErrorPanel, Facts, Loading, None, Page, Panel, Table } from '../../ui/index.ts';
import { statusQuery } from './queries.ts';
import { bytesInWords, findTrouble, holdersInWords, queueName, readerName, words } from './words.ts';

/** What an operator looks at when somebody says that nothing happens. */
export function OperationsPage(): ReactNode {
  const status = useQuery(statusQuery);
  return (
    <Page title="Operations" lead="What waits, who works on it, and how far behind they are. Every few seconds anew.">
      {status.isPending && <Loading label="Loading the state of the portal" />}
      {status.isError && <ErrorPanel error={status.error} onRetry={() => void status.refetch()} />}
      {status.data && (
        <Stack gap="md">
          <Trouble status={status.data} />
          <Queues queues={status.data.queues} />
          <Readers readers={status.data.readers} />
          <Panel title="Agents, dead letters and audit">
            <Facts
              rows={[
                [
                  'Agents',
                  <Link key="agents" to="/agents">
                    {status.data.agents.connected} connected, {status.data.agents.known} known
                  </Link>,
                ],
                [
                  'Dead letters',
                  <Link key="dead" to="/deliveries" search={{ dead: true }}>
                    {status.data.deadLetters.all}, {status.data.deadLetters.lastDay} of them in the last day
                  </Link>,
                ],
                ['Audit log', <Seal key="seal" seal={status.data.audit} />],
              ]}
            />
          </Panel>
          <Panel title="Jobs of the server that answered" isFlush>
            <Table label="Table of jobs" columns={['Job', 'Last looked for work without a fault']}>
              {status.data.jobs.map(({ queue, lookedAt }) => (
                <tr key={queue}>
                  <td>{queueName(queue)}</td>
                  <td>
                    <Ago at={lookedAt} />
                  </td>
                </tr>
              ))}
            </Table>
          </Panel>
          <Database database={status.data.database} />
        </Stack>
      )}
    </Page>
  );
}

function Trouble({ status }: { status: SystemStatus }): ReactNode {
  const findings = findTrouble(status);
  if (findings.length === 0)
    return (
      <p className="q-dim" role="status">
        All is well: nothing waits longer than a minute, and nothing was given up in the last day.
      </p>
    );
  return (
    <Alert color="orange" title="Worth a look" role="status">
      <ul>
        {findings.map(({ what, remedy }) => (
          <li key={what}>
            {what} <span className="q-dim">{remedy}</span>
          </li>
        ))}
      </ul>
    </Alert>
  );
}

function Queues({ queues }: { queues: SystemStatus['queues'] }): ReactNode {
  return (
    <Panel title="Queues" isFlush>
      {queues.length === 0 ? (
        <EmptyState title="Nothing waits">Everything that was to be delivered has been.</EmptyState>
      ) : (
        <Table label="Table of queues" columns={['Queue', 'Due', 'Under way', 'Held by', 'Later', 'Oldest waits for']}>
          {queues.map(({ queue, due, leased, later, oldestDueSeconds, holders }) => (
            <tr key={queue}>
              <td>{queueName(queue)}</td>
              <td>{due.toLocaleString()}</td>
              <td>{leased.toLocaleString()}</td>
              <td className="q-wrap q-mono">{leased > 0 ? holdersInWords(holders, leased) : <None />}</td>
              <td>{later.toLocaleString()}</td>
              <td>{oldestDueSeconds === null ? <None /> : words(oldestDueSeconds)}</td>
            </tr>
          ))}
        </Table>
      )}
    </Panel>
  );
}

function Readers({ readers }: { readers: SystemStatus['readers'] }): ReactNode {
  return (
    <Panel title="Readers of events" isFlush>
      <Table label="Table of readers" columns={['Reader', 'State', 'Behind', 'Held by', 'Last went on']}>
        {readers.map(({ reader, lagSeconds, behind, holder, movedAt }) => (
          <tr key={reader}>
            <td>{readerName(reader)}</td>
            <td>
              {lagSeconds > 0 ? <Chip tone="wait">{words(lagSeconds)} behind</Chip> : <Chip tone="go">Up to date</Chip>}
            </td>
            <td>{behind.toLocaleString()}</td>
            <td className="q-mono">{holder ?? <None />}</td>
            <td>
              <Ago at={movedAt} />
            </td>
          </tr>
        ))}
      </Table>
    </Panel>
  );
}

function Seal({ seal }: { seal: SystemStatus['audit'] }): ReactNode {
  if (!seal) return 'Nothing is sealed yet';
  return (
    <Link to="/audit">
      {seal.records.toLocaleString()} records sealed, <Ago at={seal.sealedAt} />
    </Link>
  );
}

function Database({ database }: { database: SystemStatus['database'] }): ReactNode {
  const { version, bytes, connections, maxConnections, tables } = database;
  return (
    <Panel
      title="Database"
      extra={
        <span className="q-dim">
          PostgreSQL {version}, {bytesInWords(bytes)}, {connections} of {maxConnections} connections
        </span>
      }
      isFlush
    >
      <Table label="Largest tables" columns={['Table', 'Size', 'Rows, about']}>
        {tables.map(({ table, bytes: size, rows }) => (
          <tr key={table}>
            <td className="q-mono">{table}</td>
            <td>{bytesInWords(size)}</td>
            <td>{rows.toLocaleString()}</td>
          </tr>
        ))}
      </Table>
    </Panel>
  );
}
