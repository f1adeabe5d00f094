import { mkdtempSync, rmSync } from 'node:fs';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { DeliveryOutcome } from '@quayside/contracts';
import { verifyAuditExport } from '@quayside/contracts/audit-chain';
import { createAuditKey, createAuditSealer } from '@quayside/server/audit-chain';
import { closeDelivery, openDeliveries } from '@quayside/server/deliveries';
import { createWorld } from '@quayside/server/platform/ctx';
import { openDatabase, sql } from '@quayside/server/platform/db';
import { createVault } from '@quayside/server/platform/vault';
import {
  administer,
  createDatabase,
  silentLog,
  startServerProcess,
  startTestPostgres,
  testOrganization,
} from '@quayside/testkit';
import { PortalClient } from '@quayside/testkit/faults';
import { startReceiver } from '@quayside/testkit/receiver';
import { table, writeSection } from './results.ts';

/**
 * What trust costs. Each part measures against a portal of its own and gives rows of the table; parts are added to the list
 * at the end.
 */
const runs = 500;
const replayed = 5_000;
const changes = 20_000;
const { orgId } = testOrganization;

interface Portal {
  client: PortalClient;
  databaseUrl: string;
  stop(): Promise<unknown>;
}
type Row = [what: string, figure: string];

const outcome: DeliveryOutcome = {
  kind: 'answered',
  statusCode: 200,
  headers: { 'content-type': 'application/json' },
  body: '{"ok":true}',
  isBodyTruncated: false,
  durationMs: 3,
};
const request = {
  method: 'POST',
  url: 'http://10.0.0.1/hook',
  headers: { 'Content-Type': 'application/json', 'User-Agent': 'bench', 'Idempotency-Key': 'r_0123456789abcdef' },
  body: JSON.stringify({ text: 'x'.repeat(1_000) }),
};
const agent = { id: 'bench', version: '1', inFlight: 0, capacity: 1_000 };

async function perCall(count: number, work: (index: number) => Promise<unknown>): Promise<number> {
  const startedAt = performance.now();
  for (let index = 0; index < count; index += 1) await work(index);
  return (performance.now() - startedAt) / count;
}

/** A run from the call to its end, one after the other; and what of that ledger and audit chain are. */
async function runAndItsRecords({ client, databaseUrl, stop }: Portal): Promise<Row[]> {
  await client.must('POST', '/v1/actions', {
    identifier: 'ledger',
    trigger: { type: 'self-service', operation: 'CREATE', userInputs: { properties: {} } },
    invocationMethod: { type: 'WEBHOOK', agent: true, synchronized: true, url: request.url, body: {} },
  });
  const oneRun = async (): Promise<void> => {
    await client.must('POST', '/v1/actions/ledger/runs', { properties: {} });
    const { runs: claimed } = (await client.must('POST', '/v1/actions/runs/claim-pending', {
      installationId: '_PORT_EXEC_AGENT',
      limit: 1,
      agent,
    })) as { runs: { id: string; lease: { token: string } }[] };
    for (const { id, lease } of claimed)
      await client.must('POST', `/v1/actions/runs/${id}/lease/settle`, { token: lease.token, outcome, request });
  };
  await perCall(50, oneRun);
  const runMs = await perCall(runs, oneRun);
  const database = openDatabase({ url: databaseUrl, maxConnections: 1, log: silentLog });
  try {
    const write = (index: number, name: string, isEmpty: boolean) =>
      database.tenant(orgId, async (tx) => {
        const subject = `${name}_${index}`;
        if (isEmpty) return;
        await openDeliveries(tx, 'bench', [{ orgId, key: subject, token: 1, lostHolder: null, replayId: null }]);
        await closeDelivery(tx, { orgId, subject, attempt: 1 }, { state: 'settled', outcome, request });
      });
    // The transactions are the run's own; only what the statements add to them counts.
    await perCall(50, (index) => write(index, 'warm', false));
    const bareMs = await perCall(runs, (index) => write(index, 'bare', true));
    const ledgerMs = Math.max(0, (await perCall(runs, (index) => write(index, 'ledger', false))) - bareMs);
    await stop();
    const sealMs = await sealAgain(databaseUrl);
    const share = (ms: number): string => `${((100 * ms) / runMs).toFixed(1)} %`;
    return [
      ['a run: execute, claim, settle, one after the other', `${runMs.toFixed(2)} ms`],
      [
        'beside it the ledger: record of the attempt, request and answer',
        `${ledgerMs.toFixed(2)} ms, ${share(ledgerMs)}`,
      ],
      ['beside it the audit chain: its events sealed', `${sealMs.toFixed(2)} ms, ${share(sealMs)}`],
      ['ledger and audit chain together', share(ledgerMs + sealMs)],
    ];
  } finally {
    await database.close();
  }
}

