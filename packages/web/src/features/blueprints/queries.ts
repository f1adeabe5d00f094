import { type Blueprint, blueprintRoutes } from '@quayside/contracts';
import { queryOptions, useQuery } from '@tanstack/react-query';
import { call } from '../../api/index.ts';

/** The data model changes rarely and is small: one list answers every question about it. */
const blueprintsQuery = queryOptions({
  queryKey: ['blueprints'],
  queryFn: async ({ signal }) => (await call(blueprintRoutes.list, { signal })).blueprints,
  staleTime: 60_000,
});

export function useBlueprints() {
  return useQuery(blueprintsQuery);
}

const own = (blueprints: Blueprint[]) => blueprints.filter(({ identifier }) => !identifier.startsWith('_'));

/** Without those that every portal has: teams and users have a page of their own. */
export function useOwnBlueprints() {
  return useQuery({ ...blueprintsQuery, select: own });
}

export function useBlueprint(identifier: string | undefined): Blueprint | undefined {
  const { data } = useBlueprints();
  return data?.find((blueprint) => blueprint.identifier === identifier);
}
