-- Made by script/schema.ts from packages/server/migrations. Do not edit.

-- Functions

CREATE OR REPLACE FUNCTION public.quayside_add_system_blueprints()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
begin
  insert into blueprints (org_id, identifier, document, created_by, updated_by)
  select new.org_id, wanted, quayside_system_blueprint(wanted), 'quayside', 'quayside'
  from unnest(array['_team', '_user']) wanted
  on conflict (org_id, identifier) do nothing;
  return null;
end
$function$
;
CREATE OR REPLACE FUNCTION public.quayside_event_cause()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
begin
  select greatest(new.depth, r.depth), coalesce(new.root, r.root) into new.depth, new.root
  from (select 1) one left join runs r on r.org_id = new.org_id and r.id = new.run_id;
  return new;
end
$function$
;
CREATE OR REPLACE FUNCTION public.quayside_instant(value text)
 RETURNS timestamp with time zone
 LANGUAGE plpgsql
 STABLE PARALLEL SAFE
AS $function$
begin
  return value::timestamptz;
exception when others then
  return null;
end
$function$
;
CREATE OR REPLACE FUNCTION public.quayside_mirror_members()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
begin
  update entities e set team = now_in.teams, updated_at = now()
  from (
    select u.org_id, u.email, b.id as blueprint_id, array(
      select t.identifier from team_members m join teams t on t.org_id = m.org_id and t.id = m.team_id
      where m.org_id = u.org_id and m.user_id = u.id order by t.name) as teams
    from users u join blueprints b on b.org_id = u.org_id and b.identifier = '_user'
    where (u.org_id, u.id) in (select org_id, user_id from changed)
  ) now_in
  where e.org_id = now_in.org_id and e.blueprint_id = now_in.blueprint_id and e.identifier = now_in.email
    and e.team <> now_in.teams;
  return null;
end
$function$
;
CREATE OR REPLACE FUNCTION public.quayside_mirror_team()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
begin
  if tg_op = 'DELETE' then
    delete from entities e using blueprints b
    where b.org_id = old.org_id and b.identifier = '_team'
      and e.org_id = b.org_id and e.blueprint_id = b.id and e.identifier = old.identifier;
    return null;
  end if;
  insert into entities (org_id, blueprint_id, identifier, title, properties, created_by, updated_by)
  select new.org_id, b.id, new.identifier, new.name, jsonb_strip_nulls(jsonb_build_object('description', new.description)),
    'quayside', 'quayside'
  from blueprints b where b.org_id = new.org_id and b.identifier = '_team'
  on conflict (org_id, blueprint_id, identifier) do update
    set title = excluded.title, properties = (entities.properties - 'description') || excluded.properties, updated_at = now()
    where entities.title <> excluded.title
      or entities.properties <> (entities.properties - 'description') || excluded.properties;
  return null;
end
$function$
;
CREATE OR REPLACE FUNCTION public.quayside_mirror_user()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
begin
  if tg_op = 'DELETE' then
    delete from entities e using blueprints b
    where b.org_id = old.org_id and b.identifier = '_user'
      and e.org_id = b.org_id and e.blueprint_id = b.id and e.identifier = old.email;
    return null;
  end if;
  insert into entities (org_id, blueprint_id, identifier, title, properties, created_by, updated_by)
  select new.org_id, b.id, new.email,
    coalesce(nullif(concat_ws(' ', nullif(new.first_name, ''), nullif(new.last_name, '')), ''), new.email),
    jsonb_build_object('status', initcap(new.status), 'port_role', new.role), 'quayside', 'quayside'
  from blueprints b where b.org_id = new.org_id and b.identifier = '_user'
  on conflict (org_id, blueprint_id, identifier) do update
    set title = excluded.title, properties = entities.properties || excluded.properties, updated_at = now()
    where entities.title <> excluded.title or entities.properties <> entities.properties || excluded.properties;
  return null;
end
$function$
;
CREATE OR REPLACE FUNCTION public.quayside_org_id()
 RETURNS text
 LANGUAGE sql
 STABLE PARALLEL SAFE
AS $function$ select current_setting('quayside.org_id', true) $function$
;
CREATE OR REPLACE FUNCTION public.quayside_protect(protected regclass, privileges text DEFAULT 'select, insert, update, delete'::text)
 RETURNS void
 LANGUAGE plpgsql
AS $function$
begin
  execute format('alter table %s enable row level security', protected);
  execute format('alter table %s force row level security', protected);
  execute format('create policy tenant on %s to quayside_app using (org_id = quayside_org_id()) with check (org_id = quayside_org_id())', protected);
  execute format('create policy every_organization on %s to quayside_system using (true) with check (true)', protected);
  execute format('grant %s on %s to quayside_app, quayside_system', privileges, protected);
end
$function$
;
CREATE OR REPLACE FUNCTION public.quayside_system_blueprint(wanted text)
 RETURNS json
 LANGUAGE sql
 IMMUTABLE PARALLEL SAFE
