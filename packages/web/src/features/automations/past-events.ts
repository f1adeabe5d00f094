import { type AuditRecord, actionRoutes, auditRoutes, type Evaluation } from '@quayside/contracts';
import { useQuery } from '@tanstack/react-query';
import { call } from '../../api/index.ts';
import { formatInstant } from '../../ui/index.ts';
import type { PastSample } from '../../ui/test-jq.tsx';
import { evaluationsQuery } from './queries.ts';

/** An evaluation names its event; the audit log has what was before and after it. */
interface EventName {
  id: string;
  name: string;
  at: string;
  entity?: string;
  runId?: string;
}

const shownEvents = 20;

/** The newest events that the automation looked at, as its conditions saw them; `wrap` = as something else sees them. */
export function usePastEvents(identifier: string, wrap: (event: object) => object = (event) => event): PastSample[] {
  const { data } = useQuery(evaluationsQuery(identifier, undefined));
  const evaluations = data?.evaluations ?? [];
  return evaluations.slice(0, shownEvents).map((evaluation: Evaluation) => {
    const event = evaluation.event as unknown as EventName;
    return {
      id: evaluation.id,
      label: `${event.name} ${event.entity ?? event.runId ?? ''}, ${formatInstant(event.at)}`,
      load: async () => wrap(await readEvent(event)),
    };
  });
}

async function readEvent({ id, name, at, entity, runId }: EventName): Promise<object> {
  const resource = name.split('.')[0] ?? '';
  // The log counts in microseconds, and both bounds are whole milliseconds.
  const to = new Date(Date.parse(at) + 1).toISOString();
  const query = {
    resources: [resource],
    from: at,
    to,
    limit: 1000,
    ...(entity ? { entity } : { run_id: runId ?? '' }),
  };
  const { audits } = await call(auditRoutes.list, { query });
  const record = audits.find((each) => each.identifier === id) as AuditRecord | undefined;
  if (!record) throw new Error('The audit log does not keep this event any more.');
  return eventOf(record);
}

/** The record of an event as expressions see it (spec/actions.md §4.2). */
async function eventOf({ identifier, action, resourceType, trigger, context, diff }: AuditRecord): Promise<object> {
  const about = { action, resourceType, trigger };
  if (resourceType === 'run')
    return { id: identifier, ...about, context: { action: await actionOf(diff.after ?? diff.before) }, diff };
  const { blueprint = null, entity = null, property = null } = context as Record<string, string | undefined>;
  return {
    ...about,
    context: { blueprintIdentifier: blueprint, entityIdentifier: entity, propertyIdentifier: property },
    // A timer changes nothing: there is no before.
    diff: property === null ? diff : { after: diff.after },
  };
}

/** The whole document; where it is gone, what the run says of it. */
async function actionOf(run: unknown): Promise<unknown> {
  const reference = (run as { action?: { identifier: string } } | null)?.action ?? null;
  if (reference === null) return null;
  const params = { action_identifier: reference.identifier };
  return call(actionRoutes.get, { params, query: { version: 'v2' } }).then(
    ({ action }) => action,
    () => reference,
  );
}
