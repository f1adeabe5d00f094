import { describe, expect, it } from 'vitest';
import { findings } from './hygiene.ts';

const lock = {
  path: 'package-lock.json',
  text: JSON.stringify({
    packages: { '': { devDependencies: { a: '1.0.0' } }, 'packages/b': { dependencies: { c: '2.0.0' } } },
  }),
};
const root = { path: 'package.json', text: JSON.stringify({ devDependencies: { a: '1.0.0' } }) };
const host = ['registry.npm', 'js.org'].join('');
const home = ['/Users', 'ann', 'quayside'].join('/');

describe('repository rules', () => {
  it('accept what is in order', () => {
    expect(findings([lock, root, { path: 'README.md', text: 'Data lies in /var/lib/quayside.' }])).toEqual([]);
  });

  it.each([
    ['a registry host', { path: 'a.md', text: `x\nsee ${host}/a` }, 'a.md:2 names a package registry'],
    ["a machine's path", { path: 'a.ts', text: `const a = '${home}';` }, 'a.ts:1 names a path of one machine'],
    [
      'a range instead of a version',
      { path: 'packages/b/package.json', text: '{"dependencies":{"c":"^2.0.0"}}' },
      'Pin an exact version',
    ],
    [
      'a lock that does not match',
      { path: 'packages/b/package.json', text: '{"dependencies":{"c":"2.0.1"}}' },
      'package-lock.json does not match the dependencies of packages/b/package.json',
    ],
    [
      'a lock that does not know a package',
      { path: 'packages/d/package.json', text: '{"devDependencies":{"c":"2.0.0"}}' },
      'does not match the devDependencies',
    ],
  ])('find %s', (_name, file, message) => {
    expect(findings([lock, root, file])).toContainEqual(expect.stringContaining(message));
  });

  it('find where a package was fetched from', () => {
    const text = JSON.stringify({
      packages: { 'node_modules/a': { resolved: 'x' }, 'node_modules/b': { resolved: 'packages/b', link: true } },
    });
    expect(findings([{ path: 'package-lock.json', text }])).toEqual([expect.stringContaining('node_modules/a')]);
  });
});
