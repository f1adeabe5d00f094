import { isDeepStrictEqual } from 'node:util';
import { type DeliveryOutcome, isDelivered, isFinal, type RunStatus, runEvents, transition } from '@quayside/contracts';
import type { Observed, PortalRecord, RecordedDelivery, RecordedEvent } from './record.ts';

/**
 * What must hold after any number of faults. A rule is a function from the record and what was seen to sentences; a new
 * promise of the portal is one more rule in `rules`, and a test that plants its violation (check.test.ts has one for each).
 *
 * What is not promised, and so not looked for: exactly-once delivery (a lost holder's run is sent again, under the same
 * key), and single log lines of a reporter that repeats a call whose answer it never got.
 */
export interface CheckOptions {
  /** Is everything over, so that a run still under way is a lost one? */
  isFinished: boolean;
  /** The shortest lease of a holder, in milliseconds: taken over earlier, two would have held the run at once. */
  leaseMsOf(holder: string): number;
  /** By how much two instants of the database may be off, because its clock was stepped; 0 if absent. */
  clockSlackMs?: number;
}

export interface Violation {
  rule: keyof typeof rules;
  about: string;
  message: string;
}

interface Facts extends CheckOptions {
  record: PortalRecord;
  seen: Observed;
  deliveriesOf: ReadonlyMap<string, RecordedDelivery[]>;
  runEventsOf: ReadonlyMap<string, RecordedEvent[]>;
}
type Report = (about: string, message: string) => void;

/** Between the claim and its record in the same transaction; a stalled machine makes it long. */
const startSlackMs = 5_000;

