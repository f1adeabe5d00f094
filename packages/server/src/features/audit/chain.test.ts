import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { auditRoutes, blueprintRoutes, entityRoutes } from '@quayside/contracts';
import { type AuditVerdict, verifyAuditExport } from '@quayside/contracts/audit-chain';
import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { startTestApp, type TestApp } from '../../../test/harness.ts';
import { pruneAuditLog } from './service-pruning.ts';

let test: TestApp;
let owner: Client;
const dir = mkdtempSync(join(tmpdir(), 'quayside-audit-'));
beforeAll(async () => {
  test = await startTestApp();
  // Whoever holds the database: no row-level security and no grant keeps them from anything.
  owner = new Client({ connectionString: test.databaseUrl });
  await owner.connect();
  await test.machine.call(blueprintRoutes.create, {
    body: {
      identifier: 'service',
      title: 'Dienst "Ü" \\ \u0001',
      schema: { properties: { tier: { type: 'string' } } },
    },
  });
  for (let index = 0; index < 20; index++) await write(`svc-${index}`, 'one');
  await sealed();
});
afterAll(async () => {
  await owner.end();
  await test.stop();
  rmSync(dir, { recursive: true });
});

const write = (identifier: string, tier: string) =>
  test.machine.call(entityRoutes.create, {
    params: { blueprint_identifier: 'service' },
    query: { upsert: true },
    body: { identifier, title: `Größe ✓ ${identifier}`, properties: { tier } },
  });

const checkpoints = async () => (await test.machine.call(auditRoutes.checkpoints)).body;

const count = async (text: string, ...values: unknown[]) =>
  Number(
    (await owner.query<{ n: string }>(`select count(*) as n from events where org_id = 'org_test' and ${text}`, values))
      .rows[0]?.n,
  );

/** Resolves when all that is committed is sealed. */
async function sealed(): Promise<void> {
  const unsealed = `not exists (
    select from audit_checkpoints c where c.org_id = events.org_id and (c.xid, c.seq) >= (events.xid, events.seq))`;
  await vi.waitFor(async () => expect(await count(unsealed)).toBe(0), {
    timeout: 30_000,
    interval: 100,
  });
}

async function exported(query = ''): Promise<string> {
  const answer = await test.machine.fetch(`/v1/audit-log/export${query}`);
  expect(answer.headers.get('content-type')).toBe('application/x-ndjson; charset=utf-8');
  return answer.text();
}

const verify = async (options: Parameters<typeof verifyAuditExport>[1] = {}): Promise<AuditVerdict> =>
  verifyAuditExport((await exported()).split('\n'), options);
const found = ({ findings }: AuditVerdict) => findings.map(({ kind, seq }) => [kind, seq]);

/** Does something to the table and undoes it, so that each case begins with a whole log. */
async function tampered(change: string, values: unknown[], undo: string, undoValues: unknown[] = values) {
  await owner.query(change, values);
  const verdict = await verify();
  await owner.query(undo, undoValues);
  return found(verdict);
}

const someSeq = async (): Promise<number> =>
  Number((await owner.query(`select seq from events where org_id = 'org_test' and subject = 'svc-7'`)).rows[0].seq);

