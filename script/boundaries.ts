import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, posix, relative, sep } from 'node:path';
import { parseSync } from 'oxc-parser';

/**
 * Who may import whom, down to the role of a file, types included. The table is data (`roles`, `mayImport`); the rest of
 * the file reads every import, re-export, dynamic import and `import('…')` type of the repository and looks it up.
 *
 * A file has exactly one role, which follows from its path. What a role may import is a list of *targets*: roles, with a
 * prefix where the feature matters: `own:` = of the importer's feature, `other:` = of another feature of the same
 * package. A target ending in ` (types)` is satisfied only by an import that is erased at run time.
 *
 * Not seen: what is reached without an import (a global, a path given to `new URL` or `new Worker`).
 */
export interface Finding {
  file: string;
  line: number;
  rule: Rule;
  message: string;
}

export type Rule =
  | 'no-role'
  | 'import'
  | 'import-by-name'
  | 'computed-import'
  | 'feature-cycle'
  | 'file-name'
  | 'process'
  | 'io'
  | 'engine'
  | 'test-discipline'
  | 'syntax';

/** First match wins. `<x>` is a path segment; in a feature's path it names the feature. */
const roles = [
  ['journey', /^e2e\//],
  [
    'test',
    /\.(?:test|test-d)\.tsx?$|^packages\/[^/]+\/test\/|^charts\/test\/|^packages\/testkit\/|\/(?:test-setup|global-setup)\.tsx?$/,
  ],
  ['tool', /^(?:script|bench)\/|^[^/]+\.config\.ts$|^packages\/[^/]+\/[^/]+\.config\.ts$/],
  ['example', /^examples\//],
  ['contracts', /^packages\/contracts\/src\//],
  ['expressions', /^packages\/expressions\/src\//],
  ['delivery', /^packages\/delivery\/src\//],
  ['agent main', /^packages\/agent\/src\/main\.ts$/],
  ['agent', /^packages\/agent\/src\//],
  ['server main', /^packages\/server\/src\/main\.ts$/],
  ['server app', /^packages\/server\/src\/(?:app|index)\.ts$/],
  ['demo', /^packages\/server\/src\/demo\//],
  ['config', /^packages\/server\/src\/config\.ts$/],
  ['platform/db', /^packages\/server\/src\/platform\/db\.ts$/],
  ['platform/http', /^packages\/server\/src\/platform\/http\.ts$/],
  ['platform/jobs', /^packages\/server\/src\/platform\/jobs\.ts$/],
  ['platform', /^packages\/server\/src\/platform\//],
  // A role that outgrows one file is split with a suffix: model-inputs.ts is a model.
  ['index', /^packages\/server\/src\/features\/([^/]+)\/index\.ts$/],
  ['model', /^packages\/server\/src\/features\/([^/]+)\/model(?:-[a-z0-9-]+)?\.ts$/],
  ['store', /^packages\/server\/src\/features\/([^/]+)\/store(?:-[a-z0-9-]+)?\.ts$/],
  ['reads', /^packages\/server\/src\/features\/([^/]+)\/reads(?:-[a-z0-9-]+)?\.ts$/],
  ['service', /^packages\/server\/src\/features\/([^/]+)\/service(?:-[a-z0-9-]+)?\.ts$/],
  ['routes', /^packages\/server\/src\/features\/([^/]+)\/routes\.ts$/],
  ['jobs', /^packages\/server\/src\/features\/([^/]+)\/jobs\.ts$/],
  ['web index', /^packages\/web\/src\/features\/([^/]+)\/index\.tsx?$/],
  ['web feature', /^packages\/web\/src\/features\/([^/]+)\//],
  ['web ui', /^packages\/web\/src\/ui\//],
  ['web api', /^packages\/web\/src\/api\//],
  ['web app', /^packages\/web\/src\//],
] as const satisfies readonly (readonly [string, RegExp])[];

type Role = (typeof roles)[number][0];
type Target = Role | `own:${Role}` | `other:${Role}` | `${Role} (types)` | `other:${Role} (types)`;

const platform: Target[] = ['platform', 'platform/db', 'platform/http', 'platform/jobs'];
const platformTypes: Target[] = [
  'platform (types)',
  'platform/db (types)',
  'platform/http (types)',
  'platform/jobs (types)',
];
const webFeature: Target[] = ['own:web index', 'own:web feature', 'other:web index', 'web ui', 'web api'];

/** The table of CONTRIBUTING.md, row by row. `everything` is for what never ships. */
const mayImport: Record<Role, readonly Target[] | 'everything'> = {
  contracts: ['contracts'],
  expressions: ['expressions', 'contracts'],
  delivery: ['delivery', 'contracts', 'expressions'],
  'platform/db': ['contracts', ...platform],
  'platform/http': ['contracts', ...platform],
  'platform/jobs': ['contracts', ...platform],
  platform: ['contracts', ...platform],
  index: ['contracts', 'expressions', ...platform, 'own:model', 'own:store', 'own:reads', 'other:index'],
  model: ['contracts', 'expressions', 'own:model', 'other:index (types)'],
  store: ['contracts', 'platform/db', 'own:model', 'own:store'],
  reads: ['contracts', 'platform/db', 'own:model', 'own:reads'],
  service: [
    'contracts',
    'expressions',
    'delivery',
    ...platform,
    'own:model',
    'own:store',
    'own:reads',
    'own:service',
    'other:index',
  ],
  // What routes and jobs are handed, they must be able to name: types of the platform, but no values.
  routes: ['contracts', 'platform/http', ...platformTypes, 'own:service', 'own:reads'],
  jobs: ['contracts', 'platform/jobs', ...platformTypes, 'own:service', 'own:reads'],
  config: ['contracts'],
  // The composition root creates services and hands them to routes and jobs: docs/adr/0016.
  'server app': ['contracts', 'config', 'server app', ...platform, 'index', 'service', 'routes', 'jobs'],
  'server main': ['contracts', 'config', 'server app', 'demo', ...platform],
  // Fills a new organization through the same use cases as everybody.
  demo: ['contracts', 'demo', 'server app (types)', ...platform, 'service'],
  agent: ['agent', 'contracts', 'expressions', 'delivery'],
  'agent main': ['agent', 'contracts', 'expressions', 'delivery'],
  'web ui': ['contracts', 'expressions', 'web ui'],
  'web api': ['contracts', 'expressions', 'web api'],
  'web feature': ['contracts', 'expressions', ...webFeature],
  'web index': ['contracts', 'expressions', ...webFeature],
  'web app': ['contracts', 'expressions', 'web app', 'web ui', 'web api', 'web index'],
  // A user copies examples, so they stand alone; a journey sees the product only from outside.
  example: ['example'],
  journey: ['journey', 'contracts'],
  tool: 'everything',
  test: 'everything',
};

/** Roles that run everywhere, the browser included, or must stay pure: no module that touches the outside. */
const withoutIo: readonly Role[] = ['contracts', 'expressions', 'model'];
const ioModules =
  /^node:(?:fs|net|http|https|http2|dns|tls|dgram|child_process|cluster|worker_threads|readline|repl|inspector|sqlite|os|process|tty|test)(?:\/|$)/;

/** Engines that only the platform knows (and, where named, others), so that a feature stands on the platform alone. */
const engines: Record<string, readonly Role[]> = {
  pg: ['platform', 'platform/db'],
  'embedded-postgres': ['platform'],
  fastify: ['platform', 'platform/http', 'server app', 'example'],
  'prom-client': ['platform'],
  pino: ['platform', 'agent'],
  undici: ['platform', 'delivery', 'agent', 'agent main'],
};

const processRoles: readonly Role[] = ['server main', 'agent main', 'tool', 'test', 'journey', 'example'];
/** Files beyond those that handle an operating-system process, each with its reason. */
const processFiles: Record<string, string> = {
  'packages/server/src/platform/embedded-postgres.ts': 'it starts, adopts and stops a process of its own',
};

const forbiddenNames = /^(?:utils?|helpers?|common|types)$/i;
const skippedFolders = new Set(['node_modules', 'dist', '.git', '.tools', '.data', 'coverage', 'test-results']);

/** Names of the folders under packages/, for imports by package name. */
const packageOf: Record<string, Role | 'testkit'> = {
  '@quayside/contracts': 'contracts',
  '@quayside/expressions': 'expressions',
  '@quayside/delivery': 'delivery',
  '@quayside/agent': 'agent',
  '@quayside/server': 'server app',
  '@quayside/web': 'web app',
  '@quayside/testkit': 'testkit',
};

interface Import {
  specifier: string;
  line: number;
  /** Erased at run time. */
  isType: boolean;
}

interface Place {
  role: Role;
  feature: string | undefined;
}

export function findViolations(root: string): Finding[] {
  const findings: Finding[] = [];
  const edges: FeatureEdge[] = [];
  for (const file of sourceFiles(root)) {
    findings.push(...nameFindings(file));
    const place = placeOf(file);
    if (!place) {
      findings.push({
        file,
        line: 1,
        rule: 'no-role',
        message:
          'This path has no role in script/boundaries.ts. In a feature the files are index, model, store, reads, service, routes, jobs (or a role with a suffix, model-inputs.ts) and tests; rename it or, for a new kind of file, write an ADR and add the role.',
      });
      continue;
    }
    const source = parse(readFileSync(join(root, file), 'utf8'), file);
    if (source.error) findings.push({ file, line: source.error.line, rule: 'syntax', message: source.error.message });
    findings.push(...source.uses.filter((use) => isFinding(use.rule, file, place)).map((use) => ({ file, ...use })));
    for (const imported of source.imports) {
      findings.push(...importFindings(root, file, place, imported));
      const edge = featureEdge(root, file, place, imported);
      if (edge) edges.push(edge);
    }
  }
  findings.push(...cycleFindings(edges));
  return findings.sort((a, b) => (a.file === b.file ? a.line - b.line : a.file < b.file ? -1 : 1));
}

// ---- one import ---------------------------------------------------------------------------------------------------

function importFindings(root: string, file: string, from: Place, imported: Import): Finding[] {
  const { specifier, line, isType } = imported;
  const refuse = (rule: Rule, message: string): Finding[] => [{ file, line, rule, message }];

  if (specifier.startsWith('.')) {
    const target = resolvePath(root, file, specifier);
    if (packageFolder(target) !== packageFolder(file) && (isPackage(file) || isPackage(target))) {
      return refuse(
        'import-by-name',
        `${specifier} leaves the package. Import the other package by its name (@quayside/…).`,
      );
    }
    const to = placeOf(target);
    // No role: a style sheet, a picture; a source file without a role is a finding of its own.
    if (!to) return [];
    return lookUp(file, line, from, to, specifier, isType);
  }

  if (specifier.startsWith('@quayside/')) {
    const name = specifier.split('/').slice(0, 2).join('/');
    const target = packageOf[name];
    if (target === undefined) return refuse('import', `There is no package ${name}.`);
    if (target === 'testkit') {
      if (isForTesting(from.role)) return [];
      return refuse(
        'import',
        `${from.role} may not import testkit: it is for tests only. Move what is needed out of it.`,
      );
    }
    return lookUp(file, line, from, { role: target, feature: undefined }, specifier, isType);
  }

  if (ioModules.test(specifier) && withoutIo.includes(from.role)) {
    return refuse(
      'io',
      `${from.role} does no I/O, so it may not import ${specifier}. Pass the data in as an argument.`,
    );
  }
  if (specifier === 'node:process' && mayNotUseProcess(file, from)) {
    return refuse('process', processAdvice);
  }
  const packageName = specifier.startsWith('@')
    ? specifier.split('/').slice(0, 2).join('/')
    : (specifier.split('/')[0] ?? '');
  const allowed = engines[packageName];
  if (allowed && !isForTesting(from.role) && !allowed.includes(from.role)) {
    return refuse(
      'engine',
      `${from.role} may not import ${packageName}: ${allowed.join(', ')} may. Use what the platform offers over it.`,
    );
  }
  return [];
}

function lookUp(file: string, line: number, from: Place, to: Place, specifier: string, isType: boolean): Finding[] {
  const allowed = mayImport[from.role];
  if (allowed === 'everything') return [];
  const target = describeTarget(from, to);
  const accepted = new Set<string>(allowed);
  if (accepted.has(target) || (isType && accepted.has(`${target} (types)`))) return [];
  const hint = accepted.has(`${target} (types)`)
    ? 'Only its types: write `import type`.'
    : `It may import: ${allowed.join(', ')}. ${adviceFor(target)}`;
  return [{ file, line, rule: 'import', message: `${from.role} may not import ${target} (${specifier}). ${hint}` }];
}

function describeTarget(from: Place, to: Place): string {
  // app.ts names every feature's routes; the web's shell every feature's index.
  if (to.feature === undefined || from.feature === undefined) return to.role;
  return `${from.feature === to.feature ? 'own' : 'other'}:${to.role}`;
}

function adviceFor(target: string): string {
  if (target.startsWith('other:')) {
    return 'Another feature is known by its index.ts only: add a read there, or let both react to an event.';
  }
  if (target.endsWith('store')) return 'SQL is reached through service.ts or reads.ts.';
  if (target.startsWith('platform')) return 'Let service.ts call the platform and pass the result in.';
  return 'Move the code to the layer that may, or pass it in as an argument.';
}

// ---- features must not form a cycle -------------------------------------------------------------------------------

interface FeatureEdge {
  from: string;
  to: string;
  file: string;
  line: number;
}

function featureEdge(root: string, file: string, from: Place, imported: Import): FeatureEdge | undefined {
  if (from.feature === undefined || from.role === 'test' || !imported.specifier.startsWith('.')) return undefined;
  const to = placeOf(resolvePath(root, file, imported.specifier));
  if (to?.feature === undefined || to.feature === from.feature) return undefined;
  return { from: from.feature, to: to.feature, file, line: imported.line };
}

/** One finding per edge that lies on a cycle, types included, each with the shortest way back. */
function cycleFindings(edges: readonly FeatureEdge[]): Finding[] {
  const next = new Map<string, Set<string>>();
  for (const edge of edges) next.set(edge.from, (next.get(edge.from) ?? new Set()).add(edge.to));
  const findings: Finding[] = [];
  for (const edge of edges) {
    const back = shortestPath(next, edge.to, edge.from);
    if (!back) continue;
    const cycle = [edge.from, ...back].map((feature) => feature.split('/').at(-1)).join(' → ');
    findings.push({
      file: edge.file,
      line: edge.line,
      rule: 'feature-cycle',
      message: `Features form a cycle: ${cycle}. Make the smaller question a read in one index.ts, or let both react to an event.`,
    });
  }
  return findings;
}

function shortestPath(next: Map<string, Set<string>>, from: string, to: string): string[] | undefined {
  const paths = [[from]];
  const seen = new Set([from]);
  for (const path of paths) {
    const last = path.at(-1) ?? from;
    if (last === to) return path;
    for (const neighbour of next.get(last) ?? []) {
      if (seen.has(neighbour)) continue;
      seen.add(neighbour);
      paths.push([...path, neighbour]);
    }
  }
  return undefined;
}

// ---- one file -----------------------------------------------------------------------------------------------------

function nameFindings(file: string): Finding[] {
  const bad = file.split('/').find((segment) => forbiddenNames.test(segment.replace(/\..*$/, '')));
  if (bad === undefined) return [];
  return [
    {
      file,
      line: 1,
      rule: 'file-name',
      message: `"${bad}" says nothing about what is inside. Name the file after the noun or the role it has.`,
    },
  ];
}

/** Role and feature of a file. Features of server and web are told apart by their folder. */
function placeOf(file: string): Place | undefined {
  for (const [role, pattern] of roles) {
    if (!pattern.test(file)) continue;
    const feature = /^(packages\/(?:server|web)\/src\/features\/[^/]+)\//.exec(file)?.[1];
    return { role, feature };
  }
  return undefined;
}

/** What never ships; it may load what it is told to. */
function isForTesting(role: Role): boolean {
  return role === 'test' || role === 'tool' || role === 'journey';
}

function isPackage(file: string): boolean {
  return file.startsWith('packages/') || file.startsWith('examples/');
}

function packageFolder(file: string): string {
  const [top = '', second = ''] = file.split('/');
  return top === 'packages' || top === 'examples' ? `${top}/${second}` : top;
}

/** Node wants the extension; the web's bundler does not, so its imports may lack one. */
function resolvePath(root: string, file: string, specifier: string): string {
  const path = posix.normalize(posix.join(posix.dirname(file), specifier.replace(/\?.*$/, '')));
  if (/\.[a-z]+$/.test(path)) return path;
  const found = [`${path}.ts`, `${path}.tsx`, `${path}/index.ts`, `${path}/index.tsx`].find((candidate) =>
    existsSync(join(root, candidate)),
  );
  return found ?? `${path}.ts`;
}

function mayNotUseProcess(file: string, place: Place): boolean {
  return !processRoles.includes(place.role) && !(file in processFiles);
}

function isFinding(rule: Rule, file: string, place: Place): boolean {
  if (rule === 'process') return mayNotUseProcess(file, place);
  if (rule === 'test-discipline') return isForTesting(place.role);
  if (rule === 'computed-import') return !isForTesting(place.role);
  return true;
}

const processAdvice =
  'Only main.ts knows the process. Read the environment in main.ts and pass what is needed as an argument.';

// ---- reading a file -----------------------------------------------------------------------------------------------

interface Source {
  imports: Import[];
  uses: { line: number; rule: Rule; message: string }[];
  error?: { line: number; message: string };
}

interface Node {
  type: string;
  start: number;
  [key: string]: unknown;
}

function parse(text: string, file: string): Source {
  const { program, errors } = parseSync(file, text);
  const lineOf = lineFinder(text);
  const imports: Import[] = [];
  const uses: Source['uses'] = [];

  const addImport = (source: unknown, isType: boolean, at: Node): void => {
    const literal = source as (Node & { value?: unknown }) | null;
    if (typeof literal?.value === 'string') imports.push({ specifier: literal.value, line: lineOf(at.start), isType });
    else
      uses.push({
        line: lineOf(at.start),
        rule: 'computed-import',
        message: 'The imported name is computed, so nobody can check it. Write it as a text.',
      });
  };

  const visit = (node: Node, parent: Node | undefined): void => {
    switch (node.type) {
      case 'ImportDeclaration':
        addImport(node.source, node.importKind === 'type' || areAllTypes(node.specifiers, 'importKind'), node);
        break;
      case 'ExportNamedDeclaration':
        if (node.source)
          addImport(node.source, node.exportKind === 'type' || areAllTypes(node.specifiers, 'exportKind'), node);
        break;
      case 'ExportAllDeclaration':
        addImport(node.source, node.exportKind === 'type', node);
        break;
      case 'ImportExpression':
        addImport(node.source, false, node);
        break;
      case 'TSImportType':
        addImport(node.source ?? node.argument, true, node);
        break;
      case 'Identifier':
        if (node.name === 'process' && !isOnlyAName(node, parent)) {
          uses.push({ line: lineOf(node.start), rule: 'process', message: processAdvice });
        }
        break;
      case 'MemberExpression':
        if (isNamed(node.object, 'globalThis') && isNamed(node.property, 'process')) {
          uses.push({ line: lineOf(node.start), rule: 'process', message: processAdvice });
        }
        break;
      case 'CallExpression': {
        const message = testRuleBrokenBy(node.callee as Node);
        if (message) uses.push({ line: lineOf(node.start), rule: 'test-discipline', message });
        break;
      }
    }
    for (const value of Object.values(node)) {
      if (Array.isArray(value)) for (const child of value) if (isNode(child)) visit(child, node);
      if (isNode(value)) visit(value, node);
    }
  };
  visit(program as unknown as Node, undefined);

  const [error] = errors;
  if (!error) return { imports, uses };
  return { imports, uses, error: { line: lineOf(error.labels[0]?.start ?? 0), message: error.message } };
}

function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && typeof (value as Node).type === 'string';
}

function isNamed(value: unknown, name: string): boolean {
  return isNode(value) && value.type === 'Identifier' && value.name === name;
}

/** `import { type A }` with nothing else is erased like `import type { A }`; `import './x'` is not. */
function areAllTypes(specifiers: unknown, key: 'importKind' | 'exportKind'): boolean {
  return (
    Array.isArray(specifiers) && specifiers.length > 0 && specifiers.every((specifier) => specifier[key] === 'type')
  );
}

/** A key, a property or a label called `process` is not the global; a declared variable of that name is refused too. */
function isOnlyAName(node: Node, parent: Node | undefined): boolean {
  if (!parent) return false;
  if (parent.type === 'MemberExpression') return parent.property === node && parent.computed === false;
  if (parent.type === 'ImportSpecifier' || parent.type === 'ExportSpecifier') return true;
  const isKeyed = 'key' in parent && parent.key === node && parent.computed !== true;
  return isKeyed && parent.shorthand !== true;
}

const testFunctions = new Set(['it', 'test', 'describe', 'suite']);
const unfinished = new Set(['only', 'skip', 'todo', 'fails']);
const mocking = new Set(['mock', 'doMock', 'hoisted']);

function testRuleBrokenBy(callee: Node): string | undefined {
  const names: string[] = [];
  // In `it.only.each(table)(name)` the inner call is the one that is looked at.
  for (let node: unknown = callee; isNode(node); node = node.object) {
    if (node.type === 'Identifier') names.unshift(String(node.name));
    if (node.type === 'MemberExpression' && isNode(node.property)) names.unshift(String(node.property.name));
  }
  const [root = '', ...rest] = names;
  const last = rest.at(-1) ?? '';
  if (root === 'vi' && mocking.has(last)) {
    return `vi.${last} replaces a module of ours by a fake. Test through the real one, or pass the dependency as an argument.`;
  }
  const word = rest.find((name) => unfinished.has(name));
  if (testFunctions.has(root) && word !== undefined) {
    return `${root}.${word} leaves tests out. Finish the test or delete it.`;
  }
  return undefined;
}

function lineFinder(text: string): (offset: number) => number {
  const starts = [0];
  for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) starts.push(at + 1);
  return (offset) => {
    const after = starts.findIndex((start) => start > offset);
    return after === -1 ? starts.length : after;
  };
}

function sourceFiles(root: string): string[] {
  const files: string[] = [];
  const walk = (folder: string): void => {
    for (const entry of readdirSync(folder, { withFileTypes: true })) {
      if (skippedFolders.has(entry.name)) continue;
      const path = join(folder, entry.name);
      if (entry.isDirectory()) walk(path);
      else if (/\.tsx?$/.test(entry.name) && !entry.name.endsWith('.d.ts'))
        files.push(relative(root, path).split(sep).join('/'));
    }
  };
  walk(root);
  return files.sort();
}

if (import.meta.main) {
  const findings = findViolations(join(import.meta.dirname, '..'));
  for (const { file, line, rule, message } of findings) process.stdout.write(`${file}:${line} ${rule}: ${message}\n`);
  process.exitCode = findings.length === 0 ? 0 : 1;
}
