import { lazyRouteComponent } from '@tanstack/react-router';

export { LatestRuns } from './latest-runs.tsx';
export { awaitingCountQuery, prefetchRun, runsQuery } from './queries.ts';
export { RunsTable } from './runs-table.tsx';
export const RunPage = lazyRouteComponent(() => import('./run-page.tsx'), 'RunPage');
export const RunsPage = lazyRouteComponent(() => import('./runs-page.tsx'), 'RunsPage');
export const ApprovalsPage = lazyRouteComponent(() => import('./approvals-page.tsx'), 'ApprovalsPage');
