import { lazy } from 'react';

export { ActionForm, operationWords } from './action-form.tsx';
export { actionQuery, actionsQuery, type SelfServiceAction } from './queries.ts';
export const SelfServicePage = lazy(() =>
  import('./self-service-page.tsx').then((page) => ({ default: page.SelfServicePage })),
);
