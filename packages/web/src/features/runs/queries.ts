import {
  type AffectedEntity,
  auditRoutes,
  type BodyOf,
  isFinal,
  maxRunsArranged,
  type QueryOf,
  type Run,
  runRoutes,
} from '@quayside/contracts';
import {
  infiniteQueryOptions,
  keepPreviousData,
  type QueryClient,
  queryOptions,
  useMutation,
  useQueryClient,
} from '@tanstack/react-query';
import { call } from '../../api/index.ts';
import { LogWindow, pageLines } from './log-window.ts';

const version = { version: 'v2' };
const pageSize = 50;

export function runQuery(id: string) {
  return queryOptions({
    queryKey: ['run', id],
    queryFn: async ({ signal }): Promise<Run> =>
      (await call(runRoutes.get, { params: { run_id: id }, query: version, signal })).run,
  });
}

/**
 * What is held of the log, kept while the page is revisited. Asking brings its end and how long it is; the rest comes by the
 * stream (use-run-stream.ts) and, where somebody looks, by the viewer.
 */
export function runLogQuery(id: string) {
  const queryKey = ['run', id, 'log'] as const;
  return queryOptions({
    queryKey,
    queryFn: async ({ client, signal }) => {
      const log = client.getQueryData<LogWindow>(queryKey) ?? new LogWindow();
      const end = await call(runRoutes.logLines, { params: { run_id: id }, query: { last: pageLines }, signal });
      log.add(end.runLogs, end.count);
      return log;
    },
    initialData: () => new LogWindow(),
    initialDataUpdatedAt: 0,
    structuralSharing: false,
  });
}

/** Asks for what the page of a run shows first, while its code and the page around it are still on their way. */
export function prefetchRun(queryClient: QueryClient, id: string): void {
  void queryClient.prefetchQuery(runQuery(id));
  void queryClient.prefetchQuery(runLogQuery(id));
}

export function fetchLogLines(id: string, after: number, limit: number, signal?: AbortSignal) {
  return call(runRoutes.logLines, { params: { run_id: id }, query: { after, limit }, signal });
}

export function logSearchQuery(id: string, text: string) {
  return queryOptions({
    queryKey: ['run', id, 'log search', text],
    queryFn: ({ signal }) => call(runRoutes.searchLogs, { params: { run_id: id }, query: { text }, signal }),
    gcTime: 0,
  });
}

export function deliveriesQuery(id: string) {
  return queryOptions({
    queryKey: ['run', id, 'deliveries'],
    queryFn: async ({ signal }) => (await call(runRoutes.deliveries, { params: { run_id: id }, signal })).deliveries,
  });
}

/** Asked again while the page is open: agents come and go without the run changing. */
export function whyQuery(id: string) {
  return queryOptions({
    queryKey: ['run', id, 'why'],
    queryFn: async ({ signal }) => (await call(runRoutes.why, { params: { run_id: id }, signal })).why,
    refetchInterval: 5_000,
  });
}

export function affectedQuery(id: string) {
  return queryOptions({
    queryKey: ['run', id, 'affected'],
    queryFn: async ({ signal }): Promise<readonly AffectedEntity[]> =>
      (await call(runRoutes.affectedEntities, { params: { run_id: id }, signal })).entities,
  });
}

/** The records of what the run did to one entity; each change is asked for when it is opened. */
export function changesQuery(id: string, { blueprint, entity }: Pick<AffectedEntity, 'blueprint' | 'entity'>) {
  return queryOptions({
    queryKey: ['run', id, 'changes', blueprint, entity],
    queryFn: async ({ signal }) =>
      (
        await call(auditRoutes.list, {
          query: { run_id: id, blueprint, entity, resources: ['entity'], limit: 1000 },
          signal,
        })
      ).audits,
  });
}

export function approversQuery(id: string) {
  return queryOptions({
    queryKey: ['run', id, 'approvers'],
    queryFn: async ({ signal }) =>
      (
        await call(runRoutes.approvers, {
          params: { run_id: id },
          query: { include_pending_approvers: true },
          signal,
        })
      ).approvers,
  });
}

export type RunFilters = Pick<
  QueryOf<typeof runRoutes.list>,
  'action' | 'blueprint' | 'entity' | 'active' | 'status' | 'user_email' | 'source' | 'awaiting_me'
>;
export type RunArrangement = Pick<QueryOf<typeof runRoutes.list>, 'search' | 'sort' | 'order' | 'group'>;

/** Newest first, a page begins after the last run of the one before it; in any other order it begins at a number. */
export function runsQuery(filters: RunFilters, arrangement: RunArrangement = {}) {
  const isArranged = Object.keys(arrangement).length > 0;
  return infiniteQueryOptions({
    queryKey: ['runs', filters, arrangement],
    queryFn: async ({ signal, pageParam }) => {
      const query: QueryOf<typeof runRoutes.list> = { ...filters, ...arrangement, ...pageParam, limit: pageSize };
      return (await call(runRoutes.list, { query: { ...query, ...version }, signal })).runs;
    },
    initialPageParam: {} as { before_run?: string; offset?: number },
    getNextPageParam: (page, pages) => {
      const last = page.at(-1);
      if (page.length < pageSize || !last) return undefined;
      if (!isArranged) return { before_run: last.id };
      const offset = pages.length * pageSize;
      return offset < maxRunsArranged ? { offset } : undefined;
    },
    placeholderData: keepPreviousData,
  });
}

/** A run that moved from one page to the next between two requests is in both. */
export function withoutRepeats(runs: readonly Run[]): Run[] {
  return [...new Map(runs.map((run) => [run.id, run])).values()];
}

export function useDecide(id: string) {
  const queryClient = useQueryClient();
  return useMutation({
    mutationFn: (body: BodyOf<typeof runRoutes.approve>) =>
      call(runRoutes.approve, { params: { run_id: id }, query: version, body }),
    onSuccess: ({ run }) => {
      queryClient.setQueryData(runQuery(id).queryKey, run);
      void queryClient.invalidateQueries({ queryKey: approversQuery(id).queryKey });
      void queryClient.invalidateQueries({ queryKey: ['runs'] });
    },
  });
}

/** Ends a run by hand: a withdrawal, or an administrator's word for a backend that never gave its own. */
export function useEndRun(id: string) {
  const queryClient = useQueryClient();
  return useMutation({
    mutationFn: (status: 'SUCCESS' | 'FAILURE') =>
      call(runRoutes.patch, { params: { run_id: id }, query: version, body: { status } }),
    onSuccess: ({ run }) => {
      queryClient.setQueryData(runQuery(id).queryKey, run);
      void queryClient.invalidateQueries({ queryKey: ['runs'] });
    },
  });
}

/** How many runs wait for the person, as far as a badge counts. */
export const awaitingCountQuery = queryOptions({
  queryKey: ['runs', 'awaiting', 'count'],
  queryFn: async ({ signal }) =>
    (await call(runRoutes.list, { query: { awaiting_me: true, limit: 100, ...version }, signal })).runs.length,
  refetchInterval: 30_000,
  staleTime: 5_000,
});

/** What the person asked for last; asked often only while something of it goes on. */
export function latestRunsQuery(email: string) {
  return queryOptions({
    queryKey: ['runs', 'latest', email],
    queryFn: async ({ signal }) =>
      (await call(runRoutes.list, { query: { user_email: email, limit: 8, ...version }, signal })).runs,
    refetchInterval: ({ state }) => (state.data?.some((run) => !isFinal(run.status)) ? 5_000 : 60_000),
  });
}
