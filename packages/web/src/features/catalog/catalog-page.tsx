import { Box, Button, Group, Menu, Text } from '@mantine/core';
import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { Link, useNavigate, useParams, useSearch } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { EmptyState, ErrorPanel, IconTile, Loading, Page, SearchBox } from '../../ui/index.ts';
import { actionsQuery, type SelfServiceAction } from '../actions/index.ts';
import { useBlueprints } from '../blueprints/index.ts';
import { entityCountQuery, entitySearchQuery } from '../entities/index.ts';
import { useMay } from '../session/index.ts';
import { EntityTable, type Sort } from './entity-table.tsx';

const pageSize = 100;

export function CatalogPage(): ReactNode {
  const { blueprint: identifier } = useParams({ from: '/shell/catalog/$blueprint' });
  const search = useSearch({ from: '/shell/catalog/$blueprint' });
  const navigate = useNavigate({ from: '/catalog/$blueprint' });
  const blueprints = useBlueprints();
  const blueprint = blueprints.data?.find((each) => each.identifier === identifier);
  const sort: Sort = { property: search.sort ?? '$title', order: search.order ?? 'ASC' };
  const found = useInfiniteQuery({
    ...entitySearchQuery({ blueprint: identifier, text: search.q, sort, limit: pageSize }),
    enabled: blueprint !== undefined,
  });
  const { data: count } = useQuery({ ...entityCountQuery(identifier), enabled: blueprint !== undefined });
  const mayExecute = useMay('action:execute');
  const { data: actions = [] } = useQuery(actionsQuery);
  const hasActions =
    mayExecute &&
    actions.some(({ trigger }) => trigger.operation !== 'CREATE' && trigger.blueprintIdentifier === identifier);
  const entities = found.data?.pages.flatMap((page) => page.entities) ?? [];
  const change = (part: Partial<typeof search>): void =>
    void navigate({ to: '.', search: (all) => ({ ...all, ...part }), replace: true });

  if (blueprints.isPending) return <Loading label="Loading the catalog" />;
  if (blueprints.isError) return <ErrorPanel error={blueprints.error} onRetry={() => void blueprints.refetch()} />;
  if (!blueprint) {
    return (
      <Page title="There is no such blueprint">
        <EmptyState title={`The data model has no “${identifier}”`} action={<Link to="/catalog">The catalog</Link>}>
          It may have been renamed or deleted.
        </EmptyState>
      </Page>
    );
  }
  return (
    <Page
      key={identifier}
      title={blueprint.title}
      maxWidth={1600}
      heading={
        <Group gap="sm" component="span">
          <IconTile name={blueprint.icon ?? blueprint.identifier} size={32} />
          {blueprint.title}
        </Group>
      }
      lead={[blueprint.description, count === undefined ? '' : `${count} ${count === 1 ? 'entity' : 'entities'}`]
        .filter(Boolean)
        .join(' · ')}
      actions={<CreateActions blueprint={identifier} />}
    >
      <div className="q-filters">
        <SearchBox
          label={`Search ${blueprint.title}`}
          value={search.q ?? ''}
          onChange={(q) => change({ q: q || undefined })}
        />
        <Text size="sm" c="dimmed" role="status">
          {found.isFetching ? 'Loading …' : `${entities.length}${found.hasNextPage ? '+' : ''} shown`}
        </Text>
      </div>
      {found.isError && <ErrorPanel error={found.error} onRetry={() => void found.refetch()} />}
      {found.data && (
        <Box className="q-panel q-clip">
          {entities.length > 0 ? (
            <EntityTable
              blueprint={blueprint}
              entities={entities}
              sort={sort}
              hasActions={hasActions}
              onSort={({ property, order }) => change({ sort: property, order })}
            />
          ) : search.q ? (
            <EmptyState
              title={`Nothing matches “${search.q}”`}
              action={
                <Button size="xs" mt="xs" variant="default" onClick={() => change({ q: undefined })}>
                  Clear the search
                </Button>
              }
            >
              {count ? `There are ${count} entities; the search leaves none.` : 'The search leaves none.'}
            </EmptyState>
          ) : (
            <EmptyState title={`No ${blueprint.title} yet`}>
              Entities come from actions, integrations, the API or Terraform.
            </EmptyState>
          )}
        </Box>
      )}
      {found.hasNextPage && (
        <Group justify="center" mt="md">
          <Button variant="default" loading={found.isFetchingNextPage} onClick={() => void found.fetchNextPage()}>
            Load more
          </Button>
        </Group>
      )}
    </Page>
  );
}

function CreateActions({ blueprint }: { blueprint: string }): ReactNode {
  const mayExecute = useMay('action:execute');
  const { data: actions = [] } = useQuery(actionsQuery);
  if (!mayExecute) return null;
  const own = actions.filter(
    ({ trigger }) => trigger.operation === 'CREATE' && trigger.blueprintIdentifier === blueprint,
  );
  const toForm = (action: SelfServiceAction) => (props: object) => (
    <Link {...props} to="/self-serve" search={{ action: action.identifier }} />
  );
  if (own.length <= shownCreateActions)
    return own.map((action) => (
      <Button key={action.identifier} variant="light" renderRoot={toForm(action)}>
        {action.title ?? action.identifier}
      </Button>
    ));
  return (
    <Menu position="bottom-end">
      <Menu.Target>
        <Button variant="light">Create</Button>
      </Menu.Target>
      <Menu.Dropdown>
        {own.map((action) => (
          <Menu.Item key={action.identifier} renderRoot={toForm(action)}>
            {action.title ?? action.identifier}
          </Menu.Item>
        ))}
      </Menu.Dropdown>
    </Menu>
  );
}

/** More than these stand in a menu. */
const shownCreateActions = 2;
