import { lazy } from 'react';

export { useAgents } from './queries.ts';
export const AgentsPage = lazy(() => import('./agents-page.tsx').then((page) => ({ default: page.AgentsPage })));