AS $function$
  select case wanted
    when '_team' then json_build_object(
      'identifier', '_team', 'title', 'Team', 'icon', 'Team',
      'schema', json_build_object(
        'properties', json_build_object('description', json_build_object('type', 'string', 'title', 'Description')),
        'required', '[]'::json),
      'relations', '{}'::json, 'mirrorProperties', '{}'::json, 'calculationProperties', '{}'::json,
      'aggregationProperties', '{}'::json)
    when '_user' then json_build_object(
      'identifier', '_user', 'title', 'User', 'icon', 'User',
      'schema', json_build_object(
        'properties', json_build_object(
          'status', json_build_object('type', 'string', 'title', 'Status', 'enum', '["Invited", "Active", "Disabled"]'::json,
            'enumColors', '{"Invited": "yellow", "Active": "green", "Disabled": "red"}'::json),
          'port_role', json_build_object('type', 'string', 'title', 'Role', 'enum', '["Admin", "Moderator", "Member"]'::json)),
        'required', '[]'::json),
      'relations', '{}'::json, 'mirrorProperties', '{}'::json, 'calculationProperties', '{}'::json,
      'aggregationProperties', '{}'::json)
  end
$function$
;

-- Tables

create table actions (
  org_id text not null,
  id text not null,
  identifier text not null,
  document json not null,
  created_at timestamp with time zone default now() not null,
  created_by text not null,
  updated_at timestamp with time zone default now() not null,
  updated_by text not null,
  permissions json,
  limits json
);
create table agents (
  org_id text not null,
  id text not null,
  version text not null,
  labels json default '{}'::json not null,
  in_flight integer not null,
  capacity integer not null,
  first_seen_at timestamp with time zone default now() not null,
  last_seen_at timestamp with time zone default now() not null,
  streamer text
);
create table audit_checkpoints (
  org_id text not null,
  number bigint not null,
  sealed_at timestamp with time zone not null,
  count integer not null,
  total bigint not null,
  records_hash bytea not null,
  previous bytea not null,
  hash bytea not null,
  signature bytea not null,
  key_id text not null,
  xid xid8 not null,
  seq bigint not null,
  seqs bigint[],
  hashes bytea
);
create table automation_counts (
  org_id text not null,
  action_id text not null,
  fired bigint default 0 not null,
  not_fired bigint default 0 not null,
  failed bigint default 0 not null,
  blocked bigint default 0 not null
);
create table automation_evaluations (
  org_id text not null,
  action_id text not null,
  id bigint generated always as identity not null,
  at timestamp with time zone default clock_timestamp() not null,
  outcome text not null,
  because text not null,
  conditions json not null,
  event_seq bigint not null,
  event json not null,
  run_id text
);
create table blueprints (
  org_id text not null,
  id bigint generated always as identity not null,
  identifier text not null,
  document json not null,
  created_at timestamp with time zone default now() not null,
  created_by text not null,
  updated_at timestamp with time zone default now() not null,
  updated_by text not null
);
create table credentials (
  org_id text not null,
  id text not null,
  name text not null,
  secret_hash bytea not null,
  secret_sealed bytea not null,
  enabled boolean default true not null,
  is_primary boolean default false not null,
  created_at timestamp with time zone default now() not null,
  updated_at timestamp with time zone default now() not null
);
create table deliveries (
  org_id text not null,
  subject text not null,
  attempt integer not null,
  holder text not null,
  state text default 'open'::text not null,
  request json,
  outcome json,
  started_at timestamp with time zone default clock_timestamp() not null,
  ended_at timestamp with time zone,
  is_dead boolean default false not null,
  is_delivered boolean,
  replay_id text
);
create table entities (
  org_id text not null,
  id bigint generated always as identity not null,
  blueprint_id bigint not null,
  identifier text not null,
  title text not null,
  icon text,
  team text[] default '{}'::text[] not null,
  properties jsonb default '{}'::jsonb not null,
  datasource text default ''::text not null,
  created_at timestamp with time zone default now() not null,
  created_by text not null,
  updated_at timestamp with time zone default now() not null,
  updated_by text not null
);
create table entity_migrations (
  org_id text not null,
  id text not null,
  actor text not null,
  source_blueprint text not null,
  delete_blueprint boolean not null,
  success_count integer not null,
  created_at timestamp with time zone default now() not null
);
create table entity_relations (
  org_id text not null,
  entity_id bigint not null,
  relation text not null,
  "position" integer not null,
  target_id bigint not null
);
create table event_cursors (
  org_id text not null,
  reader text not null,
  xid xid8 not null,
  seq bigint not null,
  updated_at timestamp with time zone default now() not null
);
create table events (
  seq bigint generated always as identity not null,
  xid xid8 default pg_current_xact_id() not null,
  org_id text not null,
  name text not null,
  at timestamp with time zone default clock_timestamp() not null,
  actor json not null,
  origin text not null,
  trace_id text,
  resource text not null,
  subject text not null,
  blueprint text,
  entity text,
  run_id text,
  status text default 'SUCCESS'::text not null,
  message text,
  before json,
  after json,
  depth integer default 0 not null,
  root bigint,
  property text
);
create table expired_timers (
  org_id text not null,
  entity_row bigint not null,
  property text not null,
  instant timestamp with time zone not null
);
create table installation (
  is_only boolean default true not null,
  key_fingerprint text not null,
  since timestamp with time zone default now() not null
);
create table kafka_users (
  org_id text not null,
  username text not null,
  password_sealed bytea not null,
  provisioned_at timestamp with time zone,
  created_at timestamp with time zone default now() not null
);
create table messages (
  org_id text not null,
  id text not null,
  seq bigint generated always as identity not null,
  kind text not null,
  run_id text,
  blueprint text,
  entity text,
  payload json not null,
  status text default 'OPEN'::text not null,
  created_at timestamp with time zone default clock_timestamp() not null,
  ended_at timestamp with time zone,
  body_removed_at timestamp with time zone
);
create table migrations (
  name text not null,
  hash text not null,
  applied_at timestamp with time zone default now() not null
);
create table organizations (
  org_id text not null,
  name text not null,
  settings json default '{}'::json not null,
  created_at timestamp with time zone default now() not null,
  updated_at timestamp with time zone default now() not null
);
create table password_links (
  org_id text not null,
  token_hash bytea not null,
  user_id text not null,
  expires_at timestamp with time zone not null
);
create table replays (
  org_id text not null,
  id text not null,
  seq bigint generated always as identity not null,
  requested_by json not null,
  filter json not null,
  total integer,
  state text default 'running'::text not null,
  cursor_at timestamp with time zone default '-infinity'::timestamp with time zone not null,
  cursor_subject text default ''::text not null,
  cursor_attempt integer default 0 not null,
  replayed integer default 0 not null,
  skipped integer default 0 not null,
  created_at timestamp with time zone default clock_timestamp() not null,
  ended_at timestamp with time zone
);
create table run_approvers (
  org_id text not null,
  run_id text not null,
  user_id text not null,
  state text default 'PENDING'::text not null,
  description text,
  decided_at timestamp with time zone
);
create table run_keys (
  org_id text not null,
  key text not null,
  run_id text not null,
  request bytea not null,
  created_at timestamp with time zone default now() not null
);
create table run_logs (
  org_id text not null,
  run_id text not null,
  message text not null,
  created_by text not null,
  created_at timestamp with time zone default clock_timestamp() not null,
  line integer not null
);
create table runs (
  org_id text not null,
  id text not null,
  seq bigint generated always as identity not null,
  action_id text not null,
  action_identifier text not null,
  blueprint text,
  entity text,
  status text not null,
  status_label text,
  link json,
  summary text,
  external_run_id text,
  source text not null,
  required_approval json default 'false'::json not null,
  approval json,
  raw_properties json not null,
  properties json not null,
  payload json,
  response json,
  installation_id text,
  created_by text not null,
  impersonated_by text,
  updated_by text not null,
  created_at timestamp with time zone default now() not null,
  updated_at timestamp with time zone default now() not null,
  ended_at timestamp with time zone,
  sealed_payload bytea,
  is_private boolean default false not null,
  depth integer default 0 not null,
  root bigint,
  event_seq bigint,
  log_removed_at timestamp with time zone
);
create table secrets (
  org_id text not null,
  name text not null,
  sealed bytea not null,
  description text default ''::text not null,
  created_at timestamp with time zone default now() not null,
  updated_at timestamp with time zone default now() not null
);
create table sessions (
  org_id text not null,
  token_hash bytea not null,
  user_id text not null,
  created_at timestamp with time zone default now() not null,
  idle_until timestamp with time zone not null,
  absolute_until timestamp with time zone not null,
  user_agent text default ''::text not null
);
create table team_members (
  org_id text not null,
  team_id bigint not null,
  user_id text not null
);
create table teams (
  org_id text not null,
  id bigint generated always as identity not null,
  identifier text not null,
  name text not null,
  description text,
  provider text default 'port'::text not null,
  created_at timestamp with time zone default now() not null,
  updated_at timestamp with time zone default now() not null
);
create table users (
  org_id text not null,
  id text not null,
  email text not null,
  first_name text default ''::text not null,
  last_name text default ''::text not null,
  role text not null,
  status text not null,
  password_hash text,
  created_at timestamp with time zone default now() not null,
  updated_at timestamp with time zone default now() not null,
  last_login_at timestamp with time zone
);
create table work (
  id bigint generated always as identity not null,
  org_id text not null,
  queue text not null,
  key text not null,
  due_at timestamp with time zone default now() not null,
  fence integer default 0 not null,
  tries integer default 0 not null,
  holder text,
  created_at timestamp with time zone default now() not null,
  labels jsonb,
  replay_id text,
  first_fence integer default 0 not null
);
create table workflows (
  org_id text not null,
  identifier text not null,
  document json not null,
  created_at timestamp with time zone default now() not null,
  created_by text not null,
  updated_at timestamp with time zone default now() not null,
  updated_by text not null
);

