import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Logger } from '../platform/log.ts';

/**
 * The demo's other two processes: an execution agent and the internal service. Both are ordinary programs that know the
 * portal only by its URL and credentials; each is started again when it ends.
 */
export interface DemoProcesses {
  stop(): Promise<void>;
}

const restartMs = 2_000;

export function startDemoProcesses(options: {
  nodePath: string;
  orgId: string;
  clientId: string;
  clientSecret: string;
  portalUrl: string;
  targetPort: number;
  /** What the children inherit of the environment: PATH and the like, no secrets of the server. */
  environment: Readonly<Record<string, string>>;
  log: Logger;
}): DemoProcesses {
  const credentials = {
    PORT_ORG_ID: options.orgId,
    PORT_CLIENT_ID: options.clientId,
    PORT_CLIENT_SECRET: options.clientSecret,
    PORT_API_BASE_URL: options.portalUrl,
  };
  const programs = [
    {
      name: 'demo agent',
      file: '../../../agent/src/main.ts',
      // It takes runs as any other agent does, so its name says whose it is.
      environment: { ...credentials, STREAMER_NAME: 'POLLING', QUAYSIDE_AGENT_ID: 'demo agent' },
    },
    {
      name: 'demo target service',
      file: '../../../../examples/target-service/src/main.ts',
      environment: { ...credentials, PORT: String(options.targetPort), HOST: '127.0.0.1' },
    },
  ];
  let isStopping = false;
  const children = new Map<string, ChildProcess>();
  const start = ({ name, file, environment }: (typeof programs)[number]): void => {
    const child = spawn(options.nodePath, [fileURLToPath(new URL(file, import.meta.url))], {
      env: { ...options.environment, ...environment },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    children.set(name, child);
    for (const stream of [child.stdout, child.stderr])
      stream?.setEncoding('utf8').on('data', (text: string) => {
        for (const line of text.trimEnd().split('\n')) options.log.debug({ program: name, line }, 'demo');
      });
    child.on('error', (error) =>
      options.log.warn({ program: name, error: error.message }, 'a demo program did not start'),
    );
    child.on('exit', (code) => {
      if (isStopping) return;
      options.log.warn({ program: name, code }, 'a demo program ended; starting it again');
      setTimeout(
        () => !isStopping && start(programs.find((program) => program.name === name) as (typeof programs)[number]),
        restartMs,
      ).unref();
    });
  };
  for (const program of programs) start(program);
  return {
    async stop() {
      isStopping = true;
      await Promise.all(
        [...children.values()].map(
          (child) =>
            new Promise<void>((resolve) => {
              if (child.exitCode !== null || child.signalCode !== null) return resolve();
              child.once('exit', () => resolve());
              child.kill('SIGTERM');
              setTimeout(() => child.kill('SIGKILL'), 5_000).unref();
            }),
        ),
      );
    },
  };
}
