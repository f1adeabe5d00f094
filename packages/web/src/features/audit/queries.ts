import { type AuditRecord, auditRoutes, type QueryOf } from '@quayside/contracts';
import { infiniteQueryOptions, keepPreviousData, queryOptions } from '@tanstack/react-query';
import { call } from '../../api/index.ts';

const pageSize = 50;

export interface AuditFilters {
  resource?: string | undefined;
  change?: string | undefined;
  origin?: string | undefined;
  failed?: boolean | undefined;
  by?: string | undefined;
  /** Days as `YYYY-MM-DD`, where the browser is; both count whole. */
  from?: string | undefined;
  to?: string | undefined;
}

export function auditQuery(filters: AuditFilters) {
  return infiniteQueryOptions({
    queryKey: ['audit', filters],
    queryFn: async ({ signal, pageParam }) => {
      const query: QueryOf<typeof auditRoutes.list> = { limit: pageSize };
      if (filters.resource) query.resources = [filters.resource];
      if (filters.change) query.action = filters.change;
      if (filters.origin) query.origin = [filters.origin];
      if (filters.failed) query.status = 'FAILURE';
      if (filters.by) query.by = filters.by;
      if (filters.from) query.from = new Date(`${filters.from}T00:00:00`).toISOString();
      const to = pageParam ?? (filters.to && new Date(`${filters.to}T23:59:59.999`).toISOString());
      if (to) query.to = to;
      // Without `includes` every field is there.
      return (await call(auditRoutes.list, { query, signal })).audits as AuditRecord[];
    },
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page, all) => {
      const oldest = page.at(-1)?.trigger.at;
      // The bound is inclusive, so a page that ends where it began would come again for ever.
      return page.length < pageSize || oldest === all.at(-2)?.at(-1)?.trigger.at ? undefined : oldest;
    },
    placeholderData: keepPreviousData,
  });
}

/** Pages overlap by the records of one instant. */
export function withoutRepeats(records: readonly AuditRecord[]): AuditRecord[] {
  return [...new Map(records.map((record) => [record.identifier, record])).values()];
}

export const newestCheckpointQuery = queryOptions({
  queryKey: ['audit', 'checkpoints', 'newest'],
  queryFn: ({ signal }) => call(auditRoutes.checkpoints, { query: { limit: 1 }, signal }),
  retry: false,
});
