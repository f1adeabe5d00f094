import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import type { Streamer } from '@quayside/testkit';
import { createAuthority } from '@quayside/testkit/network';
import { startReceiver } from '@quayside/testkit/receiver';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { defaultCaDir } from '../src/config.ts';
import { eventually } from './portal.ts';
import { setUpWorld, type World } from './real-world.ts';

const bundler = new URL('../../../script/bundle-agent.ts', import.meta.url).pathname;
const readPackageFile = (name: string) => readFileSync(new URL(`../${name}`, import.meta.url), 'utf8');

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

    it('runs with the documented `docker run`: its settings, its mounted files', async () => {
      const { portal } = world;
      const authority = createAuthority('Company Root');
      const container = contain(world, {
        'control_the_payload_config.json': '[{"enabled":true,"headers":{"X-Run":".context.runId"}}]',
        'company-ca.crt': authority.cert + world.brokerCa,
      });
      const agent = world.launch(container.environment, file, container.workdir);
      // A group that is new begins at the end of the topic.
      if (streamer.name === 'KAFKA')
        await eventually('it consumes', () => agent.output().includes('"msg":"consuming"'), 60_000);
      const shop = world.keep(await startReceiver({ tls: authority.issue(['localhost']) }));
      const url = `https://localhost:${shop.port}/hook`;
      const run = await portal.ended(await portal.enqueue({ url, synchronized: true }));
      expect(run).toMatchObject({ status: 'SUCCESS', response: { ok: true } });
      expect(shop.requests[0]?.headers['x-run']).toBe(run.id);
      expect(await agent.stop()).toBe(0);
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

/**
 * What the `docker run` of the README with the world's streamer hands to the agent, without Docker: a folder stands for the
 * image's root, its files are linked to where -v mounts them, and the settings of -e and of the Dockerfile are the only ones.
 * Absolute paths begin in that folder, so the directory of certificates is named to the agent, which finds it by itself in
 * an image. The image itself is built and started in charts/test/images.test.ts.
 */
function contain(world: World, files: Record<string, string>) {
  const { PORT_ORG_ID = '', PORT_CLIENT_ID = '', PORT_CLIENT_SECRET = '' } = world.environment();
  const command = [...readPackageFile('README.md').matchAll(/^docker run[^`]*/gm)]
    .map(([text]) => text)
    .filter((text) => text.includes(`STREAMER_NAME=${world.streamer.name} `))
    .join()
    .replaceAll('YOUR_ORG_ID', PORT_ORG_ID)
    .replace('YOUR_CLIENT_ID', PORT_CLIENT_ID)
    .replace('YOUR_CLIENT_SECRET', PORT_CLIENT_SECRET)
    .replace('https://portal.example.com', world.portal.url);
  const options = (flag: string, separator: string) =>
    [...command.matchAll(new RegExp(`${flag} "?([^"\\s]+)`, 'g'))].map(([, option = '']) => option.split(separator));

  const root = join(world.dir, 'root');
  const dockerfile = readPackageFile('Dockerfile');
  const image = (pattern: RegExp) => join(root, pattern.exec(dockerfile)?.[1] ?? '');
  const workdir = image(/^WORKDIR (\S+)/m);
  const dataDir = image(/QUAYSIDE_AGENT_DATA_DIR=(\S+)/);
  mkdirSync(workdir, { recursive: true });
  const mounts = options('-v', ':');
  expect(mounts.map(([from = '']) => basename(from))).toEqual([...Object.keys(files), 'quayside-agent-outcomes']);
  for (const [from = '', to = ''] of mounts) {
    const text = files[basename(from)];
    mkdirSync(dirname(join(root, to)), { recursive: true });
    if (text === undefined) mkdirSync(join(root, to));
    else symlinkSync(world.file(basename(from), text), join(root, to));
  }
  // The volume is where the image keeps outcomes.
  expect(readdirSync(dataDir)).toEqual([]);
  const environment = {
    QUAYSIDE_AGENT_DATA_DIR: dataDir,
    QUAYSIDE_AGENT_CA_DIR: join(root, defaultCaDir),
    ...(Object.fromEntries(options('-e', '=')) as Record<string, string>),
  };
  return { workdir, environment };
}
