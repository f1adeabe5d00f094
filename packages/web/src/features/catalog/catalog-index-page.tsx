import { Box, SimpleGrid, Text, Title } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { EmptyState, ErrorPanel, IconTile, Loading, Page } from '../../ui/index.ts';
import { useOwnBlueprints } from '../blueprints/index.ts';
import { entityCountQuery } from '../entities/index.ts';

/** The data model as cards; the way into the catalog when the sidebar is folded away. */
export function CatalogIndexPage(): ReactNode {
  const blueprints = useOwnBlueprints();
  return (
    <Page title="Catalog" lead="Everything the portal knows, by blueprint.">
      {blueprints.isPending && <Loading label="Loading the catalog" />}
      {blueprints.isError && <ErrorPanel error={blueprints.error} onRetry={() => void blueprints.refetch()} />}
      {blueprints.data?.length === 0 && (
        <EmptyState title="There are no blueprints yet">
          A blueprint is a type of entity in your own words. Terraform or the API creates them.
        </EmptyState>
      )}
      <SimpleGrid cols={{ base: 1, xs: 2, md: 3 }} spacing="sm" component="ul" p={0} m={0}>
        {blueprints.data?.map((blueprint) => (
          <Box
            component="li"
            key={blueprint.identifier}
            className="q-panel q-card-link"
            p="md"
            style={{ display: 'flex', gap: 12 }}
          >
            <IconTile name={blueprint.icon ?? blueprint.identifier} size={38} />
            <Box miw={0}>
              <Title order={2}>
                <Link to="/catalog/$blueprint" params={{ blueprint: blueprint.identifier }}>
                  {blueprint.title}
                </Link>
              </Title>
              <Text size="sm" c="dimmed">
                {blueprint.description ?? blueprint.identifier}
              </Text>
              <Count blueprint={blueprint.identifier} />
            </Box>
          </Box>
        ))}
      </SimpleGrid>
    </Page>
  );
}

function Count({ blueprint }: { blueprint: string }): ReactNode {
  const { data } = useQuery(entityCountQuery(blueprint));
  return (
    <Text size="sm" mt={4} mih={20}>
      {data === undefined ? '' : `${data} ${data === 1 ? 'entity' : 'entities'}`}
    </Text>
  );
}
