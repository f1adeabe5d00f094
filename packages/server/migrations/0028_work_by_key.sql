-- Leases are found by the key of their work, whatever queue it is in: with the queue before the key, each settle, extension and
-- reading of a run went through all of the organization's open work.
alter table work add constraint work_org_id_key_queue_key unique (org_id, key, queue);
alter table work drop constraint work_org_id_queue_key_key;
