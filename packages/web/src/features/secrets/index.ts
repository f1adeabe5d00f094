import { lazy } from 'react';

export { useSecretNames } from './queries.ts';
export const SecretsPage = lazy(() => import('./secrets-page.tsx').then((page) => ({ default: page.SecretsPage })));
