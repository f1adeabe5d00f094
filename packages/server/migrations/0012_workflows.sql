-- Workflow documents, as written (key order kept). Nothing runs them yet.

create table workflows (
  org_id text not null references organizations (org_id),
  identifier text not null,
  document json not null,
  created_at timestamptz not null default now(),
  created_by text not null,
  updated_at timestamptz not null default now(),
  updated_by text not null,
  primary key (org_id, identifier)
);
select quayside_protect('workflows');
