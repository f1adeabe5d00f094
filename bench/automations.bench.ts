import { mkdtempSync, rmSync } from 'node:fs';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { actionRoutes, blueprintRoutes } from '@quayside/contracts';
import { administer, createDatabase, startServerProcess, startTestPostgres, testOrganization } from '@quayside/testkit';
import { checkAutomations, readAutomations } from '@quayside/testkit/faults';
import { table, writeSection } from './results.ts';

/** How many changes a second automations keep up with, and how far they fall behind at 10,000; every event is accounted for. */
const changes = 20_000;
const perSecond = 10_000;
const batch = 1_000;
/** One automation fires for one change in so many; the others look, and do not. */
const oneIn = 1_000;
const { orgId, clientId, clientSecret } = testOrganization;

async function measure(automations: number): Promise<string[]> {
  const postgres = await startTestPostgres();
  const dir = mkdtempSync(join(tmpdir(), 'quayside-automations-'));
  const database = await createDatabase(postgres.adminUrl);
  const server = await startServerProcess({ dataDir: dir, databaseUrl: database.url });
  try {
    const post = async (path: string, body: unknown, token = ''): Promise<Record<string, string>> => {
      const headers = {
        'content-type': 'application/json',
        ...(token ? { authorization: `Bearer ${token}` } : {}),
      };
      const response = await fetch(`${server.url}${path}`, { method: 'POST', headers, body: JSON.stringify(body) });
      if (!response.ok) throw new Error(`${path} answered ${response.status}: ${await response.text()}`);
      return (await response.json()) as Record<string, string>;
    };
    const { accessToken } = await post('/v1/auth/access_token', { clientId, clientSecret });
    const thing = { identifier: 'thing', title: 'Thing', schema: { properties: {} } };
    await post(blueprintRoutes.create.path, thing, accessToken);
    for (let index = 0; index < automations; index += 1) {
      const expression =
        index === 0
          ? `.diff.after.properties.n % ${oneIn} == 0`
          : '.diff.before.properties.n > .diff.after.properties.n';
      const automation = {
        identifier: `a${index}`,
        trigger: {
          type: 'automation',
          event: { type: 'ENTITY_UPDATED', blueprintIdentifier: 'thing' },
          condition: { type: 'JQ', expressions: [expression] },
        },
        invocationMethod: { type: 'WEBHOOK', agent: true, url: 'http://127.0.0.1:9/', body: {} },
      };
      await post(actionRoutes.create.path, automation, accessToken);
    }
    const startedAt = performance.now();
    for (let written = 0; written < changes; written += batch) {
      // As the portal writes them, many in one statement: what is measured is the reader.
      await administer(
        database.url,
        `insert into events (org_id, name, actor, origin, resource, subject, blueprint, entity, before, after)
         select '${orgId}', 'entity.updated', '{"orgId":"${orgId}","userId":"bench"}', 'API', 'entity', 'e', 'thing', 'e',
           json_build_object('properties', json_build_object('n', n - 1, 'text', repeat('x', 500))),
           json_build_object('properties', json_build_object('n', n, 'text', repeat('x', 500)))
         from generate_series(${written + 1}, ${written + batch}) n`,
      );
      await sleep(Math.max(0, ((written + batch) / perSecond) * 1_000 - (performance.now() - startedAt)));
    }
    const writtenMs = performance.now() - startedAt;
    const last = `/v1/actions/a${automations - 1}/evaluations?limit=1`;
    for (;;) {
      const response = await fetch(`${server.url}${last}`, { headers: { authorization: `Bearer ${accessToken}` } });
      const { counts } = (await response.json()) as { counts: { fired: number; notFired: number } };
      if (counts.fired + counts.notFired >= changes) break;
      await sleep(100);
    }
    const doneMs = performance.now() - startedAt;
    const records = await readAutomations(database.url, orgId);
    const due = new Set(records[0]?.events.filter((_seq, index) => (index + 1) % oneIn === 0));
    const violations = checkAutomations(records, (identifier, seq) => identifier === 'a0' && due.has(seq));
    return [
      String(automations),
      ((changes / writtenMs) * 1_000).toFixed(0),
      ((changes / doneMs) * 1_000).toFixed(0),
      (((changes * automations) / doneMs) * 1_000).toFixed(0),
      ((doneMs - writtenMs) / 1_000).toFixed(1),
      violations.length === 0 ? 'none' : violations.slice(0, 3).join('; '),
    ];
  } finally {
    await server.stop();
    await postgres.stop();
    rmSync(dir, { recursive: true, force: true });
  }
}

const rows: string[][] = [];
const load = loadavg()[0] ?? 0;
for (const automations of [1, 10]) {
  rows.push(await measure(automations));
  process.stdout.write(`${rows.at(-1)?.join(' · ')}\n`);
}
writeSection({
  name: 'automations',
  about: `${changes.toLocaleString('en')} changes of 1 KB are written as fast as ${perSecond.toLocaleString('en')} a second. Every automation listens to each of them; one fires for one in ${oneIn.toLocaleString('en')}. PostgreSQL (without fsync), the server and this program share the machine, whose load was ${load.toFixed(1)} at the start. The checker of the fault tests compares events, counts and runs.`,
  body: table(
    [
      'automations',
      'changes written/s',
      'changes dealt with/s',
      'evaluations/s',
      's until the last was dealt with, after the last was written',
      'skipped or doubled',
    ],
    rows,
  ).join('\n'),
});
