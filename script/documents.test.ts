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
