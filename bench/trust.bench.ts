import { mkdtempSync, rmSync } from 'node:fs';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { DeliveryOutcome } from '@quayside/contracts';
import { closeDelivery, openDeliveries } from '@quayside/server/deliveries';
import { openDatabase, sql } from '@quayside/server/platform/db';
import { createDatabase, silentLog, startServerProcess, startTestPostgres, testOrganization } from '@quayside/testkit';
import { PortalClient } from '@quayside/testkit/faults';
import { startReceiver } from '@quayside/testkit/receiver';
import { table, writeSection } from './results.ts';

/**
 * What trust costs. Each part measures one thing against the same portal and gives rows of the table; parts are added to the
 * list at the end.
 */
const runs = 500;
const replayed = 5_000;
const { orgId } = testOrganization;

interface Portal {
  client: PortalClient;
  databaseUrl: string;
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

/** A run from the call to its end, one after the other; and what of that the two statements of the ledger are. */
async function ledger({ client, databaseUrl }: Portal): Promise<Row[]> {
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
    return [
      ['a run: execute, claim, settle, one after the other', `${runMs.toFixed(2)} ms`],
      ['of that the ledger: record of the attempt, request and answer', `${ledgerMs.toFixed(2)} ms`],
      ['share of the ledger', `${((100 * ledgerMs) / runMs).toFixed(1)} %`],
    ];
  } finally {
    await database.close();
  }
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

const parts = [ledger, replays];

const postgres = await startTestPostgres();
const dir = mkdtempSync(join(tmpdir(), 'quayside-trust-'));
const { url: databaseUrl } = await createDatabase(postgres.adminUrl);
const server = await startServerProcess({
  dataDir: dir,
  databaseUrl,
  environment: { QUAYSIDE_ALLOW_PRIVATE_TARGETS: 'true', QUAYSIDE_LOG_LEVEL: 'silent' },
});
const load = loadavg()[0] ?? 0;
const rows: Row[] = [];
try {
  for (const part of parts) {
    const measured = await part({ client: new PortalClient([server.url]), databaseUrl });
    for (const row of measured) process.stdout.write(`${row.join(': ')}\n`);
    rows.push(...measured);
  }
} finally {
  await server.stop();
  await postgres.stop();
  rmSync(dir, { recursive: true, force: true });
}
// For trying it out on a busy machine: figures that mean nothing are not written down.
if (!process.argv.includes('--dry'))
  writeSection({
    name: 'trust',
    about: `What trust costs. ${runs} runs one after the other through the API of one server, as an agent carries them out, with a request and an answer of 1 KB; the ledger's statements alone in the same database, without the transactions that are the run's anyway. ${replayed.toLocaleString('en')} dead letters replayed to a receiver on the same machine. PostgreSQL without fsync; the load was ${load.toFixed(1)} at the start.`,
    body: table(['what', 'figure'], rows).join('\n'),
  });
