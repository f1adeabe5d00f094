import { Breadcrumbs, Button, Grid, Group, Stack, Text } from '@mantine/core';
import type { Blueprint, Entity } from '@quayside/contracts';
import { IconBolt, IconChevronDown } from '@tabler/icons-react';
import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { Link, useParams } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { asApiError } from '../../api/index.ts';
import {
  Ago,
  ChangeChip,
  CopyButton,
  EmptyState,
  ErrorPanel,
  Facts,
  formatInstant,
  IconTile,
  Loading,
  None,
  originWord,
  Page,
  Panel,
  Value,
} from '../../ui/index.ts';
import { EntityActions } from '../actions/index.ts';
import { useBlueprint } from '../blueprints/index.ts';
import { EntityLinks, entityHistoryQuery, entityQuery } from '../entities/index.ts';
import { Person } from '../people/index.ts';
import { RunsTable, runsQuery } from '../runs/index.ts';
import { shapeOf } from './entity-table.tsx';

export function EntityPage(): ReactNode {
  const { blueprint: blueprintId, entity: identifier } = useParams({ from: '/shell/catalog/$blueprint/$entity' });
  const entity = useQuery(entityQuery(blueprintId, identifier));
  const blueprint = useBlueprint(blueprintId);
  if (entity.isPending) return <Loading label="Loading the entity" />;
  if (entity.isError) {
    const isNotFound = asApiError(entity.error).isNotFound;
    return (
      <Page title={isNotFound ? 'There is no such entity' : 'The entity could not be loaded'}>
        {isNotFound ? (
          <EmptyState
            title={`“${identifier}” is not in the catalog`}
            action={
              <Link to="/catalog/$blueprint" params={{ blueprint: blueprintId }}>
                All of its kind
              </Link>
            }
          >
            It may have been deleted or renamed.
          </EmptyState>
        ) : (
          <ErrorPanel error={entity.error} onRetry={() => void entity.refetch()} />
        )}
      </Page>
    );
  }
  return <EntityView key={`${blueprintId} ${identifier}`} entity={entity.data} blueprint={blueprint} />;
}

function EntityView({ entity, blueprint }: { entity: Entity; blueprint: Blueprint | undefined }): ReactNode {
  const { title } = entity;
  return (
    <Page
      title={title}
      above={
        <Breadcrumbs mb={6} separatorMargin={6} fz="sm" component="nav" aria-label="Breadcrumb">
          <Link to="/catalog">Catalog</Link>
          <Link to="/catalog/$blueprint" params={{ blueprint: entity.blueprint }}>
            {blueprint?.title ?? entity.blueprint}
          </Link>
          <Group gap={2} component="span" wrap="nowrap">
            <Text span size="sm" className="q-mono q-wrap">
              {entity.identifier}
            </Text>
            <CopyButton value={entity.identifier} label="Copy identifier" />
          </Group>
        </Breadcrumbs>
      }
      heading={
        <Group gap="sm" component="span">
          <IconTile name={entity.icon ?? blueprint?.icon ?? entity.blueprint} size={32} />
          {title}
        </Group>
      }
      lead={<Origin entity={entity} />}
      actions={
        <EntityActions entity={entity}>
          <Button leftSection={<IconBolt size={16} />} rightSection={<IconChevronDown size={14} />}>
            Actions
          </Button>
        </EntityActions>
      }
    >
      <Grid gap="md">
        <Grid.Col span={{ base: 12, md: 7 }}>
          <Stack gap="md">
            <Properties entity={entity} blueprint={blueprint} />
            <Runs entity={entity} />
          </Stack>
        </Grid.Col>
        <Grid.Col span={{ base: 12, md: 5 }}>
          <Stack gap="md">
            <Relations entity={entity} blueprint={blueprint} />
            <History entity={entity} />
          </Stack>
        </Grid.Col>
      </Grid>
    </Page>
  );
}

