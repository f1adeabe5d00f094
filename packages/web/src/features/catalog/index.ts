import { lazy } from 'react';

export const CatalogIndexPage = lazy(() =>
  import('./catalog-index-page.tsx').then((page) => ({ default: page.CatalogIndexPage })),
);
export const CatalogPage = lazy(() => import('./catalog-page.tsx').then((page) => ({ default: page.CatalogPage })));
export const EntityPage = lazy(() => import('./entity-page.tsx').then((page) => ({ default: page.EntityPage })));