describe('the audit log of a portal', () => {
  it('is sealed with every record, in checkpoints without gaps, under the key that the portal names', async () => {
    const { publicKey, checkpoints: kept } = await checkpoints();
    const verdict = await verify({ keys: [publicKey], knownCheckpoints: kept });
    expect(verdict).toMatchObject({ isWhole: true, findings: [], backdated: [], notes: [] });
    expect(verdict.records).toBe(await count('true'));
    // Not one checkpoint for each record: they rest between.
    expect(verdict.checkpoints).toBeLessThan(verdict.records);
  });

  it('is whole after changes at the same time', async () => {
    await Promise.all(Array.from({ length: 40 }, (_, index) => write(`svc-${index % 8}`, `many ${index}`)));
    await sealed();
    const verdict = await verify();
    expect(verdict).toMatchObject({ isWhole: true, records: await count('true') });
  });

  it('is exported in part, by when it was sealed', async () => {
    const { checkpoints: all } = await checkpoints();
    const part = (await exported(`?from=${all[0]?.sealedAt}`)).split('\n');
    const verdict = await verifyAuditExport(part, { knownCheckpoints: all });
    expect(verdict).toMatchObject({ isWhole: true, checkpoints: 1, first: { number: all[0]?.number } });
    expect(await verifyAuditExport((await exported('?to=2001-01-01T00:00:00Z')).split('\n'))).toMatchObject({
      isWhole: true,
      checkpoints: 1,
    });
  });

  it('shows a change of any column', async () => {
    const seq = await someSeq();
    for (const [column, value] of [
      ['name', 'entity.deleted'],
      ['at', '2020-01-01T00:00:00Z'],
      ['actor', '{}'],
      ['origin', 'UI'],
      ['resource', 'run'],
      ['subject', 'svc-8'],
      ['blueprint', 'other'],
      ['entity', 'other'],
      ['property', 'x'],
      ['status', 'FAILURE'],
      ['message', 'x'],
      ['trace_id', 'x'],
      ['depth', '3'],
      ['root', '3'],
      ['before', '{}'],
      ['after', 'null'],
    ]) {
      const { rows } = await owner.query(`select ${column}::text as old from events where seq = $1`, [seq]);
      const change = `update events set ${column} = $2 where seq = $1`;
      expect([column, await tampered(change, [seq, value], change, [seq, rows[0].old])]).toEqual([
        column,
        [['changed', seq]],
      ]);
    }
    expect((await verify()).isWhole).toBe(true);
  });

  it('shows a record that was removed', async () => {
    const seq = await someSeq();
    await owner.query('create table kept as select * from events where seq = $1', [seq]);
    expect(
      await tampered(
        'delete from events where seq = $1',
        [seq],
        'insert into events overriding system value select * from kept',
        [],
      ),
    ).toEqual([['removed', seq]]);
  });

  it('shows a record that was put between others', async () => {
    const like = await someSeq();
    const inserted = await tampered(
      `insert into events overriding system value
       select seq + 1000000, xid, org_id, name, at, actor, origin, trace_id, resource, 'svc-forged', blueprint, entity, run_id, status, message, before, after, depth, root, property
       from events where seq = $1`,
      [like],
      `delete from events where seq = $1 + 1000000`,
    );
    expect(inserted).toEqual([['inserted', like + 1_000_000]]);
  });

  it('shows a record that was moved', async () => {
    const seq = await someSeq();
    const { rows } = await owner.query('select xid::text as xid from events where seq = $1', [seq]);
    const kinds = await tampered(
      `update events set xid = (select min(xid::text::bigint) - 1 from events where org_id = 'org_test')::text::xid8 where seq = $1`,
      [seq],
      'update events set xid = $2::xid8 where seq = $1',
      [seq, rows[0].xid],
    ).catch((error: Error) => error.message);
    expect(kinds).toEqual([
      ['inserted', seq],
      ['removed', seq],
    ]);
  });

  it('is for those who may read all of it, of their own organization', async () => {
    const other = await test.otherOrganization();
    expect(
      (await other.call(auditRoutes.checkpoints)).body.checkpoints.every(
        ({ organization }) => organization !== 'org_test',
      ),
    ).toBe(true);
    expect(await (await other.fetch('/v1/audit-log/export')).text()).not.toContain('svc-7');
    expect((await test.nobody.fetch('/v1/audit-log/export')).status).toBe(401);
  });
});

