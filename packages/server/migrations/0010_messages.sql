-- Messages: what the portal sends besides runs (notifications, changes of the catalog, alerts). Deliveries become the ledger
-- of both: `subject` is the id of a run (r_…) or of a message (m_…).

create table messages (
  org_id text not null references organizations (org_id),
  id text not null,
  seq bigint generated always as identity,
  kind text not null check (kind in ('approval', 'change', 'dead_letter')),
  -- What it is about; references by value.
  run_id text,
  blueprint text,
  entity text,
  -- {"type": "WEBHOOK", url, method, headers, body}, {"type": "EMAIL", to, subject, text}, or {"type": "CHANGE", message} for agents.
  payload json not null,
  status text not null default 'OPEN' check (status in ('OPEN', 'DELIVERED', 'FAILED')),
  created_at timestamptz not null default clock_timestamp(),
  ended_at timestamptz,
  primary key (org_id, id),
  check ((ended_at is not null) = (status <> 'OPEN'))
);
create index messages_by_run on messages (org_id, run_id) where run_id is not null;
select quayside_protect('messages');

-- The record of an attempt stays when what was sent is deleted.
alter table deliveries drop constraint deliveries_org_id_run_id_fkey;
alter table deliveries rename column run_id to subject;
-- Given up, and not delivered since.
alter table deliveries add column is_dead boolean not null default false;
-- The ledger, newest first, and its dead letters.
create index deliveries_newest on deliveries (org_id, started_at desc, subject, attempt);
create index deliveries_dead on deliveries (org_id, started_at desc) where is_dead;