export const rules = {
  'no execution lost, doubled or made up'({ record, seen }: Facts, report: Report) {
    const runsOf = groupBy(record.runs, (run) => String(run.inputs.ticket));
    const tickets = new Set<string>();
    for (const { ticket, verdict, runId } of seen.executions) {
      tickets.add(ticket);
      const runs = runsOf.get(ticket) ?? [];
      const ids = runs.map((run) => run.id).join(', ');
      if (verdict === 'accepted' && !runs.some((run) => run.id === runId))
        report(ticket, `execute answered with the run ${runId}, which is not in the record`);
      if (verdict === 'refused' && runs.length > 0)
        report(ticket, `execute refused, and yet the record has the run ${ids}`);
      if (runs.length > 1) report(ticket, `one call to execute made ${runs.length} runs: ${ids}`);
    }
    // What automations start is another checker's matter (automations.ts).
    for (const run of record.runs)
      if (typeof run.eventSeq !== 'number' && !tickets.has(String(run.inputs.ticket)))
        report(run.id, 'nobody executed this run');
  },

  'no run lost'({ record, deliveriesOf, isFinished }: Facts, report: Report) {
    const open = new Set(record.work.map((work) => work.runId));
    for (const run of record.runs) {
      const isOver = isFinal(run.status);
      if (isOver !== (run.endedAt !== null))
        report(run.id, `is ${run.status}, and its end is ${run.endedAt?.toISOString() ?? 'not noted'}`);
      if (isFinished && !isOver) report(run.id, `is still ${run.status} when everything is over`);
      if (isFinished && open.has(run.id)) report(run.id, 'has ended, and is still to be carried out');
      if (run.status !== 'IN_PROGRESS' || open.has(run.id)) continue;
      const last = deliveriesOf.get(run.id)?.findLast((delivery) => !delivery.isReplay);
      const isWithTarget =
        last?.state === 'acknowledged' || (last?.state === 'settled' && last.outcome && isDelivered(last.outcome));
      if (!isWithTarget) report(run.id, `is IN_PROGRESS, nobody can claim it, and no target has it (${last?.state})`);
    }
    const known = new Set(record.runs.map((run) => run.id));
    for (const { runId } of record.work)
      if (!known.has(runId)) report(runId, 'is to be carried out, and does not exist');
  },

  'never two live leases'({ record, deliveriesOf, leaseMsOf, clockSlackMs = 0 }: Facts, report: Report) {
    for (const [runId, deliveries] of deliveriesOf) {
      for (const [index, delivery] of deliveries.entries()) {
        const next = deliveries[index + 1];
        if (delivery.attempt !== index + 1)
          report(runId, `its ${index + 1}. lease has the token ${delivery.attempt}: one was skipped or given twice`);
        if ((delivery.state === 'open') !== (delivery.endedAt === null))
          report(runId, `lease ${delivery.attempt} is ${delivery.state}, and its end is ${delivery.endedAt}`);
        if (!next) continue;
        if (delivery.endedAt === null || delivery.endedAt.getTime() - next.startedAt.getTime() > clockSlackMs)
          report(runId, `lease ${next.attempt} began before lease ${delivery.attempt} ended`);
        const heldMs = next.startedAt.getTime() - delivery.startedAt.getTime();
        const leaseMs = leaseMsOf(delivery.holder);
        if (delivery.state === 'lost' && heldMs < leaseMs - startSlackMs - clockSlackMs)
          report(runId, `lease ${delivery.attempt} was taken from ${delivery.holder} after ${heldMs} of ${leaseMs} ms`);
      }
    }
    const workOf = new Map(record.work.map((work) => [work.runId, work]));
    for (const run of record.runs) {
      const work = workOf.get(run.id);
      const last = deliveriesOf.get(run.id)?.at(-1);
      if (work && work.fence !== (last?.attempt ?? 0))
        report(run.id, `the token of its work is ${work.fence}, the last recorded lease is ${last?.attempt ?? 'none'}`);
      const holder = work?.holder ?? null;
      const recorded = last?.state === 'open' ? last.holder : null;
      if (holder !== recorded) report(run.id, `is held by ${holder}; the record of its leases says ${recorded}`);
    }
  },

  'statuses only forward'({ record, runEventsOf }: Facts, report: Report) {
    const statusOf = new Map(record.runs.map((run) => [run.id, run.status]));
    for (const run of record.runs) {
      const [created, ...later] = runEventsOf.get(run.id) ?? [];
      if (created?.name !== 'run.created') report(run.id, `its first event is ${created?.name ?? 'missing'}`);
      let status = created?.statusAfter ?? null;
      if (status === null || isFinal(status)) report(run.id, `it began as ${status}`);
      for (const event of later) {
        if (event.name === 'run.created') report(run.id, 'it was created twice');
        if (event.statusBefore !== status)
          report(run.id, `${event.name} says that it was ${event.statusBefore}, the event before says ${status}`);
        if (!mayFollow(event.statusBefore, event.statusAfter))
          report(run.id, `${event.name} moved it from ${event.statusBefore} to ${event.statusAfter}`);
        status = event.statusAfter;
      }
      if (status !== run.status) report(run.id, `it is ${run.status}, its last event says ${status}`);
    }
    for (const runId of runEventsOf.keys()) if (!statusOf.has(runId)) report(runId, 'has events, and does not exist');
  },

  'messages only of runs that are under way'({ record }: Facts, report: Report) {
    const statusOf = new Map<string, RunStatus | null>();
    const replayed = new Set<string>();
    for (const { name, runId, statusAfter } of record.events) {
      if (runId === null || !name.startsWith('run.')) continue;
      if (name === 'run.replayed') replayed.add(runId);
      else if (name === 'run.published' && replayed.has(runId)) continue;
      else if (movesRun(name)) statusOf.set(runId, statusAfter);
      else if (name === 'run.published' && statusOf.get(runId) !== 'IN_PROGRESS')
        report(runId, `a message of it was to go out when it was ${statusOf.get(runId) ?? 'not there yet'}`);
    }
  },

  'every attempt recorded'({ seen, deliveriesOf }: Facts, report: Report) {
    const seenAttempts = new Set<string>();
    for (const { runId, attempt } of seen.requests) {
      const name = `${runId}/${attempt}`;
      if (seenAttempts.has(name)) report(name, 'arrived twice: one lease sends once');
      seenAttempts.add(name);
      const delivery = deliveriesOf.get(runId)?.find((candidate) => candidate.attempt === attempt);
      if (!delivery) report(name, 'arrived at the target, and has no record');
      else if (delivery.state === 'returned') report(name, 'arrived, and its lease was returned as unused');
      else if (delivery.outcome && isUnsent(delivery.outcome))
        report(name, `arrived, and is recorded as ${delivery.outcome.kind}`);
    }
  },

  'a recorded answer was given'({ seen, deliveriesOf }: Facts, report: Report) {
    const answers = new Map(seen.requests.map((request) => [`${request.runId}/${request.attempt}`, request.answered]));
    for (const [runId, deliveries] of deliveriesOf) {
      for (const { attempt, state, outcome } of deliveries) {
        const name = `${runId}/${attempt}`;
        if ((state === 'settled') !== (outcome !== null))
          report(name, `is ${state}, outcome: ${outcome?.kind ?? 'none'}`);
        if (outcome?.kind === 'answered' && answers.get(name) !== outcome.statusCode)
          report(name, `is recorded as answered with ${outcome.statusCode}; the target gave ${answers.get(name)}`);
        if (outcome && isDelivered(outcome) && deliveries.some((later) => later.attempt > attempt && !later.isReplay))
          report(name, 'is recorded as delivered, and the run was handed out again');
      }
    }
  },

  'duplicates carry the same key'({ seen }: Facts, report: Report) {
    const ownerOf = new Map<string, string>();
    const keyOf = new Map<string, string>();
    for (const { runId, attempt, idempotencyKey, webhookId } of seen.requests) {
      const name = `${runId}/${attempt}`;
      if (idempotencyKey === '') report(name, 'carries no idempotency key');
      if (webhookId !== idempotencyKey) report(name, `names itself ${webhookId} and ${idempotencyKey}`);
      const first = keyOf.get(runId) ?? idempotencyKey;
      if (first !== idempotencyKey)
        report(name, `carries the key ${idempotencyKey}; earlier attempts carried ${first}`);
      keyOf.set(runId, first);
      const owner = ownerOf.get(idempotencyKey) ?? runId;
      if (owner !== runId) report(name, `carries the key of the run ${owner}`);
      ownerOf.set(idempotencyKey, owner);
    }
  },

  'reports are kept as they were made'({ record, seen, runEventsOf }: Facts, report: Report) {
    const lineCounts = countBy(record.logs, (line) => `${line.runId} ${line.message}`);
    const entityOf = new Map(record.entities.map((entity) => [`${entity.blueprint} ${entity.identifier}`, entity]));
    const creations = groupBy(
      record.events.filter((event) => event.name === 'entity.created'),
      (event) => `${event.blueprint} ${event.entity}`,
    );
    const statusOf = new Map(record.runs.map((run) => [run.id, run.status]));
    const reported = new Set<string>();
    for (const told of seen.reports) {
      const { runId, tries, verdict } = told;
      if (told.kind === 'log') {
        const count = lineCounts.get(`${runId} ${told.message}`) ?? 0;
        if (count < (verdict === 'accepted' ? 1 : 0) || count > (verdict === 'refused' ? 0 : tries))
          report(runId, `the line "${told.message}" is there ${count} times; reported ${tries} times, ${verdict}`);
      } else if (told.kind === 'entity') {
        const name = `${told.blueprint} ${told.identifier}`;
        reported.add(name);
        const entity = entityOf.get(name);
        const made = creations.get(name) ?? [];
        if (entity ? verdict === 'refused' : verdict === 'accepted')
          report(runId, `the entity ${name} is ${entity ? 'there' : 'missing'}; its report was ${verdict}`);
        if (entity && !isDeepStrictEqual(entity.properties, told.properties))
          report(runId, `the entity ${name} is ${JSON.stringify(entity.properties)}, not as reported`);
        if (made.length !== (entity ? 1 : 0)) report(runId, `the entity ${name} has ${made.length} events of creation`);
        const end = runEventsOf.get(runId)?.find(isEnd);
        // What comes after the end of the run is written, and not tied to it.
        const isLate = (event: RecordedEvent) =>
          event.runId === null && end !== undefined && record.events.indexOf(event) > record.events.indexOf(end);
        if (made.some((event) => event.runId !== runId && !isLate(event)))
          report(runId, `the entity ${name} is not tied to its run`);
      } else if (verdict === 'accepted' && statusOf.get(runId) !== told.status)
        report(runId, `its target reported ${told.status}, and it is ${statusOf.get(runId)}`);
      else if (verdict === 'refused' && !runEventsOf.get(runId)?.some(isEnd))
        report(runId, `its target was refused when it reported ${told.status}, and it has not ended`);
    }
    for (const name of entityOf.keys())
      if (!reported.has(name)) report(name, 'is in the catalog, and nobody reported it');
  },
} satisfies Record<string, (facts: Facts, report: Report) => void>;

