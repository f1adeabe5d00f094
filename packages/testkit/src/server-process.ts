import { type ChildProcess, spawn } from 'node:child_process';
import { chmodSync, mkdirSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

/** The real server in a process of its own, for what must be killed, measured, or seen from outside. */
export interface ServerProcess {
  readonly url: string;
  readonly port: number;
  readonly child: ChildProcess;
  /** What it wrote so far, logs included. */
  output(): string;
  /** SIGTERM, then waits for the end; resolves with the exit code. */
  stop(): Promise<number | null>;
  kill(signal: NodeJS.Signals): void;
}

export const testOrganization = {
  orgId: 'org_test',
  adminEmail: 'admin@example.com',
  adminPassword: 'correct horse battery',
  clientId: 'test-client-id',
  clientSecret: '0123456789abcdefghijklmnopqrstuvWXYZ',
} as const;

interface ServerOptions {
  databaseUrl?: string;
  dataDir: string;
  environment?: Readonly<Record<string, string>>;
}

/** Starts the process and does not wait for it. */
export function spawnServer(options: ServerOptions & { port: number }): { child: ChildProcess; output(): string } {
  const { port } = options;
  // For root: PostgreSQL runs as another user, and where that one can not enter, the cluster would live elsewhere and stay.
  mkdirSync(options.dataDir, { recursive: true });
  chmodSync(options.dataDir, 0o755);
  const main = fileURLToPath(new URL('../../server/src/main.ts', import.meta.url));
  const child = spawn(process.execPath, [main], {
    env: {
      PATH: process.env.PATH ?? '',
      QUAYSIDE_PORT: String(port),
      QUAYSIDE_HOST: '127.0.0.1',
      QUAYSIDE_DATA_DIR: options.dataDir,
      QUAYSIDE_BASE_URL: `http://127.0.0.1:${port}`,
      QUAYSIDE_ORG_ID: testOrganization.orgId,
      QUAYSIDE_ADMIN_EMAIL: testOrganization.adminEmail,
      QUAYSIDE_ADMIN_PASSWORD: testOrganization.adminPassword,
      QUAYSIDE_CLIENT_ID: testOrganization.clientId,
      QUAYSIDE_CLIENT_SECRET: testOrganization.clientSecret,
      QUAYSIDE_DEMO: 'false',
      QUAYSIDE_RATE_LIMIT: '0',
      ...(options.databaseUrl ? { DATABASE_URL: options.databaseUrl } : {}),
      ...options.environment,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let text = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
  return { child, output: () => text };
}

/** `port` 0 or absent: any. A restart passes the port of the first start. */
export async function startServerProcess(options: ServerOptions & { port?: number }): Promise<ServerProcess> {
  const port = options.port ?? (await freePort());
  const { child, output } = spawnServer({ ...options, port });
  const exited = new Promise<number | null>((resolve) => child.once('exit', (code) => resolve(code)));
  const url = `http://127.0.0.1:${port}`;
  for (let waitedMs = 0; ; waitedMs += 50) {
    if (child.exitCode !== null || child.signalCode !== null)
      throw new Error(`The server ended while it started:\n${output()}`);
    const isReady = await fetch(`${url}/readyz`).then(
      (response) => response.ok,
      () => false,
    );
    if (isReady) break;
    if (waitedMs > 60_000) throw new Error(`The server was not ready within a minute:\n${output()}`);
    await sleep(50);
  }
  return {
    url,
    port,
    child,
    output,
    kill: (signal) => child.kill(signal),
    async stop() {
      if (child.exitCode === null && child.signalCode === null) child.kill('SIGTERM');
      return exited;
    },
  };
}

export async function freePort(): Promise<number> {
  const { createServer } = await import('node:net');
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() =>
        address && typeof address === 'object' ? resolve(address.port) : reject(new Error('No port.')),
      );
    });
  });
}
