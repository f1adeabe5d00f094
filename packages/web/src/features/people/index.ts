import { lazy } from 'react';

export { Person, useNameOf } from './people.tsx';
export { PeopleSelect } from './people-select.tsx';
export const PeoplePage = lazy(() => import('./people-page.tsx').then((page) => ({ default: page.PeoplePage })));
