-- Replays: what was delivered, or given up, is handed over again under the same key.

create table replays (
  org_id text not null references organizations (org_id),
  id text not null,
  seq bigint generated always as identity,
  -- Who asked, as events describe them, and which attempts (the filter of the ledger; {"subject"} for one).
  requested_by json not null,
  filter json not null,
  -- How many subjects there were when it was asked for; null = more than are counted.
  total int,
  state text not null default 'running' check (state in ('running', 'handed_over', 'cancelled')),
  -- Where handing over stands: the last attempt that was looked at, oldest first.
  cursor_at timestamptz not null default '-infinity',
  cursor_subject text not null default '',
  cursor_attempt int not null default 0,
  replayed int not null default 0,
  -- Under way already, or nothing left to send.
  skipped int not null default 0,
  created_at timestamptz not null default clock_timestamp(),
  ended_at timestamptz,
  primary key (org_id, id)
);
create index replays_newest on replays (org_id, seq desc);
select quayside_protect('replays');

alter table deliveries
  -- Did the target take it? Null = nothing is known of it.
  add column is_delivered boolean,
  -- The replay that the attempt belongs to.
  add column replay_id text;
create index deliveries_by_replay on deliveries (org_id, replay_id) where replay_id is not null;

alter table work
  add column replay_id text,
  -- The token that the work began with: a replay's goes on where the attempts before it ended.
  add column first_fence int not null default 0;
create index work_by_replay on work (org_id, replay_id) where replay_id is not null;
