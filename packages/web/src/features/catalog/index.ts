import { lazyRouteComponent } from '@tanstack/react-router';

export const CatalogIndexPage = lazyRouteComponent(() => import('./catalog-index-page.tsx'), 'CatalogIndexPage');
export const CatalogPage = lazyRouteComponent(() => import('./catalog-page.tsx'), 'CatalogPage');
export const EntityPage = lazyRouteComponent(() => import('./entity-page.tsx'), 'EntityPage');
