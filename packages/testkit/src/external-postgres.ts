import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chownSync, cpSync, mkdirSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { accountForRoot, isReachable } from '@quayside/server/platform/embedded-postgres';
import { administer } from './postgres.ts';
import { freePort } from './server-process.ts';

/** A PostgreSQL as an operator runs one: of another version than ours, with its own settings and tools. */
export interface ExternalPostgres {
  /** Of its superuser. */
  url: string;
  /** The folder of its programs. */
  bin: string;
  stop(): Promise<void>;
}

/** Makes a cluster in `folder`, which others must be able to enter, with the programs that script/lib/postgres.sh finds. */
export async function startExternalPostgres(folder: string): Promise<ExternalPostgres> {
  const found = process.env.QUAYSIDE_POSTGRES;
  if (!found)
    throw new Error(
      'Run script/test, which finds a PostgreSQL, or set QUAYSIDE_POSTGRES to the folder of its programs.',
    );
  const account = accountForRoot();
  let bin = found;
  if (account && !isReachable(found, account)) {
    // With the libraries, which the package of PyPI has beside the folder that it installs into.
    const whole = join(found, '../../..');
    bin = join(folder, 'programs', relative(whole, found));
    cpSync(whole, join(folder, 'programs'), { recursive: true, verbatimSymlinks: true });
  }
  const [data, passwordFile, password] = [join(folder, 'data'), join(folder, 'password'), 'the operator knows'];
  mkdirSync(data, { recursive: true, mode: 0o700 });
  writeFileSync(passwordFile, password);
  if (account) chownSync(data, account.uid, account.gid);
  const options = { ...account, cwd: folder, env: { PATH: process.env.PATH ?? '', LC_ALL: 'C.UTF-8' } };
  execFileSync(
    join(bin, 'initdb'),
    ['-D', data, '-U', 'operator', `--pwfile=${passwordFile}`, '--auth=scram-sha-256', '--encoding=UTF8'],
    { ...options, stdio: ['ignore', 'ignore', 'inherit'] },
  );
  const port = await freePort();
  const url = `postgresql://operator:${encodeURIComponent(password)}@127.0.0.1:${port}/postgres`;
  const child = spawn(join(bin, 'postgres'), ['-D', data, '-p', String(port), '-k', '', '-c', 'max_connections=200'], {
    ...options,
    stdio: 'ignore',
  });
  for (let triesLeft = 200; ; triesLeft -= 1)
    try {
      await administer(url, 'select 1');
      break;
    } catch (error) {
      if (child.exitCode !== null || triesLeft === 0) throw error;
      await sleep(50);
    }
  return {
    url,
    bin,
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const ended = once(child, 'exit');
      child.kill('SIGINT');
      await ended;
    },
  };
}
