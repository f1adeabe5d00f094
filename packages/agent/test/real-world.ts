import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Streamer } from '@quayside/testkit';
import { answerOk, type Receiver, startReceiver } from '@quayside/testkit/receiver';
import { afterAll, afterEach, beforeAll, beforeEach } from 'vitest';
import { RealPortal } from './real-portal.ts';
import { environment, type StartedAgent, startAgent } from './start-agent.ts';

/**
 * What the agent's suite runs in: the real server in a process of its own, a real target, and agents, in this process or in
 * their own. Server and target live as long as the file; agents, the folder and what is kept end with each test.
 */
export interface World {
  readonly streamer: Streamer;
  readonly portal: RealPortal;
  readonly target: Receiver;
  /** PEM of the CA of the brokers, where there are any. */
  readonly brokerCa: string;
  /** What an agent is started with. */
  environment(env?: Record<string, string>): Record<string, string>;
  /** Empty at the start of each test. */
  readonly dir: string;
  file(name: string, text: string): string;
  start(env?: Record<string, string>): StartedAgent;
  /** `program` other than the source of the agent: its bundle. */
  spawn(env?: Record<string, string>, program?: string): SpawnedAgent;
  /** With nothing but this environment. */
  launch(env: Record<string, string>, program: string, cwd: string): SpawnedAgent;
  /** Closed after the test, when its agents have ended. */
  keep<T extends { close(): unknown }>(server: T): T;
}

export interface SpawnedAgent {
  child: ChildProcess;
  output(): string;
  exitCode: Promise<number | null>;
  stop(): Promise<number | null>;
}

const main = new URL('../src/main.ts', import.meta.url).pathname;

export function setUpWorld(streamer: Streamer): World {
  let dataDir = '';
  let dir = '';
  let portal: RealPortal;
  let target: Receiver;
  const agents: { stop(): Promise<unknown> }[] = [];
  const kept: { close(): unknown }[] = [];

  beforeAll(async () => {
    dataDir = await mkdtemp(join(tmpdir(), 'quayside-agent-real-'));
    portal = new RealPortal({ dataDir, streamer });
    await portal.start();
    target = await startReceiver();
  }, 90_000);
  afterAll(async () => {
    await portal.stop();
    await target.close();
    await rm(dataDir, { recursive: true, force: true });
  }, 90_000);
  beforeEach(() => {
    target.requests.length = 0;
    target.answer = answerOk;
    dir = mkdtempSync(join(tmpdir(), 'quayside-agent-'));
  });
  afterEach(async () => {
    await Promise.all(agents.splice(0).map((agent) => agent.stop()));
    await Promise.all(kept.splice(0).map((server) => server.close()));
    rmSync(dir, { recursive: true, force: true });
  }, 60_000);

  const agentEnvironment = (more: Record<string, string>) =>
    environment(portal, { ...streamer.agentEnvironment, ...more });

  function launch(env: Record<string, string>, program: string, cwd: string): SpawnedAgent {
    const child = spawn(process.execPath, [program], { cwd, env: { PATH: process.env.PATH, ...env } });
    let text = '';
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
    const exitCode = once(child, 'exit').then(([code]) => code as number | null);
    const agent = {
      child,
      output: () => text,
      exitCode,
      stop: () => {
        child.kill('SIGTERM');
        return exitCode;
      },
    };
    agents.push(agent);
    return agent;
  }

  const { SSL_CERT_FILE: brokerCaFile } = streamer.agentEnvironment;
  return {
    streamer,
    brokerCa: brokerCaFile === undefined ? '' : readFileSync(brokerCaFile, 'utf8'),
    get portal() {
      return portal;
    },
    get target() {
      return target;
    },
    get dir() {
      return dir;
    },
    environment: (more = {}) => agentEnvironment(more),
    file(name, text) {
      writeFileSync(join(dir, name), text);
      return join(dir, name);
    },
    start(more = {}) {
      const agent = startAgent(portal, agentEnvironment(more));
      agents.push(agent);
      return agent;
    },
    spawn: (more = {}, program = main) => launch(agentEnvironment(more), program, dir),
    launch,
    keep(server) {
      kept.push(server);
      return server;
    },
  };
}
