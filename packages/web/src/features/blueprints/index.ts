export { blueprintsQuery, useBlueprint, useBlueprints } from './queries.ts';
