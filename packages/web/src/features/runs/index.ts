import { lazy } from 'react';

export { LatestRuns } from './latest-runs.tsx';
export { awaitingCountQuery, prefetchRun, runsQuery } from './queries.ts';
export { RunsTable } from './runs-table.tsx';
export const RunPage = lazy(() => import('./run-page.tsx').then((page) => ({ default: page.RunPage })));
export const RunsPage = lazy(() => import('./runs-page.tsx').then((page) => ({ default: page.RunsPage })));
export const ApprovalsPage = lazy(() =>
  import('./approvals-page.tsx').then((page) => ({ default: page.ApprovalsPage })),
);
