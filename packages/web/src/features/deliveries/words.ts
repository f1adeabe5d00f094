import type { Delivery, LedgerEntry, Replay, SubjectKind, WhyDelivery } from '@quayside/contracts';

/** What people call it. */
export const kindWords: Readonly<Record<SubjectKind, string>> = {
  run: 'Run',
  approval: 'Approval request',
  change: 'Change log',
  dead_letter: 'Dead-letter alert',
};

export const stateWords: Readonly<Record<Delivery['state'], string>> = {
  open: 'Being sent',
  settled: 'Recorded',
  lost: 'Holder lost',
  acknowledged: 'Taken for good',
  returned: 'Given back',
};

export const whyWords: Readonly<Record<WhyDelivery['state'], string>> = {
  delivered: 'Delivered',
  under_way: 'Being sent',
  waiting: 'Waiting for the next attempt',
  given_up: 'Given up',
  taken: 'Taken for good',
  ended: 'Ended',
};

export type Tone = 'go' | 'stop' | 'busy' | 'calm';

/** One word for what came of an attempt. */
export function verdictOf(entry: Pick<LedgerEntry, 'state' | 'isDead' | 'isDelivered'>): { word: string; tone: Tone } {
  if (entry.isDead) return { word: 'Dead letter', tone: 'stop' };
  if (entry.isDelivered === true) return { word: 'Delivered', tone: 'go' };
  if (entry.isDelivered === false) return { word: 'Failed', tone: 'stop' };
  return {
    word: stateWords[entry.state],
    tone: entry.state === 'open' ? 'busy' : entry.state === 'lost' ? 'stop' : 'calm',
  };
}

type Request = NonNullable<Delivery['request']>;

/** A request as a receiver would print it. */
export function requestText({ method, url, headers = {}, body, isBodyTruncated }: Request): string {
  return join(`${method} ${url}`, headers, body, isBodyTruncated);
}

export function answerText(outcome: Extract<Delivery['outcome'], { kind: 'answered' }>): string {
  return join(String(outcome.statusCode), outcome.headers, outcome.body, outcome.isBodyTruncated);
}

function join(
  first: string,
  headers: Readonly<Record<string, string>>,
  body: string | undefined,
  isTruncated: boolean | undefined,
): string {
  const lines = [first, ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`)];
  if (body) lines.push('', indented(body));
  if (isTruncated) lines.push('… (only the beginning is kept)');
  return lines.join('\n');
}

/** JSON is read more easily with lines; whatever is none stays as it was sent. */
function indented(body: string): string {
  try {
    return JSON.stringify(JSON.parse(body), null, 2);
  } catch {
    return body;
  }
}

/** Agents that name themselves get another process id with each start; what stays is the machine. */
export function holderOfAgent(id: string): string {
  return id.replace(/-\d+$/, '-*');
}

/** `datetime-local` speaks local time without a zone; addresses and the API speak instants. */
export function toLocal(instant: string | undefined): string {
  if (instant === undefined) return '';
  const date = new Date(instant);
  return new Date(date.getTime() - date.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}
export function fromLocal(local: string): string | undefined {
  const date = new Date(local);
  return Number.isNaN(date.getTime()) ? undefined : date.toISOString();
}

/** What was asked for: the filter in words. */
export function replayTitle({ filter }: Pick<Replay, 'filter'>): string {
  const { subject, ...parts } = filter as Record<string, unknown>;
  if (typeof subject === 'string') return `Replay of ${subject}`;
  const named = Object.entries(parts).map(([name, value]) => (value === true ? name : `${name} ${String(value)}`));
  return `Replay of all with ${named.join(', ')}`;
}

const stateOf = { running: 'Going on', done: 'Done', cancelled: 'Cancelled' } as const;

/** How far it has come: what has ended, of what there was. */
export function progressOf(replay: Replay): { percent: number; text: string } {
  const { delivered, failed, skipped, open, total } = replay;
  const over = delivered + failed + skipped;
  const parts = [
    `${delivered.toLocaleString()} delivered`,
    ...(failed > 0 ? [`${failed.toLocaleString()} failed`] : []),
    ...(skipped > 0 ? [`${skipped.toLocaleString()} skipped`] : []),
    ...(open > 0 ? [`${open.toLocaleString()} under way`] : []),
  ];
  const said = `${stateOf[replay.state]}: ${parts.join(', ')}`;
  if (total === undefined) {
    const percent = replay.state === 'done' ? 100 : 100 * replay.searched * (over / Math.max(1, over + open));
    const searched =
      replay.state === 'running' ? `; ${Math.floor(100 * replay.searched)} % of the ledger looked through` : '';
    return { percent, text: `${said}${searched}.` };
  }
  const percent = replay.state === 'done' || total === 0 ? 100 : (100 * over) / Math.max(over + open, total);
  return { percent, text: `${said}, of ${total.toLocaleString()}.` };
}
