import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** Answers in the server's place while it can not start: `/healthz` that the process lives, everything else 503 and why. */
export interface StandIn {
  readonly port: number;
  close(): Promise<void>;
}

export async function openStandIn(address: { port: number; host: string }, why: () => string): Promise<StandIn> {
  const server = createServer((request, response) => {
    const isAlive = request.url === '/healthz';
    const body = isAlive ? { ok: true } : { ok: false, error: 'unavailable', message: why() };
    response
      .writeHead(isAlive ? 200 : 503, { 'content-type': 'application/json', 'retry-after': '2', connection: 'close' })
      .end(JSON.stringify(body));
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => reject(explainListening(error, address.port)));
    server.listen(address.port, address.host, resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    close() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeAllConnections();
      return closed;
    },
  };
}

/** Why a port can not be listened on, in words where that is known. */
export function explainListening(error: NodeJS.ErrnoException, port: number): Error {
  if (error.code !== 'EADDRINUSE') return error;
  return new Error(`port ${port} is in use by another program. Stop it, or set QUAYSIDE_PORT to a free port.`);
}
