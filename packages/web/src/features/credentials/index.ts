import { lazyRouteComponent } from '@tanstack/react-router';

export { useCredentialChanges } from './queries.ts';
export const CredentialsPage = lazyRouteComponent(() => import('./credentials-page.tsx'), 'CredentialsPage');
