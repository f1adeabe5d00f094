import type { Blueprint, Entity, Migration } from '@quayside/contracts';
import { join, named, type Sql, sql, type Tx } from '../../platform/db.ts';
import type { EntityDraft } from './model.ts';

/** An entity as stored; `relations` name targets by identifier, in the order they were written. */
export interface StoredEntity extends EntityDraft {
  rowId: number;
  blueprint: string;
  createdAt: string;
  createdBy: string;
  updatedAt: string;
  updatedBy: string;
}

export interface EntityRow {
  id: number;
  blueprint: string;
  identifier: string;
  title: string;
  icon: string | null;
  team: string[];
  properties: Record<string, unknown>;
  relations: Record<string, string[]> | null;
  created_at: Date;
  created_by: string;
  updated_at: Date;
  updated_by: string;
}

/** Relations of one entity as {relation: [identifiers]}; one index scan per entity. */
const relationsOf: Sql = sql`(
  select json_object_agg(grouped.relation, grouped.targets) from (
    select link.relation, json_agg(target.identifier order by link.position) as targets
    from entity_relations link
    join entities target on target.org_id = link.org_id and target.id = link.target_id
    where link.org_id = e.org_id and link.entity_id = e.id
    group by link.relation
  ) grouped
)`;

export const entityColumns: Sql = sql`e.id, b.identifier as blueprint, e.identifier, e.title, e.icon, e.team, e.properties,
  ${relationsOf} as relations, e.created_at, e.created_by, e.updated_at, e.updated_by`;

export const fromEntities: Sql = sql`entities e join blueprints b on b.org_id = e.org_id and b.id = e.blueprint_id`;

export function toStoredEntity(row: EntityRow): StoredEntity {
  return {
    rowId: row.id,
    blueprint: row.blueprint,
    identifier: row.identifier,
    title: row.title,
    icon: row.icon,
    team: row.team,
    properties: row.properties,
    relations: row.relations ?? {},
    createdAt: row.created_at.toISOString(),
    createdBy: row.created_by,
    updatedAt: row.updated_at.toISOString(),
    updatedBy: row.updated_by,
  };
}

/**
 * The wire shape: every property and relation of the blueprint is there, null where it has no value. Terraform plans a
 * change for ever where one that is set to null does not come back (spec/terraform-provider.md §4.8).
 */
export function toEntity(stored: StoredEntity, blueprint: Pick<Blueprint, 'schema' | 'relations'> | undefined): Entity {
  const properties: Entity['properties'] = {};
  for (const key of Object.keys(blueprint?.schema.properties ?? {})) properties[key] = stored.properties[key] ?? null;
  const shown: Entity['relations'] = {};
  for (const [key, relation] of Object.entries(blueprint?.relations ?? {})) {
    const targets = stored.relations[key] ?? [];
    shown[key] = relation.many ? targets : (targets[0] ?? null);
  }
  return {
    identifier: stored.identifier,
    title: stored.title,
    icon: stored.icon,
    blueprint: stored.blueprint,
    team: stored.team,
    properties: Object.assign(properties, stored.properties),
    relations: shown,
    createdAt: stored.createdAt,
    createdBy: stored.createdBy,
    updatedAt: stored.updatedAt,
    updatedBy: stored.updatedBy,
  };
}

export async function findEntity(
  tx: Tx,
  orgId: string,
  blueprintId: number,
  identifier: string,
): Promise<StoredEntity | undefined> {
  const row = await tx.find<EntityRow>(
    named(
      'entity.find',
      sql`select ${entityColumns} from ${fromEntities} where e.org_id = ${orgId} and e.blueprint_id = ${blueprintId} and e.identifier = ${identifier}`,
    ),
  );
  return row && toStoredEntity(row);
}

export async function findEntityByRow(tx: Tx, orgId: string, rowId: number): Promise<StoredEntity | undefined> {
  const row = await tx.find<EntityRow>(
    sql`select ${entityColumns} from ${fromEntities} where e.org_id = ${orgId} and e.id = ${rowId}`,
  );
  return row && toStoredEntity(row);
}

