import {
  type deliveryRoutes,
  describeOutcome,
  isDelivered,
  type LedgerEntry,
  maxDeliveryAttempts,
  maxMessageAttempts,
  type QueryOf,
  type SubjectDeliveries,
} from '@quayside/contracts';
import type { World } from '../../platform/ctx.ts';
import { refuse, refuseMissing } from '../../platform/refusal.ts';
import { whyDelivery } from './model.ts';
import * as store from './store.ts';

/** The filter as it is asked for. */
export type AskedFilter = Omit<QueryOf<typeof deliveryRoutes.list>, 'limit' | 'after'>;

export function toFilter({ run_id: runId, from, to, ...same }: AskedFilter): Omit<store.LedgerFilter, 'visibleTo'> {
  return {
    ...same,
    ...(runId === undefined ? {} : { runId }),
    ...(from === undefined ? {} : { from: new Date(from) }),
    ...(to === undefined ? {} : { to: new Date(to) }),
  };
}

/** The ledger as people read it. Members see the deliveries of the runs that they may see; administrators and credentials all. */
export async function listLedger(
  world: World,
  asked: AskedFilter,
  page: { limit: number; after?: string | undefined },
): Promise<{ deliveries: LedgerEntry[]; next?: string; searchedTo?: string }> {
  const after = page.after === undefined ? undefined : parseCursor(page.after);
  const { rows, stop } = await world.transaction((ctx) =>
    store.listLedger(ctx.db, ctx.orgId, { ...toFilter(asked), ...visibility(world) }, { limit: page.limit + 1, after }),
  );
  const deliveries = rows.slice(0, page.limit);
  const last = rows.length > page.limit ? deliveries.at(-1) : stop;
  return {
    deliveries: deliveries.map(toEntry),
    ...(last ? { next: toCursor({ startedAt: last.cursor_at, subject: last.subject, attempt: last.attempt }) } : {}),
    ...(stop ? { searchedTo: new Date(stop.cursor_at).toISOString() } : {}),
  };
}

export async function readSubject(world: World, subject: string): Promise<SubjectDeliveries> {
  return world.transaction(async (ctx) => {
    const about =
      (await store.findSubject(ctx.db, ctx.orgId, subject, visibility(world))) ?? refuseMissing('Delivery', subject);
    const attempts = await store.listDeliveriesOf(ctx.db, ctx.orgId, subject);
    const work = await store.findOpenWork(ctx.db, ctx.orgId, subject);
    const { isSynchronized } = about;
    const maxAttempts = about.kind === 'run' ? maxDeliveryAttempts : maxMessageAttempts;
    return {
      subject,
      ...toAbout(about),
      attempts,
      why: whyDelivery(attempts, work, { maxAttempts, isSynchronized }, ctx.now()),
    };
  });
}

function visibility({ actor }: World): { visibleTo?: string } {
  return actor.kind === 'user' && actor.role !== 'Admin' ? { visibleTo: actor.id } : {};
}

function toAbout(row: Pick<store.SubjectRow, 'kind' | 'run_id' | 'action' | 'blueprint' | 'entity'>) {
  return {
    kind: row.kind,
    ...(row.run_id === null ? {} : { runId: row.run_id }),
    ...(row.action === null ? {} : { action: row.action }),
    ...(row.blueprint === null ? {} : { blueprint: row.blueprint }),
    ...(row.entity === null ? {} : { entity: row.entity }),
  };
}

const sentences = {
  open: 'It is being sent.',
  settled: 'Nothing is known of its outcome.',
  lost: 'Its holder went silent; what came of it is not known.',
  acknowledged: 'Its holder took it for good.',
  returned: 'It was given back unused.',
} as const;

function toEntry(row: store.LedgerRow): LedgerEntry {
  const { outcome } = row;
  return {
    subject: row.subject,
    ...toAbout(row),
    attempt: row.attempt,
    holder: row.holder,
    state: row.state,
    startedAt: row.started_at.toISOString(),
    ...(row.ended_at ? { endedAt: row.ended_at.toISOString() } : {}),
    ...(row.is_dead ? { isDead: true } : {}),
    ...(row.replay_id ? { replayId: row.replay_id } : {}),
    ...(row.request?.url ? { request: row.request } : {}),
    ...(outcome ? { isDelivered: isDelivered(outcome) } : {}),
    text: outcome ? `The target ${describeOutcome(outcome)}.` : sentences[row.state],
  };
}

export function toCursor(cursor: store.LedgerCursor): string {
  return Buffer.from(JSON.stringify(Object.values(cursor))).toString('base64url');
}

export function parseCursor(text: string): store.LedgerCursor {
  try {
    const [startedAt, subject, attempt] = JSON.parse(Buffer.from(text, 'base64url').toString()) as unknown[];
    if (
      typeof startedAt === 'string' &&
      /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/.test(startedAt) &&
      !Number.isNaN(Date.parse(startedAt)) &&
      typeof subject === 'string' &&
      Number.isInteger(attempt)
    )
      return { startedAt, subject, attempt: attempt as number };
  } catch {
    // Refused below.
  }
  return refuse('invalid_request', 'query.after must be `next` of the page before.');
}
