import { deliveryRoutes, type QueryOf } from '@quayside/contracts';
import { infiniteQueryOptions, keepPreviousData, queryOptions } from '@tanstack/react-query';
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
    refetchInterval: refreshMs,
  });
}

export function deliveryQuery(subject: string) {
  return queryOptions({
    queryKey: ['delivery', subject],
    queryFn: async ({ signal }) => (await call(deliveryRoutes.get, { params: { subject }, signal })).delivery,
    refetchInterval: refreshMs,
  });
}
