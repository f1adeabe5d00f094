import { Box, Button, Group, Select, SimpleGrid, Stack, Text, Title } from '@mantine/core';
import { IconBolt } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { Link, useNavigate, useSearch } from '@tanstack/react-router';
import { type ReactNode, useEffect, useId } from 'react';
import { Chip, EmptyState, ErrorPanel, IconTile, Loading, Page, SearchBox } from '../../ui/index.ts';
import { useBlueprints } from '../blueprints/index.ts';
import { useMay } from '../session/index.ts';
import { groupActions, groupingFor, groupings, operationWords } from './group-actions.ts';
import { ActionForm, preloadActionForm } from './lazy-action-form.tsx';
import { actionsQuery, type SelfServiceAction } from './queries.ts';

export function SelfServicePage(): ReactNode {
  const search = useSearch({ from: '/shell/self-serve' });
  const navigate = useNavigate({ from: '/self-serve' });
  const actions = useQuery(actionsQuery);
  const { data: blueprints = [] } = useBlueprints();
  const change = (part: Partial<typeof search>): void =>
    void navigate({ search: (all) => ({ ...all, ...part }), replace: true });
  const titleOf = (blueprint: string): string =>
    blueprints.find((each) => each.identifier === blueprint)?.title ?? blueprint;
  const grouping = search.group ?? groupingFor(actions.data?.length ?? 0);
  const groups = groupActions(actions.data ?? [], {
    text: search.q ?? '',
    operation: search.operation,
    by: grouping,
    titleOf,
  });
  useEffect(preloadActionForm, []);
  const isFiltered = Boolean(search.q || search.operation);

  return (
    <Page title="Self-service" lead="Pick what you need. Each button starts a run that you can watch.">
      <div className="q-filters">
        <SearchBox label="Search actions" value={search.q ?? ''} onChange={(q) => change({ q: q || undefined })} />
        <Select
          aria-label="Operation"
          placeholder="All operations"
          clearable
          clearButtonProps={{ 'aria-label': 'Clear operation' }}
          className="q-filter"
          data={Object.entries(operationWords).map(([value, label]) => ({ value, label }))}
          value={search.operation ?? null}
          onChange={(operation) =>
            change({ operation: (operation as keyof typeof operationWords | null) ?? undefined })
          }
        />
        <Select
          aria-label="Group by"
          className="q-filter"
          allowDeselect={false}
          data={groupings.map(({ value, label }) => ({ value, label }))}
          value={grouping}
          onChange={(group) => change({ group: group as typeof search.group })}
        />
      </div>
      {actions.isPending && <Loading label="Loading actions" />}
      {actions.isError && <ErrorPanel error={actions.error} onRetry={() => void actions.refetch()} />}
      {actions.isSuccess && groups.length === 0 && (
        <Nothing isFiltered={isFiltered} onClear={() => change({ q: undefined, operation: undefined })} />
      )}
      <Stack gap="xl">
        {groups.map((group) => (
          <section key={group.key} aria-label={group.title}>
            {grouping !== 'none' && (
              <Group gap={8} mb="xs">
                <Title order={2}>{group.title}</Title>
                <Text c="dimmed" size="sm">
                  {group.actions.length}
                </Text>
              </Group>
            )}
            <SimpleGrid cols={{ base: 1, xs: 2, md: 3, xl: 4 }} spacing="sm" component="ul" p={0} m={0}>
              {group.actions.map((action) => (
                <ActionCard
                  key={action.identifier}
                  action={action}
                  headingOrder={grouping === 'none' ? 2 : 3}
                  blueprint={titleOf(action.trigger.blueprintIdentifier ?? '')}
                />
              ))}
            </SimpleGrid>
          </section>
        ))}
      </Stack>
      {search.action && actions.data && (
        <OpenAction
          action={actions.data.find((action) => action.identifier === search.action)}
          identifier={search.action}
          prefill={search.actionInputs}
          onClose={() => change({ action: undefined, actionInputs: undefined })}
        />
      )}
    </Page>
  );
}

/** What pressing the button does, in a word that the button does not say already. */
const effects = { CREATE: 'Creates', 'DAY-2': 'Changes', DELETE: 'Deletes' } as const;

function ActionCard({
  action,
  blueprint,
  headingOrder,
}: {
  action: SelfServiceAction;
  blueprint: string;
  headingOrder: 2 | 3;
}): ReactNode {
  const titleId = useId();
  const mayExecute = useMay('action:execute');
  const title = action.title ?? action.identifier;
  const word = action.trigger.actionCardButtonText ?? operationWords[action.trigger.operation];
  return (
    <Box component="li" className="q-panel" p="md" style={{ display: 'flex', flexDirection: 'column', gap: 10 }}>
      <Group gap="sm" wrap="nowrap" align="flex-start">
        <IconTile name={action.icon} fallback={IconBolt} size={38} />
        <Box miw={0}>
          <Title order={headingOrder} size="h3" id={titleId} className="q-wrap">
            {title}
          </Title>
          <Text size="sm" c="dimmed" lineClamp={3} mt={2}>
            {action.description ?? 'No description.'}
          </Text>
        </Box>
      </Group>
      <Group justify="space-between" mt="auto" wrap="nowrap">
        <Group gap={6}>
          <Chip tone={action.trigger.operation === 'DELETE' ? 'stop' : 'calm'}>
            {`${effects[action.trigger.operation]} ${blueprint}`.trim()}
          </Chip>
          {action.requiredApproval && <Chip tone="wait">Needs approval</Chip>}
        </Group>
        {mayExecute ? (
          <Button
            size="xs"
            variant="light"
            aria-label={`${word}: ${title}`}
            renderRoot={(props) => (
              <Link
                {...props}
                to="/self-serve"
                search={(all) => ({ ...all, action: action.identifier })}
                resetScroll={false}
              />
            )}
          >
            {word}
          </Button>
        ) : (
          <Text size="xs" c="dimmed">
            Your role may not execute
          </Text>
        )}
      </Group>
    </Box>
  );
}

function OpenAction({
  action,
  identifier,
  prefill,
  onClose,
}: {
  action: SelfServiceAction | undefined;
  identifier: string;
  prefill: Record<string, unknown> | undefined;
  onClose: () => void;
}): ReactNode {
  const navigate = useNavigate();
  if (!action) {
    return (
      <Box mt="md">
        <ErrorPanel
          title="No such action"
          error={{
            message: `There is no self-service action “${identifier}” that you may see. It may have been renamed or deleted.`,
          }}
        />
      </Box>
    );
  }
  const { $targetEntity: target, ...values } = prefill ?? {};
  return (
    <ActionForm
      action={action}
      prefill={values}
      entity={typeof target === 'string' ? target : undefined}
      onClose={onClose}
      onStarted={(run) => void navigate({ to: '/runs/$runId', params: { runId: run.id } })}
    />
  );
}

function Nothing({ isFiltered, onClear }: { isFiltered: boolean; onClear: () => void }): ReactNode {
  if (isFiltered) {
    return (
      <EmptyState
        title="No action matches"
        action={
          <Button variant="default" size="xs" mt="xs" onClick={onClear}>
            Clear the filters
          </Button>
        }
      >
        There are actions, but the search and filters leave none of them.
      </EmptyState>
    );
  }
  return (
    <EmptyState title="There are no actions yet">
      An action is a form plus the webhook it calls. <Link to="/get-started">Get started</Link> creates the first one
      with one command.
    </EmptyState>
  );
}
