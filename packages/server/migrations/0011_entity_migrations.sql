-- Changes of many entities at once. Clients get an id and poll it; the blueprint may be gone by then, so nothing points at it.

create table entity_migrations (
  org_id text not null references organizations (org_id),
  id text not null,
  actor text not null,
  source_blueprint text not null,
  delete_blueprint boolean not null,
  success_count int not null,
  created_at timestamptz not null default now(),
  primary key (org_id, id)
);
select quayside_protect('entity_migrations');