export function checkRecord(record: PortalRecord, seen: Observed, options: CheckOptions): Violation[] {
  return judge(Object.keys(rules) as (keyof typeof rules)[], record, seen, options);
}

/** What holds of messages too. `record` is from readMessages. */
export function checkMessages(record: PortalRecord, { changes }: Observed, options: CheckOptions): Violation[] {
  const ids = new Set(record.runs.map(({ id }) => id));
  // What an agent read from the broker is no message of ours, and is under no lease.
  const requests = changes.filter(({ runId }) => ids.has(runId));
  return judge(
    [
      'no run lost',
      'never two live leases',
      'every attempt recorded',
      'a recorded answer was given',
      'duplicates carry the same key',
    ],
    record,
    { executions: [], requests, reports: [], changes: [], things: new Map(), retried: new Map(), timers: new Set() },
    options,
  );
}

function judge(
  names: readonly (keyof typeof rules)[],
  record: PortalRecord,
  seen: Observed,
  options: CheckOptions,
): Violation[] {
  const facts: Facts = {
    ...options,
    record,
    seen,
    deliveriesOf: groupBy(record.deliveries, (delivery) => delivery.runId),
    runEventsOf: groupBy(
      record.events.filter(({ runId, name }) => runId !== null && movesRun(name)),
      (event) => event.runId ?? '',
    ),
  };
  const violations: Violation[] = [];
  for (const rule of names) rules[rule](facts, (about, message) => violations.push({ rule, about, message }));
  return violations;
}

