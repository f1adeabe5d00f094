import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { type Finding, findViolations } from './boundaries.ts';

/**
 * The import table of the architecture, written a second time and independently of script/boundaries.ts: `yes`, `types`
 * (only with `import type`) or `–` (never). Each cell plants a tree of two files and expects the finding, or none.
 */
const targets = {
  contracts: '@quayside/contracts',
  expressions: '@quayside/expressions',
  delivery: '@quayside/delivery',
  testkit: '@quayside/testkit',
  db: 'packages/server/src/platform/db.ts',
  http: 'packages/server/src/platform/http.ts',
  jobs: 'packages/server/src/platform/jobs.ts',
  log: 'packages/server/src/platform/log.ts',
  'own model': 'packages/server/src/features/runs/model-inputs.ts',
  'own store': 'packages/server/src/features/runs/store-logs.ts',
  'own reads': 'packages/server/src/features/runs/reads-board.ts',
  'own service': 'packages/server/src/features/runs/service-claim.ts',
  'own routes': 'packages/server/src/features/runs/routes.ts',
  'other index': 'packages/server/src/features/actions/index.ts',
  'other model': 'packages/server/src/features/actions/model.ts',
  'other store': 'packages/server/src/features/actions/store.ts',
  'other service': 'packages/server/src/features/actions/service.ts',
} as const;

const feature = 'packages/server/src/features/runs';
const serverTable = `
                                   | contracts expressions delivery testkit | db    http  jobs  log   | own model  own store  own reads  own service  own routes | other index  other model  other store  other service
packages/server/src/platform/wake  | yes       –           –        –       | yes   yes   yes   yes   | –          –          –          –            –          | –            –            –            –
${feature}/index                   | yes       yes         –        –       | yes   yes   yes   yes   | yes        yes        yes        –            –          | yes          –            –            –
${feature}/model                   | yes       yes         –        –       | –     –     –     –     | yes        –          –          –            –          | types        –            –            –
${feature}/store                   | yes       –           –        –       | yes   –     –     –     | yes        yes        –          –            –          | –            –            –            –
${feature}/reads                   | yes       –           –        –       | yes   –     –     –     | yes        –          yes        –            –          | –            –            –            –
${feature}/service                 | yes       yes         yes      –       | yes   yes   yes   yes   | yes        yes        yes        yes          –          | yes          –            –            –
${feature}/routes                  | yes       –           –        –       | types yes   types types | –          –          yes        yes          –          | –            –            –            –
${feature}/jobs                    | yes       –           –        –       | types types yes   types | –          –          yes        yes          –          | –            –            –            –
packages/server/src/app            | yes       –           –        –       | yes   yes   yes   yes   | –          –          –          yes          yes        | yes          –            –            yes
packages/server/src/main           | yes       –           –        –       | yes   yes   yes   yes   | –          –          –          –            –          | –            –            –            –
packages/server/src/demo/seed      | yes       –           –        –       | yes   yes   yes   yes   | –          –          –          yes          –          | –            –            –            yes
packages/server/src/config         | yes       –           –        –       | –     –     –     –     | –          –          –          –            –          | –            –            –            –
${feature}/runs.test               | yes       yes         yes      yes     | yes   yes   yes   yes   | yes        yes        yes        yes          yes        | yes          yes          yes          yes
`;

const packageTable = `
                                   | contracts expressions delivery testkit
packages/contracts/src/other       | own       –           –        –
packages/expressions/src/jq        | yes       own         –        –
packages/delivery/src/send         | yes       yes         own      –
packages/agent/src/loop            | yes       yes         yes      –
packages/agent/src/main            | yes       yes         yes      –
packages/web/src/main              | yes       yes         –        –
packages/web/src/ui/button         | yes       yes         –        –
packages/web/src/api/client        | yes       yes         –        –
packages/web/src/features/runs/run | yes       yes         –        –
examples/target-service/main       | –         –           –        –
e2e/story.test                     | yes       –           –        yes
packages/agent/test/agent.test     | yes       yes         yes      yes
bench/dispatch.bench               | yes       yes         yes      yes
script/openapi                     | yes       yes         yes      yes
`;

