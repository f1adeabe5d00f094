import { compileMapping, compileTemplate, type Json } from '@quayside/expressions';
import { writeSection } from './results.ts';

/**
 * Whole mappings: documents per second on one core, from raw item to entity with all fields and reasons. The documents
 * are shaped like a Git host's repositories (about 2 kB of JSON each), all different, so that nothing can be remembered.
 */
const DOCUMENTS = 20_000;
const ROUNDS = 10;

function repository(index: number): Json {
  const name = `service-${index}`;
  return {
    id: 100_000 + index,
    name,
    full_name: `acme/${name}`,
    private: index % 3 === 0,
    archived: index % 11 === 0,
    html_url: `https://git.example/acme/${name}`,
    description:
      index % 5 === 0 ? null : `The ${name} of team ${index % 40}, which does what its name says. `.repeat(4),
    default_branch: index % 7 === 0 ? 'master' : 'main',
    language: ['TypeScript', 'Go', 'Java', 'Python'][index % 4] ?? 'Go',
    topics: ['backend', `team-${index % 40}`, `tier-${index % 3}`, 'managed'],
    created_at: '2023-04-05T06:07:08Z',
    pushed_at: '2025-01-02T03:04:05Z',
    stargazers_count: index % 100,
    open_issues_count: index % 17,
    owner: { login: 'acme', id: 1, type: 'Organization', url: 'https://git.example/acme', avatar: 'a'.repeat(80) },
    permissions: { admin: false, push: true, pull: true },
    license: index % 2 === 0 ? { key: 'apache-2.0', name: 'Apache License 2.0' } : null,
    languages: { TypeScript: 100 * index, Shell: 10, Dockerfile: 5 },
    teams: [
      { slug: `team-${index % 40}`, permission: 'admin', members: ['a', 'b', 'c'] },
      { slug: 'platform', permission: 'pull', members: ['d'] },
    ],
    urls: Object.fromEntries(
      ['issues', 'pulls', 'branches', 'tags', 'commits'].map((kind) => [
        kind,
        `https://git.example/api/acme/${name}/${kind}`,
      ]),
    ),
  };
}

const simple = {
  kind: 'repository',
  selector: { query: 'true' },
  port: {
    entity: {
      mappings: {
        identifier: '.name',
        title: '.full_name',
        blueprint: '"service"',
        properties: { url: '.html_url', language: '.language', description: '.description', branch: '.default_branch' },
        relations: {},
      },
    },
  },
};

const realistic = {
  kind: 'repository',
  selector: { query: '.archived | not' },
  port: {
    entity: {
      mappings: {
        identifier: '.full_name | gsub("/"; "-")',
        title: '.name',
        icon: "if .language == 'Go' then 'Go' else 'Git' end",
        team: '[.teams[] | select(.permission == "admin") | .slug]',
        blueprint: '"service"',
        properties: {
          url: '.html_url',
          description: '.description // "none"',
          language: '.language | ascii_downcase',
          private: '.private',
          tier: '[.topics[] | select(startswith("tier-"))] | first',
          topics: '.topics | sort | join(", ")',
          license: '.license.name',
          languages: '.languages | to_entries | map(.key)',
          issues: '.open_issues_count',
          pushed: '.pushed_at',
        },
        relations: { owner: '.owner.login', teams: '[.teams[].slug]' },
      },
    },
  },
};

const body = {
  url: 'https://ci.example/{{ .inputs.repository.identifier }}/run',
  headers: { 'x-run': '{{ .run.id }}', authorization: 'Bearer {{ .secrets.TOKEN }}' },
  payload: {
    ref: '{{ .inputs.branch // "main" }}',
    tags: '{{ .inputs.tags }}',
    by: '{{ .trigger.by.user.email }}',
    '{{ if .inputs.debug then "debug" else null end }}': true,
    '{{ spreadValue() }}': '{{ .inputs.extra }}',
  },
};

/**
 * Best of several rounds, in processor time of this process (its garbage collector included): what one core does, also on a
 * machine that is busy with other things.
 */
function perSecond(count: number, run: () => void): number {
  let best = Number.POSITIVE_INFINITY;
  for (let round = 0; round < ROUNDS; round++) {
    const started = process.cpuUsage();
    run();
    const { user, system } = process.cpuUsage(started);
    best = Math.min(best, user + system);
  }
  return Math.round((count / best) * 1_000_000);
}

const documents = Array.from({ length: DOCUMENTS }, (_, index) => repository(index));
const bytes = Math.round(JSON.stringify(documents).length / DOCUMENTS);
const rows: string[] = [];
const addRow = (what: string, rate: number): void => {
  rows.push(`| ${what} | ${rate.toLocaleString('en')} |`);
};

for (const [what, resource] of [
  ['simple mapping: 7 paths and literals', simple],
  ['realistic mapping: selector, team, icon, 10 properties, 2 relations', realistic],
] as const) {
  const compiled = compileMapping(resource);
  if (!compiled.ok) throw new Error(JSON.stringify(compiled.mistakes));
  const { mapping } = compiled;
  const report = mapping.run(documents.slice(0, 1000));
  const broken = report.faults.filter((fault) => fault.reason !== 'null');
  if (broken.length > 0) throw new Error(JSON.stringify(broken));
  addRow(
    what,
    perSecond(DOCUMENTS, () => mapping.run(documents)),
  );
}

const template = compileTemplate(body);
const context = {
  inputs: { repository: { identifier: 'r1' }, branch: 'dev', tags: ['a', 'b'], extra: { x: 1, y: 2 } },
  run: { id: 'r_1' },
  trigger: { by: { user: { email: 'a@example.org' } } },
};
const renders = 20_000;
addRow(
  'webhook template, 9 blocks, rendered',
  perSecond(renders, () => {
    for (let index = 0; index < renders; index++) template.render({ ...context, secrets: { TOKEN: 't' } });
  }),
);
addRow(
  'the same with secrets masked for the record (two renders)',
  perSecond(renders, () => {
    for (let index = 0; index < renders; index++) template.renderWithSecrets(context, { TOKEN: 't' });
  }),
);
addRow(
  'the same compiled and rendered (texts cached)',
  perSecond(renders, () => {
    for (let index = 0; index < renders; index++) compileTemplate(body).render(context);
  }),
);

const table = ['| per second, one core | rate |', '| --- | ---: |', ...rows].join('\n');
process.stdout.write(`${table}\n`);
writeSection({
  name: 'expressions-mapping',
  about: `Whole mappings over ${DOCUMENTS.toLocaleString('en')} different documents of ${bytes} bytes, and whole templates; best of ${ROUNDS} rounds, processor time.`,
  body: table,
});
