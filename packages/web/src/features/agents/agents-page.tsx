import { Box, Group, Progress, Text } from '@mantine/core';
import type { Agent } from '@quayside/contracts';
import { IconPlugConnected, IconPlugConnectedX } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { Ago, EmptyState, ErrorPanel, Loading, None, Page, ScrollRegion } from '../../ui/index.ts';
import { agentsQuery } from './queries.ts';

export function AgentsPage(): ReactNode {
  const agents = useQuery(agentsQuery);
  const pending = agents.data?.pendingRuns ?? 0;
  return (
    <Page
      title="Agents"
      lead={
        agents.data
          ? `${pending} run${pending === 1 ? ' is' : 's are'} waiting for an agent.`
          : 'Processes that carry out runs in private networks.'
      }
      actions={<Link to="/get-started">Connect an agent</Link>}
    >
      {agents.isPending && <Loading label="Loading agents" />}
      {agents.isError && <ErrorPanel error={agents.error} onRetry={() => void agents.refetch()} />}
      {agents.data && (
        <Box className="q-panel" style={{ overflow: 'hidden' }}>
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

function AgentsTable({ agents }: { agents: readonly Agent[] }): ReactNode {
  return (
    <ScrollRegion label="Agents">
      <table className="q-table">
        <thead>
          <tr>
            <th scope="col">Agent</th>
            <th scope="col">State</th>
            <th scope="col">Version</th>
            <th scope="col">In flight</th>
            <th scope="col">Labels</th>
            <th scope="col">Last seen</th>
            <th scope="col">First seen</th>
          </tr>
        </thead>
        <tbody>
          {agents.map((agent) => (
            <tr key={agent.id}>
              <td className="q-mono q-wrap">{agent.id}</td>
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
            </tr>
          ))}
        </tbody>
      </table>
    </ScrollRegion>
  );
}
