import { isFinal, type Run, type RunLog } from '@quayside/contracts';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import { withNewLines } from './log-model.ts';
import { fetchLogPage, logPageSize, runLogQuery, runQuery } from './queries.ts';
import { followRun, type StreamMode } from './run-stream.ts';

/** Keeps the cache of one run current while its page is open. The page reads only the cache. */
export function useRunStream(id: string): { lines: readonly RunLog[]; mode: StreamMode } {
  const queryClient = useQueryClient();
  const [mode, setMode] = useState<StreamMode>('reconnecting');
  const { data } = useQuery(runLogQuery(id));

  useEffect(() => {
    const logKey = runLogQuery(id).queryKey;
    const runKey = runQuery(id).queryKey;
    const linesNow = (): readonly RunLog[] => queryClient.getQueryData(logKey)?.lines ?? [];
    const addLines = (added: readonly RunLog[]): void => {
      const lines = linesNow();
      const all = withNewLines(lines, added);
      if (all !== lines) queryClient.setQueryData(logKey, { lines: all });
    };
    const setRun = (run: Run): void => {
      const before = queryClient.getQueryData(runKey);
      queryClient.setQueryData(runKey, run);
      if (
        before &&
        before.updatedAt === run.updatedAt &&
        before.status === run.status &&
        before.claimedUntil === run.claimedUntil
      )
        return;
      for (const part of ['deliveries', 'affected'])
        void queryClient.invalidateQueries({ queryKey: ['run', id, part] });
      void queryClient.invalidateQueries({ queryKey: ['runs'] });
    };
    const poll = async (signal: AbortSignal): Promise<boolean> => {
      const run = await queryClient.fetchQuery({ ...runQuery(id), staleTime: 0 });
      for (;;) {
        const page = await fetchLogPage(id, linesNow().length, signal);
        addLines(page);
        if (page.length < logPageSize) break;
      }
      for (const part of ['deliveries', 'affected'])
        void queryClient.invalidateQueries({ queryKey: ['run', id, part] });
      return isFinal(run.status) && !run.pendingExecution;
    };
    return followRun(id, {
      onLines: addLines,
      onRun: setRun,
      onMode: (next) => {
        setMode(next);
        // What was reported last may have come between the run's event and the end.
        if (next === 'done')
          void queryClient.invalidateQueries({
            queryKey: ['run', id],
            predicate: (query) => query.queryKey[2] !== 'log',
          });
      },
      poll,
      cursor: () => linesNow().at(-1)?.id,
    });
  }, [id, queryClient]);

  return { lines: data.lines, mode };
}
