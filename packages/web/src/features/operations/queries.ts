import { type SystemStatus, systemRoutes } from '@quayside/contracts';
import { queryOptions } from '@tanstack/react-query';
import { call } from '../../api/index.ts';

const refreshMs = 5_000;

export const statusQuery = queryOptions({
  queryKey: ['status'],
  queryFn: async ({ signal }): Promise<SystemStatus> => (await call(systemRoutes.status, { signal })).status,
  refetchInterval: refreshMs,
});
