import { lazy } from 'react';

export { type KnownAgents, useAgents } from './queries.ts';
export const AgentsPage = lazy(() => import('./agents-page.tsx').then((page) => ({ default: page.AgentsPage })));
