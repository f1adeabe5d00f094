import {
  type Action,
  type ActionBody,
  actionRoutes,
  automationRoutes,
  type EvaluationOutcome,
} from '@quayside/contracts';
import { queryOptions, useMutation, useQueryClient } from '@tanstack/react-query';
import { call } from '../../api/index.ts';
import { bodyOf, isAutomation } from './document.ts';

export const automationsQuery = queryOptions({
  queryKey: ['automations'],
  queryFn: async ({ signal }) =>
    (await call(actionRoutes.list, { query: { trigger_type: 'automation', version: 'v2' }, signal })).actions.filter(
      isAutomation,
    ),
});

export function automationQuery(identifier: string) {
  return queryOptions({
    queryKey: ['automations', identifier],
    queryFn: async ({ signal }) =>
      (await call(actionRoutes.get, { params: { action_identifier: identifier }, query: { version: 'v2' }, signal }))
        .action,
  });
}

/** Asked again every few seconds, as they come without anybody's doing. */
export function evaluationsQuery(identifier: string, outcome: EvaluationOutcome | undefined) {
  return queryOptions({
    queryKey: ['automations', identifier, 'evaluations', outcome],
    queryFn: ({ signal }) =>
      call(automationRoutes.evaluations, {
        params: { action_identifier: identifier },
        query: { limit: 100, ...(outcome ? { outcome } : {}) },
        signal,
      }),
    refetchInterval: 5_000,
  });
}

export function useAutomationChanges() {
  const queryClient = useQueryClient();
  const onSuccess = (): Promise<void> => queryClient.invalidateQueries({ queryKey: automationsQuery.queryKey });
  const create = useMutation({
    mutationFn: async (body: ActionBody) => (await call(actionRoutes.create, { body })).action,
    onSuccess,
  });
  const replace = useMutation({
    mutationFn: async ({ identifier, body }: { identifier: string; body: ActionBody }) =>
      (await call(actionRoutes.replace, { params: { action_identifier: identifier }, body })).action,
    onSuccess,
  });
  /** Of the document as it is now: somebody may have changed it since the page was drawn. */
  const toggle = useMutation({
    mutationFn: async ({ automation, publish }: { automation: Action; publish: boolean }) => {
      const params = { action_identifier: automation.identifier };
      const { action } = await call(actionRoutes.get, { params, query: { version: 'v2' } });
      return (await call(actionRoutes.replace, { params, body: { ...bodyOf(action), publish } })).action;
    },
    onSuccess,
  });
  const remove = useMutation({
    mutationFn: (identifier: string) => call(actionRoutes.remove, { params: { action_identifier: identifier } }),
    onSuccess,
  });
  return { create, replace, toggle, remove };
}
