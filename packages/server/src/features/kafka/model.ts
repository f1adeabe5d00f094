/** Pure rules of what goes into an organization's topics (spec/actions.md §2.8). */

/** An event, as far as a change-log message shows it. */
export interface Change {
  name: string;
  at: Date;
  actor: Record<string, unknown>;
  origin: string;
  resource: string;
  subject: string;
  blueprint: string | null;
  entity: string | null;
  runId: string | null;
  status: string;
  before: unknown;
  after: unknown;
}

/** Where a blueprint wants its changes: its consumers read them, or an agent carries them to a URL. */
export type ChangeLogDestination = { type: 'KAFKA' } | { type: 'WEBHOOK'; agent: true; url: string };

/** Undefined = not into Kafka. */
export function parseDestination(value: unknown): ChangeLogDestination | undefined {
  const destination = value as { type?: unknown; agent?: unknown; url?: unknown } | null | undefined;
  if (destination?.type === 'KAFKA') return { type: 'KAFKA' };
  if (destination?.type === 'WEBHOOK' && destination.agent === true && typeof destination.url === 'string')
    return { type: 'WEBHOOK', agent: true, url: destination.url };
  return undefined;
}

/** Changes of a blueprint, of its entities, and of the runs of its actions. */
export function isChange(event: Pick<Change, 'name' | 'blueprint'>): boolean {
  return event.blueprint !== null && /^(?:blueprint|entity|run)\.(?:created|updated|deleted)$/.test(event.name);
}

const actions: Readonly<Record<string, string>> = { created: 'CREATE', deleted: 'DELETE' };

/**
 * The destination is only in what agents carry; consumers of their own are not told. Nor does an agent's message name a
 * run: Port's agent would take that run for the one it carries out, write into its log, and end it when the URL fails.
 */
export function changeLogMessage(change: Change, destination: ChangeLogDestination): Record<string, unknown> {
  const isForAgent = destination.type === 'WEBHOOK';
  return {
    action: actions[change.name.split('.')[1] ?? ''] ?? 'UPDATE',
    resourceType: change.resource,
    status: change.status,
    trigger: { by: change.actor, origin: change.origin, at: change.at.toISOString() },
    context: {
      entity: change.entity,
      blueprint: change.blueprint,
      ...(change.runId !== null && !isForAgent ? { runId: change.runId } : {}),
    },
    diff: { before: change.before ?? null, after: change.after ?? null },
    ...(isForAgent ? { changelogDestination: destination } : {}),
  };
}

/** What changes in one thing stays in order: its messages have one key. */
export function changeKey(change: Change): string {
  return `${change.resource}/${change.blueprint ?? ''}/${change.subject}`;
}

/**
 * Consecutive items as groups that one request to the brokers may carry. An item that is larger alone is a group of its own.
 */
export function inChunks<T extends { bytes: number }>(items: readonly T[], maxBytes: number): T[][] {
  const chunks: T[][] = [];
  let size = 0;
  for (const item of items) {
    const last = chunks.at(-1);
    if (last === undefined || size + item.bytes > maxBytes) {
      chunks.push([item]);
      size = item.bytes;
    } else {
      last.push(item);
      size += item.bytes;
    }
  }
  return chunks;
}
