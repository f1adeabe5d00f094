import { lazyRouteComponent } from '@tanstack/react-router';

export const GuardrailsPage = lazyRouteComponent(() => import('./guardrails-page.tsx'), 'GuardrailsPage');