const webTargets = {
  'own page': 'packages/web/src/features/runs/run-page.tsx',
  'other index': 'packages/web/src/features/actions/index.ts',
  'other page': 'packages/web/src/features/actions/form.tsx',
  ui: 'packages/web/src/ui/button.tsx',
  api: 'packages/web/src/api/client.ts',
  router: 'packages/web/src/router.tsx',
} as const;

const webTable = `
                                    | own page  other index  other page  ui   api  router
packages/web/src/features/runs/use  | yes       yes          –           yes  yes  –
packages/web/src/ui/card            | –         –            –           yes  –    –
packages/web/src/api/queries        | –         –            –           –    yes  –
packages/web/src/main               | –         yes          –           yes  yes  yes
`;

const trees: string[] = [];
function plant(files: Record<string, string>): Finding[] {
  const root = mkdtempSync(join(tmpdir(), 'boundaries-'));
  trees.push(root);
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
  return findViolations(root);
}
afterAll(() => {
  for (const tree of trees) rmSync(tree, { recursive: true });
});

interface Cell {
  importer: string;
  target: string;
  specifier: string;
  allowed: string;
}

/** Columns are split by two spaces or a bar, where a name has a space in it; rows by any space. */
function cells(table: string, paths: Record<string, string>): Cell[] {
  const [head = '', ...rows] = table
    .trimEnd()
    .split('\n')
    .filter((line) => line !== '');
  const names = head.split(
    /\|| (?=(?:contracts|expressions|delivery|testkit|db|http|jobs|log|own|other|ui|api|router)\b)/,
  );
  const columns = names.map((name) => name.trim()).filter((name) => name !== '');
  return rows.flatMap((row) => {
    const [importer = '', ...allowed] = row.split(/[\s|]+/);
    expect(allowed, row).toHaveLength(columns.length);
    return columns.map((target, index) => ({
      importer: `${importer}.ts`,
      target,
      specifier: specifierOf(importer, paths[target] ?? ''),
      allowed: allowed[index] ?? '',
    }));
  });
}

function specifierOf(importer: string, path: string): string {
  if (path.startsWith('@')) return path;
  const up = dirname(importer).split('/');
  const to = path.split('/');
  while (up[0] === to[0]) {
    up.shift();
    to.shift();
  }
  return `${up.length === 0 ? './' : '../'.repeat(up.length)}${to.join('/')}`;
}

describe.each([
  ['server', serverTable, targets],
  ['packages', packageTable, targets],
  ['web', webTable, webTargets],
] as const)('import table: %s', (_name, table, paths) => {
  const planted = cells(table, paths).filter(({ allowed }) => allowed !== 'own');
  it.each(planted)('$importer → $target: $allowed', ({ importer, specifier, allowed }) => {
    const asValue = plant({
      [importer]: `// one line above\nimport { a } from '${specifier}';\nexport const b = a;\n`,
    });
    const asType = plant({
      [importer]: `// one line above\nimport type { A } from '${specifier}';\nexport type B = A;\n`,
    });
    const refused = [{ file: importer, line: 2, rule: 'import' }];
    expect(asValue).toMatchObject(allowed === 'yes' ? [] : refused);
    expect(asType).toMatchObject(allowed === '–' ? refused : []);
  });
});

describe('every way to import is seen', () => {
  it.each([
    ['a side effect', "import '../../platform/log.ts';"],
    ['a re-export', "export { log } from '../../platform/log.ts';"],
    ['a re-export of everything', "export * from '../../platform/log.ts';"],
    ['a re-exported type', "export type { Log } from '../../platform/log.ts';"],
    ['a dynamic import', "export const log = () => import('../../platform/log.ts');"],
    ['a type by import()', "export type Log = import('../../platform/log.ts').Log;"],
    ['typeof import()', "export type Log = typeof import('../../platform/log.ts');"],
    ['a type among the names', "import { type Log } from '../../platform/log.ts';\nexport type A = Log;"],
  ])('%s', (_name, text) => {
    expect(plant({ [`${feature}/model.ts`]: text })).toMatchObject([{ line: 1, rule: 'import' }]);
  });

  it('a value beside a type is a value', () => {
    const text = "import { type Db, query } from '../../platform/db.ts';\nexport const a: Db = query;";
    expect(plant({ [`${feature}/routes.ts`]: text })).toMatchObject([{ line: 1, rule: 'import' }]);
  });

  it('a computed name cannot be checked', () => {
    expect(plant({ [`${feature}/service.ts`]: 'export const load = (name: string) => import(name);' })).toMatchObject([
      { line: 1, rule: 'computed-import' },
    ]);
  });
});

