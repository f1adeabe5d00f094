import { type BodyOf, secretRoutes } from '@quayside/contracts';
import { queryOptions, useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { call } from '../../api/index.ts';
import { useMay } from '../session/index.ts';

export const secretsQuery = queryOptions({
  queryKey: ['secrets'],
  queryFn: async ({ signal }) => (await call(secretRoutes.list, { signal })).secrets,
});

export function useSecretChanges() {
  const queryClient = useQueryClient();
  const onSuccess = (): Promise<void> => queryClient.invalidateQueries({ queryKey: secretsQuery.queryKey });
  const create = useMutation({
    mutationFn: (body: BodyOf<typeof secretRoutes.create>) => call(secretRoutes.create, { body }),
    onSuccess,
    gcTime: 0,
  });
  const change = useMutation({
    mutationFn: ({ name, body }: { name: string; body: BodyOf<typeof secretRoutes.patch> }) =>
      call(secretRoutes.patch, { params: { secret_name: name }, body }),
    onSuccess,
    gcTime: 0,
  });
  const remove = useMutation({
    mutationFn: (name: string) => call(secretRoutes.remove, { params: { secret_name: name } }),
    onSuccess,
  });
  return { create, change, remove };
}

const none = {};
const masked = (secrets: readonly { secretName: string }[]): Readonly<Record<string, string>> =>
  Object.fromEntries(secrets.map(({ secretName }) => [secretName, '******']));

/** The names, each with a mask: what expressions may name. Nothing for those who may not see them. */
export function useSecretNames(): Readonly<Record<string, string>> {
  return useQuery({ ...secretsQuery, enabled: useMay('secret:manage'), select: masked }).data ?? none;
}
