import { lazy } from 'react';

export const StartPage = lazy(() => import('./start-page.tsx').then((page) => ({ default: page.StartPage })));
