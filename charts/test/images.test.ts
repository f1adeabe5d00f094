import { spawn } from 'node:child_process';
import { chownSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { agentEnvironment, createDatabase, freePort } from '@quayside/testkit';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, inject, it } from 'vitest';
import { parse as parseYaml } from 'yaml';
import { buildImage, type Image, ignoredByDocker, readDockerfile } from './dockerfile.ts';
import { toolFolder } from './helm.ts';

const repository = join(import.meta.dirname, '../..');
const dockerfiles = ['packages/server/Dockerfile', 'packages/agent/Dockerfile'];
const minutes = 60_000;

/** Starts the image's command; as root under the image's user, who can not write anything that the build made. */
function start(image: Image, environment: Record<string, string>) {
  const [uid = 0, gid = 0] = image.user.split(':').map(Number);
  const { PATH = '' } = process.env;
  const child = spawn(process.execPath, image.command.slice(1), {
    cwd: join(image.root, image.workdir),
    env: { PATH, ...image.environment, ...environment },
    ...(process.getuid?.() === 0 ? { uid, gid } : {}),
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => (output += text));
  const ended = new Promise<number | null>((resolve) => child.once('exit', (code) => resolve(code)));
  return {
    output: () => output,
    ended,
    /** Waits until the address answers with 200, or the program ends. */
    async answers(url: string): Promise<void> {
      for (let waitedMs = 0; waitedMs < minutes; waitedMs += 100) {
        if (child.exitCode !== null) throw new Error(`It ended with ${child.exitCode}:\n${output}`);
        const isThere = await fetch(url).then(
          (answer) => answer.ok,
          () => false,
        );
        if (isThere) return;
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
      throw new Error(`${url} did not answer:\n${output}`);
    },
    stop: () => {
      child.kill('SIGTERM');
      return ended;
    },
  };
}

function writableFolder(image: Image): string {
  const folder = mkdtempSync(join(tmpdir(), 'quayside-image-data-'));
  const [uid = 0, gid = 0] = image.user.split(':').map(Number);
  if (process.getuid?.() === 0) chownSync(folder, uid, gid);
  return folder;
}

describe('the image of the portal', () => {
  it(
    'is built from what its Dockerfile copies, and serves the UI with a database of its own or another',
    async () => {
      const image = buildImage('packages/server/Dockerfile');
      const data = writableFolder(image);
      const database = await createDatabase(inject('postgresAdminUrl'));
      try {
        for (const databaseUrl of [database.url, undefined]) {
          const port = await freePort();
          const portal = start(image, {
            QUAYSIDE_PORT: String(port),
            QUAYSIDE_HOST: '127.0.0.1',
            QUAYSIDE_DATA_DIR: data,
            QUAYSIDE_DEMO: 'false',
            ...(databaseUrl ? { DATABASE_URL: databaseUrl } : {}),
          });
          try {
            await portal.answers(`http://127.0.0.1:${port}/readyz`);
            const page = await fetch(`http://127.0.0.1:${port}/`, { headers: { accept: 'text/html' } });
            expect(page.status).toBe(200);
            expect(await page.text()).toContain('<script type="module"');
          } finally {
            expect(await portal.stop()).toBe(0);
          }
        }
      } finally {
        await database.drop();
        rmSync(data, { recursive: true, force: true });
        image.remove();
      }
    },
    10 * minutes,
  );
});

describe('the image of the agent', () => {
  it(
    'is built from what its Dockerfile copies, claims, and says that it is well',
    async () => {
      const image = buildImage('packages/agent/Dockerfile');
      const data = writableFolder(image);
      let claims = 0;
      // A portal that is just there: what the agent does with work is tested with the agent.
      const portal = createServer((request, response) => {
        if (request.url?.includes('claim')) claims += 1;
        const answer = request.url?.endsWith('/access_token')
          ? { ok: true, accessToken: 'token', expiresIn: 3600, tokenType: 'Bearer' }
          : { ok: true, runs: [] };
        setTimeout(() => response.setHeader('content-type', 'application/json').end(JSON.stringify(answer)), 50);
      });
      await new Promise<void>((resolve) => portal.listen(0, '127.0.0.1', resolve));
      const port = await freePort();
      const agent = start(image, {
        ...agentEnvironment(`http://127.0.0.1:${(portal.address() as AddressInfo).port}`),
        QUAYSIDE_AGENT_DATA_DIR: data,
        QUAYSIDE_AGENT_HEALTH_PORT: String(port),
        NODE_COMPILE_CACHE: join(data, 'compile-cache'),
      });
      try {
        await agent.answers(`http://127.0.0.1:${port}/healthz`);
        await expect.poll(() => claims, { timeout: minutes }).toBeGreaterThan(0);
      } finally {
        expect(await agent.stop()).toBe(0);
        portal.closeAllConnections();
        portal.close();
        rmSync(data, { recursive: true, force: true });
        image.remove();
      }
    },
    10 * minutes,
  );

  it('refuses to start without credentials, with all that is missing', async () => {
    // The image's own command, from the sources: the build is tested above.
    const steps = readDockerfile(join(repository, 'packages/agent/Dockerfile'));
    const command = JSON.parse(steps.find(({ instruction }) => instruction === 'CMD')?.text ?? '[]') as string[];
    const agent = start(
      { root: repository, workdir: '/', environment: {}, command, user: `${process.getuid?.()}`, remove: () => {} },
      { STREAMER_NAME: 'POLLING' },
    );
    expect(await agent.ended).toBe(1);
    for (const name of ['PORT_ORG_ID', 'PORT_CLIENT_ID', 'PORT_CLIENT_SECRET']) expect(agent.output()).toContain(name);
  });
});

describe.each(dockerfiles)('%s', (dockerfile) => {
  const steps = readDockerfile(join(repository, dockerfile));
  const all = (instruction: string) => steps.filter((step) => step.instruction === instruction).map(({ text }) => text);

  it('pins its base, the Node of script/lib/bootstrap.sh, by a public name', () => {
    const [, version] =
      /private_node_version=(\S+)/.exec(readFileSync(join(repository, 'script/lib/bootstrap.sh'), 'utf8')) ?? [];
    const stages = all('FROM').flatMap((text) => / AS (\S+)$/.exec(text)?.[1] ?? []);
    const bases = all('FROM')
      .map((text) => text.split(' ')[0] ?? '')
      .filter((base) => !stages.includes(base));
    expect(new Set(bases)).toEqual(new Set([`node:${version}-bookworm-slim`]));
  });

  it('runs as the user that the chart runs it as, whom Kubernetes can see to be no root', () => {
    expect(all('USER')).toEqual(['1000:1000']);
  });

  it('holds no secret and no tests', () => {
    expect(all('ENV').join(' ')).not.toMatch(/SECRET|PASSWORD|KEY|TOKEN/);
    expect(ignoredByDocker().some((pattern) => pattern.test('packages/agent/src/spool.test.ts'))).toBe(true);
    expect(ignoredByDocker().some((pattern) => pattern.test('packages/agent/src/spool.ts'))).toBe(false);
  });
});

it('.dockerignore keeps out what git ignores', () => {
  const ignored = readFileSync(join(repository, '.gitignore'), 'utf8').split('\n').filter(Boolean);
  const patterns = ignoredByDocker();
  const kept = ignored
    .map((line) => line.replace(/\/$/, '').replace('*', 'x'))
    .flatMap((name) => [name, `packages/x/${name}`])
    .filter((path) => !patterns.some((pattern) => pattern.test(path)));
  expect(kept).toEqual([]);
});

describe('compose.yaml', () => {
  const text = readFileSync(join(repository, 'compose.yaml'), 'utf8');
  // biome-ignore lint/suspicious/noExplicitAny: Compose's own schema judges it
  const compose = parseYaml(text, { merge: true }) as any;

  it('is what the Compose specification allows', () => {
    const schema = JSON.parse(readFileSync(join(toolFolder, 'compose-spec.json'), 'utf8'));
    const validate = new Ajv2020({ strict: false, allErrors: true, validateFormats: false }).compile({
      ...schema,
      $schema: 'https://json-schema.org/draft/2020-12/schema',
    });
    validate(compose);
    expect(validate.errors ?? []).toEqual([]);
    validate({ ...compose, services: { ...compose.services, portal: { ...compose.services.portal, port: [] } } });
    expect(validate.errors).not.toBeNull();
  });

  it('confines what is ours, and shows the portal to this machine only', () => {
    for (const name of ['portal', 'agent']) {
      expect(compose.services[name]).toMatchObject({ read_only: true, cap_drop: ['ALL'], tmpfs: ['/tmp'] });
      expect(dockerfiles).toContain(compose.services[name].build.dockerfile);
    }
    expect(compose.services.portal.ports).toEqual(['127.0.0.1:3000:3000']);
    expect(compose.services.postgres.ports).toBeUndefined();
    expect(compose.services.kafka.ports).toBeUndefined();
  });

  it('names only volumes and services that are there, and invents no password', () => {
    const services = Object.keys(compose.services);
    for (const service of Object.values(compose.services) as { volumes?: string[]; depends_on?: object }[]) {
      for (const volume of service.volumes ?? []) expect(Object.keys(compose.volumes)).toContain(volume.split(':')[0]);
      for (const other of Object.keys(service.depends_on ?? {})) expect(services).toContain(other);
    }
    expect(text).toContain('POSTGRES_PASSWORD:?');
    expect(text).toContain('QUAYSIDE_ENCRYPTION_KEY:?');
  });
});
