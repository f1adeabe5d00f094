import { type BodyOf, entityRoutes } from '@quayside/contracts';
import { infiniteQueryOptions, keepPreviousData, queryOptions } from '@tanstack/react-query';
import { call } from '../../api/index.ts';

type SearchBody = BodyOf<typeof entityRoutes.search>;
export interface EntitySearch {
  blueprint: string;
  text?: string | undefined;
  query?: SearchBody['query'];
  sort?: SearchBody['sort'];
  limit?: number;
}

/** Runs and integrations change entities at any time: a page that opens shows what is known, and asks again. */
const staleTime = 0;

function bodyOf(search: EntitySearch, from: string | undefined): SearchBody {
  const body: SearchBody = { limit: search.limit ?? 50 };
  if (search.text) body.text = search.text;
  if (search.query) body.query = search.query;
  if (search.sort) body.sort = search.sort;
  if (from) body.from = from;
  return body;
}

/** Search, order and paging happen on the server; `next` is its cursor for exactly this question. */
export function entitySearchQuery(search: EntitySearch) {
  return infiniteQueryOptions({
    queryKey: ['entities', search.blueprint, search],
    queryFn: ({ signal, pageParam }) =>
      call(entityRoutes.search, {
        params: { blueprint_identifier: search.blueprint },
        body: bodyOf(search, pageParam),
        signal,
      }),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.next,
    staleTime,
    placeholderData: keepPreviousData,
  });
}

export function entityQuery(blueprint: string, identifier: string) {
  return queryOptions({
    queryKey: ['entity', blueprint, identifier],
    queryFn: async ({ signal }) =>
      (
        await call(entityRoutes.get, {
          params: { blueprint_identifier: blueprint, entity_identifier: identifier },
          signal,
        })
      ).entity,
    staleTime,
  });
}

export function entityCountQuery(blueprint: string) {
  return queryOptions({
    queryKey: ['entities', blueprint, 'count'],
    queryFn: async ({ signal }) =>
      (await call(entityRoutes.count, { params: { blueprint_identifier: blueprint }, signal })).count,
  });
}

export function entityHistoryQuery(blueprint: string, identifier: string) {
  return queryOptions({
    queryKey: ['entity', blueprint, identifier, 'history'],
    queryFn: async ({ signal }) =>
      (
        await call(entityRoutes.history, {
          params: { blueprint_identifier: blueprint, entity_identifier: identifier },
          query: { limit: 100 },
          signal,
        })
      ).changes,
  });
}

/** Does the entity satisfy the condition, now? The server judges, as it does when an action is executed on it. */
export function entityMatchQuery(
  blueprint: string,
  identifier: string,
  condition: { combinator: 'and' | 'or'; rules: Record<string, unknown>[] } | undefined,
) {
  return queryOptions({
    queryKey: ['entity', blueprint, identifier, 'matches', condition],
    queryFn: async ({ signal }) => {
      const itself = { property: '$identifier', operator: '=', value: identifier };
      const rules = condition ? [itself, { combinator: condition.combinator, rules: condition.rules }] : [itself];
      const { entities } = await call(entityRoutes.search, {
        params: { blueprint_identifier: blueprint },
        body: { limit: 1, query: { combinator: 'and', rules } },
        signal,
      });
      return entities.length > 0;
    },
    staleTime: 5_000,
  });
}
