import {
  chmodSync,
  chownSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { copyFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Client } from 'pg';
import { locateCluster } from './embedded-postgres.ts';
import type { Logger } from './log.ts';

/**
 * A backup of the embedded PostgreSQL while the portal works, and its way back. It is PostgreSQL's own procedure for a base backup
 * (its manual, 25.3.4), as the embedded package has neither pg_dump nor pg_basebackup:
 *
 *   slot (keeps the log) ► pg_backup_start ► copy the files ► pg_backup_stop ► copy the log ► drop the slot
 *
 * What is restored is the state at the end of the copy: the database replays the log from the start on, so files that changed
 * while they were copied come right. The installation key is not in it, as with it the backup would open every secret.
 *
 * Cost: a copy of the files; the portal goes on meanwhile.
 */
const slot = 'quayside_backup';
/** Made anew by each server, or of no use to another. */
const emptied = [
  'pg_wal',
  'pg_replslot',
  'pg_dynshmem',
  'pg_notify',
  'pg_serial',
  'pg_snapshots',
  'pg_stat_tmp',
  'pg_subtrans',
];
const leftOut = ['postmaster.pid', 'postmaster.opts', 'pg_internal.init', 'backup_label', 'tablespace_map'];

/** `to` must not exist, or be empty. */
export async function backUp(options: { dataDir: string; to: string; log: Logger }): Promise<void> {
  const { cluster, passwordFile } = locateCluster(options.dataDir, options.log);
  const pidFile = join(cluster, 'postmaster.pid');
  if (!existsSync(pidFile))
    throw new Error(
      `No embedded PostgreSQL runs in ${cluster}. Start the portal on this data directory, or, while it is stopped, just copy ${cluster} and ${passwordFile}.`,
    );
  assertEmpty(options.to, 'back up into a directory of its own');
  const port = readFileSync(pidFile, 'utf8').split('\n')[3]?.trim();
  const password = readFileSync(passwordFile, 'utf8').trim();
  const client = new Client({
    connectionString: `postgresql://quayside:${password}@127.0.0.1:${port}/quayside`,
    application_name: 'quayside backup',
  });
  await client.connect();
  try {
    // Temporary: one that is interrupted leaves no slot that would keep the log for ever.
    await client.query('select pg_create_physical_replication_slot($1, true, true)', [slot]);
    await client.query("select pg_backup_start('quayside', true)");
    const copy = join(options.to, 'postgres');
    await copyFiles(cluster, copy, (name, isTop) => leftOut.includes(name) || (isTop && emptied.includes(name)));
    for (const name of emptied) mkdirSync(join(copy, name), { recursive: true, mode: 0o700 });
    const { rows } = await client.query<{ label: string }>('select labelfile as label from pg_backup_stop(false)');
    await copyFiles(join(cluster, 'pg_wal'), join(copy, 'pg_wal'), (name) => name === 'archive_status');
    // The mark of a whole copy, and last: without it PostgreSQL would take the files as they are.
    writeFileSync(join(copy, 'backup_label'), rows[0]?.label ?? '', { mode: 0o600 });
    cpSync(passwordFile, join(options.to, 'postgres.password'));
  } finally {
    await client.end();
  }
}

/** Into a data directory without a database. The portal must not run on it. */
export function restore(options: { from: string; dataDir: string; log: Logger }): void {
  const backup = join(options.from, 'postgres');
  if (!existsSync(join(backup, 'backup_label')) || !existsSync(join(options.from, 'postgres.password')))
    throw new Error(
      `${options.from} holds no whole backup of script/backup: postgres/backup_label or postgres.password is missing.`,
    );
  const { cluster, passwordFile, account } = locateCluster(options.dataDir, options.log);
  assertEmpty(cluster, 'restore into a new data directory, or move the old one away first');
  cpSync(backup, cluster, { recursive: true });
  // PostgreSQL takes no directory that others may enter; copies of a backup often have other rights.
  chmodSync(cluster, 0o700);
  cpSync(join(options.from, 'postgres.password'), passwordFile);
  if (account) giveTo(cluster, account);
}

function assertEmpty(path: string, advice: string): void {
  if (existsSync(path) && readdirSync(path).length > 0) throw new Error(`${path} is not empty; ${advice}.`);
}

async function copyFiles(from: string, to: string, isLeftOut: (name: string, isTop: boolean) => boolean, isTop = true) {
  mkdirSync(to, { recursive: true, mode: 0o700 });
  for (const entry of readdirSync(from, { withFileTypes: true })) {
    if (isLeftOut(entry.name, isTop)) continue;
    const [source, target] = [join(from, entry.name), join(to, entry.name)];
    if (entry.isDirectory()) await copyFiles(source, target, isLeftOut, false);
    else
      await copyFile(source, target).catch((error: NodeJS.ErrnoException) => {
        // Files come and go meanwhile; the log has what became of them.
        if (error.code !== 'ENOENT') throw error;
      });
  }
}

function giveTo(path: string, account: { uid: number; gid: number }): void {
  chownSync(path, account.uid, account.gid);
  if (statSync(path).isDirectory()) for (const name of readdirSync(path)) giveTo(join(path, name), account);
}
