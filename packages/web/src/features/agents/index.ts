import { lazyRouteComponent } from '@tanstack/react-router';

export { useAgents } from './queries.ts';
export const AgentsPage = lazyRouteComponent(() => import('./agents-page.tsx'), 'AgentsPage');
