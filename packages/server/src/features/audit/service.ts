import type { AuditRecord } from '@quayside/contracts';
import type { World } from '../../platform/ctx.ts';
import { refuse } from '../../platform/refusal.ts';
import { type AuditFilter, listEvents } from './store.ts';

const mayReadAll = ({ actor }: World): boolean => actor.kind !== 'user' || actor.role === 'Admin';

export function assertReadsAll(world: World): void {
  if (!mayReadAll(world)) refuse('forbidden', 'Only administrators read the whole audit log.');
}

/** `includes` leaves out what the caller does not want to carry; nothing named = everything. */
export async function readAuditLog(
  world: World,
  filter: AuditFilter,
  includes: readonly string[] | undefined,
): Promise<Partial<AuditRecord>[]> {
  const readsAll = mayReadAll(world);
  if (!readsAll && filter.identifier === undefined && filter.entity === undefined && filter.runId === undefined)
    refuse('forbidden', 'Only administrators read the whole audit log; name an identifier, entity or run_id.');
  const records = await world.transaction((ctx) =>
    listEvents(ctx.db, ctx.orgId, { ...filter, ...(readsAll ? {} : { visibleTo: world.actor.id }) }),
  );
  if (!includes) return records;
  return records.map(
    (record) =>
      Object.fromEntries(Object.entries(record).filter(([key]) => includes.includes(key))) as Partial<AuditRecord>,
  );
}
