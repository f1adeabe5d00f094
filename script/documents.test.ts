import { execFileSync } from 'node:child_process';
import { existsSync, globSync, readdirSync, readFileSync } from 'node:fs';
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

describe('docs/operations.md', () => {
  const text = readFileSync(join(root, 'docs/operations.md'), 'utf8');
  const documented = new Set([...text.matchAll(/`([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+)`/g)].map((match) => match[1] ?? ''));
  const configs = globSync('packages/*/src/config.ts', { cwd: root });
  const read = new Set(
    configs.flatMap((file) =>
      [...readFileSync(join(root, file), 'utf8').matchAll(/'([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+)'/g)].map(
        (match) => match[1] ?? '',
      ),
    ),
  );

  it('has every variable that a program reads', () => {
    expect([...read].filter((name) => !documented.has(name))).toEqual([]);
  });

  it('has no variable that no program reads', () => {
    if (configs.length < 2) return; // until the server has landed
    expect([...documented].filter((name) => !read.has(name))).toEqual([]);
  });
});
