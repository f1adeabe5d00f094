-- The attempts of a replay, in the order of the ledger, so that a page of them is one range however many there are.
drop index deliveries_by_replay;
create index deliveries_by_replay on deliveries (org_id, replay_id, started_at, subject, attempt) where replay_id is not null;
