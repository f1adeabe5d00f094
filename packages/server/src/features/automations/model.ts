import {
  type Action,
  type AutomationTrigger,
  type ConditionResult,
  type EvaluationOutcome,
  type EventName,
  recordIdentifier,
} from '@quayside/contracts';
import { evaluateOutcome, type Json } from '@quayside/expressions';

/** Pure rules of automations (spec/actions.md §1.10, §4): which events concern one, what it sees of them, whether it fires. */

/** An event, as far as automations look at it. */
export interface Happening {
  cursor: { seq: number };
  name: EventName;
  at: Date;
  actor: Record<string, unknown>;
  origin: string;
  blueprint: string | null;
  entity: string | null;
  property: string | null;
  runId: string | null;
  before: unknown;
  after: unknown;
}
type Head = Omit<Happening, 'before' | 'after'>;

const listensTo: Readonly<Record<string, readonly EventName[]>> = {
  ENTITY_CREATED: ['entity.created'],
  ENTITY_UPDATED: ['entity.updated'],
  ENTITY_DELETED: ['entity.deleted'],
  TIMER_PROPERTY_EXPIRED: ['entity.timer_expired'],
  ANY_ENTITY_CHANGE: ['entity.created', 'entity.updated', 'entity.deleted'],
  RUN_CREATED: ['run.created'],
  RUN_UPDATED: ['run.updated'],
  ANY_RUN_CHANGE: ['run.created', 'run.updated'],
};

/** The automations of an organization, by what they listen to. */
export interface Listening {
  readonly isEmpty: boolean;
  /** Is there any that may be concerned? What the event says is not read otherwise. */
  mayConcern(head: Head): boolean;
  /** In the order in which they were created. */
  concernedBy(event: Happening): Action[];
}

const triggerOf = (action: Action) => action.trigger as AutomationTrigger;

export function listen(automations: readonly Action[]): Listening {
  const byKey = new Map<string, { action: Action; bornAt: number }[]>();
  const runNames = new Set<string>();
  const add = (key: string, action: Action) =>
    byKey.set(key, [...(byKey.get(key) ?? []), { action, bornAt: Date.parse(action.createdAt) }]);
  for (const action of automations) {
    const { event } = triggerOf(action);
    for (const name of listensTo[event.type] ?? []) {
      if ('actionIdentifier' in event) {
        runNames.add(name);
        add(`${name} ${event.actionIdentifier}`, action);
      } else add(`${name} ${event.blueprintIdentifier}`, action);
    }
  }
  const keyOf = (event: Happening) => `${event.name} ${isEntityEvent(event) ? event.blueprint : actionOf(event)}`;
  return {
    isEmpty: automations.length === 0,
    mayConcern: (head) => runNames.has(head.name) || byKey.has(`${head.name} ${head.blueprint}`),
    // An automation is not concerned by what happened before it was there.
    concernedBy: (event) =>
      (byKey.get(keyOf(event)) ?? [])
        .filter(({ action, bornAt }) => bornAt <= event.at.getTime() && isAboutProperty(action, event.property))
        .map(({ action }) => action),
  };
}

function isAboutProperty(action: Action, property: string | null): boolean {
  const { event } = triggerOf(action);
  return !('propertyIdentifier' in event) || event.propertyIdentifier === property;
}

const isEntityEvent = (event: Pick<Happening, 'name'>) => event.name.startsWith('entity.');

/** The action that the run of this event is of. */
export function actionOf(event: Happening): string | undefined {
  return ((event.after ?? event.before) as { action?: { identifier?: string } } | null)?.action?.identifier;
}

const verbs: Readonly<Record<string, string>> = {
  created: 'CREATE',
  updated: 'UPDATE',
  deleted: 'DELETE',
  timer_expired: 'TIMER_EXPIRED',
};

/** What conditions see as `.`, and templates as `.event` (§4.2). `action` = the document of the action that the run is of. */
export function eventObject(event: Happening, action: Action | undefined): Record<string, unknown> {
  const [resource, verb] = event.name.split('.') as [string, string];
  const about = {
    action: verbs[verb] ?? 'UPDATE',
    resourceType: resource,
    trigger: { by: event.actor, origin: event.origin, at: event.at.toISOString() },
  };
  const diff = { before: event.before ?? null, after: event.after ?? null };
  if (resource === 'run')
    return {
      id: recordIdentifier(event.cursor.seq),
      ...about,
      context: { action: action ?? (event.after as { action?: unknown } | null)?.action ?? null },
      diff,
    };
  return {
    ...about,
    context: {
      blueprintIdentifier: event.blueprint,
      entityIdentifier: event.entity,
      propertyIdentifier: event.property,
    },
    // A timer changes nothing: there is no before.
    diff: event.property === null ? diff : { after: diff.after },
  };
}

/** For the record of an evaluation. */
function eventSummary(event: Happening): Record<string, unknown> {
  return {
    id: recordIdentifier(event.cursor.seq),
    name: event.name,
    at: event.at.toISOString(),
    origin: event.origin,
    ...(event.blueprint === null ? {} : { blueprint: event.blueprint }),
    ...(event.entity === null ? {} : { entity: event.entity }),
    ...(event.property === null ? {} : { property: event.property }),
    ...(event.runId === null ? {} : { runId: event.runId }),
  };
}

/**
 * For each condition. It is to look at one event, and many thousands are looked at in a second on the thread that serves
 * requests: 100,000 steps take some 15 ms, and end the condition with an error.
 */
const conditionBudget = { steps: 100_000, memoryBytes: 4 * 1024 * 1024, outputBytes: 64 * 1024, regexSteps: 200_000 };

export interface Judgement {
  isMet: boolean;
  because: string;
  conditions: ConditionResult[];
}

