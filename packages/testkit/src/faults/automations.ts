import { inSnapshot } from './record.ts';

/**
 * No automation skipped or doubled, whatever was killed. For each automation: the events that it listens to, how often the
 * portal says that it looked at them, and the runs that it started, each with its event.
 */
export interface AutomationRecord {
  identifier: string;
  /** Sequence numbers of the events that concern it. */
  events: number[];
  counts: { fired: number; notFired: number; failed: number; blocked: number };
  /** The event that each of its runs was started by. */
  runs: { id: string; eventSeq: number | null }[];
}

/** `fires` = must the automation fire for this event? As the test knows it, not as the portal says. */
export function checkAutomations(
  records: readonly AutomationRecord[],
  fires: (identifier: string, eventSeq: number) => boolean,
): string[] {
  const violations: string[] = [];
  for (const { identifier, events, counts, runs } of records) {
    const evaluated = counts.fired + counts.notFired + counts.failed + counts.blocked;
    if (evaluated !== events.length)
      violations.push(`${identifier} looked at ${evaluated} events, and ${events.length} concern it`);
    const due = new Set(events.filter((seq) => fires(identifier, seq)));
    if (counts.fired !== due.size)
      violations.push(`${identifier} fired ${counts.fired} times, and was to ${due.size} times`);
    const started = new Map<number | null, string[]>();
    for (const { id, eventSeq } of runs) started.set(eventSeq, [...(started.get(eventSeq) ?? []), id]);
    for (const [seq, ids] of started) {
      if (seq === null || !due.has(seq))
        violations.push(`${identifier} was started by the event ${seq}: ${ids.join(', ')}`);
      else if (ids.length > 1)
        violations.push(`${identifier} was started twice by the event ${seq}: ${ids.join(', ')}`);
    }
    for (const seq of due) if (!started.has(seq)) violations.push(`${identifier} was not started by the event ${seq}`);
  }
  return violations;
}

/** Automations of entities only. `url` is the owner's. */
export async function readAutomations(url: string, orgId: string): Promise<AutomationRecord[]> {
  return inSnapshot(url, orgId, (read) =>
    read<AutomationRecord>(`
      select a.identifier,
        (select coalesce(json_agg(e.seq order by e.seq), '[]') from events e
          where e.org_id = a.org_id and e.at >= a.created_at
            and e.blueprint = a.document #>> '{trigger,event,blueprintIdentifier}'
            and e.name = case a.document #>> '{trigger,event,type}' when 'TIMER_PROPERTY_EXPIRED' then 'entity.timer_expired'
              else 'entity.' || lower(split_part(a.document #>> '{trigger,event,type}', '_', 2)) end
            and e.property is not distinct from a.document #>> '{trigger,event,propertyIdentifier}') as events,
        json_build_object('fired', coalesce(c.fired, 0), 'notFired', coalesce(c.not_fired, 0),
          'failed', coalesce(c.failed, 0), 'blocked', coalesce(c.blocked, 0)) as counts,
        (select coalesce(json_agg(json_build_object('id', r.id, 'eventSeq', r.event_seq::int)), '[]') from runs r
          where r.org_id = a.org_id and r.action_id = a.id) as runs
      from actions a left join automation_counts c on c.org_id = a.org_id and c.action_id = a.id
      where a.org_id = $1 and a.document #>> '{trigger,type}' = 'automation' order by 1`),
  );
}