describe('messages', () => {
  it('say what to do', () => {
    const [finding] = plant({ [`${feature}/routes.ts`]: "import { find } from './store.ts';\nexport const a = find;" });
    expect(finding?.message).toBe(
      'routes may not import own:store (./store.ts). It may import: contracts, platform/http, platform (types), platform/db (types), platform/http (types), platform/jobs (types), own:service, own:reads. SQL is reached through service.ts or reads.ts.',
    );
  });

  it('say when a type import is enough', () => {
    const [finding] = plant({
      [`${feature}/model.ts`]: "import { A } from '../actions/index.ts';\nexport const a = A;",
    });
    expect(finding?.message).toContain('Only its types: write `import type`.');
  });
});

describe('cycles between features', () => {
  const service = (noun: string, asks: string, word = 'import') => ({
    [`packages/server/src/features/${noun}/service.ts`]: `${word} { A } from '../${asks}/index.ts';\nexport ${word === 'import' ? 'const' : 'type'} b = A;`,
  });

  it('of two', () => {
    const found = plant({ ...service('runs', 'actions'), ...service('actions', 'runs') });
    expect(found.map(({ rule, line }) => [rule, line])).toEqual([
      ['feature-cycle', 1],
      ['feature-cycle', 1],
    ]);
    expect(found[0]?.message).toContain('actions → runs → actions');
  });

  it('of three, with a type in it', () => {
    const found = plant({ ...service('a', 'b'), ...service('b', 'c'), ...service('c', 'a', 'import type') });
    expect(found.map(({ rule }) => rule)).toEqual(['feature-cycle', 'feature-cycle', 'feature-cycle']);
    expect(found[0]?.message).toContain('a → b → c → a');
  });

  it('in the web', () => {
    const page = (noun: string, asks: string) => ({
      [`packages/web/src/features/${noun}/page.tsx`]: `import { A } from '../${asks}/index.ts';\nexport const b = <A />;`,
    });
    expect(plant({ ...page('runs', 'actions'), ...page('actions', 'runs') })).toHaveLength(2);
  });

  it('but not a chain, nor the same question twice, nor a test', () => {
    expect(
      plant({
        ...service('runs', 'actions'),
        ...service('actions', 'entities'),
        [`${feature}/service-more.ts`]: "import { A } from '../entities/index.ts';\nexport const b = A;",
        'packages/server/src/features/entities/entities.test.ts':
          "import { A } from '../runs/index.ts';\nexport const b = A;",
      }),
    ).toEqual([]);
  });
});

