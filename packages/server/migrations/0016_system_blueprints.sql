-- People in the catalog: each team has a twin in the blueprint _team, each user one in _user, so that relations, searches
-- and policies can ask about them.
--
-- Twins are kept by triggers: a person and their twin change in one statement, whichever code writes the person (invitation,
-- password link, identity provider). The tables of people are the truth; what is written to a twin is written there first
-- (features/entities). A twin has no events of its own when a person changes: user.* and team.* say it.

-- What is built in; an organization may add properties and relations to its copy.
create function quayside_system_blueprint(wanted text) returns json
language sql immutable parallel safe
as $$
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
$$;

create function quayside_add_system_blueprints() returns trigger
language plpgsql
as $$
begin
  insert into blueprints (org_id, identifier, document, created_by, updated_by)
  select new.org_id, wanted, quayside_system_blueprint(wanted), 'quayside', 'quayside'
  from unnest(array['_team', '_user']) wanted
  on conflict (org_id, identifier) do nothing;
  return null;
end
$$;
create trigger add_system_blueprints after insert on organizations
for each row execute function quayside_add_system_blueprints();

create function quayside_mirror_team() returns trigger
language plpgsql
as $$
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
$$;
create trigger mirror_team after insert or delete or update of name, description on teams
for each row execute function quayside_mirror_team();

create function quayside_mirror_user() returns trigger
language plpgsql
as $$
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
$$;
create trigger mirror_user after insert or delete or update of first_name, last_name, role, status on users
for each row execute function quayside_mirror_user();

-- Membership is the `team` of the user's twin. Once per statement: a team may have thousands of members.
create function quayside_mirror_members() returns trigger
language plpgsql
as $$
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
$$;
create trigger mirror_members_added after insert on team_members
referencing new table as changed for each statement execute function quayside_mirror_members();
create trigger mirror_members_removed after delete on team_members
referencing old table as changed for each statement execute function quayside_mirror_members();

-- Organizations that are there already.
set local role quayside_system;
insert into blueprints (org_id, identifier, document, created_by, updated_by)
select org_id, wanted, quayside_system_blueprint(wanted), 'quayside', 'quayside'
from organizations, unnest(array['_team', '_user']) wanted
on conflict (org_id, identifier) do nothing;
update teams set name = name;
update users set status = status;
update entities e set team = array(
  select t.identifier from team_members m join teams t on t.org_id = m.org_id and t.id = m.team_id
  where m.org_id = u.org_id and m.user_id = u.id order by t.name)
from users u join blueprints b on b.org_id = u.org_id and b.identifier = '_user'
where e.org_id = u.org_id and e.blueprint_id = b.id and e.identifier = u.email;
reset role;