-- Constraints

alter table actions add constraint actions_org_id_fkey FOREIGN KEY (org_id) REFERENCES organizations(org_id);
alter table actions add constraint actions_org_id_identifier_key UNIQUE (org_id, identifier);
alter table actions add constraint actions_pkey PRIMARY KEY (org_id, id);
alter table agents add constraint agents_org_id_fkey FOREIGN KEY (org_id) REFERENCES organizations(org_id);
alter table agents add constraint agents_pkey PRIMARY KEY (org_id, id);
alter table audit_checkpoints add constraint audit_checkpoints_check CHECK (((seqs IS NULL) = (hashes IS NULL)));
alter table audit_checkpoints add constraint audit_checkpoints_check1 CHECK (((seqs IS NULL) OR ((cardinality(seqs) = count) AND (length(hashes) = (32 * count)))));
alter table audit_checkpoints add constraint audit_checkpoints_count_check CHECK ((count > 0));
alter table audit_checkpoints add constraint audit_checkpoints_org_id_fkey FOREIGN KEY (org_id) REFERENCES organizations(org_id);
alter table audit_checkpoints add constraint audit_checkpoints_pkey PRIMARY KEY (org_id, number);
alter table automation_counts add constraint automation_counts_org_id_action_id_fkey FOREIGN KEY (org_id, action_id) REFERENCES actions(org_id, id) ON DELETE CASCADE;
alter table automation_counts add constraint automation_counts_pkey PRIMARY KEY (org_id, action_id);
alter table automation_evaluations add constraint automation_evaluations_org_id_action_id_fkey FOREIGN KEY (org_id, action_id) REFERENCES actions(org_id, id) ON DELETE CASCADE;
alter table automation_evaluations add constraint automation_evaluations_outcome_check CHECK ((outcome = ANY (ARRAY['fired'::text, 'not_fired'::text, 'failed'::text, 'blocked'::text])));
alter table automation_evaluations add constraint automation_evaluations_pkey PRIMARY KEY (org_id, action_id, id);
alter table blueprints add constraint blueprints_org_id_fkey FOREIGN KEY (org_id) REFERENCES organizations(org_id);
alter table blueprints add constraint blueprints_org_id_identifier_key UNIQUE (org_id, identifier);
alter table blueprints add constraint blueprints_pkey PRIMARY KEY (org_id, id);
alter table credentials add constraint credentials_id_key UNIQUE (id);
alter table credentials add constraint credentials_org_id_fkey FOREIGN KEY (org_id) REFERENCES organizations(org_id);
alter table credentials add constraint credentials_pkey PRIMARY KEY (org_id, id);
alter table deliveries add constraint deliveries_pkey PRIMARY KEY (org_id, subject, attempt);
alter table deliveries add constraint deliveries_state_check CHECK ((state = ANY (ARRAY['open'::text, 'settled'::text, 'lost'::text, 'acknowledged'::text, 'returned'::text])));
alter table entities add constraint entities_org_id_blueprint_id_fkey FOREIGN KEY (org_id, blueprint_id) REFERENCES blueprints(org_id, id);
alter table entities add constraint entities_org_id_blueprint_id_identifier_key UNIQUE (org_id, blueprint_id, identifier);
alter table entities add constraint entities_pkey PRIMARY KEY (org_id, id);
alter table entity_migrations add constraint entity_migrations_org_id_fkey FOREIGN KEY (org_id) REFERENCES organizations(org_id);
alter table entity_migrations add constraint entity_migrations_pkey PRIMARY KEY (org_id, id);
alter table entity_relations add constraint entity_relations_org_id_entity_id_fkey FOREIGN KEY (org_id, entity_id) REFERENCES entities(org_id, id) ON DELETE CASCADE;
alter table entity_relations add constraint entity_relations_org_id_target_id_fkey FOREIGN KEY (org_id, target_id) REFERENCES entities(org_id, id) ON DELETE CASCADE;
alter table entity_relations add constraint entity_relations_pkey PRIMARY KEY (org_id, entity_id, relation, "position");
alter table event_cursors add constraint event_cursors_org_id_fkey FOREIGN KEY (org_id) REFERENCES organizations(org_id);
alter table event_cursors add constraint event_cursors_pkey PRIMARY KEY (org_id, reader);
alter table events add constraint events_org_id_fkey FOREIGN KEY (org_id) REFERENCES organizations(org_id);
alter table events add constraint events_pkey PRIMARY KEY (seq);
alter table expired_timers add constraint expired_timers_org_id_entity_row_fkey FOREIGN KEY (org_id, entity_row) REFERENCES entities(org_id, id) ON DELETE CASCADE;
alter table expired_timers add constraint expired_timers_pkey PRIMARY KEY (org_id, entity_row, property);
alter table installation add constraint installation_is_only_check CHECK (is_only);
alter table installation add constraint installation_pkey PRIMARY KEY (is_only);
alter table kafka_users add constraint kafka_users_org_id_fkey FOREIGN KEY (org_id) REFERENCES organizations(org_id);
alter table kafka_users add constraint kafka_users_pkey PRIMARY KEY (org_id);
alter table kafka_users add constraint kafka_users_username_key UNIQUE (username);
alter table messages add constraint messages_check CHECK (((ended_at IS NOT NULL) = (status <> 'OPEN'::text)));
alter table messages add constraint messages_kind_check CHECK ((kind = ANY (ARRAY['approval'::text, 'change'::text, 'dead_letter'::text])));
alter table messages add constraint messages_org_id_fkey FOREIGN KEY (org_id) REFERENCES organizations(org_id);
alter table messages add constraint messages_pkey PRIMARY KEY (org_id, id);
alter table messages add constraint messages_status_check CHECK ((status = ANY (ARRAY['OPEN'::text, 'DELIVERED'::text, 'FAILED'::text])));
alter table migrations add constraint migrations_pkey PRIMARY KEY (name);
alter table organizations add constraint organizations_org_id_check CHECK ((org_id ~ '^[A-Za-z0-9_-]{1,64}$'::text));
alter table organizations add constraint organizations_pkey PRIMARY KEY (org_id);
alter table password_links add constraint password_links_org_id_user_id_fkey FOREIGN KEY (org_id, user_id) REFERENCES users(org_id, id) ON DELETE CASCADE;
alter table password_links add constraint password_links_pkey PRIMARY KEY (token_hash);
alter table replays add constraint replays_org_id_fkey FOREIGN KEY (org_id) REFERENCES organizations(org_id);
alter table replays add constraint replays_pkey PRIMARY KEY (org_id, id);
alter table replays add constraint replays_state_check CHECK ((state = ANY (ARRAY['running'::text, 'handed_over'::text, 'cancelled'::text])));
alter table run_approvers add constraint run_approvers_org_id_run_id_fkey FOREIGN KEY (org_id, run_id) REFERENCES runs(org_id, id) ON DELETE CASCADE;
alter table run_approvers add constraint run_approvers_pkey PRIMARY KEY (org_id, run_id, user_id);
alter table run_approvers add constraint run_approvers_state_check CHECK ((state = ANY (ARRAY['PENDING'::text, 'APPROVED'::text, 'DECLINED'::text])));
alter table run_keys add constraint run_keys_org_id_run_id_fkey FOREIGN KEY (org_id, run_id) REFERENCES runs(org_id, id) ON DELETE CASCADE;
alter table run_keys add constraint run_keys_pkey PRIMARY KEY (org_id, key);
alter table run_logs add constraint run_logs_org_id_run_id_fkey FOREIGN KEY (org_id, run_id) REFERENCES runs(org_id, id) ON DELETE CASCADE;
alter table run_logs add constraint run_logs_pkey PRIMARY KEY (org_id, run_id, line);
alter table runs add constraint runs_check CHECK (((ended_at IS NOT NULL) = (status = ANY (ARRAY['SUCCESS'::text, 'FAILURE'::text, 'DECLINED'::text]))));
alter table runs add constraint runs_org_id_fkey FOREIGN KEY (org_id) REFERENCES organizations(org_id);
alter table runs add constraint runs_pkey PRIMARY KEY (org_id, id);
alter table runs add constraint runs_source_check CHECK ((source = ANY (ARRAY['UI'::text, 'API'::text, 'AUTOMATION'::text])));
alter table runs add constraint runs_status_check CHECK ((status = ANY (ARRAY['WAITING_FOR_APPROVAL'::text, 'IN_PROGRESS'::text, 'SUCCESS'::text, 'FAILURE'::text, 'DECLINED'::text])));
alter table secrets add constraint secrets_org_id_fkey FOREIGN KEY (org_id) REFERENCES organizations(org_id);
alter table secrets add constraint secrets_pkey PRIMARY KEY (org_id, name);
alter table sessions add constraint sessions_org_id_user_id_fkey FOREIGN KEY (org_id, user_id) REFERENCES users(org_id, id) ON DELETE CASCADE;
alter table sessions add constraint sessions_pkey PRIMARY KEY (token_hash);
alter table team_members add constraint team_members_org_id_team_id_fkey FOREIGN KEY (org_id, team_id) REFERENCES teams(org_id, id) ON DELETE CASCADE;
alter table team_members add constraint team_members_org_id_user_id_fkey FOREIGN KEY (org_id, user_id) REFERENCES users(org_id, id) ON DELETE CASCADE;
alter table team_members add constraint team_members_pkey PRIMARY KEY (org_id, team_id, user_id);
alter table teams add constraint teams_org_id_fkey FOREIGN KEY (org_id) REFERENCES organizations(org_id);
alter table teams add constraint teams_org_id_identifier_key UNIQUE (org_id, identifier);
alter table teams add constraint teams_org_id_name_key UNIQUE (org_id, name);
alter table teams add constraint teams_pkey PRIMARY KEY (org_id, id);
alter table users add constraint users_email_key UNIQUE (email);
alter table users add constraint users_org_id_fkey FOREIGN KEY (org_id) REFERENCES organizations(org_id);
alter table users add constraint users_pkey PRIMARY KEY (org_id, id);
alter table users add constraint users_role_check CHECK ((role = ANY (ARRAY['Admin'::text, 'Moderator'::text, 'Member'::text])));
alter table users add constraint users_status_check CHECK ((status = ANY (ARRAY['STAGED'::text, 'INVITED'::text, 'ACTIVE'::text, 'DISABLED'::text])));
alter table work add constraint work_org_id_fkey FOREIGN KEY (org_id) REFERENCES organizations(org_id);
alter table work add constraint work_org_id_key_queue_key UNIQUE (org_id, key, queue);
alter table work add constraint work_pkey PRIMARY KEY (id);
alter table workflows add constraint workflows_org_id_fkey FOREIGN KEY (org_id) REFERENCES organizations(org_id);
alter table workflows add constraint workflows_pkey PRIMARY KEY (org_id, identifier);

