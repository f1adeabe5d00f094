import { type BodyOf, identityRoutes, lackOf, type Permission, peopleRoutes, type ReplyOf } from '@quayside/contracts';
import { queryOptions, useMutation, useQueryClient, useSuspenseQuery } from '@tanstack/react-query';
import { call } from '../../api/index.ts';

export type Me = ReplyOf<typeof identityRoutes.me>;

export const meQuery = queryOptions({
  queryKey: ['me'],
  queryFn: ({ signal }) => call(identityRoutes.me, { signal }),
  staleTime: 60_000,
  // Asked before there is a session: a 401 is an answer here, not the end of one.
  meta: { isSessionCheck: true },
});

/** Only below the shell, which does not render before the answer is there. */
export function useMe(): Me {
  return useSuspenseQuery(meQuery).data;
}

/** The server says what the user may do; the interface only shows it. */
export function useMay(permission: Permission): boolean {
  const permissions: readonly Permission[] = useMe().permissions;
  return permissions.includes(permission);
}

/** What the role of the person lacks, for the pages that then show less; undefined = they may. */
export function useLack(permission: Permission): string | undefined {
  const role = useMe().user.roles[0]?.name ?? '';
  if (useMay(permission)) return undefined;
  const { because, remedy } = lackOf(permission, `the role ${role}`);
  return `${because.replace('this', 'This')}. ${remedy}`;
}

export function useSignIn() {
  const queryClient = useQueryClient();
  return useMutation({
    mutationFn: (body: BodyOf<typeof identityRoutes.login>) => call(identityRoutes.login, { body }),
    meta: { isSignIn: true },
    onSuccess: (me) => queryClient.setQueryData(meQuery.queryKey, me),
  });
}

export function useSetPassword() {
  const queryClient = useQueryClient();
  return useMutation({
    mutationFn: (body: BodyOf<typeof peopleRoutes.setPassword>) => call(peopleRoutes.setPassword, { body }),
    meta: { isSignIn: true },
    onSuccess: (me) => {
      // Whoever was signed in on this browser before is somebody else.
      queryClient.clear();
      queryClient.setQueryData(meQuery.queryKey, me);
    },
  });
}

export function useChangePassword() {
  return useMutation({
    mutationFn: (body: BodyOf<typeof peopleRoutes.changePassword>) => call(peopleRoutes.changePassword, { body }),
  });
}

export function useSignOut() {
  const queryClient = useQueryClient();
  return useMutation({
    mutationFn: () => call(identityRoutes.logout, { body: {} }),
    // Whatever was seen belongs to the user who leaves.
    onSuccess: () => queryClient.clear(),
  });
}
