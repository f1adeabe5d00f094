import { lazyRouteComponent } from '@tanstack/react-router';

export { EntityActions } from './entity-actions.tsx';
export { operationWords } from './group-actions.ts';
export { ActionForm } from './lazy-action-form.tsx';
export { actionQuery, actionsQuery, type SelfServiceAction } from './queries.ts';
export const SelfServicePage = lazyRouteComponent(() => import('./self-service-page.tsx'), 'SelfServicePage');
export const NewActionPage = lazyRouteComponent(() => import('./builder/builder-page.tsx'), 'NewActionPage');
export const EditActionPage = lazyRouteComponent(() => import('./builder/builder-page.tsx'), 'EditActionPage');
