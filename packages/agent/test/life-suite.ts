import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { freePort } from '@quayside/testkit';
import { startGate } from '@quayside/testkit/faults';
import { describe, expect, it } from 'vitest';
import { eventually } from './portal.ts';
import type { World } from './real-world.ts';

/** Signals, kills and outages: what was begun is finished, what is known is kept. */
const withinMs = 60_000;

export function testLife(world: World): void {
  /** A run at the target, whose answer the test gives. */
  async function begin(): Promise<{ id: string; answer(): void }> {
    const { portal, target } = world;
    let answer = () => {};
    target.answer = (_, response) => {
      answer = () => response.end('{"kept":true}');
    };
    const id = await portal.enqueue({ url: target.url, synchronized: true });
    await eventually('it is sent', () => target.requests.length === 1, withinMs);
    return { id, answer: () => answer() };
  }

  describe('SIGTERM', () => {
    it('finishes what was started, takes nothing new, and exits with 0', async () => {
      const { portal } = world;
      const agent = world.spawn({ WEBHOOK_INVOKER_TIMEOUT: '60', QUAYSIDE_AGENT_CONCURRENCY: '1' });
      const { id, answer } = await begin();
      const waiting = await portal.enqueue({ url: world.target.url, synchronized: true });
      agent.child.kill('SIGTERM');
      await eventually('it drains', () => agent.output().includes('draining'), withinMs);
      answer();
      expect(await agent.exitCode).toBe(0);
      expect(agent.output()).toContain('agent stopped');
      expect(await portal.read(id)).toMatchObject({ status: 'SUCCESS', response: { kept: true } });
      expect(world.target.requests).toHaveLength(1);
      world.target.answer = (_, response) => void response.end('{}');
      world.start({ QUAYSIDE_AGENT_ID: 'next' });
      expect(await portal.ended(waiting)).toMatchObject({ status: 'SUCCESS', deliveries: [{ holder: 'next' }] });
    });

    it('twice exits at once', async () => {
      const agent = world.spawn({ WEBHOOK_INVOKER_TIMEOUT: '60' });
      const { id, answer } = await begin();
      agent.child.kill('SIGTERM');
      await eventually('it drains', () => agent.output().includes('draining'), withinMs);
      agent.child.kill('SIGTERM');
      expect(await agent.exitCode).toBe(1);
      expect((await world.portal.read(id)).status).toBe('IN_PROGRESS');
      answer();
      // So that no later test meets it.
      await world.portal.call('PATCH', `/v1/actions/runs/${id}`, { status: 'FAILURE' });
    });
  });

  describe('an outcome', () => {
    it('is kept while the server is away, and reported without sending again', async () => {
      const { portal, target } = world;
      world.spawn({ WEBHOOK_INVOKER_TIMEOUT: '60' });
      const { id, answer } = await begin();
      await portal.stop();
      answer();
      await portal.start();
      expect(await portal.ended(id)).toMatchObject({ status: 'SUCCESS', response: { kept: true } });
      expect(target.requests).toHaveLength(1);
    });

    it('on disk survives kill -9: the restarted agent reports it instead of sending again', async () => {
      const { portal, target } = world;
      const data = join(world.dir, 'data');
      const gate = world.keep(await startGate(portal.url));
      const settling = gate.hold('request', ({ path }) => path.endsWith('/settle'));
      const agent = world.spawn({ QUAYSIDE_AGENT_DATA_DIR: data, PORT_API_BASE_URL: gate.url });
      const id = await portal.enqueue({ url: target.url, synchronized: true });
      await settling;
      agent.child.kill('SIGKILL');
      await agent.exitCode;
      expect(readdirSync(data)).toContain(`${id}-1.json`);
      world.spawn({ QUAYSIDE_AGENT_DATA_DIR: data });
      expect((await portal.ended(id)).status).toBe('SUCCESS');
      expect(target.requests).toHaveLength(1);
      await eventually('the file is gone', () => readdirSync(data).length === 0, withinMs);
    });
  });

  describe('health', () => {
    it('answers on loopback with state and metrics', async () => {
      const { portal, target } = world;
      const port = await freePort();
      world.start({ QUAYSIDE_AGENT_HEALTH_PORT: String(port) });
      await portal.ended(await portal.enqueue({ url: target.url, synchronized: true }));
      const health = await fetch(`http://127.0.0.1:${port}/healthz`);
      expect(await health.json()).toMatchObject({ ok: true, agent: 'agent-under-test', portal: 'ok' });
      const metrics = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
      expect(metrics).toContain('quayside_agent_deliveries_delivered_total 1');
      expect((await fetch(`http://127.0.0.1:${port}/x`)).status).toBe(404);
    });
  });
}
