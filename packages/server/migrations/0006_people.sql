-- People: teams, who is in them, and links with which a person sets a password.

create table teams (
  org_id text not null references organizations (org_id),
  id bigint generated always as identity,
  -- What entities and rules name; follows from the first name and does not change with it.
  identifier text not null,
  name text not null,
  description text,
  -- `port` = managed here; otherwise the identity provider that manages it.
  provider text not null default 'port',
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (org_id, id),
  unique (org_id, identifier),
  unique (org_id, name)
);
select quayside_protect('teams');

create table team_members (
  org_id text not null,
  team_id bigint not null,
  user_id text not null,
  primary key (org_id, team_id, user_id),
  foreign key (org_id, team_id) references teams (org_id, id) on delete cascade,
  foreign key (org_id, user_id) references users (org_id, id) on delete cascade
);
create index team_members_by_user on team_members (org_id, user_id);
select quayside_protect('team_members');

create table password_links (
  org_id text not null,
  -- SHA-256 of the link's token: a stolen table sets no password.
  token_hash bytea primary key,
  user_id text not null,
  expires_at timestamptz not null,
  foreign key (org_id, user_id) references users (org_id, id) on delete cascade
);
select quayside_protect('password_links');
