import { isFinal, maxLogLines, type Run } from '@quayside/contracts';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import type { LogWindow } from './log-window.ts';
import { fetchLogLines, runLogQuery, runQuery } from './queries.ts';
import { followRun, type StreamMode } from './run-stream.ts';

/** Keeps the cache of one run current while its page is open. The page reads only the cache. */
export function useRunStream(id: string): { log: LogWindow; mode: StreamMode } {
  const queryClient = useQueryClient();
  const [mode, setMode] = useState<StreamMode>('reconnecting');
  // Asked by the effect below, once a visit: not again whenever the window gets the focus.
  const { data: log } = useQuery({ ...runLogQuery(id), enabled: false });

  useEffect(() => {
    const runKey = runQuery(id).queryKey;
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
      for (const part of ['deliveries', 'affected', 'why'])
        void queryClient.invalidateQueries({ queryKey: ['run', id, part] });
      void queryClient.invalidateQueries({ queryKey: ['runs'] });
    };
    const poll = async (signal: AbortSignal): Promise<boolean> => {
      const run = await queryClient.fetchQuery({ ...runQuery(id), staleTime: 0 });
      for (;;) {
        const { runLogs, count } = await fetchLogLines(id, log.total, maxLogLines, signal);
        log.add(runLogs, count);
        if (runLogs.length < maxLogLines) break;
      }
      for (const part of ['deliveries', 'affected', 'why'])
        void queryClient.invalidateQueries({ queryKey: ['run', id, part] });
      return isFinal(run.status) && !run.pendingExecution;
    };
    const follow = (): (() => void) =>
      followRun(id, {
        onLines: (lines) => log.add(lines),
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
        cursor: () => log.total,
      });
    // How long the log is comes first: the stream brings what is new, the viewer asks for what is looked at.
    let isLeft = false;
    let unfollow = (): void => undefined;
    void queryClient.prefetchQuery(runLogQuery(id)).then(() => {
      if (!isLeft) unfollow = follow();
    });
    return () => {
      isLeft = true;
      unfollow();
    };
  }, [id, log, queryClient]);

  return { log, mode };
}
