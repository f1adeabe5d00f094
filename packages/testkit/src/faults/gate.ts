import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { type AddressInfo, connect, createServer as createTcpServer, type Socket } from 'node:net';

/** What stands between two processes, so that a test can stop time between any two of their steps. */

export interface GatedCall {
  method: string;
  path: string;
  body: Record<string, unknown>;
  /** Present when the call is held at its answer. */
  answer?: Record<string, unknown>;
}

export interface Gate {
  readonly url: string;
  /**
   * Holds the first call that matches, before it is passed on (`request`) or before its answer is (`answer`), for good. The
   * promise resolves when it is held.
   */
  hold(where: 'request' | 'answer', matches: (call: GatedCall) => boolean): Promise<GatedCall>;
  /** Ends the connections of the calls that are held: their callers get no answer. */
  hangUp(): void;
  /** Changes the bodies of requests on their way. */
  rewrite: (call: GatedCall) => Record<string, unknown>;
  close(): Promise<void>;
}

interface Trap {
  where: 'request' | 'answer';
  matches(call: GatedCall): boolean;
  spring(call: GatedCall): void;
}

/** An HTTP proxy in front of the portal. A caller that hangs up is hung up at the portal too. */
export async function startGate(portalUrl: string): Promise<Gate> {
  const traps = new Set<Trap>();
  const held = new Set<ServerResponse>();
  const isTrapped = (where: Trap['where'], call: GatedCall): boolean => {
    for (const trap of traps) {
      if (trap.where !== where || !trap.matches(call)) continue;
      traps.delete(trap);
      trap.spring(call);
      return true;
    }
    return false;
  };

  async function pass(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const text = Buffer.concat(chunks).toString();
    const call: GatedCall = {
      method: request.method ?? '',
      path: request.url ?? '',
      body: text === '' ? {} : (JSON.parse(text) as Record<string, unknown>),
    };
    if (isTrapped('request', call)) return void held.add(response);
    const hangUp = new AbortController();
    response.on('close', () => hangUp.abort());
    const { authorization, 'user-agent': userAgent } = request.headers;
    const upstream = await fetch(portalUrl + call.path, {
      method: call.method,
      headers: {
        ...(authorization !== undefined && { authorization }),
        ...(userAgent !== undefined && { 'user-agent': userAgent }),
        ...(text !== '' && { 'content-type': 'application/json' }),
      },
      ...(text !== '' && { body: JSON.stringify(gate.rewrite(call)) }),
      signal: hangUp.signal,
    });
    const reply = await upstream.text();
    if (isTrapped('answer', { ...call, answer: JSON.parse(reply) as Record<string, unknown> }))
      return void held.add(response);
    response.writeHead(upstream.status, { 'content-type': 'application/json' }).end(reply);
  }

  const server = createServer((request, response) => {
    pass(request, response).catch(() => response.destroy());
  });
  const port = await listen(server);
  const gate: Gate = {
    url: `http://127.0.0.1:${port}`,
    hangUp() {
      for (const response of held) response.destroy();
      held.clear();
    },
    rewrite: ({ body }) => body,
    hold: (where, matches) => new Promise((resolve) => traps.add({ where, matches, spring: resolve })),
    close() {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
  return gate;
}

export interface Door {
  readonly url: string;
  /**
   * Holds the next connection, for good: `request` = nothing of it is read; a number = so many bytes of the answer get out.
   * The promise resolves when that point is reached.
   */
  hold(at: 'request' | number): Promise<void>;
  close(): Promise<void>;
}

/** A TCP proxy in front of the target. */
export async function startDoor(targetPort: number): Promise<Door> {
  const traps: { at: 'request' | number; spring(): void }[] = [];
  const sockets = new Set<Socket>();
  const server = createTcpServer({ pauseOnConnect: true }, (outside) => {
    sockets.add(outside);
    outside.on('error', () => {}).on('close', () => sockets.delete(outside));
    const trap = traps.shift();
    if (trap?.at === 'request') return trap.spring();
    const inside = connect(targetPort, '127.0.0.1');
    sockets.add(inside);
    inside.on('error', () => outside.destroy()).on('close', () => sockets.delete(inside));
    outside.on('close', () => inside.destroy());
    outside.pipe(inside);
    if (!trap) {
      inside.pipe(outside);
      return;
    }
    inside.once('data', (chunk) => {
      inside.pause();
      const part = chunk.subarray(0, Number(trap.at));
      if (part.length === 0) trap.spring();
      else outside.write(part, () => trap.spring());
    });
  });
  const port = await listen(server);
  return {
    url: `http://127.0.0.1:${port}`,
    hold: (at) => new Promise((resolve) => traps.push({ at, spring: resolve })),
    close() {
      for (const socket of sockets) socket.destroy();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}

function listen(server: ReturnType<typeof createTcpServer>): Promise<number> {
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port));
  });
}
