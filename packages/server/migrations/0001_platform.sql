-- Platform: roles, tenancy, events, work, agents. Every later table of tenant data calls quayside_protect().
--
-- Roles. Statements of a request run as quayside_app, which owns nothing and sees only rows of the organization named by
-- the setting quayside.org_id (missing setting = no rows). quayside_system sees all organizations; it serves the few
-- questions that come before an organization is known (login, token check) and the readers of queues and events.

do $$
declare
  wanted text;
begin
  foreach wanted in array array['quayside_app', 'quayside_system'] loop
    begin
      if not exists (select from pg_roles where rolname = wanted) then
        execute format('create role %I nologin noinherit', wanted);
      end if;
    exception
      when duplicate_object or unique_violation then
        -- Roles belong to the cluster: another database of it is being migrated at this moment.
        null;
      when insufficient_privilege then
        raise exception 'the role % is missing and may not be created by %; as a superuser run: create role % nologin noinherit; grant % to %',
          wanted, current_user, wanted, wanted, current_user;
    end;
    if not pg_has_role(current_user, wanted, 'set') then
      execute format('grant %I to current_user', wanted);
    end if;
  end loop;
end
$$;

grant usage on schema public to quayside_app, quayside_system;

create function quayside_org_id() returns text
language sql stable parallel safe
as $$ select current_setting('quayside.org_id', true) $$;

-- The second wall: row-level security, forced so that it binds the owner too.
create function quayside_protect(protected regclass, privileges text default 'select, insert, update, delete') returns void
language plpgsql
as $$
begin
  execute format('alter table %s enable row level security', protected);
  execute format('alter table %s force row level security', protected);
  execute format('create policy tenant on %s to quayside_app using (org_id = quayside_org_id()) with check (org_id = quayside_org_id())', protected);
  execute format('create policy every_organization on %s to quayside_system using (true) with check (true)', protected);
  execute format('grant %s on %s to quayside_app, quayside_system', privileges, protected);
end
$$;

create table organizations (
  org_id text primary key check (org_id ~ '^[A-Za-z0-9_-]{1,64}$'),
  name text not null,
  settings json not null default '{}',
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now()
);
select quayside_protect('organizations');

-- Events: append-only (no update or delete is granted to anyone but the owner).
--
-- Readers follow a cursor (xid, seq). Sequence numbers are handed out before commit, so a reader that followed seq alone
-- would skip a transaction that commits late. Instead it reads only rows whose transaction is older than every running
-- one (xid < pg_snapshot_xmin(pg_current_snapshot())), in order of (xid, seq): nothing can appear behind the cursor.
create table events (
  seq bigint generated always as identity primary key,
  xid xid8 not null default pg_current_xact_id(),
  org_id text not null references organizations (org_id),
  name text not null,
  at timestamptz not null default clock_timestamp(),
  actor json not null,
  origin text not null,
  trace_id text,
  -- What it happened to, for filters: the resource and the identifiers around it.
  resource text not null,
  subject text not null,
  blueprint text,
  entity text,
  run_id text,
  status text not null default 'SUCCESS',
  message text,
  before json,
  after json
);
create index events_cursor on events (xid, seq);
create index events_by_org on events (org_id, seq desc);
create index events_by_run on events (org_id, run_id, seq) where run_id is not null;
create index events_by_entity on events (org_id, blueprint, entity, seq desc) where entity is not null;
select quayside_protect('events', 'select, insert');

-- Work: everything that is claimed under a lease (platform/leases.ts has the protocol). A row exists while there is
-- something to do; what was done is recorded elsewhere (deliveries, events), in the transaction that removes the row.
create table work (
  id bigint generated always as identity primary key,
  org_id text not null references organizations (org_id),
  -- Who may take it: 'agent:<org>', 'server', 'integration:<org>:<id>' …
  queue text not null,
  -- What it is about, unique within its queue: a run id, a timer's name.
  key text not null,
  -- When it may be claimed. While it is leased: when the lease runs out. One column, so a lost holder needs no reaper.
  due_at timestamptz not null default now(),
  -- The fencing token: grows by one with each claim, so an older holder can always be told from the present one.
  fence int not null default 0,
  -- How often it was tried without success (returned leases do not count).
  tries int not null default 0,
  holder text,
  created_at timestamptz not null default now(),
  unique (org_id, queue, key)
);
-- The claim: due rows of one queue, oldest first.
create index work_due on work (queue, due_at, id);
select quayside_protect('work');

create table agents (
  org_id text not null references organizations (org_id),
  id text not null,
  version text not null,
  labels json not null default '{}',
  in_flight int not null,
  capacity int not null,
  first_seen_at timestamptz not null default now(),
  last_seen_at timestamptz not null default now(),
  primary key (org_id, id)
);
select quayside_protect('agents');
