import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { SeenRun } from './real-portal.ts';
import type { World } from './real-world.ts';

/** What the operator of the agent decides and sees, whatever the portal asks for. */
export function testCustomerSide(world: World): void {
  const auditFile = () => join(world.dir, 'audit.jsonl');
  const auditLines = () =>
    readFileSync(auditFile(), 'utf8')
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
  /** Of a synchronous run, because that one is not sent again. */
  const deliver = async (url: string, body = {}): Promise<SeenRun> =>
    world.portal.ended(await world.portal.enqueue({ url, synchronized: true, body }));

  describe('the list of targets', () => {
    it('lets listed requests pass and fails others, which are not sent', async () => {
      const { target } = world;
      const list = world.file(
        'targets.json',
        JSON.stringify([{ hosts: [`127.0.0.1:${target.port}`], paths: ['/hooks/*'] }]),
      );
      world.start({ QUAYSIDE_AGENT_TARGETS_FILE: list, QUAYSIDE_AGENT_AUDIT_FILE: auditFile() });
      expect((await deliver(`${target.url}/hooks/a`)).status).toBe('SUCCESS');
      const refused = await deliver(`${target.url}/admin?token=x`);
      expect(refused.deliveries[0]?.outcome?.kind).toBe('forbidden');
      expect(refused.summary).toContain(`/admin is not in the agent's list of targets`);
      expect(target.requests).toHaveLength(1);
      expect(auditLines().at(-1)).toMatchObject({ event: 'refused', run: refused.id, url: `${target.url}/admin?…` });

      writeFileSync(list, '[{"hosts":["*"]}]');
      await new Promise((resolve) => setTimeout(resolve, 1_100));
      expect((await deliver(`${target.url}/admin`)).status).toBe('SUCCESS');
    });

    it('that can not be read allows nothing, and says so', async () => {
      const { lines } = world.start({ QUAYSIDE_AGENT_TARGETS_FILE: world.file('targets.json', '[{"host":["a"]}]') });
      expect((await deliver(world.target.url)).summary).toMatch(
        /host is none of hosts, paths and methods, so nothing is allowed/,
      );
      expect(lines.join()).toContain('can not be used');
      expect(world.target.requests).toHaveLength(0);
    });

    it('can not allow metadata addresses', async () => {
      world.start({ QUAYSIDE_AGENT_TARGETS_FILE: world.file('targets.json', '[{"hosts":["*"]}]') });
      const run = await deliver('http://169.254.169.254/latest/meta-data/');
      expect(run.deliveries[0]?.outcome).toMatchObject({ kind: 'forbidden' });
    });
  });

  describe('the audit file', () => {
    it('has a line before each request and one after, without what was sent', async () => {
      const { target } = world;
      world.start({ QUAYSIDE_AGENT_AUDIT_FILE: auditFile() });
      const run = await deliver(`${target.url}/hook?key=sesame`, { password: 'sesame' });
      const [before, after] = auditLines();
      const common = {
        agent: 'agent-under-test',
        run: run.id,
        attempt: 1,
        method: 'POST',
        url: `${target.url}/hook?…`,
      };
      expect(before).toMatchObject({ event: 'sending', ...common, bytes: target.requests[0]?.body.length });
      expect(before?.sha256).toMatch(/^[0-9a-f]{64}$/);
      expect(after).toMatchObject({ event: 'outcome', ...common, outcome: 'answered', status: 200 });
      expect(JSON.stringify(auditLines())).not.toContain('sesame');
    });

    it('that can not be written keeps requests from being sent', async () => {
      world.start({ QUAYSIDE_AGENT_AUDIT_FILE: auditFile() });
      await deliver(world.target.url);
      rmSync(world.dir, { recursive: true });
      const run = await deliver(world.target.url);
      expect(run.summary).toContain('so nothing is sent; mend QUAYSIDE_AGENT_AUDIT_FILE');
      expect(world.target.requests).toHaveLength(1);
    });

    it('that can not be written at the start keeps the agent from starting', async () => {
      const { exitCode, lines } = world.start({
        QUAYSIDE_AGENT_AUDIT_FILE: join(world.dir, 'absent', 'audit.jsonl'),
      });
      expect(await exitCode).toBe(1);
      expect(lines.join()).toContain('QUAYSIDE_AGENT_AUDIT_FILE');
    });
  });
}
