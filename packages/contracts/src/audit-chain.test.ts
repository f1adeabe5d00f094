import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import {
  type Checkpoint,
  checkpointText,
  type ExportedCheckpoint,
  hashOfRecords,
  keyId,
  noCheckpointHash,
  sha256,
  verifyAuditExport,
} from './audit-chain.ts';

const pair = () => generateKeyPairSync('ed25519');
const ours = pair();
const pem = (key: KeyObject) => key.export({ type: 'spki', format: 'pem' }).toString();
const instant = (minute: number) => new Date(Date.UTC(2026, 0, 1, 12, minute)).toISOString();

const record = (seq: number, minute: number, extra: object = {}) =>
  JSON.stringify({ seq, at: instant(minute), name: 'entity.updated', before: null, after: { n: seq }, ...extra });

function checkpoint(
  lines: readonly string[],
  before: Checkpoint | undefined,
  minute: number,
  keys = ours,
): ExportedCheckpoint {
  const seqs = lines.map((line) => (JSON.parse(line) as { seq: number }).seq);
  const hashes = Buffer.concat(lines.map(sha256));
  const said = {
    organization: 'org',
    number: (before?.number ?? 0) + 1,
    sealedAt: instant(minute),
    count: lines.length,
    total: (before?.total ?? 0) + lines.length,
    records: hashOfRecords(seqs, hashes),
    previous: before?.hash ?? noCheckpointHash,
  };
  const text = checkpointText(said);
  return {
    ...said,
    hash: sha256(text).toString('hex'),
    signature: sign(null, Buffer.from(text), keys.privateKey).toString('base64'),
    key: keyId(keys.publicKey),
    seqs,
    hashes: hashes.toString('base64'),
  };
}

const header = (extra: object = {}) =>
  JSON.stringify({ export: { organization: 'org', key: pem(ours.publicKey), ...extra } });
const sealed = (one: ExportedCheckpoint) => JSON.stringify({ checkpoint: one });
const end = (checkpoints: number) => JSON.stringify({ end: { checkpoints } });

/** Three checkpoints of two records each. */
function chain() {
  const records = [record(1, 0), record(3, 0), record(2, 1), record(5, 1), record(6, 2), record(9, 2)] as const;
  const first = checkpoint(records.slice(0, 2), undefined, 0);
  const second = checkpoint(records.slice(2, 4), first, 1);
  const third = checkpoint(records.slice(4), second, 2);
  const lines = [
    header(),
    records[0],
    records[1],
    sealed(first),
    records[2],
    records[3],
    sealed(second),
    records[4],
    records[5],
    sealed(third),
    end(3),
  ];
  return { records, first, second, third, lines };
}

const kinds = async (lines: readonly string[], options: Parameters<typeof verifyAuditExport>[1] = {}) =>
  (await verifyAuditExport(lines, { keys: [pem(ours.publicKey)], ...options })).findings.map(
    ({ kind, seq, checkpoint: number }) => [kind, seq ?? number],
  );
const without = (lines: readonly string[], ...indexes: number[]) =>
  lines.filter((_, index) => !indexes.includes(index));
const replaced = (lines: readonly string[], index: number, line: string) =>
  lines.map((old, at) => (at === index ? line : old));

describe('a whole export', () => {
  it('is whole, and says what it rests on', async () => {
    const { lines, third } = chain();
    const verdict = await verifyAuditExport(lines, { keys: [pem(ours.publicKey)], knownCheckpoints: [third] });
    expect(verdict).toMatchObject({
      isWhole: true,
      records: 6,
      checkpoints: 3,
      findings: [],
      backdated: [],
      notes: [],
    });
  });

  it('that brings the only key is whole, with a note', async () => {
    const verdict = await verifyAuditExport(chain().lines);
    expect(verdict.isWhole).toBe(true);
    expect(verdict.notes.join('\n')).toMatch(/came with the export itself/);
    expect(verdict.notes.join('\n')).toMatch(/No checkpoint kept elsewhere/);
  });

  it('may begin later, with a note', async () => {
    const { lines } = chain();
    const verdict = await verifyAuditExport([header(), ...lines.slice(4, 10), end(2)]);
    expect(verdict.isWhole).toBe(true);
    expect(verdict.notes.join('\n')).toMatch(/begins with checkpoint 2/);
  });

  it('without anything is whole', async () => {
    expect((await verifyAuditExport([header(), end(0)])).isWhole).toBe(true);
  });
});

