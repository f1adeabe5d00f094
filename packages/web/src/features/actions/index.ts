import { lazy } from 'react';

export { EntityActions } from './entity-actions.tsx';
export { operationWords } from './group-actions.ts';
export { ActionForm } from './lazy-action-form.tsx';
export { actionQuery, actionsQuery, type SelfServiceAction } from './queries.ts';
export const SelfServicePage = lazy(() =>
  import('./self-service-page.tsx').then((page) => ({ default: page.SelfServicePage })),
);
export const NewActionPage = lazy(() =>
  import('./builder/builder-page.tsx').then((page) => ({ default: page.NewActionPage })),
);
export const EditActionPage = lazy(() =>
  import('./builder/builder-page.tsx').then((page) => ({ default: page.EditActionPage })),
);
