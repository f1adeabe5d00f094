import { type GuardrailSettings, identityRoutes } from '@quayside/contracts';
import { queryOptions, useMutation, useQueryClient } from '@tanstack/react-query';
import { call } from '../../api/index.ts';

export type Freeze = NonNullable<GuardrailSettings['freezes']>[number];

export const guardrailSettingsQuery = queryOptions({
  queryKey: ['organization', 'guardrails'],
  queryFn: async ({ signal }): Promise<GuardrailSettings> =>
    (await call(identityRoutes.getOrganization, { signal })).organization.settings as GuardrailSettings,
});

export function useSaveGuardrails() {
  const queryClient = useQueryClient();
  return useMutation({
    mutationFn: (settings: GuardrailSettings) =>
      call(identityRoutes.patchOrganization, { body: { settings: settings as Record<string, unknown> } }),
    onSuccess: () => queryClient.invalidateQueries({ queryKey: ['organization'] }),
  });
}
