import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Receiver, startReceiver } from '@quayside/testkit/receiver';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { eventually, TestPortal, type TestRun } from './portal.ts';
import { type StartedAgent, startAgent } from './start-agent.ts';

/** What the operator of the agent decides and sees, whatever the portal asks for. */
let portal: TestPortal;
let target: Receiver;
let dir: string;
let started: StartedAgent | undefined;
beforeEach(async () => {
  portal = new TestPortal();
  await portal.start();
  target = await startReceiver();
  dir = mkdtempSync(join(tmpdir(), 'quayside-agent-side-'));
});
afterEach(async () => {
  await started?.stop();
  started = undefined;
  await Promise.all([portal.stop(), target.close()]);
  rmSync(dir, { recursive: true, force: true });
  expect(portal.violations).toEqual([]);
});

function start(env: Record<string, string>): StartedAgent {
  started = startAgent(portal, env);
  return started;
}
const file = (name: string, text: string): string => {
  writeFileSync(join(dir, name), text);
  return join(dir, name);
};
async function deliver(url: string): Promise<TestRun> {
  const run = portal.enqueue({ url });
  await eventually(`${run.id} is settled`, () => run.settlements.length > 0);
  return run;
}
const auditLines = () =>
  readFileSync(join(dir, 'audit.jsonl'), 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);

describe('the list of targets', () => {
  it('lets listed requests pass and fails others, which are not sent', async () => {
    const list = file('targets.json', JSON.stringify([{ hosts: [`127.0.0.1:${target.port}`], paths: ['/hooks/*'] }]));
    start({ QUAYSIDE_AGENT_TARGETS_FILE: list, QUAYSIDE_AGENT_AUDIT_FILE: join(dir, 'audit.jsonl') });
    expect((await deliver(`${target.url}/hooks/a`)).summary).toBeUndefined();
    const refused = await deliver(`${target.url}/admin?token=x`);
    expect(refused.settlements[0]?.outcome.kind).toBe('forbidden');
    expect(refused.summary).toContain(`/admin is not in the agent's list of targets`);
    expect(target.requests).toHaveLength(1);
    expect(auditLines().at(-1)).toMatchObject({ event: 'refused', run: refused.id, url: `${target.url}/admin?…` });

    writeFileSync(list, '[{"hosts":["*"]}]');
    await new Promise((resolve) => setTimeout(resolve, 1_100));
    expect((await deliver(`${target.url}/admin`)).summary).toBeUndefined();
  });

  it('that can not be read allows nothing, and says so', async () => {
    const { lines } = start({ QUAYSIDE_AGENT_TARGETS_FILE: file('targets.json', '[{"host":["a"]}]') });
    expect((await deliver(target.url)).summary).toMatch(
      /host is none of hosts, paths and methods, so nothing is allowed/,
    );
    expect(lines.join()).toContain('can not be used');
    expect(target.requests).toHaveLength(0);
  });

  it('can not allow metadata addresses', async () => {
    start({ QUAYSIDE_AGENT_TARGETS_FILE: file('targets.json', '[{"hosts":["*"]}]') });
    const run = await deliver('http://169.254.169.254/latest/meta-data/');
    expect(run.settlements[0]?.outcome).toMatchObject({ kind: 'forbidden' });
  });
});

describe('the audit file', () => {
  it('has a line before each request and one after, without what was sent', async () => {
    start({ QUAYSIDE_AGENT_AUDIT_FILE: join(dir, 'audit.jsonl') });
    const run = portal.enqueue({ url: `${target.url}/hook?key=sesame`, body: { password: 'sesame' } });
    await eventually('it is settled', () => run.settlements.length > 0);
    const [before, after] = auditLines();
    const common = { agent: 'agent-under-test', run: run.id, attempt: 1, method: 'POST', url: `${target.url}/hook?…` };
    expect(before).toMatchObject({ event: 'sending', ...common, bytes: target.requests[0]?.body.length });
    expect(before?.sha256).toMatch(/^[0-9a-f]{64}$/);
    expect(after).toMatchObject({ event: 'outcome', ...common, outcome: 'answered', status: 200 });
    expect(JSON.stringify(auditLines())).not.toContain('sesame');
  });

  it('that can not be written keeps requests from being sent', async () => {
    start({ QUAYSIDE_AGENT_AUDIT_FILE: join(dir, 'audit.jsonl') });
    await deliver(target.url);
    rmSync(join(dir, 'audit.jsonl'));
    rmSync(dir, { recursive: true });
    const run = await deliver(target.url);
    expect(run.summary).toContain('so nothing is sent; mend QUAYSIDE_AGENT_AUDIT_FILE');
    expect(target.requests).toHaveLength(1);
  });

  it('that can not be written at the start keeps the agent from starting', async () => {
    const { exitCode, lines } = start({ QUAYSIDE_AGENT_AUDIT_FILE: join(dir, 'absent', 'audit.jsonl') });
    expect(await exitCode).toBe(1);
    expect(lines.join()).toContain('QUAYSIDE_AGENT_AUDIT_FILE');
  });
});
