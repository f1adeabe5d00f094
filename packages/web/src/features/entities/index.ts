export { EntityLink, EntityLinks } from './entity-link.tsx';
export { EntitySelect } from './entity-select.tsx';
export { entityCountQuery, entityHistoryQuery, entityQuery, entitySearchQuery } from './queries.ts';
