-- Retention of the audit log (features/audit/service-pruning.ts): the system, and nobody who serves a request, removes the oldest
-- events, and the list of records from their checkpoints, which stay.
grant delete on events to quayside_system;
grant update (seqs, hashes) on audit_checkpoints to quayside_system;
