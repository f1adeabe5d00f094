-- Kafka: how far each reader of events has come, and the user that an organization's consumers log in as.

create table event_cursors (
  org_id text not null references organizations (org_id),
  reader text not null,
  -- Everything up to and including this event (0001_platform.sql says in which order) has been dealt with.
  xid xid8 not null,
  seq bigint not null,
  updated_at timestamptz not null default now(),
  primary key (org_id, reader)
);
select quayside_protect('event_cursors');

create table kafka_users (
  org_id text not null references organizations (org_id),
  username text not null unique,
  -- Under the installation's key; consumers ask for the clear value.
  password_sealed bytea not null,
  -- Null until the brokers know user, topics and permissions.
  provisioned_at timestamptz,
  created_at timestamptz not null default now(),
  primary key (org_id)
);
select quayside_protect('kafka_users');
