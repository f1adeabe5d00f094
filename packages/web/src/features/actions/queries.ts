import {
  type Action,
  actionRoutes,
  type BodyOf,
  permissionRoutes,
  type Run,
  runRoutes,
  type SelfServiceTrigger,
} from '@quayside/contracts';
import { queryOptions, useMutation, useQueryClient } from '@tanstack/react-query';
import { call } from '../../api/index.ts';

export type SelfServiceAction = Action & { trigger: SelfServiceTrigger };

export const actionsQuery = queryOptions({
  queryKey: ['actions'],
  queryFn: async ({ signal }): Promise<SelfServiceAction[]> => {
    const { actions } = await call(actionRoutes.list, {
      query: { trigger_type: 'self-service', version: 'v2' },
      signal,
    });
    return actions.filter((action): action is SelfServiceAction => action.trigger.type === 'self-service');
  },
  staleTime: 30_000,
});

export function actionQuery(identifier: string) {
  return queryOptions({
    queryKey: ['action', identifier],
    queryFn: async ({ signal }) =>
      (await call(actionRoutes.get, { params: { action_identifier: identifier }, query: { version: 'v2' }, signal }))
        .action,
    staleTime: 30_000,
  });
}

/** What the person executed lately, the last first, each once. */
export function usedActionsQuery(email: string) {
  return queryOptions({
    queryKey: ['runs', 'used', email],
    queryFn: async ({ signal }) => {
      const { runs } = await call(runRoutes.list, { query: { user_email: email, limit: 50, version: 'v2' }, signal });
      return [...new Set(runs.map((run) => run.action.identifier))];
    },
    staleTime: 30_000,
  });
}

/** The person as `.user` of forms sees them: with teams, roles and their entity in the catalog. */
export const callerQuery = queryOptions({
  queryKey: ['me', 'caller'],
  queryFn: async ({ signal }) => (await call(permissionRoutes.caller, { signal })).user,
  staleTime: 60_000,
});

/** A freeze or a limit passes without anybody's doing. */
const holdRefreshMs = 5_000;

/** Actions that the caller sees and may not execute, with the rule that says so. */
export const refusedQuery = queryOptions({
  queryKey: ['actions', 'refused'],
  queryFn: async ({ signal }) => (await call(permissionRoutes.refused, { signal })).refused,
  staleTime: 30_000,
  refetchInterval: ({ state }) =>
    Object.values(state.data ?? {}).some(({ hold }) => hold !== undefined) ? holdRefreshMs : 30_000,
});

/** Whether the caller may execute the action, for the entity where one is chosen. */
export function mayExecuteQuery(identifier: string, entity: string | undefined) {
  return queryOptions({
    queryKey: ['action', identifier, 'may execute', entity],
    queryFn: async ({ signal }) =>
      (
        await call(permissionRoutes.why, {
          params: { action_identifier: identifier },
          query: entity === undefined ? {} : { entity },
          signal,
        })
      ).verdict,
    refetchInterval: ({ state }) => (state.data?.hold === undefined ? false : holdRefreshMs),
    retry: false,
  });
}

export function useExecute(identifier: string) {
  const queryClient = useQueryClient();
  return useMutation({
    mutationFn: async (body: BodyOf<typeof runRoutes.execute>): Promise<Run> =>
      (await call(runRoutes.execute, { params: { action_identifier: identifier }, body })).run,
    onSuccess: (run) => {
      queryClient.setQueryData(['run', run.id], run);
      void queryClient.invalidateQueries({ queryKey: ['runs'] });
      void queryClient.invalidateQueries({ queryKey: refusedQuery.queryKey });
    },
  });
}

/** What executing would do; the server does it and takes it back. */
export function usePreview(identifier: string) {
  return useMutation({
    mutationFn: async (body: BodyOf<typeof runRoutes.preview>) =>
      (await call(runRoutes.preview, { params: { action_identifier: identifier }, body })).preview,
  });
}
