import { lazyRouteComponent } from '@tanstack/react-router';

export const AutomationsPage = lazyRouteComponent(() => import('./automations-page.tsx'), 'AutomationsPage');
export const AutomationPage = lazyRouteComponent(() => import('./automation-page.tsx'), 'AutomationPage');
