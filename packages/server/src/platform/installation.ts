import { rmSync } from 'node:fs';
import { type Database, named, sql } from './db.ts';
import type { InstallationKey, Vault } from './vault.ts';

/**
 * Before anything is sealed or opened: is the key that of the installation which wrote the database? A restored database whose key
 * was not put in place would otherwise work with a new one, and every secret, token and checkpoint of old would be void. A
 * database that knows no key yet takes this one, if it opens the secrets that are there.
 */
export async function assertInstallationKey(
  database: Database,
  vault: Vault,
  key: InstallationKey,
  opensSecrets: () => Promise<boolean>,
): Promise<void> {
  const fingerprint = vault.keyFor('fingerprint').toString('hex');
  const known = await readFingerprint(database);
  if (known === undefined) {
    if (!(await opensSecrets())) refuseKey(key);
    await database.system((tx) =>
      tx.run(sql`insert into installation (key_fingerprint) values (${fingerprint}) on conflict do nothing`),
    );
  }
  // Once more where it was not known: another server may have been first.
  if ((known ?? (await readFingerprint(database))) !== fingerprint) refuseKey(key);
}

async function readFingerprint(database: Database): Promise<string | undefined> {
  const row = await database.system((tx) =>
    tx.find<{ fingerprint: string }>(
      named('installation.fingerprint', sql`select key_fingerprint as fingerprint from installation`),
    ),
  );
  return row?.fingerprint;
}

function refuseKey({ from, madeFile }: InstallationKey): never {
  // So that the next start does not find a key that belongs to nothing.
  if (madeFile !== undefined) rmSync(madeFile, { force: true });
  throw new Error(
    `the secrets of this database were sealed with another installation key: ${madeFile === undefined ? `not that of ${from}` : `there is none in ${madeFile}`}. Put the key of that installation there (its file installation.key), or set QUAYSIDE_ENCRYPTION_KEY to it, and start again: docs/operations.md, Backup and restore. Nothing was changed.`,
  );
}
