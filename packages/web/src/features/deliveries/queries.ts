import { deliveryRoutes, type QueryOf } from '@quayside/contracts';
import {
  infiniteQueryOptions,
  keepPreviousData,
  queryOptions,
  useMutation,
  useQueryClient,
} from '@tanstack/react-query';
import { call } from '../../api/index.ts';

export type LedgerFilters = Omit<QueryOf<typeof deliveryRoutes.list>, 'limit' | 'after'>;

/** The ledger grows at its top; what is on the screen is asked for again now and then. */
const refreshMs = 5_000;

export function ledgerQuery(filters: LedgerFilters) {
  return infiniteQueryOptions({
    queryKey: ['deliveries', filters],
    queryFn: ({ signal, pageParam }) =>
      call(deliveryRoutes.list, { query: { ...filters, ...(pageParam ? { after: pageParam } : {}) }, signal }),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.next,
    placeholderData: keepPreviousData,
    // A page of rare matches is looked for among many, and not again and again.
    refetchInterval: ({ state }) => (state.data?.pages.some((page) => page.searchedTo) ? false : refreshMs),
  });
}

export function deliveryQuery(subject: string) {
  return queryOptions({
    queryKey: ['delivery', subject],
    queryFn: async ({ signal }) => (await call(deliveryRoutes.get, { params: { subject }, signal })).delivery,
    refetchInterval: refreshMs,
  });
}

const progressMs = 1_000;

/** The latest replays; asked for often as long as one goes on. */
export const replaysQuery = queryOptions({
  queryKey: ['replays'],
  queryFn: async ({ signal }) => (await call(deliveryRoutes.replays, { signal })).replays,
  refetchInterval: (query) => (query.state.data?.some((one) => one.state === 'running') ? progressMs : refreshMs),
});

/** How much a replay of all that matches would replay; each page counts on. */
export function countQuery(filters: LedgerFilters) {
  return infiniteQueryOptions({
    queryKey: ['replays', 'count', filters],
    queryFn: ({ signal, pageParam }) =>
      call(deliveryRoutes.countReplay, { query: pageParam ? { after: pageParam } : {}, body: filters, signal }),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.next,
    staleTime: 0,
  });
}

function useChange<Input>(mutationFn: (input: Input) => Promise<unknown>) {
  const queryClient = useQueryClient();
  return useMutation({
    mutationFn,
    onSuccess: () =>
      Promise.all(
        ['replays', 'deliveries', 'delivery'].map((key) => queryClient.invalidateQueries({ queryKey: [key] })),
      ),
  });
}
export const useReplay = () => useChange((subject: string) => call(deliveryRoutes.replay, { params: { subject } }));
export const useReplayMany = () => useChange((body: LedgerFilters) => call(deliveryRoutes.replayMany, { body }));
export const useCancelReplay = () =>
  useChange((replay_id: string) => call(deliveryRoutes.cancelReplay, { params: { replay_id } }));
