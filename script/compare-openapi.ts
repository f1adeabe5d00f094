import { readFileSync } from 'node:fs';
import { type Route, routes } from '@quayside/contracts';

/**
 * Compares the compatible part of our route table with a published OpenAPI document of the contract that we speak. Run by
 * hand, because that document is not ours to keep in the repository: node script/compare-openapi.ts <file>
 *
 * Printed are differences that a client could notice; whether each is a mistake or a decision is for a person to say.
 * Not compared: the shapes of replies and of nested bodies.
 */
interface Operation {
  parameters?: { name: string; in: string; required?: boolean }[];
  requestBody?: {
    content?: Record<string, { schema?: { required?: string[]; properties?: Record<string, unknown> } }>;
  };
  responses: Record<string, unknown>;
}
type Document = { paths: Record<string, Record<string, Operation>> };

const anyName = (path: string) => path.replace(/:\w+|\{\w+\}/g, '{}');
const fieldsOf = (schema: unknown) => Object.keys((schema as { properties?: object }).properties ?? {});
const requiredOf = (schema: unknown) => (schema as { required?: string[] }).required ?? [];

function differences(route: Route, theirs: Operation): string[] {
  const found: string[] = [];
  const theirQuery = (theirs.parameters ?? []).filter((parameter) => parameter.in === 'query').map(({ name }) => name);
  const ourQuery = fieldsOf(route.query);
  for (const name of theirQuery) if (!ourQuery.includes(name)) found.push(`does not know the query parameter ${name}`);
  for (const name of ourQuery) if (!theirQuery.includes(name)) found.push(`has a query parameter of its own, ${name}`);

  const successes = Object.keys(theirs.responses).filter((status) => status.startsWith('2'));
  // Some published operations name no success at all.
  if (successes.length > 0 && !successes.includes(String(route.status)))
    found.push(`answers ${route.status}, not ${successes.join(' or ')}`);

  const theirBody = theirs.requestBody?.content?.['application/json']?.schema ?? {};
  for (const name of requiredOf(route.body)) {
    if (!requiredOf(theirBody).includes(name)) found.push(`needs ${name} in the body, which is optional there`);
  }
  const isClosed = (route.body as { additionalProperties?: unknown }).additionalProperties === false;
  for (const name of fieldsOf(theirBody)) {
    if (isClosed && !fieldsOf(route.body).includes(name)) found.push(`refuses ${name} in the body`);
  }
  return found;
}

const [, , file] = process.argv;
if (file === undefined) {
  process.stderr.write('Usage: node script/compare-openapi.ts <OpenAPI document in JSON>\n');
  process.exit(2);
}
const published = JSON.parse(readFileSync(file, 'utf8')) as Document;
const theirPaths = new Map(Object.entries(published.paths).map(([path, methods]) => [anyName(path), methods]));
let agreed = 0;
for (const route of routes.filter(({ dialect }) => dialect === 'compatible')) {
  const theirs = theirPaths.get(anyName(route.path))?.[route.method.toLowerCase()];
  const found = theirs ? differences(route, theirs) : ['is not in the published document'];
  for (const line of found) process.stdout.write(`${route.method} ${route.path} ${line}\n`);
  if (found.length === 0) agreed += 1;
}
process.stdout.write(`${agreed} routes agree\n`);
