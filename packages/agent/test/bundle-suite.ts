import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Streamer } from '@quayside/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { setUpWorld } from './real-world.ts';

const bundler = new URL('../../../script/bundle-agent.ts', import.meta.url).pathname;

/** The one file, far from any node_modules, at the real server. */
export function testBundle(streamer: Streamer): void {
  const world = setUpWorld(streamer);
  const folder = mkdtempSync(join(tmpdir(), 'quayside-bundle-'));
  const file = join(folder, 'quayside-agent.mjs');

  beforeAll(() => void execFileSync(process.execPath, [bundler, file]), 60_000);
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  describe(`the bundled agent, ${streamer.name}`, { timeout: 90_000 }, () => {
    it('carries runs out with a mapping, drains, and names no file of this machine', async () => {
      const { portal, target } = world;
      // The engine of mappings is loaded only when there is one, so it must be in the file, too.
      const mapping = world.file('mapping.json', '[{"enabled":true,"headers":{"X-Run":".context.runId"}}]');
      const agent = world.spawn({ CONTROL_THE_PAYLOAD_CONFIG_PATH: mapping }, file);
      const run = await portal.ended(await portal.enqueue({ url: target.url, synchronized: true }));
      expect(run).toMatchObject({ status: 'SUCCESS', response: { ok: true } });
      expect(target.requests[0]?.headers['x-run']).toBe(run.id);
      expect(await agent.stop()).toBe(0);
      expect(readFileSync(file, 'latin1')).not.toContain(process.cwd());
    });

    it('has the doctor in it, and needs no interpreter to be named', () => {
      const text = execFileSync(file, ['doctor'], {
        cwd: world.dir,
        env: {
          PATH: `${join(process.execPath, '..')}:${process.env.PATH}`,
          ...world.environment(),
        },
        encoding: 'utf8',
      });
      expect(text.split('\n').filter((line) => line !== '' && !line.startsWith('✓'))).toEqual([]);
    });
  });
}
