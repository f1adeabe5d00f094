import { setTimeout as sleep } from 'node:timers/promises';
import { isRecord } from './request.ts';

/**
 * Calls to the portal's API, with this service's own token. The token is kept until shortly before it runs out. A portal
 * that is away for a moment (a restart) is asked again; a refusal is thrown, with the portal's own words.
 */
export interface PortalOptions {
  baseUrl: string;
  clientId: string;
  clientSecret: string;
  /** Pauses between tries when the portal does not answer. */
  retryMs?: readonly number[];
}

export interface EntityBody {
  identifier: string;
  title?: string;
  properties: Record<string, unknown>;
  relations?: Record<string, unknown>;
}

class PortalRefusal extends Error {}

export class Portal {
  private readonly options: PortalOptions;
  private token: { value: string; renewAtMs: number } | undefined;

  constructor(options: PortalOptions) {
    this.options = options;
  }

  async log(runId: string, message: string): Promise<void> {
    await this.call('POST', `/v1/actions/runs/${encodeURIComponent(runId)}/logs`, { message });
  }

  /** `status` ends the run; `statusLabel`, `link` and `summary` may be set before and with it. */
  async update(
    runId: string,
    patch: { status?: 'SUCCESS' | 'FAILURE'; statusLabel?: string; link?: string | string[]; summary?: string },
  ): Promise<void> {
    await this.call('PATCH', `/v1/actions/runs/${encodeURIComponent(runId)}`, patch);
  }

  /** Creates the entity or changes the properties that are given. `runId` ties the change to the run. */
  async upsert(blueprint: string, entity: EntityBody, runId?: string): Promise<void> {
    const tie = runId === undefined ? '' : `&run_id=${encodeURIComponent(runId)}`;
    await this.call(
      'POST',
      `/v1/blueprints/${encodeURIComponent(blueprint)}/entities?upsert=true&merge=true${tie}`,
      entity,
    );
  }

  async remove(blueprint: string, identifier: string): Promise<void> {
    const path = `/v1/blueprints/${encodeURIComponent(blueprint)}/entities/${encodeURIComponent(identifier)}`;
    await this.call('DELETE', `${path}?delete_dependents=true`);
  }

  private async call(method: string, path: string, body?: unknown): Promise<void> {
    const pauses = [...(this.options.retryMs ?? [500, 1_000, 2_000, 4_000, 8_000])];
    for (;;) {
      const problem = await this.tryCall(method, path, body);
      if (problem === undefined) return;
      const pauseMs = pauses.shift();
      if (pauseMs === undefined) throw new PortalRefusal(`the portal does not answer: ${problem}`);
      await sleep(pauseMs);
    }
  }

  /** Undefined = done; a text = worth another try; a refusal is thrown. */
  private async tryCall(method: string, path: string, body: unknown): Promise<string | undefined> {
    try {
      const response = await this.send(method, path, body, { authorization: `Bearer ${await this.currentToken()}` });
      if (response.ok) return undefined;
      if (response.status === 401 && this.token !== undefined) {
        this.token = undefined;
        return 'the token was refused';
      }
      const problem = await describe(response);
      if (response.status >= 500 || response.status === 429) return problem;
      throw new PortalRefusal(`${method} ${path.split('?')[0]} was refused: ${problem}`);
    } catch (error) {
      if (error instanceof PortalRefusal) throw error;
      return error instanceof Error ? error.message : String(error);
    }
  }

  private async currentToken(): Promise<string> {
    if (this.token !== undefined && performance.now() < this.token.renewAtMs) return this.token.value;
    const { clientId, clientSecret } = this.options;
    const response = await this.send('POST', '/v1/auth/access_token', { clientId, clientSecret }, {});
    if (response.status >= 500) throw new Error(await describe(response));
    if (!response.ok) throw new PortalRefusal(`the portal refused the credentials: ${await describe(response)}`);
    const answer = (await response.json()) as { accessToken: string; expiresIn: number };
    this.token = { value: answer.accessToken, renewAtMs: performance.now() + answer.expiresIn * 900 };
    return this.token.value;
  }

  private send(method: string, path: string, body: unknown, headers: Record<string, string>): Promise<Response> {
    return fetch(this.options.baseUrl + path, {
      method,
      headers: { ...headers, ...(body !== undefined && { 'content-type': 'application/json' }) },
      ...(body !== undefined && { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(10_000),
    });
  }
}

async function describe(response: Response): Promise<string> {
  const answer: unknown = await response.json().catch(() => undefined);
  if (!isRecord(answer)) return `status ${response.status}`;
  const details = Array.isArray(answer.details) ? ` ${JSON.stringify(answer.details)}` : '';
  return `${response.status} ${String(answer.message ?? answer.error)}${details}`;
}