describe('other rules', () => {
  const cases: [string, string, string, Finding['rule'] | undefined][] = [
    ['a file called utils', 'packages/agent/src/utils.ts', '', 'file-name'],
    ['a file called types', 'packages/web/src/features/runs/types.tsx', '', 'file-name'],
    ['a folder called helpers', 'packages/agent/src/helpers/clock.ts', '', 'file-name'],
    ['a test called common', 'packages/agent/test/common.ts', '', 'file-name'],
    ['a file with such a part in its name', 'packages/agent/src/property-types.ts', '', undefined],
    ['a feature file without a role', `${feature}/manager.ts`, '', 'no-role'],
    ['a file where nothing belongs', 'packages/server/stray.ts', '', 'no-role'],
    ['the environment in a feature', `${feature}/service.ts`, 'export const a = process.env.HOME;', 'process'],
    [
      'the environment in the agent',
      'packages/agent/src/loop.ts',
      'export const a = globalThis.process.env;',
      'process',
    ],
    [
      'the process as a module',
      'packages/delivery/src/send.ts',
      "import { env } from 'node:process';\nexport { env };",
      'process',
    ],
    [
      'a property called process',
      `${feature}/service.ts`,
      'export const a = (b: { process: 1 }) => b.process;',
      undefined,
    ],
    ['the process in main.ts', 'packages/agent/src/main.ts', 'process.exitCode = 1;', undefined],
    ['the process in a test', `${feature}/runs.test.ts`, 'process.exitCode = 1;', undefined],
    [
      'files in the contracts',
      'packages/contracts/src/a.ts',
      "import { readFileSync } from 'node:fs';\nexport { readFileSync };",
      'io',
    ],
    ['promised files in the expressions', 'packages/expressions/src/a.ts', "export * from 'node:fs/promises';", 'io'],
    [
      'sockets in a model',
      `${feature}/model.ts`,
      "import type { Socket } from 'node:net';\nexport type A = Socket;",
      'io',
    ],
    [
      'hashes in a model',
      `${feature}/model.ts`,
      "import { createHash } from 'node:crypto';\nexport { createHash };",
      undefined,
    ],
    ['files in a test of the expressions', 'packages/expressions/src/a.test.ts', "import 'node:fs';", undefined],
    ['the database driver in a store', `${feature}/store.ts`, "import { Pool } from 'pg';\nexport { Pool };", 'engine'],
    [
      'the HTTP engine in routes',
      `${feature}/routes.ts`,
      "import type { FastifyReply } from 'fastify';\nexport type A = FastifyReply;",
      'engine',
    ],
    [
      'the driver in the platform',
      'packages/server/src/platform/wake.ts',
      "import { Client } from 'pg';\nexport { Client };",
      undefined,
    ],
    [
      'another package by path',
      'packages/agent/src/a.ts',
      "import { a } from '../../contracts/src/index.ts';\nexport { a };",
      'import-by-name',
    ],
    [
      'another package by path in a test',
      'packages/agent/test/a.test.ts',
      "import { a } from '../../contracts/src/index.ts';\nexport { a };",
      'import-by-name',
    ],
    [
      'a package by path in a script',
      'script/a.ts',
      "import { a } from '../packages/contracts/src/index.ts';\nexport { a };",
      'import-by-name',
    ],
    ['a package that does not exist', 'packages/agent/src/a.ts', "import '@quayside/nothing';", 'import'],
    ['the server in the agent', 'packages/agent/src/a.ts', "import '@quayside/server';", 'import'],
    ['the server in a test of the agent', 'packages/agent/test/a.test.ts', "import '@quayside/server';", undefined],
    ['a style sheet', 'packages/web/src/main.tsx', "import './main.css';", undefined],
    ['an import without extension', 'packages/web/src/features/runs/a.tsx', "import '../actions/form';", 'import'],
    ['a test in the product', `${feature}/service.ts`, "import './runs.test.ts';", 'import'],
    ['a lone test', `${feature}/runs.test.ts`, "it.only('a', () => {});", 'test-discipline'],
    ['a skipped table', `${feature}/runs.test.ts`, "describe.skip.each([1])('a', () => {});", 'test-discipline'],
    ['a test to be written', 'e2e/story.test.ts', "test.todo('a');", 'test-discipline'],
    ['a mocked module', 'packages/web/src/ui/card.test.tsx', "vi.mock('./button.tsx');", 'test-discipline'],
    ['a table of tests', `${feature}/runs.test.ts`, "it.each([1])('a', () => {});", undefined],
    [
      'a call that only looks alike',
      `${feature}/service.ts`,
      'export const a = (it: { only(): void }) => it.only();',
      undefined,
    ],
    ['a file that does not parse', 'packages/agent/src/a.ts', 'export const = 1;', 'syntax'],
  ];
  it.each(cases)('%s', (_name, file, text, rule) => {
    expect(plant({ [file]: text }).map((finding) => [finding.file, finding.line, finding.rule])).toEqual(
      rule === undefined ? [] : [[file, 1, rule]],
    );
  });

  it('does not look into what is installed or built', () => {
    expect(plant({ 'packages/web/dist/utils.ts': '', 'node_modules/a/utils.ts': '', '.tools/utils.ts': '' })).toEqual(
      [],
    );
  });
});
