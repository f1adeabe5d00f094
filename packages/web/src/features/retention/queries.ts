import { identityRoutes, type MessageSettings, type RetentionSettings } from '@quayside/contracts';
import { queryOptions, useMutation, useQueryClient } from '@tanstack/react-query';
import { call } from '../../api/index.ts';

export type KeepingSettings = RetentionSettings & MessageSettings;

export const keepingQuery = queryOptions({
  queryKey: ['organization', 'keeping'],
  queryFn: async ({ signal }): Promise<KeepingSettings> =>
    (await call(identityRoutes.getOrganization, { signal })).organization.settings as KeepingSettings,
});

export function useSaveKeeping() {
  const queryClient = useQueryClient();
  return useMutation({
    mutationFn: (settings: KeepingSettings) =>
      call(identityRoutes.patchOrganization, { body: { settings: settings as Record<string, unknown> } }),
    onSuccess: () => queryClient.invalidateQueries({ queryKey: ['organization'] }),
  });
}