/** "Created by run …": where an entity comes from is the first thing one asks about one that was not there yesterday. */
function Origin({ entity }: { entity: Entity }): ReactNode {
  const { data: changes = [] } = useQuery(entityHistoryQuery(entity.blueprint, entity.identifier));
  const created = changes.findLast((change) => change.operation === 'CREATE');
  return (
    <>
      Created <Ago at={entity.createdAt} />{' '}
      {created?.runId ? (
        <>
          by run{' '}
          <Link to="/runs/$runId" params={{ runId: created.runId }}>
            {created.runId}
          </Link>
        </>
      ) : (
        <>
          by <Person id={entity.createdBy} />
        </>
      )}
    </>
  );
}

function Properties({ entity, blueprint }: { entity: Entity; blueprint: Blueprint | undefined }): ReactNode {
  const known = Object.entries(blueprint?.schema.properties ?? {});
  const unknown = Object.keys(entity.properties).filter((key) => !blueprint?.schema.properties[key]);
  const rows = [
    ...known.map(
      ([key, property]) =>
        [property.title ?? key, <Value key={key} value={entity.properties[key]} shape={shapeOf(property)} />] as const,
    ),
    ...unknown.map((key) => [key, <Value key={key} value={entity.properties[key]} />] as const),
    ['Team', entity.team.length > 0 ? entity.team.join(', ') : undefined] as const,
    [
      'Last change',
      <span key="updated">
        {formatInstant(entity.updatedAt)} by <Person id={entity.updatedBy} />
      </span>,
    ] as const,
  ];
  return (
    <Panel title="Properties">
      <Facts rows={rows} />
    </Panel>
  );
}

function Relations({ entity, blueprint }: { entity: Entity; blueprint: Blueprint | undefined }): ReactNode {
  const relations = Object.entries(blueprint?.relations ?? {});
  return (
    <Panel title="Relations">
      {relations.length === 0 ? (
        <Text size="sm" c="dimmed">
          This blueprint has no relations.
        </Text>
      ) : (
        <Facts
          rows={relations.map(
            ([key, relation]) =>
              [
                relation.title ?? key,
                <EntityLinks key={key} blueprint={relation.target} value={entity.relations[key]} />,
              ] as const,
          )}
        />
      )}
    </Panel>
  );
}

function Runs({ entity }: { entity: Entity }): ReactNode {
  const runs = useInfiniteQuery({
    ...runsQuery({ entity: entity.identifier, blueprint: entity.blueprint }),
    refetchInterval: 5_000,
  });
  const rows = runs.data?.pages.flat() ?? [];
  return (
    <Panel title="Runs" isFlush={rows.length > 0}>
      {runs.isError ? (
        <ErrorPanel error={runs.error} />
      ) : rows.length > 0 ? (
        <RunsTable runs={rows.slice(0, 10)} without="entity" />
      ) : (
        <Text size="sm" c="dimmed">
          No action was executed on it yet.
        </Text>
      )}
    </Panel>
  );
}

function History({ entity }: { entity: Entity }): ReactNode {
  const history = useQuery(entityHistoryQuery(entity.blueprint, entity.identifier));
  return (
    <Panel title="History">
      {history.isError && <ErrorPanel error={history.error} />}
      {history.data?.length === 0 && <None />}
      <Stack gap="xs" component="ol" p={0} m={0} style={{ listStyle: 'none' }}>
        {history.data?.map((change) => (
          <li key={`${change.at} ${change.operation} ${change.runId ?? ''}`}>
            <Group gap={8} align="baseline">
              <ChangeChip change={change.operation} />
              <Text size="sm" className="q-wrap" flex={1} miw={160}>
                {change.runId ? (
                  <>
                    by run{' '}
                    <Link to="/runs/$runId" params={{ runId: change.runId }} className="q-mono">
                      {change.runId}
                    </Link>
                  </>
                ) : (
                  <>
                    by <Person id={change.by} />
                  </>
                )}{' '}
                <Text span size="sm" c="dimmed">
                  · {originWord(change.origin)} · <Ago at={change.at} />
                </Text>
              </Text>
            </Group>
          </li>
        ))}
      </Stack>
    </Panel>
  );
}
