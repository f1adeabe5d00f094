import type { Json } from '@quayside/expressions';

export const ROUNDS = 10;

/** Shaped like a Git host's repository: about 1.3 kB of JSON. */
export function repository(index: number): Json {
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

/** 7 paths and literals. */
export const simple = {
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

export const realistic = {
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

/**
 * Best of several rounds, in processor time of this process (its garbage collector included): what one core does, also on a
 * machine that is busy with other things.
 */
export function perSecond(count: number, run: () => void): number {
  let best = Number.POSITIVE_INFINITY;
  for (let round = 0; round < ROUNDS; round++) {
    const started = process.cpuUsage();
    run();
    const { user, system } = process.cpuUsage(started);
    best = Math.min(best, user + system);
  }
  return Math.round((count / best) * 1_000_000);
}
