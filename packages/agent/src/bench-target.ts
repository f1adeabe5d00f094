import { mkdir, readdir, readFile, rename, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { deliveryHeaders, describeOutcome, isDelivered } from '@quayside/contracts/delivery-rules';
import {
  createDeliveryAgent,
  createTrust,
  exchange,
  signatureHeaders,
  verify,
  verifyStandard,
} from '@quayside/delivery';
import { readNetwork } from './config.ts';

/**
 * `script/agent bench-target`: a target on this machine that shows, judges and keeps what is delivered to it, and sends a
 * kept delivery again. For writing an action or a mapping without a service, and without a relay on the internet.
 *
 * A delivery is one file with everything that came, headers with their tokens included, readable only to its owner.
 */
export interface Delivered {
  at: string;
  method: string;
  /** With its query. */
  path: string;
  headers: Record<string, string>;
  /** The bytes as text; those that are none are in `bodyBase64`. */
  body?: string;
  bodyBase64?: string;
  signature: string;
  /** What it was answered. */
  status: number;
}

type Print = (text: string) => void;
type Environment = Readonly<Record<string, string | undefined>>;

export interface ListenOptions {
  host: string;
  port: number;
  /** One after the other; the last one stays. */
  statuses: readonly number[];
  delayMs: number;
  answer: string;
  dir: string;
}

export type BenchCommand =
  | ({ kind: 'listen' } & ListenOptions)
  | { kind: 'replay'; file: string; to: string }
  | { kind: 'mistake'; message: string };

/** More than a webhook may carry (1 MiB), so that too much is seen, too. */
const maxBodyBytes = 16 * 1024 * 1024;
const oldSeconds = 300;

export function readBenchArguments(args: readonly string[]): BenchCommand {
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        host: { type: 'string', default: '127.0.0.1' },
        port: { type: 'string', default: '4001' },
        status: { type: 'string', default: '200' },
        'delay-ms': { type: 'string', default: '0' },
        answer: { type: 'string', default: '{"ok":true}' },
        record: { type: 'string', default: '.data/deliveries' },
        to: { type: 'string' },
      },
    });
    const whole = (name: string, value: string, min: number, max: number): number => {
      if (/^\d{1,9}$/.test(value) && Number(value) >= min && Number(value) <= max) return Number(value);
      throw new Error(`--${name} is "${value}": it must be a whole number from ${min} to ${max}`);
    };
    const [verb, file, ...more] = positionals;
    if (verb === 'replay' && file !== undefined && more.length === 0) {
      if (values.to === undefined || !/^https?:$/.test(URL.parse(values.to)?.protocol ?? ''))
        throw new Error('replay needs --to with a URL, e.g. --to http://127.0.0.1:3000');
      return { kind: 'replay', file, to: values.to };
    }
    if (verb !== undefined) throw new Error('write bench-target [options], or bench-target replay <file> --to <url>');
    return {
      kind: 'listen',
      host: values.host,
      port: whole('port', values.port, 0, 65_535),
      statuses: values.status.split(',').map((status) => whole('status', status, 200, 599)),
      delayMs: whole('delay-ms', values['delay-ms'], 0, 3_600_000),
      answer: values.answer,
      dir: values.record,
    };
  } catch (error) {
    return { kind: 'mistake', message: (error as Error).message };
  }
}

/** Rejects when it can not listen or keep. `secret` undefined = signatures are not judged. */
export async function startBenchTarget(
  options: ListenOptions,
  secret: string | undefined,
  print: Print,
): Promise<{ url: string; close(): Promise<void> }> {
  const { dir, delayMs, statuses, answer } = options;
  await mkdir(dir, { recursive: true, mode: 0o700 });
  // Files of an earlier start stay; the numbers go on.
  let count = Math.max(0, ...(await readdir(dir)).map((name) => Number.parseInt(name, 10) || 0));
  let answered = 0;
  const server = createServer(async (request, response) => {
    try {
      const body = await readBody(request);
      const status = body === undefined ? 413 : (statuses[answered] ?? statuses.at(-1) ?? 200);
      answered += 1;
      const delivered = describe(request, body ?? Buffer.alloc(0), status, secret);
      count += 1;
      const run = delivered.headers[deliveryHeaders.idempotencyKey.toLowerCase()]?.replace(/[^\w-]/g, '_').slice(0, 80);
      const file = join(dir, `${String(count).padStart(4, '0')}-${delivered.method}-${run ?? 'no-run'}.json`);
      // Under its name only when it is whole.
      await writeFile(`${file}.part`, `${JSON.stringify(delivered, null, 2)}\n`, { mode: 0o600 });
      await rename(`${file}.part`, file);
      print(show(delivered, file));
      if (delayMs > 0) await new Promise((resolve) => setTimeout(resolve, delayMs));
      response.writeHead(status, { 'content-type': 'application/json' }).end(answer);
    } catch (error) {
      print(`A delivery could not be kept: ${(error as Error).message}; it is answered with 500`);
      response.writeHead(500).end();
    }
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port, options.host, resolve);
  });
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://${options.host.includes(':') ? `[${options.host}]` : options.host}:${port}`,
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}

/** Undefined = too large; the rest was thrown away. */
async function readBody(request: IncomingMessage): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request) {
    size += (chunk as Buffer).length;
    if (size <= maxBodyBytes) chunks.push(chunk as Buffer);
  }
  return size <= maxBodyBytes ? Buffer.concat(chunks) : undefined;
}

