import { lazyRouteComponent } from '@tanstack/react-router';

export { ChangePasswordDialog } from './change-password-dialog.tsx';
export { meQuery, useLack, useMay, useMe, useSignOut } from './queries.ts';
export const LoginPage = lazyRouteComponent(() => import('./login-page.tsx'), 'LoginPage');
export const PasswordPage = lazyRouteComponent(() => import('./password-page.tsx'), 'PasswordPage');
