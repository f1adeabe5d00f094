import { lazy } from 'react';

export { ChangePasswordDialog } from './change-password-dialog.tsx';
export { meQuery, useLack, useMay, useMe, useSignOut } from './queries.ts';
export const LoginPage = lazy(() => import('./login-page.tsx').then((page) => ({ default: page.LoginPage })));
export const PasswordPage = lazy(() => import('./password-page.tsx').then((page) => ({ default: page.PasswordPage })));
