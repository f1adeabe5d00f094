import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { readConfig } from '@quayside/server/config';
import { backUp, restore } from '@quayside/server/platform/embedded-backup';
import { createLog } from '@quayside/server/platform/log';

/** `backup <directory>` and `restore <directory>` for script/backup and script/restore, which say what they do. */
async function main([command, directory, ...rest]: readonly string[]): Promise<void> {
  if (directory === undefined || rest.length > 0) throw new Error(`Usage: script/${command} <directory>`);
  const { dataDir, databaseUrl, encryptionKey } = readConfig(process.env);
  if (databaseUrl !== undefined)
    throw new Error(
      'DATABASE_URL names an external PostgreSQL: use its own tools (docs/operations.md, "Backup and restore").',
    );
  const log = createLog({ level: 'warn', name: 'backup' });
  const say = (text: string) => process.stdout.write(`${text}\n`);
  const keyFile = join(dataDir, 'installation.key');
  if (command === 'backup') {
    const to = resolve(directory);
    await backUp({ dataDir, to, log });
    say(`Backed up into ${to}.`);
    if (encryptionKey === undefined)
      say(
        `Keep a copy of ${keyFile} as well, and elsewhere: without it the secrets in the backup are lost, with it they are open.`,
      );
    return;
  }
  const from = resolve(directory);
  restore({ from, dataDir, log });
  say(`Restored into ${dataDir}.`);
  if (encryptionKey === undefined && !existsSync(keyFile))
    say(`Before the portal starts put the installation key of old into ${keyFile}, or set QUAYSIDE_ENCRYPTION_KEY.`);
}

main(process.argv.slice(2)).catch((error: Error) => {
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
});
