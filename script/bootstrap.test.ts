import { execFileSync, spawnSync } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

/** A repository with the bootstrap and nothing else, on a machine that has only the programs named here. */
let home: string;
const path = (...parts: string[]) => join(home, ...parts);

function program(name: string, text: string): void {
  writeFileSync(path('bin', name), `#!/usr/bin/env bash\n${text}\n`);
  chmodSync(path('bin', name), 0o755);
}
const hasNode = (version: string) => program('node', `echo v${version}`);
/** Writes down how it was called, and installs a Node where it is asked for one. */
const hasNpm = () =>
  program(
    'npm',
    `echo "$*" >>"${path('npm.log')}"
     if [[ $2 == --prefix ]]; then
       folder=$3/node_modules/\${!#}; folder=\${folder%@*}/bin; mkdir -p "$folder"
       printf '#!/usr/bin/env bash\\necho v24.21.0' >"$folder/node"; chmod +x "$folder/node"
     else mkdir -p node_modules; fi`,
  );
const npmCalls = () => (existsSync(path('npm.log')) ? readFileSync(path('npm.log'), 'utf8').trim().split('\n') : []);

function start(script = 'node --version; pwd'): { code: number | null; out: string; err: string } {
  const run = spawnSync('bash', ['--norc', '-c', `source "${path('repo/script/lib/bootstrap.sh')}"; ${script}`], {
    env: { PATH: path('bin') },
    cwd: home,
    encoding: 'utf8',
  });
  return { code: run.status, out: run.stdout, err: run.stderr };
}

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'bootstrap-'));
  mkdirSync(path('bin'));
  for (const name of [
    'bash',
    'env',
    'dirname',
    'cat',
    'cksum',
    'mkdir',
    'chmod',
    'ln',
    'readlink',
    'rm',
    'sleep',
    'uname',
  ]) {
    symlinkSync(execFileSync('which', [name], { encoding: 'utf8' }).trim(), path('bin', name));
  }
  cpSync(join(import.meta.dirname, 'lib'), path('repo/script/lib'), { recursive: true });
  for (const folder of ['packages/a', 'e2e', 'bench', 'examples/b', '.']) {
    mkdirSync(path('repo', folder), { recursive: true });
    writeFileSync(path('repo', folder, 'package.json'), '{}');
  }
  writeFileSync(path('repo/package-lock.json'), '{}');
  writeFileSync(path('repo/.npmrc'), '');
});
afterEach(() => rmSync(home, { recursive: true }));

describe('Node', () => {
  it.each(['24.7.0', '24.21.0', '26.0.0'])("takes the machine's %s", (version) => {
    hasNode(version);
    hasNpm();
    expect(start()).toMatchObject({ code: 0, out: `v${version}\n${path('repo')}\n` });
    expect(npmCalls()).toHaveLength(1);
  });

  it.each(['20.20.2', '24.6.9', '9.11.1'])('brings its own where the machine has %s', (version) => {
    hasNode(version);
    hasNpm();
    expect(start()).toMatchObject({ code: 0, out: `v24.21.0\n${path('repo')}\n` });
    expect(npmCalls()[0]).toMatch(/^install --prefix \S+\.tools\S+ .*--ignore-scripts .*@24\.21\.0$/);
  });

  it('brings its own where there is none', () => {
    hasNpm();
    expect(start()).toMatchObject({ code: 0, out: expect.stringContaining('v24.21.0') });
  });

  it('says what to install where there is no npm either', () => {
    expect(start()).toMatchObject({ code: 1, err: expect.stringContaining('Install Node 24 together with npm') });
  });

  it('says what to try when it cannot be fetched', () => {
    program('npm', 'exit 1');
    expect(start()).toMatchObject({ code: 1, err: expect.stringContaining('Check that npm reaches its registry') });
    expect(existsSync(path('repo/.tools/install.lock'))).toBe(false);
  });
});

describe('packages', () => {
  beforeEach(() => {
    hasNode('24.21.0');
    hasNpm();
  });

  it('are installed once, silently the second time', () => {
    expect(start().err).toContain('Installing packages');
    expect(start().err).toBe('');
    expect(npmCalls()).toEqual([
      'install --no-save --ignore-scripts --no-audit --no-fund --no-update-notifier --loglevel=error',
    ]);
  });

  it.each(['package-lock.json', 'package.json', 'packages/a/package.json', 'examples/b/package.json', '.npmrc'])(
    'are installed again when %s has changed',
    (file) => {
      start();
      writeFileSync(path('repo', file), '{"changed":true}');
      start();
      expect(npmCalls()).toHaveLength(2);
    },
  );

  it('are tried again after a failure, and nothing is started meanwhile', () => {
    program('npm', 'exit 1');
    expect(start()).toMatchObject({ code: 1, out: '' });
    hasNpm();
    expect(start().code).toBe(0);
  });

  it('are installed by one of two scripts that start together', () => {
    program('npm', `sleep 0.4; echo "$*" >>"${path('npm.log')}"; mkdir -p node_modules`);
    writeFileSync(path('repo/script/any'), 'source "$(dirname "$0")/lib/bootstrap.sh"');
    const any = `bash --norc ${path('repo/script/any')}`;
    const both = spawnSync('bash', ['--norc', '-c', `${any} & ${any}; wait`], {
      env: { PATH: path('bin') },
      encoding: 'utf8',
    });
    expect(both.stderr).toContain('which is installing');
    expect(npmCalls()).toHaveLength(1);
  });

  it('do not wait for a script that has died', () => {
    mkdirSync(path('repo/.tools'));
    // No process has this number: it is above the largest that Linux gives out.
    symlinkSync('4194305', path('repo/.tools/install.lock'));
    expect(start().code).toBe(0);
  });
});
