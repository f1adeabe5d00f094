import { lazy } from 'react';

export { Person, useNameOf } from './people.tsx';
export const PeoplePage = lazy(() => import('./people-page.tsx').then((page) => ({ default: page.PeoplePage })));