/** The values of a property, of every entity of the blueprint that has one, and of which instant it has expired last as a timer. */
export async function listValues(
  tx: Tx,
  orgId: string,
  blueprint: string,
  property: string,
): Promise<{ rowId: number; value: unknown; expired: Date | null }[]> {
  return tx.many(sql`
    select e.id as "rowId", e.properties -> ${property} as value, x.instant as expired
    from entities e join blueprints b on b.org_id = e.org_id and b.id = e.blueprint_id
    left join expired_timers x on x.org_id = e.org_id and x.entity_row = e.id and x.property = ${property}
    where e.org_id = ${orgId} and b.identifier = ${blueprint} and e.properties ? ${property}`);
}

export async function noteExpired(
  tx: Tx,
  orgId: string,
  rowId: number,
  property: string,
  instant: Date,
): Promise<void> {
  await tx.run(sql`
    insert into expired_timers (org_id, entity_row, property, instant) values (${orgId}, ${rowId}, ${property}, ${instant})
    on conflict (org_id, entity_row, property) do update set instant = excluded.instant`);
}

/**
 * One writer of the organization at a time makes things that are missing, until its transaction ends: two who make each
 * other's in another order would wait for each other.
 */
export async function lockMissing(tx: Tx, orgId: string): Promise<void> {
  await tx.run(sql`select pg_advisory_xact_lock(hashtextextended(${`missing ${orgId}`}, 0))`);
}

/** To write it: others may relate to it meanwhile, so two who relate to each other do not wait for each other. */
export const toWrite = sql`for no key update`;
/** To remove it: nobody begins to relate to it. */
export const toRemove = sql`for update`;

export async function lockEntity(
  tx: Tx,
  orgId: string,
  blueprintId: number,
  identifier: string,
  lock: Sql,
): Promise<StoredEntity | undefined> {
  await tx.run(
    sql`select from entities where org_id = ${orgId} and blueprint_id = ${blueprintId} and identifier = ${identifier} ${lock}`,
  );
  return findEntity(tx, orgId, blueprintId, identifier);
}

export async function listEntities(tx: Tx, orgId: string, blueprintId: number): Promise<StoredEntity[]> {
  const rows = await tx.many<EntityRow>(
    sql`select ${entityColumns} from ${fromEntities} where e.org_id = ${orgId} and e.blueprint_id = ${blueprintId} order by e.title, e.id`,
  );
  return rows.map(toStoredEntity);
}

export async function countEntities(tx: Tx, orgId: string, blueprintId: number): Promise<number> {
  return (
    await tx.one<{ count: number }>(
      sql`select count(*) as count from entities where org_id = ${orgId} and blueprint_id = ${blueprintId}`,
    )
  ).count;
}

/** False = the identifier is there already (nothing was written). */
export async function insertEntity(
  tx: Tx,
  entity: { orgId: string; blueprintId: number; draft: EntityDraft; datasource: string; by: string },
): Promise<number | undefined> {
  const { draft } = entity;
  const row = await tx.find<{ id: number }>(sql`
    insert into entities (org_id, blueprint_id, identifier, title, icon, team, properties, datasource, created_by, updated_by)
    values (${entity.orgId}, ${entity.blueprintId}, ${draft.identifier}, ${draft.title}, ${draft.icon}, ${draft.team},
      ${JSON.stringify(draft.properties)}, ${entity.datasource}, ${entity.by}, ${entity.by})
    on conflict (org_id, blueprint_id, identifier) do nothing
    returning id`);
  return row?.id;
}

export async function updateEntity(
  tx: Tx,
  entity: { orgId: string; rowId: number; draft: EntityDraft; datasource: string; by: string },
): Promise<void> {
  const { draft } = entity;
  await tx.run(sql`
    update entities set identifier = ${draft.identifier}, title = ${draft.title}, icon = ${draft.icon}, team = ${draft.team},
      properties = ${JSON.stringify(draft.properties)}, datasource = ${entity.datasource}, updated_at = now(), updated_by = ${entity.by}
    where org_id = ${entity.orgId} and id = ${entity.rowId}`);
}

/** Identifiers → row ids in one blueprint. What is missing is missing in the answer. */
export async function findRowIds(
  tx: Tx,
  orgId: string,
  blueprintId: number,
  identifiers: readonly string[],
): Promise<Map<string, number>> {
  const rows = await tx.many<{ id: number; identifier: string }>(sql`
    select id, identifier from entities where org_id = ${orgId} and blueprint_id = ${blueprintId} and identifier = any(${identifiers})`);
  return new Map(rows.map((row) => [row.identifier, row.id]));
}

