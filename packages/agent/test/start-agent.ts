import { agentEnvironment } from '@quayside/testkit';
import { type Agent, createAgent } from '../src/agent.ts';
import { type Config, readConfig } from '../src/config.ts';
import { createLog } from '../src/log.ts';

type Portal = { readonly url: string };

/** The environment of an impatient agent, polling the portal unless `more` says otherwise. */
export function environment(portal: Portal, more: Record<string, string> = {}): Record<string, string> {
  return agentEnvironment(portal.url, {
    POLLING_INTERVAL_SECONDS: '0.1',
    POLLING_INITIAL_BACKOFF_SECONDS: '0.05',
    POLLING_MAX_BACKOFF_SECONDS: '0.2',
    WEBHOOK_INVOKER_TIMEOUT: '1',
    QUAYSIDE_AGENT_ID: 'agent-under-test',
    ...more,
  });
}

export interface StartedAgent {
  agent: Agent;
  /** What it logged, as JSON lines. */
  lines: string[];
  exitCode: Promise<number>;
  stop(): Promise<number>;
}

/** The agent in this process; tests of signals and kills spawn the real one. */
export function startAgent(
  portal: Portal,
  more: Record<string, string> = {},
  tuning: { heartbeatMs?: number } = {},
): StartedAgent {
  const lines: string[] = [];
  const config = configOf(environment(portal, more));
  const agent = createAgent(
    config,
    createLog('debug', config.agentId, (line) => lines.push(line)),
    tuning,
  );
  const exitCode = agent.run();
  return {
    agent,
    lines,
    exitCode,
    stop: () => {
      agent.drain();
      return exitCode;
    },
  };
}

function configOf(env: Record<string, string>): Config {
  const read = readConfig(env, 1);
  if (read.kind === 'mistakes') throw new Error(read.mistakes.join('\n'));
  return read.config;
}
