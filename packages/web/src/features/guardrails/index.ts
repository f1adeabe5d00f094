import { lazy } from 'react';

export const GuardrailsPage = lazy(() =>
  import('./guardrails-page.tsx').then((page) => ({ default: page.GuardrailsPage })),
);
