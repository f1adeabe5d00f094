import { entityRoutes } from '@quayside/contracts';
import { queryOptions } from '@tanstack/react-query';
import { call } from '../../api/index.ts';

/**
 * Titles of entities that are only named by identifier. A table of a hundred rows shows a few hundred of them at once, so
 * what is asked for in one moment is one question per blueprint.
 */
interface Batch {
  identifiers: Set<string>;
  titles: Promise<ReadonlyMap<string, string>>;
}

const waiting = new Map<string, Batch>();
const gatherMs = 10;
/** As many as the search answers in one page. */
const largestBatch = 1_000;

export function entityTitleQuery(blueprint: string, identifier: string) {
  return queryOptions({
    queryKey: ['entities', blueprint, 'title', identifier],
    queryFn: async () => (await titleOf(blueprint, identifier)) ?? null,
    staleTime: 60_000,
  });
}

async function titleOf(blueprint: string, identifier: string): Promise<string | undefined> {
  const batch = waiting.get(blueprint) ?? begin(blueprint);
  batch.identifiers.add(identifier);
  if (batch.identifiers.size >= largestBatch) waiting.delete(blueprint);
  return (await batch.titles).get(identifier);
}

function begin(blueprint: string): Batch {
  const identifiers = new Set<string>();
  const ask = async (): Promise<ReadonlyMap<string, string>> => {
    await new Promise((resolve) => setTimeout(resolve, gatherMs));
    if (waiting.get(blueprint)?.identifiers === identifiers) waiting.delete(blueprint);
    const { entities } = await call(entityRoutes.search, {
      params: { blueprint_identifier: blueprint },
      body: {
        limit: largestBatch,
        query: {
          combinator: 'and',
          rules: [{ property: '$identifier', operator: 'in', value: [...identifiers] }],
        },
      },
    });
    return new Map(entities.map((entity) => [entity.identifier, entity.title]));
  };
  const batch = { identifiers, titles: ask() };
  waiting.set(blueprint, batch);
  return batch;
}
