-- Actions and automations: one collection, one namespace of identifiers.

create table actions (
  org_id text not null references organizations (org_id),
  id text not null,
  identifier text not null,
  -- The whole document as written (key order kept: forms are rendered in it).
  document json not null,
  created_at timestamptz not null default now(),
  created_by text not null,
  updated_at timestamptz not null default now(),
  updated_by text not null,
  primary key (org_id, id),
  unique (org_id, identifier)
);
select quayside_protect('actions');
