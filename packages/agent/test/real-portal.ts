import type { Delivery, Run, RunLog } from '@quayside/contracts';
import { type ServerProcess, type Streamer, startServerProcess, testOrganization } from '@quayside/testkit';

/** A run, as the portal shows it. */
export interface SeenRun extends Run {
  logs: string[];
  deliveries: Delivery[];
}

/** The real server process, asked over HTTP. */
export class RealPortal {
  private readonly options: { dataDir: string; streamer: Streamer };
  private process: ServerProcess | undefined;
  private headers: Record<string, string> = {};
  private actionCount = 0;

  constructor(options: { dataDir: string; streamer: Streamer }) {
    this.options = options;
  }

  get url(): string {
    return this.server.url;
  }

  /** After `stop` on the same port. */
  async start(): Promise<void> {
    const { dataDir, streamer } = this.options;
    const port = this.process === undefined ? {} : { port: this.process.port };
    this.process = await startServerProcess({ dataDir, environment: streamer.serverEnvironment, ...port });
    const { clientId, clientSecret } = testOrganization;
    this.headers = { 'content-type': 'application/json' };
    const { accessToken } = await this.call<{ accessToken: string }>('POST', '/v1/auth/access_token', {
      clientId,
      clientSecret,
    });
    this.headers.authorization = `Bearer ${accessToken}`;
  }

  async stop(): Promise<void> {
    await this.process?.stop();
  }

  async kill(): Promise<void> {
    this.server.kill('SIGKILL');
    await this.server.stop();
  }

  async call<T>(method: string, path: string, body?: unknown): Promise<T> {
    const answer = await fetch(this.url + path, {
      method,
      headers: this.headers,
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    const reply = (await answer.json()) as T;
    if (!answer.ok) throw new Error(`${method} ${path}: ${JSON.stringify(reply)}`);
    return reply;
  }

  /** An action for agents; returns its identifier. */
  async createAction(invocation: Record<string, unknown>): Promise<string> {
    this.actionCount += 1;
    const identifier = `action_${this.actionCount}`;
    await this.call('POST', '/v1/actions', {
      identifier,
      trigger: { type: 'self-service', operation: 'CREATE', userInputs: { properties: { name: { type: 'string' } } } },
      invocationMethod:
        invocation.type === 'GITLAB'
          ? invocation
          : { type: 'WEBHOOK', agent: true, body: { context: { runId: '{{ .run.id }}' } }, ...invocation },
    });
    return identifier;
  }

  async execute(action: string, name = 'shop'): Promise<string> {
    return (await this.call<{ run: Run }>('POST', `/v1/actions/${action}/runs`, { properties: { name } })).run.id;
  }

  /** A run of an action made for it; returns its id. */
  async enqueue(invocation: Record<string, unknown>): Promise<string> {
    return this.execute(await this.createAction(invocation));
  }

  async read(id: string): Promise<SeenRun> {
    const path = `/v1/actions/runs/${id}`;
    const [{ run }, { runLogs }, { deliveries }] = await Promise.all([
      this.call<{ run: Run }>('GET', path),
      this.call<{ runLogs: RunLog[] }>('GET', `${path}/logs`),
      this.call<{ deliveries: Delivery[] }>('GET', `${path}/deliveries`),
    ]);
    return { ...run, logs: runLogs.map((line) => line.message), deliveries };
  }

  /** When an attempt has come to its end. */
  settled(id: string): Promise<SeenRun> {
    return this.until(id, 'an attempt is settled', ({ deliveries }) =>
      deliveries.some(({ state }) => state === 'settled'),
    );
  }

  ended(id: string): Promise<SeenRun> {
    return this.until(id, 'it ended', ({ status }) => status !== 'IN_PROGRESS');
  }

  async until(id: string, what: string, isSo: (run: SeenRun) => boolean): Promise<SeenRun> {
    for (const endMs = performance.now() + 60_000; ; ) {
      const run = await this.read(id);
      // Once more: a part of it was read before it was so.
      if (isSo(run)) return this.read(id);
      if (performance.now() > endMs) throw new Error(`not in time: ${what}; last: ${JSON.stringify(run)}`);
      await new Promise((resolve) => setTimeout(resolve, 25));
    }
  }

  private get server(): ServerProcess {
    if (this.process === undefined) throw new Error('The portal was not started.');
    return this.process;
  }
}
