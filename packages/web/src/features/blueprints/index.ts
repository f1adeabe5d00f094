export { useBlueprint, useBlueprints, useOwnBlueprints } from './queries.ts';
export { sampleEntity } from './sample-entity.ts';