/** Seals all events anew, as the portal does it while runs go on; per run, with whatever its events are. */
async function sealAgain(databaseUrl: string): Promise<number> {
  await administer(databaseUrl, `delete from event_cursors where reader = 'audit'; truncate audit_checkpoints`);
  const database = openDatabase({ url: databaseUrl, maxConnections: 1, log: silentLog });
  try {
    const world = createWorld({
      database,
      actor: { kind: 'system', orgId, id: 'quayside', permissions: new Set() },
      origin: 'SYSTEM',
      log: silentLog,
      traceId: 'bench',
    });
    const sealer = createAuditSealer(createAuditKey(createVault(Buffer.alloc(32, 1))));
    const startedAt = performance.now();
    while ((await sealer.step({ world, transaction: (work) => world.transaction(work) })).count > 0);
    const tookMs = performance.now() - startedAt;
    const { count } = await database.system((tx) =>
      tx.one<{ count: number }>(sql`select count(*)::int as count from runs`),
    );
    return tookMs / count;
  } finally {
    await database.close();
  }
}

/** Changes that one automation with one condition looks at; then the log of all of it, exported and verified. */
async function automationsAndVerifier({ client, databaseUrl }: Portal): Promise<Row[]> {
  await client.must('POST', '/v1/blueprints', { identifier: 'thing', title: 'Thing', schema: { properties: {} } });
  await client.must('POST', '/v1/actions', {
    identifier: 'looks',
    trigger: {
      type: 'automation',
      event: { type: 'ENTITY_UPDATED', blueprintIdentifier: 'thing' },
      condition: { type: 'JQ', expressions: ['.diff.before.properties.n > .diff.after.properties.n'] },
    },
    invocationMethod: { type: 'WEBHOOK', agent: true, url: request.url, body: {} },
  });
  const startedAt = performance.now();
  // As the portal writes them, many in one statement: what is measured is the reader.
  await administer(
    databaseUrl,
    `insert into events (org_id, name, actor, origin, resource, subject, blueprint, entity, before, after)
     select '${orgId}', 'entity.updated', '{"orgId":"${orgId}","userId":"bench"}', 'API', 'entity', 'e', 'thing', 'e',
       json_build_object('properties', json_build_object('n', n - 1, 'text', repeat('x', 500))),
       json_build_object('properties', json_build_object('n', n, 'text', repeat('x', 500)))
     from generate_series(1, ${changes}) n`,
  );
  const until = async (isDone: () => Promise<boolean>): Promise<void> => {
    while (!(await isDone())) await sleep(50);
  };
  await until(async () => {
    const { counts } = (await client.must('GET', '/v1/actions/looks/evaluations?limit=1')) as {
      counts: { notFired: number };
    };
    return counts.notFired >= changes;
  });
  const evaluatedS = (performance.now() - startedAt) / 1_000;
  await until(async () => {
    const { status } = (await client.must('GET', '/v1/status')) as { status: { readers: { behind: number }[] } };
    return status.readers.every(({ behind }) => behind === 0);
  });
  const lines = (await client.text('/v1/audit-log/export')).split('\n').filter((line) => line !== '');
  const verifyingAt = performance.now();
  const { isWhole, findings, records } = await verifyAuditExport(lines, { keys: [], knownCheckpoints: [] });
  if (!isWhole || findings.length > 0) throw new Error(`The export is not whole: ${JSON.stringify(findings[0])}`);
  const verifiedS = (performance.now() - verifyingAt) / 1_000;
  return [
    ['automations: conditions evaluated, with the writing of the changes', `${(changes / evaluatedS).toFixed(0)} /s`],
    ['audit-verify: records of an export', `${(records / verifiedS).toFixed(0)} /s`],
  ];
}

