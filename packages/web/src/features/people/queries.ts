import { type BodyOf, identityRoutes, peopleRoutes, type UserPatch } from '@quayside/contracts';
import { queryOptions, useMutation, useQueryClient } from '@tanstack/react-query';
import { call } from '../../api/index.ts';

export const usersQuery = queryOptions({
  queryKey: ['people', 'users'],
  queryFn: async ({ signal }) => (await call(peopleRoutes.listUsers, { signal })).users,
  staleTime: 300_000,
});
export const teamsQuery = queryOptions({
  queryKey: ['people', 'teams'],
  queryFn: async ({ signal }) => (await call(peopleRoutes.listTeams, { signal })).teams,
});
export const clientsQuery = queryOptions({
  queryKey: ['people', 'clients'],
  queryFn: async ({ signal }) => (await call(identityRoutes.listApps, { signal })).apps,
  staleTime: 300_000,
});

/** Password links are handed to the caller and kept nowhere, like secrets. */
export function usePeopleChanges() {
  const queryClient = useQueryClient();
  const onSuccess = (): Promise<void> => queryClient.invalidateQueries({ queryKey: ['people'] });
  const invite = useMutation({
    mutationFn: (invitee: BodyOf<typeof peopleRoutes.invite>['invitee']) =>
      call(peopleRoutes.invite, { body: { invitee } }),
    onSuccess,
    gcTime: 0,
  });
  const link = useMutation({
    mutationFn: (email: string) => call(peopleRoutes.createPasswordLink, { params: { user_email: email }, body: {} }),
    gcTime: 0,
  });
  const patchUser = useMutation({
    mutationFn: ({ email, patch }: { email: string; patch: UserPatch }) =>
      call(peopleRoutes.patchUser, { params: { user_email: email }, body: patch }),
    onSuccess,
  });
  const removeUser = useMutation({
    mutationFn: (email: string) => call(peopleRoutes.removeUser, { params: { user_email: email } }),
    onSuccess,
  });
  const saveTeam = useMutation({
    mutationFn: ({ before, body }: { before?: string | undefined; body: BodyOf<typeof peopleRoutes.createTeam> }) =>
      before === undefined
        ? call(peopleRoutes.createTeam, { body })
        : call(peopleRoutes.patchTeam, { params: { name: before }, body }),
    onSuccess,
  });
  const removeTeam = useMutation({
    mutationFn: (name: string) => call(peopleRoutes.removeTeam, { params: { name } }),
    onSuccess,
  });
  return { invite, link, patchUser, removeUser, saveTeam, removeTeam };
}
