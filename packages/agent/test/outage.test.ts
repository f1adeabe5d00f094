import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { pollingStreamer } from '@quayside/testkit';
import { describe, expect, it } from 'vitest';
import { eventually } from './portal.ts';
import { setUpWorld } from './real-world.ts';

/** The portal is killed and stays away while outcomes pile up; the agent is killed, too, and started again without a portal. */
const world = setUpWorld(pollingStreamer);
const withinMs = 60_000;
const runCount = 6;

describe('an outage of the portal', { timeout: 180_000 }, () => {
  it('longer than several back-offs, with the agent killed in it: all outcomes arrive, and nothing is sent twice', async () => {
    const { portal, target, dir } = world;
    const outcomes = join(dir, 'outcomes');
    const env = {
      QUAYSIDE_AGENT_DATA_DIR: outcomes,
      QUAYSIDE_AGENT_CONCURRENCY: String(runCount),
      WEBHOOK_INVOKER_TIMEOUT: '120',
    };
    const kept = () => readdirSync(outcomes).filter((name) => name.endsWith('.json')).length;
    const backOffs = (agent: { output(): string }) => agent.output().split('trying again').length - 1;

    const answers: (() => void)[] = [];
    target.answer = (_, response) => void answers.push(() => response.end('{"done":true}'));
    const action = await portal.createAction({ url: target.url, synchronized: true });
    const first = world.spawn(env);
    const ids = await Promise.all(Array.from({ length: runCount }, () => portal.execute(action)));
    await eventually('all are at the target', () => answers.length === runCount, withinMs);

    await portal.kill();
    for (const answer of answers) answer();
    await eventually('all outcomes are on disk', () => kept() === runCount, withinMs);
    await eventually('several back-offs pass', () => backOffs(first) >= 4, withinMs);
    first.child.kill('SIGKILL');
    await first.exitCode;
    expect(kept()).toBe(runCount);

    const second = world.spawn(env);
    await eventually('they are taken up', () => second.output().includes('outcomes of an earlier process'), withinMs);
    await eventually('several back-offs pass again', () => backOffs(second) >= 4, withinMs);
    expect(kept()).toBe(runCount);

    await portal.start();
    for (const id of ids)
      expect(await portal.ended(id)).toMatchObject({
        status: 'SUCCESS',
        response: { done: true },
        deliveries: [{ attempt: 1, state: 'settled' }],
      });
    expect(target.requests.map(({ headers }) => headers['idempotency-key']).sort()).toEqual([...ids].sort());
    await eventually('nothing is kept any more', () => kept() === 0, withinMs);
    expect(await second.stop()).toBe(0);
  });
});

describe('an agent of another organization', { timeout: 90_000 }, () => {
  it('than PORT_ORG_ID says is told in its log and in its runs, with the remedy, and goes on', async () => {
    const { portal, target } = world;
    const { lines } = world.start({ PORT_ORG_ID: 'org_other' });
    const run = await portal.ended(await portal.enqueue({ url: target.url, synchronized: true }));
    expect(run.status).toBe('SUCCESS');
    const text = 'PORT_ORG_ID is org_other, but the credentials are of the organization org_test';
    expect(run.logs.join('\n')).toContain(text);
    expect(lines.filter((line) => line.includes(text))).toHaveLength(1);
    expect(lines.join()).toContain('correct PORT_ORG_ID, or take credentials of org_other');
  });
});
