import { Button, Stack, Text } from '@mantine/core';
import type { Run } from '@quayside/contracts';
import { useInfiniteQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { Ago, EmptyState, ErrorPanel, Loading, Page, Panel } from '../../ui/index.ts';
import { EntityLink } from '../entities/index.ts';
import { Person } from '../people/index.ts';
import { Decision } from './approval-panel.tsx';
import { runsQuery } from './queries.ts';
import { RunInputs } from './run-inputs.tsx';

/** A person decides here or on the run's page; what others decided meanwhile should not wait for a reload. */
const refreshMs = 10_000;

/** Runs that wait for whoever looks: who wants what, and the decision. */
export function ApprovalsPage(): ReactNode {
  const runs = useInfiniteQuery({ ...runsQuery({ awaiting_me: true }), refetchInterval: refreshMs });
  const rows = runs.data?.pages.flat() ?? [];
  return (
    <Page title="Approvals" lead="Runs that start when you approve them." maxWidth={860}>
      {runs.isPending && <Loading label="Loading the approvals" />}
      {runs.isError && !runs.data && <ErrorPanel error={runs.error} onRetry={() => void runs.refetch()} />}
      {runs.data && rows.length === 0 && (
        <div className="q-panel">
          <EmptyState
            title="Nothing waits for you"
            action={
              <Link to="/runs" search={{ active: true }}>
                Active runs
              </Link>
            }
          >
            When somebody asks for a run that you may approve, it appears here.
          </EmptyState>
        </div>
      )}
      <Stack gap="md">
        {rows.map((run) => (
          <Request key={run.id} run={run} />
        ))}
        {runs.hasNextPage && (
          <Button variant="default" loading={runs.isFetchingNextPage} onClick={() => void runs.fetchNextPage()}>
            Load more
          </Button>
        )}
      </Stack>
    </Page>
  );
}

function Request({ run }: { run: Run }): ReactNode {
  const title = run.action.title ?? run.action.identifier;
  return (
    <Panel
      title={`${title} (${run.id})`}
      heading={
        <Link to="/runs/$runId" params={{ runId: run.id }}>
          {title}
        </Link>
      }
    >
      <Stack gap="sm">
        <Text size="sm">
          <Person id={run.createdBy} /> asked <Ago at={run.createdAt} />
          {run.entity && run.blueprint && (
            <>
              {' '}
              for{' '}
              <EntityLink
                blueprint={run.blueprint.identifier}
                identifier={run.entity.identifier}
                title={run.entity.title}
              />
            </>
          )}
          .
        </Text>
        <RunInputs run={run} />
        <Decision runId={run.id} subject={title} />
      </Stack>
    </Panel>
  );
}
