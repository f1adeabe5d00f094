-- Automations: what caused what, how often each automation was evaluated, and why it did or did not fire.

-- How many automations stand between this and what somebody did, and the event that began the chain. A run of an automation
-- is one deeper than its event; what a run does is as deep as the run. The guard is in features/automations/service.ts.
alter table runs
  add column depth int not null default 0,
  add column root bigint,
  add column event_seq bigint;
alter table events
  add column depth int not null default 0,
  add column root bigint;
-- The second wall behind the reader's transaction: an automation fires once for an event.
create unique index runs_by_event on runs (org_id, action_id, event_seq) where event_seq is not null;
-- How large a chain has become.
create index runs_by_root on runs (org_id, root) where root is not null;

-- Here and not in the code that emits, so that no event of a run can forget where it came from.
create function quayside_event_cause() returns trigger
language plpgsql
as $$
begin
  select greatest(new.depth, r.depth), coalesce(new.root, r.root) into new.depth, new.root
  from (select 1) one left join runs r on r.org_id = new.org_id and r.id = new.run_id;
  return new;
end
$$;
create trigger events_cause before insert on events
  for each row when (new.run_id is not null) execute function quayside_event_cause();

-- Every reader reads one organization.
drop index events_cursor;
create index events_cursor on events (org_id, xid, seq);

-- Loaded for each batch of events.
create index actions_automations on actions (org_id) where document #>> '{trigger,type}' = 'automation';

-- Exact: written in the transaction that moves the reader's cursor.
create table automation_counts (
  org_id text not null,
  action_id text not null,
  fired bigint not null default 0,
  not_fired bigint not null default 0,
  failed bigint not null default 0,
  blocked bigint not null default 0,
  primary key (org_id, action_id),
  foreign key (org_id, action_id) references actions (org_id, id) on delete cascade
);
select quayside_protect('automation_counts');

-- A bounded history (docs/adr): the newest evaluations of each automation, those that did not fire sampled.
create table automation_evaluations (
  org_id text not null,
  action_id text not null,
  id bigint generated always as identity,
  at timestamptz not null default clock_timestamp(),
  outcome text not null check (outcome in ('fired', 'not_fired', 'failed', 'blocked')),
  because text not null,
  -- [{expression, value?, error?}], values shortened.
  conditions json not null,
  -- The event, by value.
  event_seq bigint not null,
  event json not null,
  run_id text,
  primary key (org_id, action_id, id),
  foreign key (org_id, action_id) references actions (org_id, id) on delete cascade
);
select quayside_protect('automation_evaluations');

-- The lease of Kafka's publisher has become that of the reader of that name.
delete from work where queue = 'kafka-publisher';
