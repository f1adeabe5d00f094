export { EntityLink, EntityLinks } from './entity-link.tsx';
export { EntitySelect } from './entity-select.tsx';
export { entityCountQuery, entityHistoryQuery, entityMatchQuery, entityQuery, entitySearchQuery } from './queries.ts';
