import { Box, Button, Checkbox, Popover, Stack, Switch, Text } from '@mantine/core';
import { useLocalStorage } from '@mantine/hooks';
import { maxRunsArranged, type RunStatus, runGroups, runSources, usualOrder } from '@quayside/contracts';
import { IconColumns } from '@tabler/icons-react';
import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import {
  ChoiceFilter,
  ClearFilters,
  EmptyState,
  ErrorPanel,
  Loading,
  LoadMore,
  originWord,
  Page,
  SearchBox,
  statusWords,
  TextFilter,
} from '../../ui/index.ts';
import { actionsQuery } from '../actions/index.ts';
import { useOwnBlueprints } from '../blueprints/index.ts';
import { useMe } from '../session/index.ts';
import { type RunArrangement, type RunFilters, runsQuery, withoutRepeats } from './queries.ts';
import { columnsShown, type RunColumn, runColumns, runGroupings } from './run-columns.tsx';
import { RunsTable } from './runs-table.tsx';

/** A run that is being watched in the list should not need a reload; a list of old ones need not be asked for again. */
const refreshMs = 3_000;
/** What the server has to look up among thousands. */
const refreshArrangedMs = 15_000;

export function RunsPage(): ReactNode {
  const search = useSearch({ from: '/shell/runs' });
  const navigate = useNavigate({ from: '/runs' });
  const { user } = useMe();
  const { data: actions = [] } = useQuery(actionsQuery);
  const { data: blueprints = [] } = useOwnBlueprints();
  const filters: RunFilters = {
    ...(search.action ? { action: search.action } : {}),
    ...(search.blueprint ? { blueprint: search.blueprint } : {}),
    ...(search.entity ? { entity: search.entity } : {}),
    ...(search.active ? { active: true } : {}),
    ...(search.awaiting ? { awaiting_me: true } : {}),
    ...(search.mine ? { user_email: user.email } : {}),
    ...(search.status ? { status: [search.status] } : {}),
    ...(search.source ? { source: [search.source] } : {}),
  };
  const arrangement: RunArrangement = {
    ...(search.q ? { search: search.q } : {}),
    ...(search.sort ? { sort: search.sort } : {}),
    ...(search.order ? { order: search.order } : {}),
    ...(search.group ? { group: search.group } : {}),
  };
  const sort = search.sort ?? 'started';
  const isArranged = Object.keys(arrangement).length > 0;
  const runs = useInfiniteQuery({
    ...runsQuery(filters, arrangement),
    refetchInterval: isArranged ? refreshArrangedMs : refreshMs,
  });
  const [columns, setColumns] = useLocalStorage({
    key: 'quayside.run-columns',
    defaultValue: columnsShown,
    getInitialValueInEffect: false,
  });
  const rows = withoutRepeats(runs.data?.pages.flat() ?? []);
  const isFiltered = Object.keys(filters).length > 0 || search.q !== undefined;
  const change = (part: Partial<typeof search>): void =>
    void navigate({ search: (all) => ({ ...all, ...part }), replace: true });

  return (
    <Page title="Runs" lead="Every execution of an action, newest first.">
      <div className="q-filters">
        <SearchBox label="Search runs" value={search.q ?? ''} onChange={(q) => change({ q: q || undefined })} />
        <ChoiceFilter
          label="Action"
          all="All actions"
          values={actions.map((action) => [action.identifier, action.title ?? action.identifier] as const)}
          value={search.action}
          onChange={(action) => change({ action })}
        />
        <ChoiceFilter
          label="Blueprint"
          all="All blueprints"
          values={blueprints.map((blueprint) => [blueprint.identifier, blueprint.title] as const)}
          value={search.blueprint}
          onChange={(blueprint) => change({ blueprint })}
        />
        <ChoiceFilter
          label="Status"
          all="All statuses"
          values={Object.entries(statusWords)}
          value={search.status}
          onChange={(status) => change({ status: status as RunStatus | undefined })}
        />
        <ChoiceFilter
          label="Source"
          all="All sources"
          values={runSources.map((value) => [value, originWord(value)] as const)}
          value={search.source}
          onChange={(source) => change({ source })}
        />
        <TextFilter label="Entity identifier" value={search.entity} onChange={(entity) => change({ entity })} />
        <Switch
          label="Mine"
          checked={search.mine ?? false}
          onChange={(event) => change({ mine: event.currentTarget.checked || undefined })}
        />
        <Switch
          label="Waiting for me"
          checked={search.awaiting ?? false}
          onChange={(event) => change({ awaiting: event.currentTarget.checked || undefined })}
        />
        <Switch
          label="Active only"
          checked={search.active ?? false}
          onChange={(event) => change({ active: event.currentTarget.checked || undefined })}
        />
        <ChoiceFilter
          label="Group"
          all="Not grouped"
          values={runGroups.map((group) => [group, runGroupings[group].title] as const)}
          value={search.group}
          onChange={(group) => change({ group: runGroups.find((each) => each === group) })}
        />
        <ColumnMenu columns={columns} onChange={setColumns} />
        {runs.data && (
          <Text size="sm" c="dimmed" role="status">
            {`${rows.length}${runs.hasNextPage ? '+' : ''} ${rows.length === 1 ? 'run' : 'runs'}`}
          </Text>
        )}
      </div>
      {runs.isPending && <Loading label="Loading runs" />}
      {runs.isError && !runs.data && <ErrorPanel error={runs.error} onRetry={() => void runs.refetch()} />}
      {runs.data && (
        <Box className="q-panel q-clip">
          {rows.length > 0 ? (
            <RunsTable
              runs={rows}
              columns={columns}
              group={search.group}
              hasMore={runs.hasNextPage}
              sorted={{ sort, order: search.order ?? usualOrder(sort) }}
              onSort={change}
            />
          ) : isFiltered ? (
            <EmptyState
              title="No run matches the filters"
              action={<ClearFilters onClear={() => void navigate({ search: {}, replace: true })} />}
            >
              {search.q
                ? `The newest ${maxRunsArranged.toLocaleString()} of the others were searched.`
                : 'There may be others.'}
            </EmptyState>
          ) : (
            <EmptyState title="There are no runs yet">
              Execute an action on the self-service page; it appears here at once.
            </EmptyState>
          )}
        </Box>
      )}
      <LoadMore list={runs} />
    </Page>
  );
}

/** Which columns are shown; kept in this browser. */
function ColumnMenu({
  columns,
  onChange,
}: {
  columns: readonly RunColumn[];
  onChange: (columns: readonly RunColumn[]) => void;
}): ReactNode {
  return (
    <Popover position="bottom-end" trapFocus withinPortal={false}>
      <Popover.Target>
        <Button variant="default" leftSection={<IconColumns size={16} />}>
          Columns
        </Button>
      </Popover.Target>
      <Popover.Dropdown aria-label="Columns">
        <Stack gap="xs">
          {runColumns.map(({ key, title }) => (
            <Checkbox
              key={key}
              size="sm"
              label={title}
              checked={columns.includes(key)}
              onChange={(event) =>
                onChange(event.currentTarget.checked ? [...columns, key] : columns.filter((each) => each !== key))
              }
            />
          ))}
        </Stack>
      </Popover.Dropdown>
    </Popover>
  );
}
