import { lazyRouteComponent } from '@tanstack/react-router';

export { Person, useNameOf } from './people.tsx';
export { PeopleSelect } from './people-select.tsx';
export const PeoplePage = lazyRouteComponent(() => import('./people-page.tsx'), 'PeoplePage');
