import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * Secrets at rest. One installation key; from it HKDF derives one key per purpose, so that the key that seals secrets is
 * never the one that signs tokens. Sealed form: version 1 | IV[12] | ciphertext | tag[16], AES-256-GCM, with the owner's
 * name as associated data: a sealed value copied to another row does not open.
 *
 * Not covered: whoever reads the process's memory, or both the database and the key file, reads the secrets.
 */
export interface Vault {
  seal(clear: string, owner: string): Buffer;
  open(sealed: Buffer, owner: string): string;
  /** 32 bytes for another purpose, e.g. signing access tokens. */
  keyFor(purpose: string): Buffer;
}

const version = 1;

export function createVault(installationKey: Buffer): Vault {
  const keyFor = (purpose: string): Buffer =>
    Buffer.from(hkdfSync('sha256', installationKey, Buffer.alloc(0), `quayside ${purpose}`, 32));
  const sealing = keyFor('seal');
  return {
    keyFor,
    seal(clear, owner) {
      const iv = randomBytes(12);
      const cipher = createCipheriv('aes-256-gcm', sealing, iv);
      cipher.setAAD(Buffer.from(owner));
      const body = Buffer.concat([cipher.update(clear, 'utf8'), cipher.final()]);
      return Buffer.concat([Buffer.from([version]), iv, body, cipher.getAuthTag()]);
    },
    open(sealed, owner) {
      if (sealed[0] !== version || sealed.length < 29) throw new Error('A sealed secret has an unknown form.');
      const decipher = createDecipheriv('aes-256-gcm', sealing, sealed.subarray(1, 13));
      decipher.setAAD(Buffer.from(owner));
      decipher.setAuthTag(sealed.subarray(-16));
      try {
        return decipher.update(sealed.subarray(13, -16), undefined, 'utf8') + decipher.final('utf8');
      } catch {
        throw new Error(
          `The secret of ${owner} does not open with this installation's key. Was QUAYSIDE_ENCRYPTION_KEY or the key file changed?`,
        );
      }
    },
  };
}

export interface InstallationKey {
  key: Buffer;
  /** The variable or the file. */
  from: string;
  /** The file, if there was none before. */
  madeFile?: string;
}

/**
 * The installation key: from the environment (base64 of 32 bytes) or from `installation.key` in the data directory, which
 * the first start writes, readable by its owner only. `wx` makes two servers that start at once agree on one file.
 */
export function loadInstallationKey(dataDir: string, fromEnvironment: Buffer | undefined): InstallationKey {
  if (fromEnvironment) return { key: fromEnvironment, from: 'QUAYSIDE_ENCRYPTION_KEY' };
  const file = join(dataDir, 'installation.key');
  mkdirSync(dataDir, { recursive: true });
  let isMade = true;
  try {
    writeFileSync(file, `${randomBytes(32).toString('base64')}\n`, { mode: 0o600, flag: 'wx' });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    isMade = false;
  }
  const key = Buffer.from(readFileSync(file, 'utf8').trim(), 'base64');
  if (key.length !== 32) throw new Error(`${file} must hold 32 bytes in base64; it holds ${key.length}.`);
  return { key, from: file, ...(isMade ? { madeFile: file } : {}) };
}
