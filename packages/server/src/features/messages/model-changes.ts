/** Pure rules of the change log (spec/actions.md §2.8.3): what is a change, where it goes, what it says. */

/** An event, as far as a change-log message shows it. */
export interface Change {
  /** Of one thing, grows with each change. */
  cursor: { seq: number };
  name: string;
  at: Date;
  actor: Record<string, unknown>;
  origin: string;
  resource: string;
  subject: string;
  blueprint: string | null;
  entity: string | null;
  /** The timer that has expired; null = something changed. */
  property: string | null;
  runId: string | null;
  status: string;
  before: unknown;
  after: unknown;
}

/** Where a blueprint wants its changes: its consumers read them, an agent carries them to a URL, or the portal does. */
export type ChangeLogDestination = { type: 'KAFKA' } | { type: 'WEBHOOK'; agent: boolean; url: string };

/** Undefined = nowhere. */
function parseDestination(value: unknown): ChangeLogDestination | undefined {
  const destination = value as { type?: unknown; agent?: unknown; url?: unknown } | null | undefined;
  if (destination?.type === 'KAFKA') return { type: 'KAFKA' };
  if (destination?.type === 'WEBHOOK' && typeof destination.url === 'string')
    return { type: 'WEBHOOK', agent: destination.agent === true, url: destination.url };
  return undefined;
}

function destinationOf(blueprint: unknown): ChangeLogDestination | undefined {
  return parseDestination((blueprint as { changelogDestination?: unknown } | undefined)?.changelogDestination);
}

/** Changes of a blueprint, of its entities, and of the runs of its actions. */
function isChange(event: Pick<Change, 'name' | 'blueprint'>): boolean {
  return (
    event.blueprint !== null && /^(?:blueprint|entity|run)\.(?:created|updated|deleted|timer_expired)$/.test(event.name)
  );
}

/** Where the events of one read go, with every blueprint asked for once. */
export interface Destinations {
  of(event: Change): Promise<ChangeLogDestination | undefined>;
  /** False = it goes nowhere, whatever it says. */
  mayHave(event: Pick<Change, 'name' | 'blueprint'>): Promise<boolean>;
}

export function createDestinations(findBlueprint: (identifier: string) => Promise<unknown>): Destinations {
  const known = new Map<string, ChangeLogDestination | undefined>();
  const ofBlueprint = async (identifier: string) => {
    if (!known.has(identifier)) known.set(identifier, destinationOf(await findBlueprint(identifier)));
    return known.get(identifier);
  };
  // The last message of a blueprint is that of its end, and goes where it said itself.
  const isEnd = ({ name }: Pick<Change, 'name'>) => name === 'blueprint.deleted';
  return {
    async of(event) {
      if (!isChange(event)) return undefined;
      return (await ofBlueprint(event.blueprint ?? '')) ?? (isEnd(event) ? destinationOf(event.before) : undefined);
    },
    async mayHave(event) {
      if (!isChange(event)) return false;
      return isEnd(event) || (await ofBlueprint(event.blueprint ?? '')) !== undefined;
    },
  };
}

const actions: Readonly<Record<string, string>> = { created: 'CREATE', deleted: 'DELETE' };

/**
 * `sequence` puts the changes of one thing in order, however they arrive (docs/adr/0039).
 * The destination is only in what agents carry; consumers of their own are not told. Nor does an agent's message name a
 * run: Port's agent would take that run for the one it carries out, write into its log, and end it when the URL fails.
 */
export function changeLogMessage(change: Change, destination: ChangeLogDestination): Record<string, unknown> {
  const isForAgent = destination.type === 'WEBHOOK' && destination.agent;
  const embedded = isForAgent ? { changelogDestination: destination } : {};
  if (change.property !== null) return { ...timerMessage(change, change.property), ...embedded };
  return {
    action: actions[change.name.split('.')[1] ?? ''] ?? 'UPDATE',
    sequence: change.cursor.seq,
    resourceType: change.resource,
    status: change.status,
    trigger: { by: change.actor, origin: change.origin, at: change.at.toISOString() },
    context: {
      entity: change.entity,
      blueprint: change.blueprint,
      ...(change.runId !== null && !isForAgent ? { runId: change.runId } : {}),
    },
    diff: { before: change.before ?? null, after: change.after ?? null },
    ...embedded,
  };
}

/** A timer changes nothing, nobody expired it, and it happened when the timer said. */
function timerMessage(change: Change, property: string): Record<string, unknown> {
  const { properties } = change.after as { properties: Record<string, unknown> };
  return {
    action: 'TIMER_EXPIRED',
    sequence: change.cursor.seq,
    resourceType: change.resource,
    status: change.status,
    trigger: { by: { byPort: true, orgId: change.actor.orgId }, origin: 'API', at: properties[property] },
    context: { entity: change.entity, blueprint: change.blueprint, property },
  };
}

/** What changes in one thing stays in order: its messages have one key. */
export function changeKey(change: Change): string {
  return `${change.resource}/${change.blueprint ?? ''}/${change.subject}`;
}
