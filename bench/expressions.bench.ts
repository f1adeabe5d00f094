/**
 * The engine beside what one would take instead, in one run: jq-web (jq as WebAssembly), @michaelhomer/jqjs and the
 * system's jq. Also what compiling costs, and whether memory stays flat.
 *
 * Rates are per second of processor time on one core. The system's jq reads a stream of documents and writes its results,
 * so its rate contains parsing and printing; the line "with parsing and printing" is ours with the same work.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
// @ts-expect-error: it comes without types.
import { compile as untypedCompile } from '@michaelhomer/jqjs';
import { compile, compileMapping, type Json } from '@quayside/expressions';
import { perSecond, ROUNDS, repository, simple } from './expressions-data.ts';
import { writeSection } from './results.ts';

interface JqWeb {
  json(document: Json, program: string): Json;
}

interface Contest {
  name: string;
  program: string;
  documents: Json[];
  goal: number;
}

const item = (index: number): Json => ({
  name: `item-${index}`,
  size: (index * 37) % 100,
  owner: { login: `user-${index % 5}`, id: index },
  tags: ['a', 'b'],
  updated: '2025-01-02T03:04:05Z',
});
/** 1.9 kB of JSON. */
const list = (index: number): Json => ({
  a: { b: index },
  items: Array.from({ length: 16 }, (_, at) => item(at + index)),
});

const fields =
  '{identifier: .name, title: .full_name, blueprint: "service", properties: {url: .html_url, language: .language, description: .description, branch: .default_branch}, relations: {}}';
const contests: Contest[] = [
  {
    name: 'simple path',
    program: '.a.b',
    documents: Array.from({ length: 1000 }, (_, at) => list(at)),
    goal: 1_000_000,
  },
  {
    name: 'map',
    program: '.items | map({name, owner: .owner.login, big: (.size > 50)})',
    documents: Array.from({ length: 1000 }, (_, at) => list(at)),
    goal: 100_000,
  },
  {
    name: 'whole mapping',
    program: fields,
    documents: Array.from({ length: 1000 }, (_, at) => repository(at)),
    goal: 50_000,
  },
];

const compileJqjs = untypedCompile as (program: string) => (document: Json) => Iterable<Json>;

/** How often the documents are gone through per round: long enough to measure, short enough to wait for. */
const PASSES = { ours: 50, jqjs: 5, jqWeb: 0.05, system: 5 } as const;

const jqWeb = (await createRequire(import.meta.url)('jq-web')) as JqWeb;
const folder = mkdtempSync(join(tmpdir(), 'bench-expressions-'));

function rateOf(passes: number, documents: Json[], evaluate: (document: Json) => void): number {
  const total = Math.ceil(passes * documents.length);
  return perSecond(total, () => {
    for (let at = 0; at < total; at++) evaluate(documents[at % documents.length] as Json);
  });
}

/** null where no jq is installed. */
function systemVersion(): string | null {
  const { status, stdout } = spawnSync('jq', ['--version'], { encoding: 'utf8' });
  return status === 0 ? stdout.trim() : null;
}

/** Documents per second of one streaming process, its start included; best of three. */
function systemRate(program: string, documents: Json[]): number {
  const file = join(folder, 'documents.json');
  const lines = documents.map((document) => JSON.stringify(document)).join('\n');
  writeFileSync(file, Array.from({ length: PASSES.system }, () => lines).join('\n'));
  let best = 0;
  for (let round = 0; round < 3; round++) {
    const started = performance.now();
    execFileSync('jq', ['-c', program, file], { stdio: ['ignore', 'ignore', 'inherit'] });
    best = Math.max(best, (documents.length * PASSES.system * 1000) / (performance.now() - started));
  }
  return Math.round(best);
}

const rate = (value: number): string => value.toLocaleString('en');
const version = systemVersion();
const rows: string[] = [];
const missed: string[] = [];
for (const { name, program, documents, goal } of contests) {
  const compiled = compile(program);
  const expected = JSON.stringify(compiled.all(documents[1] as Json));
  const jqjs = compileJqjs(program);
  // Nobody is measured at something else than the others.
  for (const answer of [[...jqjs(documents[1] as Json)], [jqWeb.json(documents[1] as Json, program)]]) {
    if (JSON.stringify(answer) !== expected)
      throw new Error(`${program}: ${JSON.stringify(answer)} is not ${expected}`);
  }
  const ours = rateOf(PASSES.ours, documents, (document) => compiled.first(document));
  if (ours < goal) missed.push(`${name}: ${rate(ours)} of ${rate(goal)}`);
  const texts = documents.map((document) => JSON.stringify(document));
  const withText = rateOf(PASSES.jqjs, texts, (text) =>
    JSON.stringify(compiled.all(JSON.parse(text as string) as Json)),
  );
  const theirs = rateOf(PASSES.jqjs, documents, (document) => [...jqjs(document)]);
  const web = rateOf(PASSES.jqWeb, documents, (document) => jqWeb.json(document, program));
  const system = version === null ? 'not installed' : rate(systemRate(program, documents));
  rows.push(
    `| ${name}: \`${program.replaceAll('|', '\\|')}\` | ${rate(goal)} | ${rate(ours)} | ${rate(withText)} | ${rate(theirs)} | ${rate(web)} | ${system} |`,
  );
}
rmSync(folder, { recursive: true });

const mapping = compileMapping(simple);
if (!mapping.ok) throw new Error(JSON.stringify(mapping.mistakes));
const items = contests[2]?.documents ?? [];
const mappingRate = perSecond(items.length * 20, () => {
  for (let pass = 0; pass < 20; pass++) mapping.mapping.run(items);
});
if (mappingRate < 50_000) missed.push(`compileMapping: ${rate(mappingRate)} of 50,000`);
rows.push(`| the same as a mapping, with a reason for every missing field | 50,000 | ${rate(mappingRate)} | | | | |`);

const compileRows = contests.map(({ name, program }) => {
  const perCompile =
    1e6 /
    perSecond(2000, () => {
      for (let at = 0; at < 2000; at++) compile(program);
    });
  return `| ${name} | ${perCompile.toFixed(1)} |`;
});

// Memory: what is still alive after each fifth of a million evaluations.
setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;
const program = compile(fields);
const heapMb: string[] = [];
for (let part = 0; part <= 5; part++) {
  if (part > 0) for (let at = 0; at < 200_000; at++) program.first(items[at % items.length] as Json);
  for (let time = 0; time < 3; time++) collectGarbage();
  heapMb.push((process.memoryUsage().heapUsed / 1e6).toFixed(2));
}

const body = `| evaluations per second | goal | ours | ours, with parsing and printing | jqjs 1.6.0 | jq-web 0.6.2 | ${version ?? 'jq'}, streaming |
| --- | ---: | ---: | ---: | ---: | ---: | ---: |
${rows.join('\n')}

| compiling, uncached | µs |
| --- | ---: |
${compileRows.join('\n')}

Memory: living heap after 0, 200,000, … 1,000,000 evaluations of the whole mapping: ${heapMb.join(', ')} MB.
${missed.length === 0 ? '' : `\nGoals missed: ${missed.join('; ')}.\n`}`;
process.stdout.write(`${body}\n`);
writeSection({
  name: 'expressions',
  about: `jq programs over 1,000 different documents of 1.3 to 1.9 kB, best of ${ROUNDS} rounds, side by side in one run. Rates of the JavaScript engines are per second of processor time, those of the system's jq per second of one process with all its input in a file.`,
  body,
});
