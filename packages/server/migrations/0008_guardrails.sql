-- Guardrails: who may execute and approve, how much may run at once, who was asked to approve a run, repeated requests.

-- null = everyone executes, administrators approve; kept as written otherwise.
alter table actions add column permissions json;
-- {"concurrency": n, "concurrencyPerEntity": n}; null = unlimited.
alter table actions add column limits json;

-- Who was asked when the run was created, and what they decided.
create table run_approvers (
  org_id text not null,
  run_id text not null,
  user_id text not null,
  state text not null default 'PENDING' check (state in ('PENDING', 'APPROVED', 'DECLINED')),
  description text,
  decided_at timestamptz,
  primary key (org_id, run_id, user_id),
  foreign key (org_id, run_id) references runs (org_id, id) on delete cascade
);
-- The inbox of a person.
create index run_approvers_by_user on run_approvers (org_id, user_id, run_id);
select quayside_protect('run_approvers');

-- A repeated execute with the same Idempotency-Key answers with the run of the first.
create table run_keys (
  org_id text not null,
  key text not null,
  run_id text not null,
  -- SHA-256 of action, caller and body: the same key for another request is a mistake.
  request bytea not null,
  created_at timestamptz not null default now(),
  primary key (org_id, key),
  foreign key (org_id, run_id) references runs (org_id, id) on delete cascade
);
select quayside_protect('run_keys');

-- Seen only by administrators, its requester and its approvers; of the action when the run was created.
alter table runs add column is_private boolean not null default false;
