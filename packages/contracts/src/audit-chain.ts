import { createHash, createPublicKey, verify as isSignedBy, type KeyObject } from 'node:crypto';

/**
 * The chain over the audit log: the bytes that are hashed and signed, and the check of an export against them. It needs the
 * export and nothing else, so whoever doubts the portal runs it elsewhere (`script/audit-verify`).
 *
 *   record      one line of JSON; its hash is the SHA-256 of exactly these bytes
 *   checkpoint  seals the records since the one before: their sequence numbers and hashes, the hash of the checkpoint
 *               before, and an Ed25519 signature over all of it (`checkpointText`)
 *
 * An export (NDJSON) is `{"export":{…}}`, then for each checkpoint its records in their order and `{"checkpoint":{…}}`, then
 * `{"end":{…}}`. Without that last line it was interrupted.
 *
 * What it finds: every record that was changed, removed, inserted or moved before the last checkpoint of the export. Tamper-
 * evident, not tamper-proof. What it can not find:
 *   - the newest checkpoints cut off together with their records, and
 *   - a chain written anew by somebody who has the signing key,
 * unless a checkpoint is compared that was kept elsewhere (`knownCheckpoints`); and what never came into the log.
 */
export interface Checkpoint {
  organization: string;
  /** 1, 2, 3, … */
  number: number;
  sealedAt: string;
  /** Records of this checkpoint, and of all up to it. */
  count: number;
  total: number;
  /** SHA-256, hex, over sequence number (8 bytes, big-endian) and hash of each record. */
  records: string;
  /** Hash of the checkpoint before, hex; of the first one 64 zeros. */
  previous: string;
  /** Hash of this one: SHA-256 of `checkpointText`, hex. */
  hash: string;
  /** Ed25519 over `checkpointText`, base64. */
  signature: string;
  /** Which key signed: `keyId` of its public part. */
  key: string;
}

/** As an export carries it. Without `seqs` and `hashes` its records were removed by the retention setting. */
export interface ExportedCheckpoint extends Checkpoint {
  seqs?: readonly number[];
  /** 32 bytes for each record, one after the other, base64. */
  hashes?: string;
}

export const noCheckpointHash = '0'.repeat(64);
const hashBytes = 32;
/** A transaction writes its records before it commits, and only then are they sealed: how long one may take. */
const longestTransactionMs = 10 * 60_000;

/** What is hashed and signed, line by line, so that it can be checked with `sha256sum` and `openssl` too. */
export function checkpointText(checkpoint: Omit<Checkpoint, 'hash' | 'signature' | 'key'>): string {
  const { organization, number, sealedAt, count, total, records, previous } = checkpoint;
  return [
    'quayside-audit-checkpoint-v1',
    `organization:${organization}`,
    `number:${number}`,
    `sealedAt:${sealedAt}`,
    `count:${count}`,
    `total:${total}`,
    `records:${records}`,
    `previous:${previous}`,
    '',
  ].join('\n');
}

export function sha256(text: string | Buffer): Buffer {
  return createHash('sha256').update(text).digest();
}

/** Hash of the records of one checkpoint. */
export function hashOfRecords(seqs: readonly number[], hashes: Buffer): string {
  const hash = createHash('sha256');
  const seqBytes = Buffer.alloc(8);
  seqs.forEach((seq, index) => {
    seqBytes.writeBigUInt64BE(BigInt(seq));
    hash.update(seqBytes).update(hashes.subarray(index * hashBytes, (index + 1) * hashBytes));
  });
  return hash.digest('hex');
}

/** The first 16 hex digits of the SHA-256 of the public key (DER). */
export function keyId(key: KeyObject): string {
  return sha256(key.export({ type: 'spki', format: 'der' }))
    .toString('hex')
    .slice(0, 16);
}

export type AuditFindingKind =
  | 'changed'
  | 'removed'
  | 'inserted'
  | 'moved'
  | 'backdated'
  | 'broken_chain'
  | 'bad_signature'
  | 'unknown_key'
  | 'rewritten'
  | 'missing_checkpoint'
  | 'malformed'
  | 'interrupted';

export interface AuditFinding {
  kind: AuditFindingKind;
  /** Line of the export, from 1. */
  line: number;
  checkpoint?: number;
  seq?: number;
  says: string;
}

export interface AuditVerdict {
  isWhole: boolean;
  organization: string | undefined;
  records: number;
  checkpoints: number;
  /** Removed by the retention setting; their checkpoints still chain. */
  prunedRecords: number;
  first: Checkpoint | undefined;
  last: Checkpoint | undefined;
  /** At most `maxFindings`; how many there were is `findingCount`. */
  findings: AuditFinding[];
  /** Records sealed long after their own time: put in later, or the clock of the database was set. At most `maxFindings`. */
  backdated: AuditFinding[];
  findingCount: number;
  /** What the verdict rests on, or lacks. */
  notes: string[];
}

const maxFindings = 1_000;

/**
 * Checks the lines of an export. Cost: one SHA-256 over every byte, one signature per checkpoint; memory for one checkpoint.
 *
 * `keys`: the public keys (PEM) that may have signed. Without any, the key that the export brings is believed, and a note says so.
 */