/** Figures that say how much was put to the test. */
export function summarize(record: PortalRecord, seen: Observed): Record<string, number> {
  const count = <T>(list: readonly T[], isCounted: (item: T) => boolean) => list.filter(isCounted).length;
  const { runs, deliveries } = record;
  return {
    'runs in the record': runs.length,
    'of these SUCCESS': count(runs, (run) => run.status === 'SUCCESS'),
    'of these FAILURE': count(runs, (run) => run.status === 'FAILURE'),
    'calls to execute without an answer': count(seen.executions, ({ verdict }) => verdict === 'unknown'),
    'leases recorded': deliveries.length,
    'leases lost with their holder': count(deliveries, ({ state }) => state === 'lost'),
    'leases given back unused': count(deliveries, ({ state }) => state === 'returned'),
    'leases of replays': count(deliveries, ({ isReplay }) => isReplay),
    'requests at the target': seen.requests.length,
    'of these duplicates, same key': seen.requests.length - new Set(seen.requests.map(({ runId }) => runId)).size,
    'reports of the target': seen.reports.length,
    'of these told more than once': count(seen.reports, ({ tries }) => tries > 1),
    'events in the record': record.events.length,
  };
}

const isEnd = ({ statusAfter }: RecordedEvent): boolean => statusAfter !== null && isFinal(statusAfter);

/** What goes into Kafka, what is sent once more and what was refused are events of a run too, and move nothing. */
const movesRun = (event: string) =>
  event.startsWith('run.') && !['run.published', 'run.replayed', 'run.refused'].includes(event);

/** May the status stand still, or move so by any event of the status machine? */
function mayFollow(from: RunStatus | null, to: RunStatus | null): boolean {
  if (from === null || to === null) return false;
  return (
    from === to ||
    runEvents.some((event) => {
      const step = transition(from, event);
      return step.kind === 'moves' && step.to === to;
    })
  );
}

function isUnsent(outcome: DeliveryOutcome): boolean {
  return outcome.kind === 'unreachable' || outcome.kind === 'forbidden' || outcome.kind === 'unpreparable';
}

function groupBy<T>(list: readonly T[], keyOf: (item: T) => string): Map<string, T[]> {
  return Map.groupBy(list, keyOf);
}

function countBy<T>(list: readonly T[], keyOf: (item: T) => string): Map<string, number> {
  return new Map([...groupBy(list, keyOf)].map(([key, items]) => [key, items.length]));
}
