-- Whose installation key the secrets of this database were sealed with: a fingerprint, from which the key can not be told. One row,
-- written by the first start that finds none. A start with another key is refused (platform/installation.ts).
create table installation (
  is_only boolean primary key default true check (is_only),
  key_fingerprint text not null,
  since timestamptz not null default now()
);
grant select, insert on installation to quayside_system;
