-- Retention: what is looked for, oldest first, and who may remove it.

-- Runs whose log is still kept; the index holds no run whose log is gone.
alter table runs add column log_removed_at timestamptz;
create index runs_with_log on runs (org_id, ended_at) where ended_at is not null and log_removed_at is null;
-- Requests only ever add to a log; the background job takes it away.
grant delete on run_logs to quayside_system;

alter table messages add column body_removed_at timestamptz;
create index messages_with_body on messages (org_id, ended_at) where ended_at is not null and body_removed_at is null;
