-- Runs, their logs, and every attempt to hand one to its backend.

create table runs (
  org_id text not null references organizations (org_id),
  id text not null,
  -- Creation order; instants may tie.
  seq bigint generated always as identity,
  -- References by value: a run outlives its action and entity.
  action_id text not null,
  action_identifier text not null,
  blueprint text,
  entity text,
  status text not null check (status in ('WAITING_FOR_APPROVAL', 'IN_PROGRESS', 'SUCCESS', 'FAILURE', 'DECLINED')),
  status_label text,
  link json,
  summary text,
  external_run_id text,
  source text not null check (source in ('UI', 'API', 'AUTOMATION')),
  required_approval json not null default 'false',
  approval json,
  -- Inputs as submitted, and with entity inputs expanded.
  raw_properties json not null,
  properties json not null,
  -- The rendered invocation; null until dispatched.
  payload json,
  response json,
  installation_id text,
  created_by text not null,
  impersonated_by text,
  updated_by text not null,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  ended_at timestamptz,
  primary key (org_id, id),
  check ((ended_at is not null) = (status in ('SUCCESS', 'FAILURE', 'DECLINED')))
);
create index runs_newest on runs (org_id, seq desc);
create index runs_by_action on runs (org_id, action_identifier, seq desc);
create index runs_by_entity on runs (org_id, blueprint, entity, seq desc) where entity is not null;
create index runs_active on runs (org_id, seq desc) where status in ('WAITING_FOR_APPROVAL', 'IN_PROGRESS');
create index runs_by_external on runs (org_id, external_run_id) where external_run_id is not null;
select quayside_protect('runs');

create table run_logs (
  org_id text not null,
  run_id text not null,
  -- The cursor of the live log. Lines of one run are written under a lock on the run, so ids grow in commit order.
  id bigint generated always as identity,
  message text not null,
  created_by text not null,
  created_at timestamptz not null default clock_timestamp(),
  primary key (org_id, run_id, id),
  foreign key (org_id, run_id) references runs (org_id, id) on delete cascade
);
select quayside_protect('run_logs', 'select, insert');

-- One row per lease of a run, written in the transaction of the claim, before anything can be sent (attempt = lease).
create table deliveries (
  org_id text not null,
  run_id text not null,
  -- The fencing token of the lease.
  attempt int not null,
  holder text not null,
  state text not null default 'open' check (state in ('open', 'settled', 'lost', 'acknowledged', 'returned')),
  request json,
  outcome json,
  started_at timestamptz not null default clock_timestamp(),
  ended_at timestamptz,
  primary key (org_id, run_id, attempt),
  foreign key (org_id, run_id) references runs (org_id, id) on delete cascade
);
select quayside_protect('deliveries');
