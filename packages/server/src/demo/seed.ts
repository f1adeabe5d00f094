import type { App } from '../app.ts';
import { createAction } from '../features/actions/service.ts';
import { createBlueprint } from '../features/blueprints/service.ts';
import { changeOrganization, readOrganization } from '../features/identity/service-organization.ts';
import { addUser } from '../features/identity/service-people.ts';
import { isViolation } from '../platform/db.ts';
import { Refusal } from '../platform/refusal.ts';
import { actions, blueprints, entities, people } from './company.ts';

/**
 * Kept in the organization's settings. The first start writes an empty object with the organization itself; the port of
 * the internal service, which the actions name, is added when everything is there. So a start that died half-way is
 * finished by the next one, and an organization that began without the demo never gets it.
 */
export interface DemoSettings {
  targetPort?: number;
}

/** The port of the demo's internal service; `undefined` = this organization has no demo. */
export async function prepareDemo(
  app: App,
  orgId: string,
  freePort: () => Promise<number>,
): Promise<number | undefined> {
  const world = app.systemWorld(orgId);
  const demo = (await readOrganization(world)).settings.demo as DemoSettings | undefined;
  if (!demo || demo.targetPort !== undefined) return demo?.targetPort;
  const targetPort = await freePort();
  for (const blueprint of blueprints) await ifNew(createBlueprint(world, blueprint));
  for (const { blueprint, body } of entities)
    await app.entities.create(world, blueprint, body, {
      upsert: true,
      merge: true,
      create_missing_related_entities: true,
    });
  for (const action of actions(`http://127.0.0.1:${targetPort}`)) await ifNew(createAction(world, action));
  for (const person of people) await ifNew(addUser(world, { ...person, password: undefined }));
  await changeOrganization(world, { settings: { demo: { targetPort } satisfies DemoSettings } });
  return targetPort;
}

async function ifNew(creation: Promise<unknown>): Promise<void> {
  await creation.catch((error: unknown) => {
    if (!(error instanceof Refusal && error.error === 'identifier_taken') && !isViolation(error, '23505')) throw error;
  });
}
