export { useBlueprint, useBlueprints, useOwnBlueprints } from './queries.ts';
