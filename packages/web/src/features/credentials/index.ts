import { lazy } from 'react';

export { useCredentialChanges } from './queries.ts';
export const CredentialsPage = lazy(() =>
  import('./credentials-page.tsx').then((page) => ({ default: page.CredentialsPage })),
);