/** Dead letters of a change log, handed over and delivered once more by the same server. */
async function replays({ client, databaseUrl }: Portal): Promise<Row[]> {
  const target = await startReceiver({ answer: (_request, response) => void response.end('{}') });
  const database = openDatabase({ url: databaseUrl, maxConnections: 1, log: silentLog });
  try {
    const payload = JSON.stringify({ type: 'WEBHOOK', url: target.url, body: { text: 'x'.repeat(1_000) } });
    // As they are after an outage; what is measured is the replay.
    await database.system(async (tx) => {
      await tx.run(sql`
        insert into messages (org_id, id, kind, payload, status, ended_at)
        select ${orgId}, 'm_bench' || n, 'change', ${payload}, 'FAILED', now() from generate_series(1, ${replayed}::int) n`);
      await tx.run(sql`
        insert into deliveries (org_id, subject, attempt, holder, state, outcome, ended_at, is_dead, is_delivered)
        select ${orgId}, 'm_bench' || n, 1, 'bench', 'settled', '{"kind":"broken","message":"cut","durationMs":1}', now(), true, false
        from generate_series(1, ${replayed}::int) n`);
    });
    const startedAt = performance.now();
    const seconds = (): number => (performance.now() - startedAt) / 1_000;
    const { replay } = (await client.must('POST', '/v1/deliveries/replays', { dead: true, kind: 'change' })) as {
      replay: { id: string };
    };
    let handedOver: number | undefined;
    for (;;) {
      const { replay: now } = (await client.must('GET', `/v1/deliveries/replays/${replay.id}`)) as {
        replay: { state: string; replayed: number; delivered: number };
      };
      if (now.replayed === replayed) handedOver ??= seconds();
      if (now.state === 'done') {
        if (now.delivered !== replayed) throw new Error(`Of ${replayed} replayed, ${now.delivered} were delivered.`);
        break;
      }
      await sleep(100);
    }
    return [
      ['replays handed over', `${(replayed / (handedOver ?? seconds())).toFixed(0)} /s`],
      ['replays delivered', `${(replayed / seconds()).toFixed(0)} /s`],
    ];
  } finally {
    await database.close();
    await target.close();
  }
}

const parts = [runAndItsRecords, automationsAndVerifier, replays];

const postgres = await startTestPostgres();
const load = loadavg()[0] ?? 0;
const rows: Row[] = [];
try {
  for (const part of parts) {
    const dir = mkdtempSync(join(tmpdir(), 'quayside-trust-'));
    const { url: databaseUrl } = await createDatabase(postgres.adminUrl);
    const server = await startServerProcess({
      dataDir: dir,
      databaseUrl,
      environment: { QUAYSIDE_ALLOW_PRIVATE_TARGETS: 'true', QUAYSIDE_LOG_LEVEL: 'silent' },
    });
    try {
      const measured = await part({ client: new PortalClient([server.url]), databaseUrl, stop: () => server.stop() });
      for (const row of measured) process.stdout.write(`${row.join(': ')}\n`);
      rows.push(...measured);
    } finally {
      await server.stop();
      rmSync(dir, { recursive: true, force: true });
    }
  }
} finally {
  await postgres.stop();
}
// For trying it out on a busy machine: figures that mean nothing are not written down.
if (!process.argv.includes('--dry'))
  writeSection({
    name: 'trust',
    about: `What trust costs. ${runs} runs one after the other through the API of one server, as an agent carries them out, with a request and an answer of 1 KB; the ledger's statements alone in the same database, without the transactions that are the run's anyway; all events of the runs sealed once more when the portal is stopped. ${changes.toLocaleString('en')} changes of 1 KB for one automation with one condition, and the audit log of all of them verified. ${replayed.toLocaleString('en')} dead letters replayed to a receiver on the same machine. PostgreSQL without fsync; the load was ${load.toFixed(1)} at the start.`,
    body: table(['what', 'figure'], rows).join('\n'),
  });
