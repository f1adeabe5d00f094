import type { ErrorDetail } from '@quayside/contracts';
import type { Ctx, World } from '../../platform/ctx.ts';
import { beginAgain, isDeadlock } from '../../platform/db.ts';
import { newId } from '../../platform/ids.ts';
import { refuse, refuseMissing } from '../../platform/refusal.ts';
import { getBlueprint, listBlueprints, type StoredBlueprint } from '../blueprints/index.ts';
import type { Tie, TieTo } from './service-ties.ts';
import { assertManagesPeople, type Twins } from './service-twins.ts';
import * as store from './store.ts';

/** Removing entities: one, one with those that need it, or all of a blueprint. */

/** Deletes an empty blueprint. Given by app.ts, as a feature writes only what it owns. */
export type DeleteBlueprint = (ctx: Ctx, identifier: string) => Promise<void>;

/** Entities that are read and deleted in one step of a removal. */
const removalBatch = 500;

export function createRemoval(dependencies: { tieTo: TieTo; deleteBlueprint: DeleteBlueprint; twins: Twins }) {
  const { tieTo, deleteBlueprint, twins } = dependencies;

  async function remove(
    world: World,
    blueprintIdentifier: string,
    identifier: string,
    flags: { delete_dependents?: boolean; run_id?: string },
  ): Promise<void> {
    await world.transaction(async (ctx) => {
      const blueprint = await getBlueprint(ctx, blueprintIdentifier);
      const tie = await tieTo(ctx, flags.run_id);
      await removeOne(ctx, blueprint, identifier, flags.delete_dependents ?? false, tie);
    });
  }

  async function removeOne(
    ctx: Ctx,
    blueprint: StoredBlueprint,
    identifier: string,
    withDependents: boolean,
    tie: Tie,
  ): Promise<void> {
    const before = await store.lockEntity(ctx.db, ctx.orgId, blueprint.rowId, identifier, store.toRemove);
    if (!before) refuseMissing('Entity', identifier);
    const dependents: ErrorDetail[] = [];
    for (const pointing of await store.listPointing(ctx.db, ctx.orgId, before.rowId)) {
      const owner = await getBlueprint(ctx, pointing.blueprint);
      // Optional relations are cleared with the row; only a required one makes a dependent.
      if (!owner.relations?.[pointing.relation]?.required) continue;
      if (withDependents) await removeOne(ctx, owner, pointing.identifier, true, tie);
      else
        dependents.push({
          path: `${pointing.blueprint}/${pointing.identifier}`,
          message: `needs it through the relation "${pointing.relation}".`,
        });
    }
    if (dependents.length > 0)
      refuse(
        'has_dependents',
        `The entity "${identifier}" has_dependents: ${dependents.length} entities need it. Delete them first, or pass delete_dependents=true.`,
        dependents.slice(0, 20),
      );
    const kind = twins[blueprint.identifier];
    if (kind) {
      assertManagesPeople(ctx, blueprint.identifier);
      await kind.remove(ctx, identifier);
    } else await store.deleteEntity(ctx.db, ctx.orgId, before.rowId);
    await ctx.emit({
      name: 'entity.deleted',
      subject: identifier,
      blueprint: blueprint.identifier,
      entity: identifier,
      ...tie,
      before: store.toEntity(before, blueprint),
    });
  }

  /**
   * In one transaction, whatever the number: no reader sees half of it, and the record that clients poll is complete from
   * the start. Each entity has its event, so the cost grows with their number.
   */
  async function removeAll(
    world: World,
    blueprintIdentifier: string,
    flags: { delete_blueprint?: boolean; run_id?: string },
  ): Promise<string> {
    return world.transaction(async (ctx) => {
      const blueprint = await getBlueprint(ctx, blueprintIdentifier);
      if (twins[blueprintIdentifier])
        refuse('forbidden', `The entities of ${blueprintIdentifier} stand for people. Delete them one by one.`);
      const tie = await tieTo(ctx, flags.run_id);
      const needing = (await listBlueprints(ctx)).filter(
        (other) =>
          other.rowId !== blueprint.rowId &&
          Object.values(other.relations ?? {}).some(
            (relation) => relation.target === blueprintIdentifier && relation.required,
          ),
      );
      if (needing.length > 0)
        refuse(
          'has_dependents',
          `The blueprint "${blueprintIdentifier}" has_dependents: required relations of ${needing.map((other) => `"${other.identifier}"`).join(', ')} point at it.`,
        );
      let successCount = 0;
      for (;;) {
        const batch = await store.listSomeEntities(ctx.db, ctx.orgId, blueprint.rowId, removalBatch);
        for (const before of batch)
          await ctx.emit({
            name: 'entity.deleted',
            subject: before.identifier,
            blueprint: blueprint.identifier,
            entity: before.identifier,
            ...tie,
            before: store.toEntity(before, blueprint),
          });
        await store.deleteEntities(
          ctx.db,
          ctx.orgId,
          batch.map((entity) => entity.rowId),
        );
        successCount += batch.length;
        if (batch.length < removalBatch) break;
      }
      if (flags.delete_blueprint) await deleteBlueprint(ctx, blueprintIdentifier);
      const id = newId('migration');
      await store.insertMigration(ctx.db, ctx.orgId, {
        id,
        actor: ctx.actor.id,
        sourceBlueprint: blueprintIdentifier,
        deleteBlueprint: flags.delete_blueprint ?? false,
        successCount,
      });
      return id;
    });
  }

  return {
    remove: (...removal: Parameters<typeof remove>) => beginAgain(() => remove(...removal), isDeadlock),
    removeAll: (...removal: Parameters<typeof removeAll>) => beginAgain(() => removeAll(...removal), isDeadlock),
  };
}
