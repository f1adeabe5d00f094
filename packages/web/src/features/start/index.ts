import { lazyRouteComponent } from '@tanstack/react-router';

export const StartPage = lazyRouteComponent(() => import('./start-page.tsx'), 'StartPage');
