import { lazy } from 'react';

export const AuditPage = lazy(() => import('./audit-page.tsx').then((page) => ({ default: page.AuditPage })));
