import { Box, Button, Group, Progress, SimpleGrid, Text } from '@mantine/core';
import type { Agent, dispatchRoutes, ReplyOf } from '@quayside/contracts';
import { IconPlugConnected, IconPlugConnectedX } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { Ago, Duration, EmptyState, ErrorPanel, Loading, None, Page, Table } from '../../ui/index.ts';
import { holderOfAgent } from '../deliveries/index.ts';
import { agentsQuery } from './queries.ts';

export function AgentsPage(): ReactNode {
  const agents = useQuery(agentsQuery);
  return (
    <Page
      title="Agents"
      lead="Processes that carry out runs in private networks."
      actions={
        <Button variant="default" renderRoot={(props) => <Link {...props} to="/get-started" />}>
          Connect an agent
        </Button>
      }
    >
      {agents.isPending && <Loading label="Loading agents" />}
      {agents.isError && <ErrorPanel error={agents.error} onRetry={() => void agents.refetch()} />}
      {agents.data && <Queue {...agents.data} />}
      {agents.data && (
        <Box className="q-panel q-clip">
          {agents.data.agents.length === 0 ? (
            <EmptyState title="No agent was seen lately" action={<Link to="/get-started">Connect one</Link>}>
              An agent makes only outbound HTTPS calls, so it runs anywhere, also where the portal can not reach.
            </EmptyState>
          ) : (
            <AgentsTable agents={agents.data.agents} />
          )}
        </Box>
      )}
    </Page>
  );
}

/** The one number an operator looks for first: is anything waiting, and for how long? */
function Queue({ pendingRuns, oldestPendingAt, agents }: ReplyOf<typeof dispatchRoutes.listAgents>): ReactNode {
  const connected = agents.filter((agent) => agent.isConnected);
  const sum = (of: (agent: Agent) => number): number => connected.reduce((total, agent) => total + of(agent), 0);
  return (
    <SimpleGrid cols={{ base: 1, xs: 3 }} spacing="sm" mb="md">
      <Figure name="Connected agents" value={connected.length} />
      <Figure
        name="In flight"
        value={
          <>
            {sum((agent) => agent.inFlight)} <span className="q-dim">of {sum((agent) => agent.capacity)}</span>
          </>
        }
      />
      <Figure
        name="Waiting runs"
        value={
          <>
            {pendingRuns}{' '}
            {oldestPendingAt && (
              <span className="q-dim">
                oldest for <Duration from={oldestPendingAt} to={undefined} />
              </span>
            )}
          </>
        }
      />
    </SimpleGrid>
  );
}

function Figure({ name, value }: { name: string; value: ReactNode }): ReactNode {
  return (
    <Box className="q-panel" px="md" py={10}>
      <Text size="xs" c="dimmed">
        {name}
      </Text>
      <Text size="lg" fw={600}>
        {value}
      </Text>
    </Box>
  );
}

function AgentsTable({ agents }: { agents: readonly Agent[] }): ReactNode {
  return (
    <Table
      label="Agents"
      columns={['Agent', 'State', 'Streamer', 'Version', 'In flight', 'Labels', 'Last seen', 'First seen', 'Log']}
    >
      {agents.map((agent) => (
        <tr key={agent.id}>
          <td className="q-mono" style={{ whiteSpace: 'nowrap' }}>
            {agent.id}
          </td>
          <td>
            <span className="q-chip" data-tone={agent.isConnected ? 'go' : 'calm'}>
              {agent.isConnected ? (
                <IconPlugConnected size={14} aria-hidden="true" />
              ) : (
                <IconPlugConnectedX size={14} aria-hidden="true" />
              )}
              <span>{agent.isConnected ? 'Connected' : 'Away'}</span>
            </span>
          </td>
          <td>{agent.streamer === undefined ? <None /> : agent.streamer === 'KAFKA' ? 'Kafka' : 'Polling'}</td>
          <td>{agent.version}</td>
          <td>
            <Group gap={8} wrap="nowrap">
              <Text size="sm" style={{ whiteSpace: 'nowrap' }}>
                {agent.inFlight} of {agent.capacity}
              </Text>
              <Progress
                w={60}
                size="sm"
                value={(100 * agent.inFlight) / agent.capacity}
                aria-label={`${agent.inFlight} of ${agent.capacity} in flight`}
              />
            </Group>
          </td>
          <td>
            {Object.keys(agent.labels).length > 0 ? (
              Object.entries(agent.labels)
                .map(([name, value]) => `${name}=${value}`)
                .join(', ')
            ) : (
              <None />
            )}
          </td>
          <td>
            <Ago at={agent.lastSeenAt} />
          </td>
          <td>
            <Ago at={agent.firstSeenAt} />
          </td>
          <td>
            <Link
              to="/deliveries"
              search={{ holder: holderOfAgent(agent.id) }}
              aria-label={`Deliveries of ${agent.id}`}
            >
              Deliveries
            </Link>
          </td>
        </tr>
      ))}
    </Table>
  );
}
