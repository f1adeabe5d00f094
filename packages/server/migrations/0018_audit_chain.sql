-- Checkpoints seal the events of an organization, in the order of readers (xid, seq): packages/contracts/src/audit-chain.ts.
-- Nobody but the owner changes one; retention, which lets go of old records, comes through quayside_prune_audit alone.
create table audit_checkpoints (
  org_id text not null references organizations (org_id),
  number bigint not null,
  sealed_at timestamptz not null,
  count int not null check (count > 0),
  total bigint not null,
  records_hash bytea not null,
  previous bytea not null,
  hash bytea not null,
  signature bytea not null,
  key_id text not null,
  -- Place of the last record in the order of readers; the first one's is behind the checkpoint before.
  xid xid8 not null,
  seq bigint not null,
  -- Sequence number and hash of each record, in that order; null since retention removed the records.
  seqs bigint[],
  hashes bytea,
  primary key (org_id, number),
  check ((seqs is null) = (hashes is null)),
  check (seqs is null or (cardinality(seqs) = count and length(hashes) = 32 * count))
);
-- Where a range of time begins.
create index audit_checkpoints_by_time on audit_checkpoints (org_id, sealed_at);
select quayside_protect('audit_checkpoints', 'select, insert');
