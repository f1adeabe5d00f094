-- The ledger as people read it: pages of attempts, newest first. One direction for all columns, so that a page is one range
-- of the index, wherever it begins.
drop index deliveries_newest;
create index deliveries_newest on deliveries (org_id, started_at, subject, attempt);
drop index deliveries_dead;
create index deliveries_dead on deliveries (org_id, started_at, subject, attempt) where is_dead;
