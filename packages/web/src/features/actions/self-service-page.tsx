import { Box, Button, Group, Select, SimpleGrid, Stack, Text, Title } from '@mantine/core';
import { IconPlus } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { Link, useNavigate, useSearch } from '@tanstack/react-router';
import { type ReactNode, useEffect, useState } from 'react';
import { EmptyState, ErrorPanel, Loading, Page, SearchBox } from '../../ui/index.ts';
import { useBlueprints } from '../blueprints/index.ts';
import { useMay, useMe } from '../session/index.ts';
import { ActionCard } from './action-card.tsx';
import { DeleteDialog } from './delete-dialog.tsx';
import { readFavourites, toggleFavourite } from './favourites.ts';
import { groupActions, groupingFor, groupings, operationWords } from './group-actions.ts';
import { ActionForm, preloadActionForm } from './lazy-action-form.tsx';
import { LinkDialog } from './link-dialog.tsx';
import { actionsQuery, refusedQuery, type SelfServiceAction, usedActionsQuery } from './queries.ts';

export function SelfServicePage(): ReactNode {
  const search = useSearch({ from: '/shell/self-serve' });
  const navigate = useNavigate({ from: '/self-serve' });
  const actions = useQuery(actionsQuery);
  const { data: blueprints = [] } = useBlueprints();
  const change = (part: Partial<typeof search>): void =>
    void navigate({ search: (all) => ({ ...all, ...part }), replace: true });
  const titleOf = (blueprint: string): string =>
    blueprints.find((each) => each.identifier === blueprint)?.title ?? blueprint;
  const { user } = useMe();
  const mayCreate = useMay('action:create');
  const [favourites, setFavourites] = useState(() => readFavourites(localStorage, user.id));
  const [deleting, setDeleting] = useState<SelfServiceAction | undefined>();
  const [linking, setLinking] = useState<SelfServiceAction | undefined>();
  const { data: used = [] } = useQuery(usedActionsQuery(user.email));
  const { data: refused = {} } = useQuery(refusedQuery);
  const grouping = search.group ?? groupingFor(actions.data?.length ?? 0);
  const groups = groupActions(actions.data ?? [], {
    text: search.q ?? '',
    operation: search.operation,
    by: grouping,
    titleOf,
    favourites,
    used,
  });
  useEffect(preloadActionForm, []);
  const isFiltered = Boolean(search.q || search.operation);

  return (
    <Page
      title="Self-service"
      lead="Pick what you need. Each button starts a run that you can watch."
      actions={
        mayCreate && (
          <Button leftSection={<IconPlus size={16} />} renderRoot={(props) => <Link {...props} to="/self-serve/new" />}>
            Action
          </Button>
        )
      }
    >
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
          <section key={group.key} aria-label={group.title || 'Actions'}>
            {group.title && (
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
                  headingOrder={group.title ? 3 : 2}
                  blueprint={titleOf(action.trigger.blueprintIdentifier ?? '')}
                  refused={refused[action.identifier]}
                  isFavourite={favourites.has(action.identifier)}
                  onFavourite={() => setFavourites(toggleFavourite(localStorage, user.id, action.identifier))}
                  onLink={() => setLinking(action)}
                  onDelete={() => setDeleting(action)}
                />
              ))}
            </SimpleGrid>
          </section>
        ))}
      </Stack>
      {deleting && <DeleteDialog action={deleting} onClose={() => setDeleting(undefined)} />}
      {linking && <LinkDialog action={linking} onClose={() => setLinking(undefined)} />}
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
      An action is a form plus the webhook it calls. <Link to="/self-serve/new">Make one here</Link>, or let{' '}
      <Link to="/get-started">Get started</Link> create the first one with one command.
    </EmptyState>
  );
}