describe('retention', () => {
  const prune = (readers: string[], until = new Date()) =>
    pruneAuditLog({ database: test.app.database, readers }, test.app.systemWorld('org_test'), until);

  it('removes nothing that a reader of events has not read, and nothing that is younger', async () => {
    await owner.query(`insert into event_cursors (org_id, reader, xid, seq) values ('org_test', 'slow', '3', 1)`);
    const before = await count('true');
    expect(await prune(['audit', 'slow'])).toBe(false);
    expect(await prune(['audit'], new Date(Date.now() - 3_600_000))).toBe(false);
    expect(await count('true')).toBe(before);
  });

  it('removes the oldest records, says so in the log, and leaves the chain whole', async () => {
    await sealed();
    const kept = (await checkpoints()).checkpoints;
    const before = await count('true');
    while (await prune(['audit']));
    await write('svc-0', 'after it');
    await sealed();
    const verdict = await verify({ knownCheckpoints: kept });
    expect(verdict).toMatchObject({ isWhole: true, findings: [] });
    expect(verdict.prunedRecords).toBe(before);
    const { audits } = (await test.machine.call(auditRoutes.list, { query: { resources: ['audit'] } })).body;
    expect(audits[0]?.message).toMatch(/\d+ records until .* were removed/);
    expect(await count(`subject = 'svc-7'`)).toBe(0);
  });

  it('can not be feigned for more than it removed', async () => {
    const { rows } = await owner.query(
      `select number from audit_checkpoints where org_id = 'org_test' and seqs is not null order by number limit 1`,
    );
    const { number } = rows[0];
    await owner.query(`create table kept_checkpoint as select * from audit_checkpoints where number = $1`, [number]);
    await owner.query('update audit_checkpoints set seqs = null, hashes = null where number = $1', [number]);
    const verdict = await verify();
    await owner.query(
      'update audit_checkpoints c set seqs = k.seqs, hashes = k.hashes from kept_checkpoint k where c.number = k.number and c.org_id = k.org_id',
    );
    expect(verdict.findings.map(({ kind }) => kind)).toContain('removed');
    expect((await verify()).isWhole).toBe(true);
  });
});

describe('script/audit-verify', () => {
  const run = (...args: string[]) =>
    spawnSync(process.execPath, ['script/audit-verify.ts', ...args], {
      cwd: fileURLToPath(new URL('../../../../..', import.meta.url)),
      encoding: 'utf8',
    });
  const file = (name: string, content: string) => {
    writeFileSync(join(dir, name), content);
    return join(dir, name);
  };

  it('says that a log is whole, and what it is compared with', async () => {
    const answer = await checkpoints();
    const done = run(
      file('export.ndjson', await exported()),
      '--key',
      file('key.pem', answer.publicKey),
      '--checkpoint',
      file('kept.json', JSON.stringify(answer)),
    );
    expect(done.stdout).toMatch(/The log is whole/);
    expect(done.stdout).not.toMatch(/note/);
    expect(done.status).toBe(0);
  });

  it('names what is wrong, with the line', async () => {
    const lines = (await exported()).split('\n');
    const changed = lines.findIndex((line) => line.startsWith('{"seq":'));
    lines[changed] = lines[changed]?.replace('"SUCCESS"', '"FAILURE"') ?? '';
    const done = run(file('changed.ndjson', lines.join('\n')));
    expect(done.stdout).toMatch(/NOT whole: 1 findings\n {2}line \d+: changed: The record \d+ is not what was sealed/);
    expect(done.stdout).toContain(`line ${changed + 1}:`);
    expect(done.status).toBe(1);
  });

  it('refuses what it can not read', () => {
    expect(run().status).toBe(2);
    expect(run('/nowhere').stderr).toMatch(/\/nowhere can not be read/);
    expect(run(file('x.ndjson', ''), '--checkpoint', file('x.json', '{}')).stderr).toMatch(/holds no checkpoint/);
    expect(run(file('x.ndjson', ''), '--key', file('x.pem', 'x')).status).toBe(2);
  });
});
