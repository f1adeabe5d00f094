import { createPrivateKey, createPublicKey, type KeyObject, sign } from 'node:crypto';
import {
  type Checkpoint,
  checkpointText,
  hashOfRecords,
  keyId,
  noCheckpointHash,
  sha256,
} from '@quayside/contracts/audit-chain';
import type { World } from '../../platform/ctx.ts';
import { type Cursor, readColumns } from '../../platform/event-reader.ts';
import { type Reader, recordingReader } from '../../platform/readers.ts';
import type { Vault } from '../../platform/vault.ts';
import {
  findLastCheckpoint,
  findRange,
  insertCheckpoint,
  listCheckpoints,
  listRecordTexts,
  listSealed,
  sealColumns,
} from './store-chain.ts';

/**
 * The chain over the audit log: a reader of events that seals what it read in a checkpoint (packages/contracts/src/audit-chain.ts),
 * in the transaction that moves its cursor. Each record is in exactly one checkpoint, and checkpoints have no gaps, whatever crashes.
 *
 * Cost: per checkpoint, at most one a second and organization, a row and a signature; per record a SHA-256 in PostgreSQL and
 * 40 bytes. A record is sealed about a second after it is committed: until then nothing shows that it was changed.
 */
const recordsPerCheckpoint = 2_000;
const restMs = 1_000;
const checkpointsAtOnce = 20;
const recordsAtOnce = 500;
const hourMs = 60 * 60_000;
const beforeAll = { xid: '0', seq: 0 };

/** Signs checkpoints. Made from the installation key, so every server of the installation has the same. */
export interface AuditKey {
  readonly id: string;
  /** PEM. */
  readonly publicKey: string;
  sign(text: string): Buffer;
}

export function createAuditKey(vault: Vault): AuditKey {
  // An Ed25519 private key is 32 bytes; this is their PKCS #8 wrapping (RFC 8410).
  const wrapping = Buffer.from('302e020100300506032b657004220420', 'hex');
  const privateKey: KeyObject = createPrivateKey({
    key: Buffer.concat([wrapping, vault.keyFor('audit checkpoints')]),
    format: 'der',
    type: 'pkcs8',
  });
  const publicKey = createPublicKey(privateKey);
  return {
    id: keyId(publicKey),
    publicKey: publicKey.export({ type: 'spki', format: 'pem' }).toString(),
    sign: (text) => sign(null, Buffer.from(text), privateKey),
  };
}

interface HashedRecord {
  cursor: Cursor;
  hash: Buffer;
}

export function createAuditSealer(key: AuditKey): Reader {
  return recordingReader<HashedRecord>({
    name: 'audit',
    eventsPerStep: recordsPerCheckpoint,
    trouble: 'audit records are not sealed; they are kept, and sealed later',
    beginsWithFirst: true,
    restMs,
    read: (tx, orgId, reader, limit) => readColumns<HashedRecord>(tx, orgId, reader, limit, 'hashes', sealColumns),
    async handle(ctx, records) {
      const before = await findLastCheckpoint(ctx.db, ctx.orgId);
      const seqs = records.map(({ cursor }) => cursor.seq);
      const hashes = Buffer.concat(records.map(({ hash }) => hash));
      const said = {
        organization: ctx.orgId,
        number: (before?.number ?? 0) + 1,
        sealedAt: ctx.now().toISOString(),
        count: records.length,
        total: (before?.total ?? 0) + records.length,
        records: hashOfRecords(seqs, hashes),
        previous: before?.hash ?? noCheckpointHash,
      };
      const text = checkpointText(said);
      const checkpoint: Checkpoint = {
        ...said,
        hash: sha256(text).toString('hex'),
        signature: key.sign(text).toString('base64'),
        key: key.id,
      };
      const { cursor } = records.at(-1) as HashedRecord;
      await insertCheckpoint(ctx.db, { checkpoint, ...cursor }, { seqs, hashes });
      // Logs are usually shipped elsewhere: there a checkpoint stands that nobody with this database can change.
      if (!before || hourOf(before.sealedAt) !== hourOf(checkpoint.sealedAt))
        ctx.db.afterCommit(() => ctx.log.info({ checkpoint }, 'audit checkpoint of the hour'));
      return records.length;
    },
  });
}

const hourOf = (instant: string): number => Math.floor(Date.parse(instant) / hourMs);

/** Newest first. */
export async function readCheckpoints(
  world: World,
  page: { before: number | undefined; limit: number },
): Promise<Checkpoint[]> {
  return world.transaction((ctx) => listCheckpoints(ctx.db, ctx.orgId, page));
}

/**
 * The sealed log with its checkpoints, line by line; what was not sealed yet is not in it. Each page is a transaction of its
 * own, so an export of any length holds nothing up: what is sealed does not change any more.
 */
export async function* exportAuditLog(
  world: World,
  key: AuditKey,
  range: { from: Date | undefined; to: Date | undefined },
): AsyncGenerator<string> {
  yield line({
    export: {
      product: 'quayside',
      version: 1,
      organization: world.orgId,
      exportedAt: world.now().toISOString(),
      key: key.publicKey,
      ...(range.from ? { from: range.from.toISOString() } : {}),
      ...(range.to ? { to: range.to.toISOString() } : {}),
    },
  });
  const numbers = await world.transaction((ctx) => findRange(ctx.db, ctx.orgId, range));
  let checkpoints = 0;
  let records = 0;
  if (numbers) {
    let after = await world.transaction(async (ctx) => {
      const [before] = await listSealed(ctx.db, ctx.orgId, {
        from: numbers.first - 1,
        to: numbers.first - 1,
        limit: 1,
      });
      return before ?? beforeAll;
    });
    for (let next = numbers.first; next <= numbers.last; ) {
      const sealed = await world.transaction((ctx) =>
        listSealed(ctx.db, ctx.orgId, { from: next, to: numbers.last, limit: checkpointsAtOnce }),
      );
      const newest = sealed.at(-1);
      if (!newest) break;
      for (const { exported, ...upTo } of sealed) {
        for (;;) {
          const texts = await world.transaction((ctx) =>
            listRecordTexts(ctx.db, ctx.orgId, { after, upTo, limit: recordsAtOnce }),
          );
          if (texts.length > 0) yield `${texts.map(({ text }) => text).join('\n')}\n`;
          records += texts.length;
          after = texts.at(-1) ?? after;
          if (texts.length < recordsAtOnce) break;
        }
        after = upTo;
        yield line({ checkpoint: exported });
        checkpoints += 1;
      }
      next = newest.checkpoint.number + 1;
    }
  }
  yield line({ end: { checkpoints, records } });
}

const line = (value: unknown): string => `${JSON.stringify(value)}\n`;
