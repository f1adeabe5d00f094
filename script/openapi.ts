import { routes, toOpenApi } from '@quayside/contracts';

/** Prints the route table as an OpenAPI document: node script/openapi.ts >docs/api/openapi.json */
process.stdout.write(`${JSON.stringify(toOpenApi(routes), null, 2)}\n`);