describe('found is', () => {
  const { lines, records, first, second, third } = chain();

  it('a changed record, by its number', async () => {
    expect(await kinds(replaced(lines, 4, record(2, 1, { after: { n: 3 } })))).toEqual([['changed', 2]]);
  });

  it('a removed record', async () => {
    expect(await kinds(without(lines, 5))).toEqual([['removed', 5]]);
  });

  it('an inserted record', async () => {
    expect(await kinds([...lines.slice(0, 5), record(4, 1), ...lines.slice(5)])).toEqual([['inserted', 4]]);
  });

  it('a record behind the last checkpoint', async () => {
    expect(await kinds([...lines.slice(0, 10), record(10, 2), end(3)])).toEqual([['inserted', 10]]);
  });

  it('two records that changed places', async () => {
    expect(await kinds(replaced(replaced(lines, 1, records[1]), 2, records[0]))).toEqual([['moved', 1]]);
  });

  it('a record twice', async () => {
    expect(await kinds([...lines.slice(0, 2), records[0], ...lines.slice(2)])).toEqual([['inserted', 1]]);
  });

  it('a changed record whose hash was changed too', async () => {
    const forged = record(2, 1, { after: { n: 3 } });
    const hashes = Buffer.concat([sha256(forged), sha256(records[3])]).toString('base64');
    const faked = replaced(replaced(lines, 4, forged), 6, sealed({ ...second, hashes }));
    expect(await kinds(faked)).toEqual([['broken_chain', 2]]);
  });

  it('a checkpoint made anew with another key', async () => {
    const other = pair();
    const forged = record(2, 1, { after: { n: 3 } });
    const again = checkpoint([forged, records[3]], first, 1, other);
    const faked = replaced(replaced(lines, 4, forged), 6, sealed(again));
    expect(await kinds(faked)).toEqual([
      ['unknown_key', 2],
      ['broken_chain', 3],
    ]);
  });

  it('a checkpoint that names our key and is signed with another', async () => {
    const again = { ...checkpoint(records.slice(2, 4), first, 1, pair()), key: keyId(ours.publicKey) };
    expect(await kinds(replaced(lines, 6, sealed(again)))).toEqual([['bad_signature', 2]]);
  });

  it('a missing checkpoint', async () => {
    expect((await kinds(without(lines, 4, 5, 6))).map(([kind]) => kind)).toEqual([
      'missing_checkpoint',
      'missing_checkpoint',
    ]);
  });

  it('a log cut off at its end, only with a checkpoint that was kept', async () => {
    const cut = [...lines.slice(0, 7), end(2)];
    expect(await kinds(cut)).toEqual([]);
    expect(await kinds(cut, { knownCheckpoints: [third] })).toEqual([['rewritten', 3]]);
  });

  it('a log written anew with the signing key, only with a checkpoint that was kept', async () => {
    const forged = record(1, 0, { after: { n: 0 } });
    const again = checkpoint([forged, records[1]], undefined, 0);
    const anew = [header(), forged, records[1], sealed(again), end(1)];
    expect(await kinds(anew)).toEqual([]);
    expect(await kinds(anew, { knownCheckpoints: [first] })).toEqual([['rewritten', 1]]);
  });

  it('an export of another organization put into this one', async () => {
    expect(await kinds([header({ organization: 'other' }), ...lines.slice(1)])).toEqual([
      ['broken_chain', 1],
      ['broken_chain', 2],
      ['broken_chain', 3],
    ]);
  });

  it('an export that was interrupted, in the middle of a line too', async () => {
    expect(await kinds(lines.slice(0, 10))).toEqual([['interrupted', undefined]]);
    expect((await kinds([...lines.slice(0, 9), lines[9]?.slice(0, 40) ?? ''])).map(([kind]) => kind)).toEqual([
      'malformed',
      'interrupted',
    ]);
  });

  it('what is not of an export', async () => {
    expect((await kinds(['hello', ...lines])).map(([kind]) => kind)).toEqual(['malformed']);
    expect((await kinds([...lines, records[0]])).map(([kind]) => kind)).toEqual(['malformed']);
  });
});

describe('a record of long before its checkpoint', () => {
  it('is suspicious', async () => {
    const { first, records } = chain();
    const late = record(99, -60);
    const second = checkpoint([late], first, 30);
    const verdict = await verifyAuditExport([
      header(),
      records[0],
      records[1],
      sealed(first),
      late,
      sealed(second),
      end(2),
    ]);
    expect(verdict).toMatchObject({ isWhole: true, backdated: [{ kind: 'backdated', seq: 99, checkpoint: 2 }] });
  });
});

describe('records that retention removed', () => {
  const { records, first, second } = chain();
  const bare = ({ seqs: _, hashes: __, ...checkpoint }: ExportedCheckpoint) => sealed(checkpoint);
  const pruning = record(20, 2, { name: 'audit.pruned', after: { throughCheckpoint: 1 } });
  const third = checkpoint([pruning], second, 2);

  it('are counted when the log itself says so', async () => {
    const lines = [header(), bare(first), records[2], records[3], sealed(second), pruning, sealed(third), end(3)];
    expect(await verifyAuditExport(lines)).toMatchObject({ isWhole: true, records: 3, prunedRecords: 2 });
  });

  it('are found when it does not', async () => {
    const more = [header(), bare(first), bare(second), pruning, sealed(third), end(3)];
    expect(await kinds(more)).toEqual([['removed', 2]]);
  });

  it('are found when they are not the oldest', async () => {
    const lines = [header(), records[0], records[1], sealed(first), bare(second), pruning, sealed(third), end(3)];
    expect((await kinds(lines))[0]).toEqual(['removed', 2]);
  });
});