export async function verifyAuditExport(
  lines: AsyncIterable<string> | Iterable<string>,
  options: { keys?: readonly string[]; knownCheckpoints?: readonly Checkpoint[] } = {},
): Promise<AuditVerdict> {
  const findings: AuditFinding[] = [];
  const backdated: AuditFinding[] = [];
  const notes: string[] = [];
  let findingCount = 0;
  let line = 0;
  let organization: string | undefined;
  let first: Checkpoint | undefined;
  let last: Checkpoint | undefined;
  let records = 0;
  let checkpoints = 0;
  let prunedRecords = 0;
  let isEnded = false;
  let isUpToNow = false;
  /** Pruning that the surviving log itself records, by checkpoint number. */
  let prunedUpTo = 0;
  let pruningSays = 0;
  let pending: { seq: number; hash: Buffer; at: number; line: number }[] = [];
  const keys = new Map<string, KeyObject>();
  const known = new Map((options.knownCheckpoints ?? []).map((one) => [one.number, one]));

  const found = (kind: AuditFindingKind, says: string, at: Partial<AuditFinding> = {}): void => {
    findingCount += 1;
    if (findings.length < maxFindings) findings.push({ kind, line, ...at, says });
  };
  const suspect = (says: string, at: { line: number; checkpoint: number; seq: number }): void => {
    if (backdated.length < maxFindings) backdated.push({ kind: 'backdated', ...at, says });
  };
  for (const pem of options.keys ?? []) {
    const key = createPublicKey(pem);
    keys.set(keyId(key), key);
  }

  function begin(header: { organization?: unknown; key?: unknown; to?: unknown }): void {
    isUpToNow = header.to === undefined;
    organization = typeof header.organization === 'string' ? header.organization : undefined;
    if (keys.size > 0) return;
    try {
      const key = createPublicKey(String(header.key));
      keys.set(keyId(key), key);
      notes.push(
        `The public key came with the export itself (key ${keyId(key)}). Compare it with one that you kept, or pass it with --key: whoever can forge an export can put in a key of their own.`,
      );
    } catch {
      found('malformed', 'The export brings no public key that can be read; pass one with --key.');
    }
  }

  function seal(checkpoint: ExportedCheckpoint): void {
    const at = { checkpoint: checkpoint.number };
    checkpoints += 1;
    first ??= checkpoint;
    if (checkpoint.organization !== organization)
      found(
        'broken_chain',
        `Checkpoint ${checkpoint.number} is of the organization ${checkpoint.organization}, the export of ${organization}.`,
        at,
      );
    if (last && checkpoint.number !== last.number + 1)
      found(
        'missing_checkpoint',
        `After checkpoint ${last.number} comes ${checkpoint.number}: what is between them is missing.`,
        at,
      );
    else if (last && (checkpoint.previous !== last.hash || checkpoint.total !== last.total + checkpoint.count))
      found('broken_chain', `Checkpoint ${checkpoint.number} does not continue checkpoint ${last.number}.`, at);
    if (checkpoint.number === 1 && (checkpoint.previous !== noCheckpointHash || checkpoint.total !== checkpoint.count))
      found('broken_chain', 'The first checkpoint claims that there is one before it.', at);
    const text = checkpointText(checkpoint);
    if (sha256(text).toString('hex') !== checkpoint.hash)
      found('broken_chain', `What checkpoint ${checkpoint.number} says does not have the hash that it names.`, at);
    const key = keys.get(checkpoint.key);
    if (!key)
      found(
        'unknown_key',
        `Checkpoint ${checkpoint.number} is signed with the key ${checkpoint.key}; known are ${[...keys.keys()].join(', ') || 'none'}.`,
        at,
      );
    else if (!isSignedBy(null, Buffer.from(text), key, Buffer.from(checkpoint.signature, 'base64')))
      found(
        'bad_signature',
        `The signature of checkpoint ${checkpoint.number} is not that of the key ${checkpoint.key}.`,
        at,
      );
    const kept = known.get(checkpoint.number);
    if (kept && kept.hash !== checkpoint.hash)
      found(
        'rewritten',
        `Checkpoint ${checkpoint.number} is not the one that was kept (${kept.hash}, sealed ${kept.sealedAt}): the log was written anew.`,
        at,
      );
    known.delete(checkpoint.number);
    compareRecords(checkpoint);
    last = checkpoint;
    pending = [];
  }

  function compareRecords(checkpoint: ExportedCheckpoint): void {
    const at = { checkpoint: checkpoint.number };
    if (!checkpoint.seqs || checkpoint.hashes === undefined) {
      // Retention removes from the beginning on. A gap later on is a removal.
      if (records > 0)
        found('removed', `The records of checkpoint ${checkpoint.number} are gone, those before it are not.`, at);
      for (const one of pending)
        found('inserted', `The record ${one.seq} is in none of the checkpoints.`, {
          ...at,
          seq: one.seq,
          line: one.line,
        });
      prunedRecords += checkpoint.count;
      prunedUpTo = checkpoint.number;
      return;
    }
    const sealed = Buffer.from(checkpoint.hashes, 'base64');
    if (
      sealed.length !== checkpoint.count * hashBytes ||
      checkpoint.seqs.length !== checkpoint.count ||
      hashOfRecords(checkpoint.seqs, sealed) !== checkpoint.records
    )
      found(
        'broken_chain',
        `The list of records of checkpoint ${checkpoint.number} is not the one that was sealed.`,
        at,
      );
    const place = new Map(checkpoint.seqs.map((seq, index) => [seq, index]));
    let expected = 0;
    for (const one of pending) {
      const here = { ...at, seq: one.seq, line: one.line };
      const index = place.get(one.seq);
      if (index === undefined) {
        found('inserted', `The record ${one.seq} was not there when checkpoint ${checkpoint.number} was sealed.`, here);
        continue;
      }
      place.delete(one.seq);
      if (index < expected) found('moved', `The record ${one.seq} is not in its place.`, here);
      expected = Math.max(expected, index + 1);
      if (!one.hash.equals(sealed.subarray(index * hashBytes, (index + 1) * hashBytes)))
        found('changed', `The record ${one.seq} is not what was sealed in checkpoint ${checkpoint.number}.`, here);
      else if (last && one.at < Date.parse(last.sealedAt) - longestTransactionMs)
        suspect(
          `The record ${one.seq} says that it is of ${new Date(one.at).toISOString()}, but checkpoint ${last.number}, sealed ${last.sealedAt}, did not have it.`,
          here,
        );
    }
    for (const seq of place.keys())
      found('removed', `The record ${seq} of checkpoint ${checkpoint.number} is gone.`, { ...at, seq });
    records += pending.length;
  }

  for await (const text of lines) {
    line += 1;
    if (text === '') continue;
    const head = /^\{"(seq|export|checkpoint|end)":/.exec(text)?.[1];
    if (isEnded) {
      found('malformed', 'There is more after the end of the export.');
      break;
    }
    if (head === 'seq') {
      const seq = Number(/^\{"seq":(\d+),/.exec(text)?.[1] ?? Number.NaN);
      const at = Date.parse(/^\{"seq":\d+,"at":"([^"]+)"/.exec(text)?.[1] ?? '');
      if (Number.isNaN(seq) || Number.isNaN(at)) found('malformed', 'This record has no sequence number or no time.');
      else pending.push({ seq, hash: sha256(text), at, line });
      if (text.includes('"name":"audit.pruned"')) pruningSays = Math.max(pruningSays, prunedThrough(text));
      continue;
    }
    const value = parse(text);
    if (head === undefined || value === undefined) found('malformed', 'This line is not of an export.');
    else if (head === 'export') begin(value.export as Record<string, unknown>);
    else if (head === 'checkpoint') seal(value.checkpoint as ExportedCheckpoint);
    else {
      isEnded = true;
      const end = value.end as { checkpoints?: number; records?: number };
      if (end.checkpoints !== checkpoints)
        found('missing_checkpoint', `The export ends with ${end.checkpoints} checkpoints; ${checkpoints} are there.`);
    }
  }
  if (!isEnded)
    found('interrupted', 'The export has no end: it was interrupted. Everything up to here was checked; export again.');
  for (const one of pending)
    if (isEnded)
      found('inserted', `The record ${one.seq} is in none of the checkpoints.`, { seq: one.seq, line: one.line });
  for (const one of known.values())
    if (isEnded && first && one.number >= first.number)
      found(
        'rewritten',
        `Checkpoint ${one.number}, which was kept (sealed ${one.sealedAt}), is not in the export: the end of the log was cut off.`,
        {
          checkpoint: one.number,
        },
      );
    else notes.push(`The kept checkpoint ${one.number} is not in the range of this export and was not compared.`);
  if (isUpToNow && isEnded && pruningSays < prunedUpTo)
    found(
      'removed',
      `The records up to checkpoint ${prunedUpTo} are gone, but the log says that retention removed those up to ${pruningSays}. If retention ran a moment ago, its own record is not sealed yet: export again in some seconds.`,
      { checkpoint: prunedUpTo },
    );
  if (first && first.number > 1)
    notes.push(`The export begins with checkpoint ${first.number}; what is before it was not looked at.`);
  if ((options.knownCheckpoints ?? []).length === 0)
    notes.push(
      'No checkpoint kept elsewhere was compared (--checkpoint): a log whose end was cut off, or that was written anew with the signing key, would not be noticed.',
    );
  return {
    isWhole: findingCount === 0,
    organization,
    records,
    checkpoints,
    prunedRecords,
    first,
    last,
    findings,
    backdated,
    findingCount,
    notes,
  };
}

function parse(text: string): Record<string, unknown> | undefined {
  try {
    return JSON.parse(text) as Record<string, unknown>;
  } catch {
    return undefined;
  }
}

function prunedThrough(text: string): number {
  const after = parse(text)?.after as { throughCheckpoint?: unknown } | undefined;
  return typeof after?.throughCheckpoint === 'number' ? after.throughCheckpoint : 0;
}
