import { lazyRouteComponent } from '@tanstack/react-router';

export { holderOfAgent } from './words.ts';
export const DeliveriesPage = lazyRouteComponent(() => import('./deliveries-page.tsx'), 'DeliveriesPage');
