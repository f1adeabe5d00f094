import { setTimeout as sleep } from 'node:timers/promises';
import { testOrganization } from '../server-process.ts';
import type { Execution, Verdict } from './record.ts';

export interface Answer {
  verdict: Verdict;
  status: number;
  body: Record<string, unknown>;
}

const callTimeoutMs = 10_000;
const pauseMs = 100;

/**
 * A client that knows what it does not know: whether a call without an answer was carried out. It takes the servers in
 * turn and moves on when one does not answer.
 */
export class PortalClient {
  private readonly urls: readonly string[];
  private turn = 0;
  private token: string | undefined;

  constructor(urls: readonly string[]) {
    this.urls = urls;
  }

  /** One try. */
  async call(method: string, path: string, body?: unknown): Promise<Answer> {
    const token = this.token ?? (await this.fetchToken());
    if (token === undefined) return { verdict: 'unknown', status: 0, body: {} };
    const answer = await this.send(method, path, body, token);
    // Nothing was done; the call is made again with a new token.
    if (answer.status === 401) {
      this.token = undefined;
      return this.call(method, path, body);
    }
    return answer;
  }

  /** Until it is known what became of it. */
  async insist(method: string, path: string, body?: unknown): Promise<Answer & { tries: number }> {
    for (let tries = 1; ; tries += 1) {
      const answer = await this.call(method, path, body);
      if (answer.verdict !== 'unknown') return { ...answer, tries };
      await sleep(pauseMs);
    }
  }

  /** For what must work: set-up. */
  async must(method: string, path: string, body?: unknown): Promise<Record<string, unknown>> {
    const answer = await this.insist(method, path, body);
    if (answer.verdict !== 'accepted') throw new Error(`${method} ${path}: ${JSON.stringify(answer.body)}`);
    return answer.body;
  }

  /** An answer that is no JSON, whole; tried until it comes. */
  async text(path: string): Promise<string> {
    for (;;) {
      const token = this.token ?? (await this.fetchToken());
      const answer = await fetch(this.url + path, { headers: { authorization: `Bearer ${token}` } })
        .then(async (response) => ({ status: response.status, body: await response.text() }))
        .catch(() => undefined);
      if (answer?.status === 200) return answer.body;
      if (answer && answer.status < 500 && answer.status !== 401) throw new Error(`GET ${path}: ${answer.status}`);
      this.token = undefined;
      this.turn += 1;
      await sleep(pauseMs);
    }
  }

  async execute(action: string, ticket: string, inputs: Record<string, unknown> = {}): Promise<Execution> {
    const answer = await this.call('POST', `/v1/actions/${action}/runs`, { properties: { ...inputs, ticket } });
    const { verdict } = answer;
    if (verdict !== 'accepted') return { ticket, verdict };
    return { ticket, verdict, runId: (answer.body.run as { id: string }).id };
  }

  private get url(): string {
    return this.urls[this.turn % this.urls.length] ?? '';
  }

  private async fetchToken(): Promise<string | undefined> {
    const { clientId, clientSecret } = testOrganization;
    const answer = await this.send('POST', '/v1/auth/access_token', { clientId, clientSecret }, undefined);
    if (typeof answer.body.accessToken === 'string') this.token = answer.body.accessToken;
    else if (answer.verdict === 'refused') throw new Error(`No token: ${JSON.stringify(answer.body)}`);
    return this.token;
  }

  private async send(method: string, path: string, body: unknown, token: string | undefined): Promise<Answer> {
    try {
      const answer = await fetch(this.url + path, {
        method,
        headers: {
          ...(token !== undefined && { authorization: `Bearer ${token}` }),
          ...(body !== undefined && { 'content-type': 'application/json' }),
        },
        ...(body !== undefined && { body: JSON.stringify(body) }),
        signal: AbortSignal.timeout(callTimeoutMs),
      });
      const reply = (await answer.json()) as Record<string, unknown>;
      if (answer.ok) return { verdict: 'accepted', status: answer.status, body: reply };
      if (answer.status < 500) return { verdict: 'refused', status: answer.status, body: reply };
    } catch {
      // No answer, or a part of one.
    }
    this.turn += 1;
    return { verdict: 'unknown', status: 0, body: {} };
  }
}