export async function replaceRelations(
  tx: Tx,
  orgId: string,
  entityId: number,
  links: readonly { relation: string; position: number; targetId: number }[],
): Promise<void> {
  await tx.run(sql`delete from entity_relations where org_id = ${orgId} and entity_id = ${entityId}`);
  if (links.length === 0) return;
  const rows = links.map((link) => sql`(${orgId}, ${entityId}, ${link.relation}, ${link.position}, ${link.targetId})`);
  await tx.run(
    sql`insert into entity_relations (org_id, entity_id, relation, position, target_id) values ${join(rows)}`,
  );
}

export async function deleteEntity(tx: Tx, orgId: string, rowId: number): Promise<void> {
  await tx.run(sql`delete from entities where org_id = ${orgId} and id = ${rowId}`);
}

/** Entities that point at this one, with the relation they use. */
export async function listPointing(
  tx: Tx,
  orgId: string,
  rowId: number,
): Promise<{ rowId: number; blueprint: string; identifier: string; relation: string }[]> {
  return tx.many(sql`
    select e.id as "rowId", b.identifier as blueprint, e.identifier, link.relation
    from entity_relations link
    join entities e on e.org_id = link.org_id and e.id = link.entity_id
    join blueprints b on b.org_id = e.org_id and b.id = e.blueprint_id
    where link.org_id = ${orgId} and link.target_id = ${rowId} and link.entity_id <> ${rowId}`);
}

export interface ChangeRow {
  name: string;
  at: Date;
  actor: { userId: string; user?: { email?: string } };
  origin: string;
  run_id: string | null;
}

export async function listChanges(
  tx: Tx,
  orgId: string,
  blueprint: string,
  entity: string,
  limit: number,
): Promise<ChangeRow[]> {
  return tx.many(sql`
    select name, at, actor, origin, run_id from events
    where org_id = ${orgId} and blueprint = ${blueprint} and entity = ${entity} and resource = 'entity' and status = 'SUCCESS'
    order by seq desc limit ${limit}`);
}

/** Some of a blueprint's entities, locked; for a removal that takes them batch by batch. */
export async function listSomeEntities(
  tx: Tx,
  orgId: string,
  blueprintId: number,
  limit: number,
): Promise<StoredEntity[]> {
  const rows = await tx.many<EntityRow>(sql`
    select ${entityColumns} from ${fromEntities}
    where e.org_id = ${orgId} and e.blueprint_id = ${blueprintId} order by e.id limit ${limit} for update of e`);
  return rows.map(toStoredEntity);
}

export async function deleteEntities(tx: Tx, orgId: string, rowIds: readonly number[]): Promise<void> {
  await tx.run(sql`delete from entities where org_id = ${orgId} and id = any(${rowIds}::bigint[])`);
}

interface MigrationRow {
  id: string;
  actor: string;
  source_blueprint: string;
  delete_blueprint: boolean;
  success_count: number;
  created_at: Date;
}

export async function insertMigration(
  tx: Tx,
  orgId: string,
  migration: Pick<Migration, 'id' | 'actor' | 'sourceBlueprint' | 'deleteBlueprint' | 'successCount'>,
): Promise<void> {
  await tx.run(sql`
    insert into entity_migrations (org_id, id, actor, source_blueprint, delete_blueprint, success_count)
    values (${orgId}, ${migration.id}, ${migration.actor}, ${migration.sourceBlueprint}, ${migration.deleteBlueprint},
      ${migration.successCount})`);
}

export async function findMigration(tx: Tx, orgId: string, id: string): Promise<Migration | undefined> {
  const row = await tx.find<MigrationRow>(sql`select * from entity_migrations where org_id = ${orgId} and id = ${id}`);
  return (
    row && {
      id: row.id,
      actor: row.actor,
      sourceBlueprint: row.source_blueprint,
      status: 'COMPLETED',
      deleteEntities: true,
      deleteBlueprint: row.delete_blueprint,
      successCount: row.success_count,
      failureCount: 0,
      createdAt: row.created_at.toISOString(),
      updatedAt: row.created_at.toISOString(),
    }
  );
}
