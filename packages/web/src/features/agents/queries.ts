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

export interface KnownAgents {
  connected: readonly { id: string; labels: Readonly<Record<string, string>> }[];
  pending: number;
}

/** Which agents are there for a run; undefined as long as (or because) one may not know. */
export function useAgents({ isEnabled = true } = {}): KnownAgents | undefined {
  const mayRead = useMay('agent:read');
  const { data } = useQuery({ ...agentsQuery, enabled: isEnabled && mayRead });
  return data && { connected: data.agents.filter((agent) => agent.isConnected), pending: data.pendingRuns };
}
