import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';

const root = join(import.meta.dirname, '..');
const folder = join(root, 'docs/adr');
const decisions = readdirSync(folder).sort();

describe('decisions', () => {
  it.each(decisions)('%s has the four headings', (file) => {
    const text = readFileSync(join(folder, file), 'utf8');
    expect(text.match(/^## .*/gm)).toEqual(['## Context', '## Decision', '## Consequences', '## How it is checked']);
    expect(text).toMatch(new RegExp(`^# ${Number(file.slice(0, 4))}\\. `));
  });

  it('are numbered without a gap', () => {
    const numbers = decisions.map((file) => Number(/^(\d{4})-[a-z0-9-]+\.md$/.exec(file)?.[1]));
    expect(numbers).toEqual(decisions.map((_file, index) => index + 1));
  });
});

describe('documents', () => {
  const listed = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', '*.md'], {
    cwd: root,
    encoding: 'utf8',
  });
  const documents = listed.split('\n').filter((file) => file !== '' && existsSync(join(root, file)));

  it.each(documents)('%s links to files that exist', (file) => {
    const text = readFileSync(join(root, file), 'utf8').replace(/```[\s\S]*?```/g, '');
    const links = [...text.matchAll(/\]\((?!https?:|mailto:|#)([^)#\s]+)/g)].map((match) => match[1] ?? '');
    expect(links.filter((link) => !existsSync(join(root, dirname(file), link)))).toEqual([]);
  });
});

/** `file > name of a test`, as docs/agent-compatibility.md names what shows a sentence. Its paths begin in the agent's folder. */
describe('tests that a document names', () => {
  const titles = (file: string): Set<string> => {
    const path = [file, join('packages/agent', file)].map((name) => join(root, name)).find((name) => existsSync(name));
    const literals = path === undefined ? [] : readFileSync(path, 'utf8').matchAll(/(?:\bit|\))\(\s*(['"`])(.*?)\1,/g);
    return new Set([...literals].map((match) => match[2] ?? ''));
  };
  const named = (text: string): string[] =>
    [...text.matchAll(/(?<!`)(``?)([^\s`]+\.ts > .+?)\1(?!`)/g)].map((match) => match[2] ?? '');
  const missing = (text: string): string[] =>
    named(text).filter((one) => {
      const [file = '', title = ''] = one.split(/ > (.*)/);
      return !titles(file).has(title);
    });
  const table = readFileSync(join(root, 'docs/agent-compatibility.md'), 'utf8');

  it('are there', () => {
    expect(missing(table)).toEqual([]);
  });

  it('are named for every sentence', () => {
    const rows = table.split('\n').filter((line) => /^\| (?!said|input|---)/.test(line));
    expect(rows.length).toBeGreaterThan(50);
    expect(rows.filter((row) => named(row).length === 0)).toEqual([]);
  });

  it('are missed when their file or their name is another', () => {
    const gone = ['src/log.test.ts > writes nothing', 'src/none.test.ts > writes nothing'];
    expect(missing(`| a | b | \`${gone.join('`, `')}\`, \`script/documents.test.ts > are there\` |`)).toEqual(gone);
  });
});

/** A variable's name, and how the files that read the environment write it. */
const variable = '([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+)';
describe.each([
  { document: 'docs/operations.md', sources: { 'packages/server/src/config.ts': `'${variable}'` } },
  {
    document: 'packages/agent/README.md',
    sources: {
      'packages/agent/src/config.ts': `'${variable}'`,
      'packages/agent/src/mapping.ts': `env\\.${variable}`,
      'packages/delivery/src/proxy.ts': `(?:read\\('|env\\.)${variable}`,
    },
  },
])('$document', ({ document, sources }) => {
  const names = (file: string, pattern: string): string[] =>
    [...readFileSync(join(root, file), 'utf8').matchAll(new RegExp(pattern, 'g'))].map((match) => match[1] ?? '');
  const documented = new Set(names(document, `\`${variable}\``));
  const read = new Set(Object.entries(sources).flatMap(([file, pattern]) => names(file, pattern)));

  it('has every variable that the program reads', () => {
    expect(read.size).toBeGreaterThan(10);
    expect([...read].filter((name) => !documented.has(name))).toEqual([]);
  });

  it('has no variable that the program does not read', () => {
    expect([...documented].filter((name) => !read.has(name))).toEqual([]);
  });
});
