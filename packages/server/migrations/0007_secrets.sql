-- Secrets of the organization, and what runs send with them. Both are sealed with the installation's key.

create table secrets (
  org_id text not null references organizations (org_id),
  name text not null,
  sealed bytea not null,
  description text not null default '',
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (org_id, name)
);
select quayside_protect('secrets');

-- The rendered invocation with its secrets, where it has some; `payload` holds the same with each secret masked.
alter table runs add column sealed_payload bytea;