-- Indexes

CREATE INDEX actions_automations ON public.actions USING btree (org_id) WHERE ((document #>> '{trigger,type}'::text[]) = 'automation'::text);
CREATE INDEX audit_checkpoints_by_time ON public.audit_checkpoints USING btree (org_id, sealed_at);
CREATE UNIQUE INDEX credentials_one_primary ON public.credentials USING btree (org_id) WHERE is_primary;
CREATE INDEX deliveries_by_replay ON public.deliveries USING btree (org_id, replay_id, started_at, subject, attempt) WHERE (replay_id IS NOT NULL);
CREATE INDEX deliveries_dead ON public.deliveries USING btree (org_id, started_at, subject, attempt) WHERE is_dead;
CREATE INDEX deliveries_newest ON public.deliveries USING btree (org_id, started_at, subject, attempt);
CREATE INDEX entities_by_title ON public.entities USING btree (org_id, blueprint_id, title, id);
CREATE INDEX entity_relations_by_target ON public.entity_relations USING btree (org_id, target_id);
CREATE INDEX events_by_entity ON public.events USING btree (org_id, blueprint, entity, seq DESC) WHERE (entity IS NOT NULL);
CREATE INDEX events_by_org ON public.events USING btree (org_id, seq DESC);
CREATE INDEX events_by_run ON public.events USING btree (org_id, run_id, seq) WHERE (run_id IS NOT NULL);
CREATE INDEX events_cursor ON public.events USING btree (org_id, xid, seq);
CREATE INDEX messages_by_run ON public.messages USING btree (org_id, run_id) WHERE (run_id IS NOT NULL);
CREATE INDEX messages_with_body ON public.messages USING btree (org_id, ended_at) WHERE ((ended_at IS NOT NULL) AND (body_removed_at IS NULL));
CREATE INDEX replays_newest ON public.replays USING btree (org_id, seq DESC);
CREATE INDEX run_approvers_by_user ON public.run_approvers USING btree (org_id, user_id, run_id);
CREATE INDEX runs_active ON public.runs USING btree (org_id, seq DESC) WHERE (status = ANY (ARRAY['WAITING_FOR_APPROVAL'::text, 'IN_PROGRESS'::text]));
CREATE INDEX runs_by_action ON public.runs USING btree (org_id, action_identifier, seq DESC);
CREATE INDEX runs_by_entity ON public.runs USING btree (org_id, blueprint, entity, seq DESC) WHERE (entity IS NOT NULL);
CREATE UNIQUE INDEX runs_by_event ON public.runs USING btree (org_id, action_id, event_seq) WHERE (event_seq IS NOT NULL);
CREATE INDEX runs_by_external ON public.runs USING btree (org_id, external_run_id) WHERE (external_run_id IS NOT NULL);
CREATE INDEX runs_by_root ON public.runs USING btree (org_id, root) WHERE (root IS NOT NULL);
CREATE INDEX runs_newest ON public.runs USING btree (org_id, seq DESC);
CREATE INDEX runs_with_log ON public.runs USING btree (org_id, ended_at) WHERE ((ended_at IS NOT NULL) AND (log_removed_at IS NULL));
CREATE INDEX sessions_by_end ON public.sessions USING btree (absolute_until);
CREATE INDEX team_members_by_user ON public.team_members USING btree (org_id, user_id);
CREATE INDEX work_by_replay ON public.work USING btree (org_id, replay_id) WHERE (replay_id IS NOT NULL);
CREATE INDEX work_due ON public.work USING btree (queue, due_at, id);

-- Row-level security

-- actions: enabled t, forced t
-- agents: enabled t, forced t
-- audit_checkpoints: enabled t, forced t
-- automation_counts: enabled t, forced t
-- automation_evaluations: enabled t, forced t
-- blueprints: enabled t, forced t
-- credentials: enabled t, forced t
-- deliveries: enabled t, forced t
-- entities: enabled t, forced t
-- entity_migrations: enabled t, forced t
-- entity_relations: enabled t, forced t
-- event_cursors: enabled t, forced t
-- events: enabled t, forced t
-- expired_timers: enabled t, forced t
-- installation: enabled f, forced f
-- kafka_users: enabled t, forced t
-- messages: enabled t, forced t
-- migrations: enabled f, forced f
-- organizations: enabled t, forced t
-- password_links: enabled t, forced t
-- replays: enabled t, forced t
-- run_approvers: enabled t, forced t
-- run_keys: enabled t, forced t
-- run_logs: enabled t, forced t
-- runs: enabled t, forced t
-- secrets: enabled t, forced t
-- sessions: enabled t, forced t
-- team_members: enabled t, forced t
-- teams: enabled t, forced t
-- users: enabled t, forced t
-- work: enabled t, forced t
-- workflows: enabled t, forced t

-- Policies

create policy every_organization on actions to quayside_system using (true) with check (true);
create policy tenant on actions to quayside_app using ((org_id = quayside_org_id())) with check ((org_id = quayside_org_id()));
create policy every_organization on agents to quayside_system using (true) with check (true);
create policy tenant on agents to quayside_app using ((org_id = quayside_org_id())) with check ((org_id = quayside_org_id()));
create policy every_organization on audit_checkpoints to quayside_system using (true) with check (true);
create policy tenant on audit_checkpoints to quayside_app using ((org_id = quayside_org_id())) with check ((org_id = quayside_org_id()));
create policy every_organization on automation_counts to quayside_system using (true) with check (true);
create policy tenant on automation_counts to quayside_app using ((org_id = quayside_org_id())) with check ((org_id = quayside_org_id()));
create policy every_organization on automation_evaluations to quayside_system using (true) with check (true);
create policy tenant on automation_evaluations to quayside_app using ((org_id = quayside_org_id())) with check ((org_id = quayside_org_id()));
create policy every_organization on blueprints to quayside_system using (true) with check (true);
create policy tenant on blueprints to quayside_app using ((org_id = quayside_org_id())) with check ((org_id = quayside_org_id()));
create policy every_organization on credentials to quayside_system using (true) with check (true);
create policy tenant on credentials to quayside_app using ((org_id = quayside_org_id())) with check ((org_id = quayside_org_id()));
create policy every_organization on deliveries to quayside_system using (true) with check (true);
create policy tenant on deliveries to quayside_app using ((org_id = quayside_org_id())) with check ((org_id = quayside_org_id()));
create policy every_organization on entities to quayside_system using (true) with check (true);
create policy tenant on entities to quayside_app using ((org_id = quayside_org_id())) with check ((org_id = quayside_org_id()));
create policy every_organization on entity_migrations to quayside_system using (true) with check (true);
create policy tenant on entity_migrations to quayside_app using ((org_id = quayside_org_id())) with check ((org_id = quayside_org_id()));
create policy every_organization on entity_relations to quayside_system using (true) with check (true);
create policy tenant on entity_relations to quayside_app using ((org_id = quayside_org_id())) with check ((org_id = quayside_org_id()));
create policy every_organization on event_cursors to quayside_system using (true) with check (true);
create policy tenant on event_cursors to quayside_app using ((org_id = quayside_org_id())) with check ((org_id = quayside_org_id()));
create policy every_organization on events to quayside_system using (true) with check (true);
create policy tenant on events to quayside_app using ((org_id = quayside_org_id())) with check ((org_id = quayside_org_id()));
create policy every_organization on expired_timers to quayside_system using (true) with check (true);
create policy tenant on expired_timers to quayside_app using ((org_id = quayside_org_id())) with check ((org_id = quayside_org_id()));
create policy every_organization on kafka_users to quayside_system using (true) with check (true);
create policy tenant on kafka_users to quayside_app using ((org_id = quayside_org_id())) with check ((org_id = quayside_org_id()));
create policy every_organization on messages to quayside_system using (true) with check (true);
create policy tenant on messages to quayside_app using ((org_id = quayside_org_id())) with check ((org_id = quayside_org_id()));
create policy every_organization on organizations to quayside_system using (true) with check (true);
create policy tenant on organizations to quayside_app using ((org_id = quayside_org_id())) with check ((org_id = quayside_org_id()));
create policy every_organization on password_links to quayside_system using (true) with check (true);
create policy tenant on password_links to quayside_app using ((org_id = quayside_org_id())) with check ((org_id = quayside_org_id()));
create policy every_organization on replays to quayside_system using (true) with check (true);
create policy tenant on replays to quayside_app using ((org_id = quayside_org_id())) with check ((org_id = quayside_org_id()));
create policy every_organization on run_approvers to quayside_system using (true) with check (true);
create policy tenant on run_approvers to quayside_app using ((org_id = quayside_org_id())) with check ((org_id = quayside_org_id()));
create policy every_organization on run_keys to quayside_system using (true) with check (true);
create policy tenant on run_keys to quayside_app using ((org_id = quayside_org_id())) with check ((org_id = quayside_org_id()));
create policy every_organization on run_logs to quayside_system using (true) with check (true);
create policy tenant on run_logs to quayside_app using ((org_id = quayside_org_id())) with check ((org_id = quayside_org_id()));
create policy every_organization on runs to quayside_system using (true) with check (true);
create policy tenant on runs to quayside_app using ((org_id = quayside_org_id())) with check ((org_id = quayside_org_id()));
create policy every_organization on secrets to quayside_system using (true) with check (true);
create policy tenant on secrets to quayside_app using ((org_id = quayside_org_id())) with check ((org_id = quayside_org_id()));
create policy every_organization on sessions to quayside_system using (true) with check (true);
create policy tenant on sessions to quayside_app using ((org_id = quayside_org_id())) with check ((org_id = quayside_org_id()));
create policy every_organization on team_members to quayside_system using (true) with check (true);
create policy tenant on team_members to quayside_app using ((org_id = quayside_org_id())) with check ((org_id = quayside_org_id()));
create policy every_organization on teams to quayside_system using (true) with check (true);
create policy tenant on teams to quayside_app using ((org_id = quayside_org_id())) with check ((org_id = quayside_org_id()));
create policy every_organization on users to quayside_system using (true) with check (true);
create policy tenant on users to quayside_app using ((org_id = quayside_org_id())) with check ((org_id = quayside_org_id()));
create policy every_organization on work to quayside_system using (true) with check (true);
create policy tenant on work to quayside_app using ((org_id = quayside_org_id())) with check ((org_id = quayside_org_id()));
create policy every_organization on workflows to quayside_system using (true) with check (true);
create policy tenant on workflows to quayside_app using ((org_id = quayside_org_id())) with check ((org_id = quayside_org_id()));

-- Grants

grant delete, insert, select, update on actions to quayside_app;
grant delete, insert, select, update on actions to quayside_system;
grant delete, insert, select, update on agents to quayside_app;
grant delete, insert, select, update on agents to quayside_system;
grant insert, select on audit_checkpoints to quayside_app;
grant insert, select on audit_checkpoints to quayside_system;
grant delete, insert, select, update on automation_counts to quayside_app;
grant delete, insert, select, update on automation_counts to quayside_system;
grant delete, insert, select, update on automation_evaluations to quayside_app;
grant delete, insert, select, update on automation_evaluations to quayside_system;
grant delete, insert, select, update on blueprints to quayside_app;
grant delete, insert, select, update on blueprints to quayside_system;
grant delete, insert, select, update on credentials to quayside_app;
grant delete, insert, select, update on credentials to quayside_system;
grant delete, insert, select, update on deliveries to quayside_app;
grant delete, insert, select, update on deliveries to quayside_system;
grant delete, insert, select, update on entities to quayside_app;
grant delete, insert, select, update on entities to quayside_system;
grant delete, insert, select, update on entity_migrations to quayside_app;
grant delete, insert, select, update on entity_migrations to quayside_system;
grant delete, insert, select, update on entity_relations to quayside_app;
grant delete, insert, select, update on entity_relations to quayside_system;
grant delete, insert, select, update on event_cursors to quayside_app;
grant delete, insert, select, update on event_cursors to quayside_system;
grant insert, select on events to quayside_app;
grant delete, insert, select on events to quayside_system;
grant delete, insert, select, update on expired_timers to quayside_app;
grant delete, insert, select, update on expired_timers to quayside_system;
grant insert, select on installation to quayside_system;
grant delete, insert, select, update on kafka_users to quayside_app;
grant delete, insert, select, update on kafka_users to quayside_system;
grant delete, insert, select, update on messages to quayside_app;
grant delete, insert, select, update on messages to quayside_system;
grant delete, insert, select, update on organizations to quayside_app;
grant delete, insert, select, update on organizations to quayside_system;
grant delete, insert, select, update on password_links to quayside_app;
grant delete, insert, select, update on password_links to quayside_system;
grant delete, insert, select, update on replays to quayside_app;
grant delete, insert, select, update on replays to quayside_system;
grant delete, insert, select, update on run_approvers to quayside_app;
grant delete, insert, select, update on run_approvers to quayside_system;
grant delete, insert, select, update on run_keys to quayside_app;
grant delete, insert, select, update on run_keys to quayside_system;
grant insert, select on run_logs to quayside_app;
grant delete, insert, select on run_logs to quayside_system;
grant delete, insert, select, update on runs to quayside_app;
grant delete, insert, select, update on runs to quayside_system;
grant delete, insert, select, update on secrets to quayside_app;
grant delete, insert, select, update on secrets to quayside_system;
grant delete, insert, select, update on sessions to quayside_app;
grant delete, insert, select, update on sessions to quayside_system;
grant delete, insert, select, update on team_members to quayside_app;
grant delete, insert, select, update on team_members to quayside_system;
grant delete, insert, select, update on teams to quayside_app;
grant delete, insert, select, update on teams to quayside_system;
grant delete, insert, select, update on users to quayside_app;
grant delete, insert, select, update on users to quayside_system;
grant delete, insert, select, update on work to quayside_app;
grant delete, insert, select, update on work to quayside_system;
grant delete, insert, select, update on workflows to quayside_app;
grant delete, insert, select, update on workflows to quayside_system;
