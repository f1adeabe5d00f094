import { identityRoutes, peopleRoutes } from '@quayside/contracts';
import { queryOptions, useQuery } from '@tanstack/react-query';
import { type ReactNode, useCallback } from 'react';
import { call } from '../../api/index.ts';
import { useMay } from '../session/index.ts';

const usersQuery = queryOptions({
  queryKey: ['people', 'users'],
  queryFn: async ({ signal }) => (await call(peopleRoutes.listUsers, { signal })).users,
  staleTime: 300_000,
});
const clientsQuery = queryOptions({
  queryKey: ['people', 'clients'],
  queryFn: async ({ signal }) => (await call(identityRoutes.listApps, { signal })).apps,
  staleTime: 300_000,
});

/** What the server signs with where nobody asked it to. */
const systemActor = 'quayside';

/** Records name their author by id; people want a name. Whoever may not list users sees the id. */
export function useNameOf(): (id: string) => string {
  const { data: users } = useQuery({ ...usersQuery, enabled: useMay('user:read'), retry: false });
  const { data: clients } = useQuery({ ...clientsQuery, enabled: useMay('credential:manage'), retry: false });
  return useCallback(
    (id) => {
      if (id === systemActor) return 'Quayside';
      const user = users?.find((each) => each.id === id);
      if (user) return `${user.firstName} ${user.lastName}`.trim() || user.email;
      const client = clients?.find((each) => each.id === id);
      return client ? `${client.name} (credential)` : id;
    },
    [users, clients],
  );
}

export function Person({ id }: { id: string }): ReactNode {
  const name = useNameOf()(id);
  return <span title={id === name ? undefined : id}>{name}</span>;
}
