import { dispatchRoutes, type ReplyOf } from '@quayside/contracts';
import { queryOptions, useQuery } from '@tanstack/react-query';
import { call } from '../../api/index.ts';
import { useMay } from '../session/index.ts';

const refreshMs = 3_000;

export const agentsQuery = queryOptions({
  queryKey: ['agents'],
  queryFn: ({ signal }): Promise<ReplyOf<typeof dispatchRoutes.listAgents>> =>
    call(dispatchRoutes.listAgents, { signal }),
  staleTime: 1_000,
  refetchInterval: refreshMs,
});

/** How many agents are there for a run; undefined as long as (or because) one may not know. */
export function useAgents({ isEnabled = true } = {}): { connected: number; pending: number } | undefined {
  const mayRead = useMay('agent:read');
  const { data } = useQuery({ ...agentsQuery, enabled: isEnabled && mayRead });
  return data && { connected: data.agents.filter((agent) => agent.isConnected).length, pending: data.pendingRuns };
}
