import { lazyRouteComponent } from '@tanstack/react-router';

export { useSecretNames } from './queries.ts';
export const SecretsPage = lazyRouteComponent(() => import('./secrets-page.tsx'), 'SecretsPage');
