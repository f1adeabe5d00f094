-- Catalog: blueprints and entities.
-- Definitions are `json`, not `jsonb`: users get back what they wrote, in the order they wrote it.

create table blueprints (
  org_id text not null references organizations (org_id),
  id bigint generated always as identity,
  identifier text not null,
  document json not null,
  created_at timestamptz not null default now(),
  created_by text not null,
  updated_at timestamptz not null default now(),
  updated_by text not null,
  primary key (org_id, id),
  unique (org_id, identifier)
);
select quayside_protect('blueprints');

-- Entities point at their blueprint, and relations at entities, by surrogate key: a rename touches one row.
create table entities (
  org_id text not null,
  id bigint generated always as identity,
  blueprint_id bigint not null,
  identifier text not null,
  title text not null,
  icon text,
  team text[] not null default '{}',
  -- Stored values only; mirror, calculation and aggregation values are computed when read.
  properties jsonb not null default '{}',
  -- User-Agent of the last writer: integrations find their own entities by it (spec/catalog.md §2.5).
  datasource text not null default '',
  created_at timestamptz not null default now(),
  created_by text not null,
  updated_at timestamptz not null default now(),
  updated_by text not null,
  primary key (org_id, id),
  unique (org_id, blueprint_id, identifier),
  foreign key (org_id, blueprint_id) references blueprints (org_id, id)
);
-- Property equality and containment in searches.
create index entities_properties on entities using gin (properties jsonb_path_ops);
-- The default order of a catalog table.
create index entities_by_title on entities (org_id, blueprint_id, title, id);
select quayside_protect('entities');

create table entity_relations (
  org_id text not null,
  entity_id bigint not null,
  relation text not null,
  -- Order within a many-relation, as written.
  position int not null,
  target_id bigint not null,
  primary key (org_id, entity_id, relation, position),
  foreign key (org_id, entity_id) references entities (org_id, id) on delete cascade,
  foreign key (org_id, target_id) references entities (org_id, id) on delete cascade
);
-- Who points at an entity: dependents on delete, reverse relations.
create index entity_relations_by_target on entity_relations (org_id, target_id);
select quayside_protect('entity_relations');

-- Text → instant, or null where it is none: a search over user data must not fail on one odd value.
create function quayside_instant(value text) returns timestamptz
language plpgsql stable parallel safe
as $$
begin
  return value::timestamptz;
exception when others then
  return null;
end
$$;
