export { useBlueprint, useBlueprints } from './queries.ts';
