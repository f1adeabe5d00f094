import { type App, identityRoutes } from '@quayside/contracts';
import { queryOptions, useMutation, useQueryClient } from '@tanstack/react-query';
import { call } from '../../api/index.ts';

export const credentialsQuery = queryOptions({
  queryKey: ['credentials'],
  queryFn: async ({ signal }) => (await call(identityRoutes.listApps, { signal })).apps,
});

/** The one answer that carries a secret is handed to the caller and kept nowhere: not even in the query cache. */
export function useCredentialChanges() {
  const queryClient = useQueryClient();
  const refresh = (): Promise<void> => queryClient.invalidateQueries({ queryKey: credentialsQuery.queryKey });
  const create = useMutation({
    mutationFn: async (name: string): Promise<App> => (await call(identityRoutes.createApp, { body: { name } })).app,
    onSuccess: refresh,
    gcTime: 0,
  });
  const rotate = useMutation({
    mutationFn: async (id: string): Promise<App> =>
      (await call(identityRoutes.rotateApp, { params: { id }, body: {} })).app,
    onSuccess: refresh,
    gcTime: 0,
  });
  const remove = useMutation({
    mutationFn: (id: string) => call(identityRoutes.removeApp, { params: { id } }),
    onSuccess: refresh,
  });
  return { create, rotate, remove };
}
