import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { testOrganization } from './server-process.ts';

const main = fileURLToPath(new URL('../../agent/src/main.ts', import.meta.url));

/** What an agent of the test organization has to be told, in the variables of Port's agent; it polls unless `more` says otherwise. */
export function agentEnvironment(
  portalUrl: string,
  more: Readonly<Record<string, string>> = {},
): Record<string, string> {
  return {
    STREAMER_NAME: 'POLLING',
    PORT_ORG_ID: testOrganization.orgId,
    PORT_CLIENT_ID: testOrganization.clientId,
    PORT_CLIENT_SECRET: testOrganization.clientSecret,
    PORT_API_BASE_URL: portalUrl,
    ...more,
  };
}

/**
 * The real agent in a process of its own; does not wait for it. It asks again quickly when the portal is away. Every variable
 * that does not begin with QUAYSIDE_ is one of Port's agent.
 */
export function spawnAgent(options: {
  portalUrl: string;
  id: string;
  /** Where outcomes are kept over a kill; absent = in memory only. */
  dataDir?: string;
  environment?: Readonly<Record<string, string>>;
  /** Of the shell, for another agent than ours; `exec …`, so that signals reach it. */
  command?: string;
}): { child: ChildProcess; output(): string } {
  const [program, args] = options.command ? ['sh', ['-c', options.command]] : [process.execPath, [main]];
  const child = spawn(program, args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      PATH: process.env.PATH,
      ...agentEnvironment(options.portalUrl, {
        // Others than ours know whole seconds only, and poll at an interval.
        POLLING_INITIAL_BACKOFF_SECONDS: options.command ? '1' : '0.1',
        POLLING_MAX_BACKOFF_SECONDS: '1',
        ...(options.command ? { POLLING_INTERVAL_SECONDS: '1' } : {}),
        QUAYSIDE_AGENT_ID: options.id,
        ...(options.dataDir ? { QUAYSIDE_AGENT_DATA_DIR: options.dataDir } : {}),
        ...options.environment,
      }),
    },
  });
  let text = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (chunk: string) => (text = (text + chunk).slice(-100_000)));
  return { child, output: () => text };
}
