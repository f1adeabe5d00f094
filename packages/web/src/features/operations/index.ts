import { lazy } from 'react';

export const OperationsPage = lazy(() =>
  import('./operations-page.tsx').then((page) => ({ default: page.OperationsPage })),
);
