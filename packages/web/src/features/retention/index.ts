import { lazy } from 'react';

export const RetentionPage = lazy(() =>
  import('./retention-page.tsx').then((page) => ({ default: page.RetentionPage })),
);
