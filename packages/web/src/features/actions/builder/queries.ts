import {
  type ActionBody,
  type ActionPermissions,
  actionRoutes,
  permissionRoutes,
  runRoutes,
} from '@quayside/contracts';
import { queryOptions, useMutation, useQueryClient } from '@tanstack/react-query';
import { call } from '../../../api/index.ts';
import type { Guardrails } from './permission-model.ts';

export function guardrailsQuery(identifier: string) {
  const params = { action_identifier: identifier };
  return queryOptions({
    queryKey: ['action', identifier, 'guardrails'],
    queryFn: async ({ signal }): Promise<Guardrails> => {
      const [{ permissions }, { limits }] = await Promise.all([
        call(permissionRoutes.get, { params, signal }),
        call(permissionRoutes.getLimits, { params, signal }),
      ]);
      return { permissions, limits };
    },
  });
}

/**
 * The document, and then what stands beside it. Three calls, because they are three resources: when a later one is refused,
 * `onStored` has already told that the action is there, so that the next attempt changes it and does not create it again.
 */
export function useSaveAction(onStored: (identifier: string) => void) {
  const queryClient = useQueryClient();
  return useMutation({
    mutationFn: async (input: { before: string | undefined; body: ActionBody; guardrails: Guardrails }) => {
      const { before, body, guardrails } = input;
      if (before === undefined) await call(actionRoutes.create, { body });
      else await call(actionRoutes.replace, { params: { action_identifier: before }, body });
      const params = { action_identifier: body.identifier };
      onStored(body.identifier);
      await call(permissionRoutes.patch, { params, body: patchOf(guardrails.permissions) });
      await call(permissionRoutes.putLimits, { params, body: guardrails.limits });
    },
    onSettled: () =>
      Promise.all([
        queryClient.invalidateQueries({ queryKey: ['actions'] }),
        queryClient.invalidateQueries({ queryKey: ['action'] }),
      ]),
  });
}

function patchOf({ execute, approve }: ActionPermissions) {
  const { users, roles, teams, ownedByTeam, policy } = execute;
  return {
    execute: { users, roles, teams, ownedByTeam, policy },
    approve: { users: approve.users, roles: approve.roles, teams: approve.teams, policy: approve.policy },
  };
}

export function useRemoveAction() {
  const queryClient = useQueryClient();
  return useMutation({
    mutationFn: (identifier: string) => call(actionRoutes.remove, { params: { action_identifier: identifier } }),
    onSuccess: () => queryClient.invalidateQueries({ queryKey: ['actions'] }),
  });
}

/** Real runs to test templates with. */
export function recentRunsQuery(identifier: string) {
  return queryOptions({
    queryKey: ['runs', 'of', identifier],
    queryFn: async ({ signal }) =>
      (await call(runRoutes.list, { query: { action: identifier, limit: 10, version: 'v2' }, signal })).runs,
    enabled: identifier !== '',
    staleTime: 30_000,
  });
}
