import { describeOutcome } from '@quayside/contracts/delivery-rules';
import { createDeliveryAgent, type DeliveryAgent, exchange, type FindProxy, type Trust } from '@quayside/delivery';

/**
 * Calls to the portal. One token is fetched for many calls and renewed before it runs out; a 401 renews it once more and
 * repeats the call. Every call has a deadline. Connections are kept alive. Nothing throws: what may happen is an answer.
 */
export interface ApiCall {
  method: 'GET' | 'POST' | 'PATCH';
  /** From the route table, with parameters filled in. */
  path: string;
  body?: unknown;
  /** The run whose attempt it settles: the call may go together with others (settling.ts). */
  settles?: string;
}

export type ApiAnswer =
  | { kind: 'ok'; body: unknown }
  /** The portal answered, but not with success. `error` is a name from the catalog where the portal gave one. */
  | { kind: 'refused'; status: number; error: string; message: string; retryAfterMs: number | undefined }
  /** No usable answer. `isCut` = the connection broke or timed out after the request went out. */
  | { kind: 'unreachable'; message: string; isCut: boolean };

type Failure = Exclude<ApiAnswer, { kind: 'ok' }>;

export interface CallOptions {
  timeoutMs?: number;
  signal?: AbortSignal;
}

export interface PortalApiOptions {
  portalUrl: string;
  clientId: string;
  clientSecret: string;
  userAgent: string;
  findProxy?: FindProxy | undefined;
  trust?: Trust;
}

interface Token {
  value: string;
  /** On the process's monotonic clock. */
  renewAtMs: number;
}

const callTimeoutMs = 15_000;
/** A claim brings at most a batch of runs of 1 MiB; more than this is no answer of a portal. */
const maxReplyBytes = 256 * 1024 * 1024;

export class PortalApi {
  private readonly options: PortalApiOptions;
  private readonly dispatcher: DeliveryAgent;
  private current: Token | undefined;
  private fetching: Promise<Token | Failure> | undefined;
  /** Calls made, token calls included; for the metrics. */
  callCount = 0;

  constructor(options: PortalApiOptions) {
    this.options = options;
    const { findProxy, trust } = options;
    this.dispatcher = createDeliveryAgent({ connectTimeoutMs: 10_000, findProxy, ...(trust && { trust }) });
  }

  async call(call: ApiCall, options: CallOptions = {}): Promise<ApiAnswer> {
    const token = await this.currentToken();
    if ('kind' in token) return token;
    const answer = await this.callWith(token, call, options);
    if (answer.kind !== 'refused' || answer.status !== 401) return answer;
    // Revoked, or the portal's signing key changed. Of several calls that notice, one fetches the new token.
    if (this.current === token) this.current = undefined;
    const renewed = await this.currentToken();
    return 'kind' in renewed ? renewed : this.callWith(renewed, call, options);
  }

  async close(): Promise<void> {
    await this.dispatcher.destroy();
  }

  private callWith(token: Token, call: ApiCall, options: CallOptions): Promise<ApiAnswer> {
    return this.send(call, { authorization: `Bearer ${token.value}`, 'x-port-reserved-usage': 'true' }, options);
  }

  private async currentToken(): Promise<Token | Failure> {
    if (this.current !== undefined && performance.now() < this.current.renewAtMs) return this.current;
    // One fetch, however many calls wait for it.
    this.fetching ??= this.fetchToken().then((token) => {
      this.fetching = undefined;
      if (!('kind' in token)) this.current = token;
      return token;
    });
    return this.fetching;
  }

  private async fetchToken(): Promise<Token | Failure> {
    const { clientId, clientSecret } = this.options;
    const call: ApiCall = { method: 'POST', path: '/v1/auth/access_token', body: { clientId, clientSecret } };
    const answer = await this.send(call, {}, {});
    if (answer.kind === 'refused' && [401, 403, 404, 422].includes(answer.status)) {
      const message = `the portal refused the credentials (${answer.message}); check PORT_CLIENT_ID, PORT_CLIENT_SECRET and PORT_API_BASE_URL`;
      // Not 401: another token would be refused in the same way.
      return { ...answer, status: 403, message };
    }
    if (answer.kind !== 'ok') return answer;
    const body = answer.body as { accessToken?: unknown; expiresIn?: unknown };
    if (typeof body.accessToken !== 'string') {
      return {
        kind: 'unreachable',
        message: 'the portal gave no access token; is PORT_API_BASE_URL right?',
        isCut: false,
      };
    }
    const lifeMs = (typeof body.expiresIn === 'number' ? body.expiresIn : 3_600) * 1000;
    // Early by a tenth of its life, at most five minutes: no call goes out with a token that dies on the way.
    return { value: body.accessToken, renewAtMs: performance.now() + lifeMs - Math.min(lifeMs / 10, 300_000) };
  }

  private async send(call: ApiCall, headers: Record<string, string>, options: CallOptions): Promise<ApiAnswer> {
    this.callCount += 1;
    const body = call.body === undefined ? undefined : JSON.stringify(call.body);
    const outcome = await exchange(
      {
        url: new URL(this.options.portalUrl + call.path),
        method: call.method,
        headers: {
          ...headers,
          'user-agent': this.options.userAgent,
          accept: 'application/json',
          ...(body !== undefined && { 'content-type': 'application/json' }),
        },
        body,
      },
      {
        dispatcher: this.dispatcher,
        timeoutMs: options.timeoutMs ?? callTimeoutMs,
        maxAnswerBytes: maxReplyBytes,
        ...(options.signal && { signal: options.signal }),
      },
    );
    if (outcome.kind !== 'answered') {
      const isCut = outcome.kind === 'broken' || outcome.kind === 'timed_out';
      return { kind: 'unreachable', message: `the portal ${describeOutcome(outcome)}`, isCut };
    }
    return readAnswer(outcome.statusCode, outcome.headers, outcome.body);
  }
}

function readAnswer(status: number, headers: Record<string, string>, text: string): ApiAnswer {
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    body = undefined;
  }
  const fields = (typeof body === 'object' && body !== null ? body : {}) as Record<string, unknown>;
  if (status >= 200 && status < 300) {
    if (body !== undefined) return { kind: 'ok', body };
    return {
      kind: 'unreachable',
      message: 'the portal answered something that is not JSON; is PORT_API_BASE_URL right?',
      isCut: false,
    };
  }
  const retryAfter = Number(headers['retry-after']);
  return {
    kind: 'refused',
    status,
    error: typeof fields.error === 'string' ? fields.error : `status_${status}`,
    message: typeof fields.message === 'string' ? fields.message : `status ${status}`,
    retryAfterMs: Number.isFinite(retryAfter) && retryAfter > 0 ? retryAfter * 1000 : undefined,
  };
}
