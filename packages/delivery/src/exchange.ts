import type { DeliveryOutcome } from '@quayside/contracts';
import { maxAnswerBytes } from '@quayside/contracts/delivery-rules';
import type { Dispatcher } from 'undici';
import { ConnectFailure, ForbiddenAddress } from './connect-errors.ts';

/**
 * One request, one outcome; nothing that a target can do makes it throw.
 *
 *   queued ──► connecting ──► started ──► status ──► body ──► answered
 *     │             │             └──────────┴─────────┴────► timed_out | broken      (the target may have acted)
 *     └─────────────┴───────────────────────────────────────► unreachable | forbidden (nothing was sent)
 *
 * `started` is undici's onRequestStart: it runs on a live connection before the first byte is written, so "nothing was
 * sent" is a fact, not a guess from error codes. One timer covers everything from DNS to the last byte of the body.
 * At most `maxAnswerBytes` of the answer are read, then the socket is destroyed: an endless body costs that much memory
 * and no time. Redirects are not followed: the answer is the 3xx. Dispatching through a handler instead of `request()`
 * is what gives the phases, and it costs less.
 */
export interface ExchangeOptions {
  dispatcher: Pick<Dispatcher, 'dispatch'>;
  timeoutMs: number;
  maxAnswerBytes?: number;
  /** Stops the attempt, e.g. because its lease is lost. The outcome is then `broken`, or `unreachable` before the start. */
  signal?: AbortSignal;
}

/** A request as it goes on the wire. For webhooks only `send` (send.ts) makes one; the agent's calls to the portal do too. */
export interface Exchange {
  url: URL;
  method: string;
  headers: Readonly<Record<string, string>>;
  body: string | undefined;
}

export function exchange(request: Exchange, options: ExchangeOptions): Promise<DeliveryOutcome> {
  return new Promise((resolve) => {
    const attempt = new Attempt(options, resolve);
    options.dispatcher.dispatch(
      {
        origin: request.url.origin,
        path: `${request.url.pathname}${request.url.search}`,
        method: request.method,
        headers: request.headers,
        body: request.body ?? null,
        headersTimeout: 0,
        bodyTimeout: 0,
      },
      attempt,
    );
  });
}

class Attempt implements Dispatcher.DispatchHandler {
  private readonly startedAtMs = performance.now();
  private readonly timer: NodeJS.Timeout;
  private readonly chunks: Buffer[] = [];
  private readonly limit: number;
  private byteCount = 0;
  private statusCode: number | undefined;
  private headers: Record<string, string> = {};
  private controller: Dispatcher.DispatchController | undefined;
  private isSettled = false;
  private readonly options: ExchangeOptions;
  private readonly resolve: (outcome: DeliveryOutcome) => void;

  constructor(options: ExchangeOptions, resolve: (outcome: DeliveryOutcome) => void) {
    this.options = options;
    this.resolve = resolve;
    this.limit = options.maxAnswerBytes ?? maxAnswerBytes;
    this.timer = setTimeout(this.onTimeout, options.timeoutMs);
    if (options.signal?.aborted) queueMicrotask(this.onAbort);
    else options.signal?.addEventListener('abort', this.onAbort, { once: true });
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.controller = controller;
    // Given up while connecting: aborting here keeps the request from being written.
    if (this.isSettled) controller.abort(new Error('given up'));
  }

  onResponseStart(_: Dispatcher.DispatchController, statusCode: number, headers: Record<string, unknown>): void {
    // 1xx answers announce the real one.
    if (statusCode < 200) return;
    this.statusCode = statusCode;
    this.headers = answerHeaders(headers);
  }

  onResponseData(_: Dispatcher.DispatchController, chunk: Buffer): void {
    const room = this.limit - this.byteCount;
    if (chunk.length <= room) {
      this.chunks.push(chunk);
      this.byteCount += chunk.length;
      return;
    }
    this.chunks.push(chunk.subarray(0, room));
    this.byteCount = this.limit;
    this.settle(this.answered(true));
  }

  onResponseEnd(): void {
    this.settle(this.answered(false));
  }

  onResponseError(_: Dispatcher.DispatchController, error: Error): void {
    this.settle(this.failed(error));
  }

  private readonly onTimeout = (): void => {
    const { timeoutMs } = this.options;
    if (this.controller === undefined) {
      const message = `no connection within ${timeoutMs} ms; a firewall may drop the packets`;
      this.settle({ kind: 'unreachable', code: 'CONNECT_TIMEOUT', message, durationMs: this.elapsedMs() });
      return;
    }
    const message =
      this.statusCode === undefined
        ? 'the request was sent, but no answer came'
        : `status ${this.statusCode} came, but after ${this.byteCount} bytes the body had not ended`;
    this.settle({ kind: 'timed_out', timeoutMs, message, durationMs: this.elapsedMs() });
  };

  private readonly onAbort = (): void => {
    this.settle(this.failed(new Error('the sender stopped the attempt')));
  };

  private answered(isBodyTruncated: boolean): DeliveryOutcome {
    const body = Buffer.concat(this.chunks).toString('utf8');
    return {
      kind: 'answered',
      statusCode: this.statusCode ?? 0,
      headers: this.headers,
      // PostgreSQL can not keep the NUL character in a text.
      body: body.replaceAll('\0', '\ufffd'),
      isBodyTruncated,
      durationMs: this.elapsedMs(),
    };
  }

  private failed(error: Error): DeliveryOutcome {
    if (error instanceof ForbiddenAddress) return { kind: 'forbidden', message: error.message };
    const durationMs = this.elapsedMs();
    if (error instanceof ConnectFailure || this.controller === undefined) {
      return { kind: 'unreachable', code: codeOf(error), message: error.message, durationMs };
    }
    return { kind: 'broken', message: this.explainBreak(error), durationMs };
  }

  private explainBreak(error: Error): string {
    const code = codeOf(error);
    const came =
      this.statusCode === undefined
        ? 'no status came'
        : `status ${this.statusCode} and ${this.byteCount} bytes of the body came`;
    if (error.name === 'HTTPParserError') return `what came is not valid HTTP/1.1 (${error.message})`;
    if (code === 'UND_ERR_HEADERS_OVERFLOW') return 'the headers of the answer are too long';
    if (code === 'UND_ERR_SOCKET' || code === 'ECONNRESET' || code === 'EPIPE') {
      return `the connection was closed too early; ${came}`;
    }
    return `${error.message}; ${came}`;
  }

  private elapsedMs(): number {
    return performance.now() - this.startedAtMs;
  }

  /** The first outcome counts; whatever is still on the way is cut off. */
  private settle(outcome: DeliveryOutcome): void {
    if (this.isSettled) return;
    this.isSettled = true;
    clearTimeout(this.timer);
    this.options.signal?.removeEventListener('abort', this.onAbort);
    this.resolve(outcome);
    const isComplete = outcome.kind === 'answered' && !outcome.isBodyTruncated;
    if (!isComplete && this.controller?.aborted === false) this.controller.abort(new Error('outcome is known'));
  }
}

/** Cookies of the target are sessions; they are not kept. */
function answerHeaders(headers: Record<string, unknown>): Record<string, string> {
  const kept: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) {
    if (value === undefined || name === 'set-cookie') continue;
    kept[name] = (Array.isArray(value) ? value.join(', ') : String(value)).replaceAll('\0', '\ufffd');
  }
  return kept;
}

function codeOf(error: Error): string {
  return 'code' in error && typeof error.code === 'string' ? error.code : 'ERROR';
}
