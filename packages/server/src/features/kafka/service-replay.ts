import type { Ctx } from '../../platform/ctx.ts';
import { readBodies } from '../../platform/event-reader.ts';
import { type Again, hasWork, park } from '../../platform/leases.ts';
import { publicationQueue } from '../deliveries/index.ts';

/** A change goes to its consumers once more: the publisher reads the event of the replay. */
export async function replayChange(
  ctx: Ctx,
  subject: string,
  again: Again,
  by: string,
): Promise<'handed_over' | 'under_way' | 'gone'> {
  const seq = Number(subject.slice(2));
  if ((await readBodies(ctx.db, ctx.orgId, [seq])).size === 0) return 'gone';
  if (await hasWork(ctx.db, ctx.orgId, subject)) return 'under_way';
  await park(ctx.db, { orgId: ctx.orgId, queue: publicationQueue, key: subject, again });
  await ctx.emit({ name: 'change.replayed', subject, after: { replay: again.replayId, by } });
  return 'handed_over';
}
