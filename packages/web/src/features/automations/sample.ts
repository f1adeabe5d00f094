import type { AutomationTrigger, Blueprint } from '@quayside/contracts';
import { sampleEntity } from '../blueprints/index.ts';

/** The event that an automation listens to, as it could be (spec/actions.md §4.2): for completion while one types. */
export function sampleEvent(event: AutomationTrigger['event'], blueprints: readonly Blueprint[]) {
  const isOfRun = 'actionIdentifier' in event;
  const changed = isOfRun ? sampleRun(event.actionIdentifier) : entityOf(event.blueprintIdentifier, blueprints);
  const isNew = event.type === 'ENTITY_CREATED' || event.type === 'RUN_CREATED';
  const isGone = event.type === 'ENTITY_DELETED';
  return {
    action: isNew ? 'CREATE' : isGone ? 'DELETE' : 'UPDATE',
    resourceType: isOfRun ? 'run' : 'entity',
    trigger: { by: { orgId: 'org_sample', userId: 'user_sample' }, origin: 'UI', at: '2026-01-01T00:00:00.000Z' },
    context: isOfRun
      ? { action: { identifier: event.actionIdentifier, title: event.actionIdentifier } }
      : {
          blueprintIdentifier: event.blueprintIdentifier,
          entityIdentifier: `my-${event.blueprintIdentifier}`,
          propertyIdentifier: 'propertyIdentifier' in event ? event.propertyIdentifier : null,
        },
    diff: { before: isNew ? null : changed, after: isGone ? null : changed },
  };
}

/** What the templates of its backend see. */
export function sampleContext(event: AutomationTrigger['event'], blueprints: readonly Blueprint[], secrets: object) {
  const { trigger, ...rest } = sampleEvent(event, blueprints);
  return {
    event: { ...rest, trigger },
    trigger: { ...trigger, origin: 'AUTOMATION' },
    run: { id: 'r_sample' },
    secrets,
  };
}

function entityOf(identifier: string, blueprints: readonly Blueprint[]) {
  return sampleEntity(
    identifier,
    blueprints.find((each) => each.identifier === identifier),
  );
}

function sampleRun(action: string) {
  return {
    id: 'r_sample',
    action: { identifier: action, title: action },
    status: 'IN_PROGRESS',
    statusLabel: null,
    summary: '',
    link: [],
    properties: {},
    rawProperties: {},
    source: 'UI',
    approval: { state: 'APPROVED', description: '' },
    payload: {},
    response: {},
    createdBy: 'user_sample',
    createdAt: '2026-01-01T00:00:00.000Z',
  };
}