/** Only exactly `true` counts, errors count as false; no conditions = met (§4.3). All are evaluated, so that the record is whole. */
export function judge(action: Action, event: Record<string, unknown>): Judgement {
  const { condition } = triggerOf(action);
  const expressions = condition?.expressions ?? [];
  if (expressions.length === 0) return { isMet: true, because: 'it has no conditions', conditions: [] };
  const conditions = expressions.map((expression): ConditionResult => {
    const outcome = evaluateOutcome(expression, event as unknown as Json, { budget: conditionBudget });
    return outcome.ok
      ? { expression, value: outcome.value ?? null }
      : { expression, error: outcome.error.message.slice(0, 500) };
  });
  return { ...explain(conditions, condition?.combinator === 'or'), conditions };
}

function explain(conditions: readonly ConditionResult[], isAny: boolean): Omit<Judgement, 'conditions'> {
  const failed = conditions.filter((result) => result.error !== undefined).length;
  const failures = failed > 0 ? `; ${failed} of ${conditions.length} failed` : '';
  if (isAny) {
    const index = conditions.findIndex(isTrue);
    if (index >= 0) return { isMet: true, because: `condition ${index + 1} is true` };
    return { isMet: false, because: `no condition is true${failures}` };
  }
  const index = conditions.findIndex((result) => !isTrue(result));
  if (index < 0) return { isMet: true, because: 'every condition is true' };
  const verb = conditions[index]?.error === undefined ? 'is not true' : 'failed';
  return { isMet: false, because: `condition ${index + 1} ${verb}` };
}

const isTrue = (result: ConditionResult): boolean => result.value === true;

/** As the history shows them. */
function shortened(condition: ConditionResult): ConditionResult {
  return condition.error === undefined ? { ...condition, value: shortenedValue(condition.value) } : condition;
}

function shortenedValue(value: unknown): unknown {
  const text = JSON.stringify(value) ?? 'null';
  return text.length <= 300 ? value : `${text.slice(0, 300)}…`;
}

/**
 * Automations that set each other off are stopped by the length of the chain (§4.6), and by its size: one that is set off by
 * both the beginning and the end of its own runs would double at each step.
 */
const maxDepth = 25;
export const maxChainRuns = 1_000;

export type Guard =
  | { kind: 'open' }
  /** A run is made, and ends at once with the reason: so it is found among the runs. */
  | { kind: 'fails'; problem: string }
  /** That was said already. */
  | { kind: 'blocked'; because: string };

/** `chainRuns` = runs that the chain's first event has caused so far. */
export function guardAgainstLoops(depth: number, chainRuns: number): Guard {
  const advice = 'Automations that set each other off, or themselves, have to come to an end: narrow the conditions.';
  const problem =
    depth >= maxDepth
      ? `Not carried out: it would be automation ${depth + 1} in a row, and ${maxDepth} are allowed. ${advice}`
      : `Not carried out: one event has set off ${maxChainRuns} runs of automations by now. ${advice}`;
  if (depth > maxDepth || chainRuns > maxChainRuns) return { kind: 'blocked', because: problem };
  if (depth === maxDepth || chainRuns === maxChainRuns) return { kind: 'fails', problem };
  return { kind: 'open' };
}

/** One evaluation. `runId` = the run that came of it. */
export interface Evaluated {
  action: Action;
  event: Happening;
  judgement: Judgement;
  outcome: EvaluationOutcome;
  /** Where the conditions were met and something else decided. */
  because?: string;
  runId: string | null;
}

/** One line of the history. */
export interface EvaluationRecord {
  actionId: string;
  outcome: EvaluationOutcome;
  because: string;
  conditions: ConditionResult[];
  eventSeq: number;
  event: Record<string, unknown>;
  runId: string | null;
}

export type Counts = Readonly<Record<EvaluationOutcome, number>>;

/**
 * What a batch came to: everything is counted, and of the lines of the history are kept all that did something, and the last
 * few of each automation that did nothing (docs/adr/0026). So neither memory nor history grow with the number of events, and
 * an evaluation that is not kept is never written out.
 */
export interface Tally {
  add(evaluated: Evaluated): void;
  /** By the automation's id. */
  readonly counts: ReadonlyMap<string, Counts>;
  /** In the order in which they were added. */
  kept(): EvaluationRecord[];
}

const quietKept = 5;

export function createTally(): Tally {
  const counts = new Map<string, Record<EvaluationOutcome, number>>();
  const loud: Numbered[] = [];
  const quiet = new Map<string, Numbered[]>();
  let added = 0;
  return {
    counts,
    add(evaluated) {
      const { id } = evaluated.action;
      const count = counts.get(id) ?? { fired: 0, not_fired: 0, failed: 0, blocked: 0 };
      count[evaluated.outcome] += 1;
      counts.set(id, count);
      const numbered = { number: added++, evaluated };
      if (evaluated.outcome !== 'not_fired') return void loud.push(numbered);
      const last = quiet.get(id) ?? [];
      last.push(numbered);
      if (last.length > quietKept) last.shift();
      quiet.set(id, last);
    },
    kept: () =>
      [...loud, ...[...quiet.values()].flat()]
        .sort((one, other) => one.number - other.number)
        .map(({ evaluated }) => toRecord(evaluated)),
  };
}

interface Numbered {
  number: number;
  evaluated: Evaluated;
}

function toRecord({ action, event, judgement, outcome, because, runId }: Evaluated): EvaluationRecord {
  return {
    actionId: action.id,
    outcome,
    because: because ?? judgement.because,
    conditions: judgement.conditions.map(shortened),
    eventSeq: event.cursor.seq,
    event: eventSummary(event),
    runId,
  };
}
