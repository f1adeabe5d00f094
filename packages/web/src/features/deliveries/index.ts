import { lazy } from 'react';

export { holderOfAgent } from './words.ts';
export const DeliveriesPage = lazy(() =>
  import('./deliveries-page.tsx').then((page) => ({ default: page.DeliveriesPage })),
);
