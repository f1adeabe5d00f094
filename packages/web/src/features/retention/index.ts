import { lazyRouteComponent } from '@tanstack/react-router';

export const RetentionPage = lazyRouteComponent(() => import('./retention-page.tsx'), 'RetentionPage');
