import type { AddressInfo } from 'node:net';
import type { Log } from './log.ts';

/** What /healthz and /metrics say; asked at each request. */
export interface HealthSource {
  /** Undefined = alive; else why the process should be restarted. */
  fault(): string | undefined;
  state(): Record<string, unknown>;
  metrics(): string;
}

export interface HealthServer {
  port: number;
  close(): Promise<void>;
}

/** A small server for probes, on loopback unless told otherwise. Loaded only when it is wanted. */
export async function startHealth(
  options: { host: string; port: number },
  source: HealthSource,
  log: Log,
): Promise<HealthServer> {
  const { createServer } = await import('node:http');
  const server = createServer((request, response) => {
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      response.writeHead(405).end();
    } else if (request.url === '/healthz') {
      const fault = source.fault();
      const body = JSON.stringify({ ok: fault === undefined, ...(fault && { fault }), ...source.state() });
      response.writeHead(fault === undefined ? 200 : 503, { 'content-type': 'application/json' }).end(body);
    } else if (request.url === '/metrics') {
      response.writeHead(200, { 'content-type': 'text/plain; version=0.0.4' }).end(source.metrics());
    } else response.writeHead(404).end();
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port, options.host, resolve);
  });
  const { port } = server.address() as AddressInfo;
  log.info({ host: options.host, port }, 'health and metrics are served');
  return {
    port,
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}
