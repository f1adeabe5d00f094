import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { agentEnvironment, startServerProcess } from '@quayside/testkit';
import { PortalClient, until } from '@quayside/testkit/faults';
import { bundleAgent } from '../script/bundle-agent.ts';
import { table, writeSection } from './results.ts';

/** The agent in the field: from its start until the portal has its first claim, and what it holds while it waits. */
const starts = 7;
const idleMs = 3_000;
const dir = mkdtempSync(join(tmpdir(), 'quayside-agent-start-'));
const bundle = join(dir, 'quayside-agent.mjs');
await bundleAgent(bundle);
const server = await startServerProcess({ dataDir: join(dir, 'portal') });
const portal = new PortalClient([server.url]);

const source = fileURLToPath(new URL('../packages/agent/src/main.ts', import.meta.url));
// Each with a compile cache of its own, which its first start fills.
const ways: [string, string][] = [
  ['sources, as `script/agent` starts them', source],
  ['bundle, `node quayside-agent.mjs`', bundle],
];
const rows: string[][] = [];
const loadBefore = loadavg()[0] ?? 0;
try {
  for (const [name, program] of ways) {
    const cache = mkdtempSync(join(dir, 'cache-'));
    const seen: { startMs: number; rss: number; anonymous: number }[] = [];
    // The first one fills the cache, as the first start on any machine does.
    for (let round = 0; round <= starts; round += 1) {
      const one = await measure(`${rows.length}-${round}`, program, cache);
      if (round > 0) seen.push(one);
    }
    const median = (values: number[]) => values.sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
    rows.push([
      name,
      String(Math.round(median(seen.map(({ startMs }) => startMs)))),
      median(seen.map(({ rss }) => rss)).toFixed(0),
      median(seen.map(({ anonymous }) => anonymous)).toFixed(0),
    ]);
  }
} finally {
  await server.stop();
  rmSync(dir, { recursive: true, force: true });
}
const body = table(['agent', 'start to first claim, ms', 'resident MB', 'of that its own MB'], rows).join('\n');
process.stdout.write(`${body}\n`);
writeSection({
  name: 'agent-start',
  about: `One idle polling agent at the real server, median of ${starts} starts after one that fills the compile cache. Resident memory holds what is mapped from Node's own program file, which all processes of a machine share; its own is what is left. Load average of the machine when the measurement began: ${loadBefore.toFixed(1)}.`,
  body,
});

async function measure(id: string, program: string, cache: string) {
  const startedAt = performance.now();
  const child = spawn(process.execPath, [program], {
    stdio: 'ignore',
    env: {
      PATH: process.env.PATH,
      ...agentEnvironment(server.url, { QUAYSIDE_AGENT_ID: id, TMPDIR: cache }),
    },
  });
  await until(`${id} claims`, async () => {
    const { agents } = (await portal.must('GET', '/v1/agents')) as { agents: { id: string }[] };
    return agents.some((agent) => agent.id === id);
  });
  const startMs = performance.now() - startedAt;
  await sleep(idleMs);
  const status = readFileSync(`/proc/${child.pid}/status`, 'utf8');
  const mb = (field: string) => Number(new RegExp(`${field}:\\s+(\\d+)`).exec(status)?.[1] ?? 0) / 1024;
  const seen = { startMs, rss: mb('VmRSS'), anonymous: mb('RssAnon') };
  child.kill('SIGTERM');
  await once(child, 'exit');
  return seen;
}
