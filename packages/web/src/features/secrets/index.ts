import { lazy } from 'react';

export const SecretsPage = lazy(() => import('./secrets-page.tsx').then((page) => ({ default: page.SecretsPage })));
