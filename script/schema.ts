import { createDatabase, startTestPostgres } from '@quayside/testkit';
import { Client } from 'pg';

/**
 * Prints what the migrations make: tables, constraints, indexes, policies, grants, functions, in a fixed order. The dump
 * is committed as packages/server/schema.sql, so that a review sees the result of a migration and not only its steps.
 * (The embedded PostgreSQL has no pg_dump; this reads the catalogs.)
 */
const statements = {
  Functions: `
    select pg_get_functiondef(p.oid) || ';' as line from pg_proc p join pg_namespace n on n.oid = p.pronamespace
    where n.nspname = 'public' order by p.proname`,
  Tables: `
    select format(E'create table %I (\\n%s\\n);', c.relname, string_agg(
      format('  %I %s%s%s%s', a.attname, format_type(a.atttypid, a.atttypmod),
        case a.attidentity when 'a' then ' generated always as identity' else '' end,
        case when d.adbin is not null then ' default ' || pg_get_expr(d.adbin, d.adrelid) else '' end,
        case when a.attnotnull then ' not null' else '' end), E',\\n' order by a.attnum)) as line
    from pg_class c join pg_namespace n on n.oid = c.relnamespace
    join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
    left join pg_attrdef d on d.adrelid = c.oid and d.adnum = a.attnum
    where n.nspname = 'public' and c.relkind = 'r' group by c.relname order by c.relname`,
  Constraints: `
    select format('alter table %s add constraint %I %s;', conrelid::regclass, conname, pg_get_constraintdef(oid)) as line
    from pg_constraint where connamespace = 'public'::regnamespace and contype <> 'n' order by conrelid::regclass::text, conname`,
  Indexes: `
    select indexdef || ';' as line from pg_indexes i
    where schemaname = 'public' and not exists (select from pg_constraint where conname = indexname and connamespace = 'public'::regnamespace)
    order by indexname`,
  'Row-level security': `
    select format('%s: enabled %s, forced %s', oid::regclass, relrowsecurity, relforcerowsecurity) as line
    from pg_class where relnamespace = 'public'::regnamespace and relkind = 'r' order by relname`,
  Policies: `
    select format('create policy %I on %I to %s using (%s) with check (%s);', policyname, tablename, array_to_string(roles, ', '), qual, with_check) as line
    from pg_policies where schemaname = 'public' order by tablename, policyname`,
  Grants: `
    select format('grant %s on %I to %s;', string_agg(lower(privilege_type), ', ' order by privilege_type), table_name, grantee) as line
    from information_schema.role_table_grants where table_schema = 'public' and grantee like 'quayside\\_%'
    group by table_name, grantee order by table_name, grantee`,
};

const postgres = await startTestPostgres();
try {
  const database = await createDatabase(postgres.adminUrl);
  const client = new Client({ connectionString: database.url });
  await client.connect();
  const parts = ['-- Made by script/schema.ts from packages/server/migrations. Do not edit.'];
  for (const [title, statement] of Object.entries(statements)) {
    const { rows } = await client.query<{ line: string }>(statement);
    parts.push(
      '',
      `-- ${title}`,
      '',
      ...rows.map((row) => (title === 'Row-level security' ? `-- ${row.line}` : row.line)),
    );
  }
  await client.end();
  process.stdout.write(`${parts.join('\n')}\n`);
} finally {
  await postgres.stop();
}
