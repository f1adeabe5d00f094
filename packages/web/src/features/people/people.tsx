import { useQuery } from '@tanstack/react-query';
import { type ReactNode, useCallback } from 'react';
import { useMay } from '../session/index.ts';
import { clientsQuery, usersQuery } from './queries.ts';

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
