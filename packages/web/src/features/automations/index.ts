import { lazy } from 'react';

export const AutomationsPage = lazy(() =>
  import('./automations-page.tsx').then((page) => ({ default: page.AutomationsPage })),
);
export const AutomationPage = lazy(() =>
  import('./automation-page.tsx').then((page) => ({ default: page.AutomationPage })),
);
