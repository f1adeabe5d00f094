-- Identity: users, their sessions, and the organization's credential sets.

create table users (
  org_id text not null references organizations (org_id),
  id text not null,
  -- Lower-cased by the application; one account per e-mail in the whole installation, so that login needs no organization.
  email text not null unique,
  first_name text not null default '',
  last_name text not null default '',
  role text not null check (role in ('Admin', 'Moderator', 'Member')),
  status text not null check (status in ('STAGED', 'INVITED', 'ACTIVE', 'DISABLED')),
  -- argon2id in PHC form; null = can not sign in with a password.
  password_hash text,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  last_login_at timestamptz,
  primary key (org_id, id)
);
select quayside_protect('users');

create table sessions (
  org_id text not null,
  -- SHA-256 of the cookie's value: a stolen table opens no session.
  token_hash bytea primary key,
  user_id text not null,
  created_at timestamptz not null default now(),
  -- Sliding end (three idle days) and fixed end (seven days).
  idle_until timestamptz not null,
  absolute_until timestamptz not null,
  user_agent text not null default '',
  foreign key (org_id, user_id) references users (org_id, id) on delete cascade
);
create index sessions_by_end on sessions (absolute_until);
select quayside_protect('sessions');

create table credentials (
  org_id text not null references organizations (org_id),
  -- The client id.
  id text not null unique,
  name text not null,
  -- SHA-256 of the secret, for the token route: generated secrets are 64 random characters, so a slow hash adds nothing.
  secret_hash bytea not null,
  -- The secret under the installation's key: it signs webhooks and encrypts secret inputs, so its clear value is needed.
  secret_sealed bytea not null,
  enabled boolean not null default true,
  -- The set that signs. At most one per organization.
  is_primary boolean not null default false,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (org_id, id)
);
create unique index credentials_one_primary on credentials (org_id) where is_primary;
select quayside_protect('credentials');