function describe(request: IncomingMessage, bytes: Buffer, status: number, secret: string | undefined): Delivered {
  const headers = Object.fromEntries(
    Object.entries(request.headers).map(([name, value]) => [
      name,
      Array.isArray(value) ? value.join(', ') : (value ?? ''),
    ]),
  );
  const text = bytes.toString('utf8');
  return {
    at: new Date().toISOString(),
    method: request.method ?? '',
    path: request.url ?? '/',
    headers,
    ...(Buffer.from(text).equals(bytes) ? { body: text } : { bodyBase64: bytes.toString('base64') }),
    signature: judge(headers, text, secret),
    status,
  };
}

/** What a careful receiver would say about the signature. */
function judge(headers: Record<string, string>, text: string, secret: string | undefined): string {
  const header = (name: string) => headers[name.toLowerCase()];
  const signature = header(deliveryHeaders.signature);
  const seconds = Number(header(deliveryHeaders.timestamp));
  if (signature === undefined) return 'missing: the sender does not sign';
  if (secret === undefined) return 'not verified: set PORT_CLIENT_SECRET';
  const [id, standard] = [header(deliveryHeaders.standardId), header(deliveryHeaders.standardSignature)];
  const isStandardValid =
    id === undefined ||
    standard === undefined ||
    verifyStandard(standard, id, text, secret, Number(header(deliveryHeaders.standardTimestamp)));
  if (!verify(signature, text, secret, seconds) || !isStandardValid)
    return 'WRONG: another secret than PORT_CLIENT_SECRET, or changed on the way';
  const ageSeconds = Math.round(Date.now() / 1000 - seconds);
  return Math.abs(ageSeconds) > oldSeconds ? `verified, but ${ageSeconds} s old` : 'verified';
}

function show(delivered: Delivered, file: string): string {
  const { at, method, path, headers, body, bodyBase64, signature, status } = delivered;
  const bytes = body === undefined ? `${bodyBase64?.length} characters of Base64` : `${Buffer.byteLength(body)} bytes`;
  const lines = [
    `${at.slice(11, 19)}  ${method} ${path}  ${bytes}, signature ${signature}; answered ${status}; kept in ${file}`,
    ...Object.entries(headers).map(([name, value]) => `  ${name}: ${value}`),
  ];
  const shown = pretty(body ?? bodyBase64 ?? '');
  return [...lines, ...(shown === '' ? [] : shown.split('\n').map((line) => `  ${line}`)), ''].join('\n');
}

function pretty(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}

/** They belong to the connection or are made anew. */
const notReplayed = new Set([
  'connection',
  'content-length',
  'expect',
  'host',
  'keep-alive',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'via',
  ...[
    deliveryHeaders.signature,
    deliveryHeaders.timestamp,
    deliveryHeaders.standardSignature,
    deliveryHeaders.standardTimestamp,
  ].map((name) => name.toLowerCase()),
]);

/**
 * Sends a kept delivery again: the same bytes under the same idempotency key, signed for now. `to` with a path of its own
 * replaces that of the delivery. Returns the exit code: 0 = the target took it.
 */
export async function replay(
  { file, to }: { file: string; to: string },
  env: Environment,
  print: Print,
): Promise<0 | 1> {
  const fail = (text: string): 1 => {
    print(text);
    return 1;
  };
  let delivered: Delivered;
  try {
    delivered = JSON.parse(await readFile(file, 'utf8')) as Delivered;
    if (typeof delivered.method !== 'string' || typeof delivered.headers !== 'object') throw new Error('it is none');
  } catch (error) {
    return fail(`${file} can not be read as a delivery of bench-target: ${(error as Error).message}`);
  }
  const { body } = delivered;
  if (body === undefined) return fail(`${file} holds bytes that are no text; only texts are sent again`);
  const { network, mistakes } = readNetwork(env);
  if (mistakes.length > 0) return fail(mistakes.join('\n'));

  const url = new URL(to);
  const target = url.pathname === '/' && url.search === '' ? new URL(delivered.path, url.origin) : url;
  const id = delivered.headers[deliveryHeaders.standardId.toLowerCase()] ?? 'bench-target';
  const secret = env.PORT_CLIENT_SECRET?.trim();
  const dispatcher = createDeliveryAgent({
    findProxy: network.findProxy,
    trust: createTrust(network.trust, print),
  });
  const outcome = await exchange(
    {
      url: target,
      method: delivered.method,
      headers: {
        ...Object.fromEntries(Object.entries(delivered.headers).filter(([name]) => !notReplayed.has(name))),
        ...(secret && signatureHeaders(id, body, secret, Math.floor(Date.now() / 1000))),
      },
      body: body === '' ? undefined : body,
    },
    { dispatcher, timeoutMs: 30_000 },
  );
  await dispatcher.destroy();
  print(`${delivered.method} ${target.href} ${secret ? 'signed anew' : 'not signed (PORT_CLIENT_SECRET is not set)'}`);
  print(`The target ${describeOutcome(outcome)}`);
  if (outcome.kind === 'answered' && outcome.body !== '') print(pretty(outcome.body));
  return isDelivered(outcome) ? 0 : 1;
}
