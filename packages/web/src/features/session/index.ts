import { lazy } from 'react';

export { meQuery, useMay, useMe, useSignOut } from './queries.ts';
export const LoginPage = lazy(() => import('./login-page.tsx').then((page) => ({ default: page.LoginPage })));
