import type { SystemStatus } from '@quayside/contracts';

/** What waits this long is worth a look; the same as in the alarms of docs/operations.md. */
const lateSeconds = 60;

export interface Finding {
  what: string;
  remedy: string;
}

const queueNames: Readonly<Record<string, string>> = {
  agent: 'Runs for agents',
  'agent-message': 'Changes for agents',
  server: 'Runs that the portal delivers',
  message: 'Notifications, changes and alerts',
  timers: 'Timers',
  github: 'GitHub workflows that are watched',
  kafka: 'Runs that are in Kafka',
  integration: 'Runs for integrations',
  replay: 'Replays',
  retention: 'Removal of what is old',
};

export function queueName(queue: string): string {
  return queueNames[queue.split(':')[0] ?? ''] ?? queue;
}

const readerNames: Readonly<Record<string, string>> = {
  automations: 'Automations',
  changes: 'Change log',
  timers: 'Timers',
  audit: 'Audit seals',
  kafka: 'Kafka',
};

export const readerName = (reader: string): string => readerNames[reader] ?? reader;

const remedyOf: Readonly<Record<string, string>> = {
  agent:
    'Connect another agent, or look why those that are connected do not take them: the page of the oldest run says it.',
  'agent-message': 'Connect an agent: changes with an agent as their way wait for one.',
  server: 'Look at the deliveries in progress: targets may be slow. A second server shares the work.',
  message: 'Look at the deliveries of messages: their targets may be slow or away.',
};

/** What an operator should look at, in words; empty = nothing. */
export function findTrouble(status: SystemStatus): Finding[] {
  const late = status.queues.filter(({ oldestDueSeconds }) => (oldestDueSeconds ?? 0) > lateSeconds);
  const { connections, maxConnections } = status.database;
  return [
    ...late.map(({ queue, due, oldestDueSeconds }) => ({
      what: `${queueName(queue)}: ${due} wait, the oldest for ${words(oldestDueSeconds ?? 0)}.`,
      remedy: remedyOf[queue.split(':')[0] ?? ''] ?? 'The log of the servers says what keeps them.',
    })),
    ...status.readers
      .filter(({ lagSeconds }) => lagSeconds > lateSeconds)
      .map(({ reader, behind, lagSeconds, holder }) => ({
        what: `${readerName(reader)}: ${behind} events behind, the oldest for ${words(lagSeconds)}.`,
        remedy:
          holder === null
            ? 'No server holds this reader. One takes it within seconds; when none does, look into their logs.'
            : `${holder} holds it; its log says what is tried again. Nothing is lost meanwhile.`,
      })),
    ...(status.deadLetters.lastDay > 0
      ? [
          {
            what: `${status.deadLetters.lastDay} deliveries were given up in the last day.`,
            remedy: 'The page of deliveries says why, and replays them once their targets are well.',
          },
        ]
      : []),
    ...(connections > 0.9 * maxConnections
      ? [
          {
            what: `${connections} of ${maxConnections} database connections are in use.`,
            remedy: 'Raise max_connections, or lower QUAYSIDE_DATABASE_CONNECTIONS of the servers.',
          },
        ]
      : []),
  ];
}

/** `agent-1 (3), server host 12 (1), others (2)`. */
export function holdersInWords(holders: SystemStatus['queues'][number]['holders'], leased: number): string {
  const others = leased - holders.reduce((sum, { leases }) => sum + leases, 0);
  const named = holders.map(({ holder, leases }) => `${holder} (${leases})`);
  return [...named, ...(others > 0 ? [`others (${others})`] : [])].join(', ');
}

export function words(seconds: number): string {
  if (seconds < 90) return `${Math.round(seconds)} s`;
  if (seconds < 5_400) return `${Math.round(seconds / 60)} min`;
  return `${Math.round(seconds / 3_600)} h`;
}

const units = ['B', 'KB', 'MB', 'GB', 'TB'];
export function bytesInWords(bytes: number): string {
  const power = Math.min(units.length - 1, Math.floor(Math.log10(Math.max(1, bytes)) / 3));
  const value = bytes / 1_000 ** power;
  return `${value < 10 && power > 0 ? value.toFixed(1) : Math.round(value)} ${units[power]}`;
}
