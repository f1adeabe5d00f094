import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createTlsServer, type ServerOptions } from 'node:https';
import { type AddressInfo, createServer as createTcpServer, type Server, type Socket } from 'node:net';
import { selfSigned } from './self-signed.ts';

/** A real HTTP server on loopback that records what it gets, byte by byte, and answers as the test says. */
export interface ReceivedRequest {
  method: string;
  path: string;
  headers: IncomingHttpHeaders;
  /** Exactly the bytes of the body. */
  body: Buffer;
}
export type Answer = (request: ReceivedRequest, response: ServerResponse) => void | Promise<void>;

export interface Receiver {
  url: string;
  port: number;
  requests: ReceivedRequest[];
  /** How the next requests are answered; 200 `{"ok":true}` at first. */
  answer: Answer;
  close(): Promise<void>;
}

export const answerOk: Answer = (_, response) => {
  response.setHeader('content-type', 'application/json').end('{"ok":true}');
};

/** `answer` in the result may be replaced at any time. */
export async function startReceiver(
  options: {
    host?: string /** True = with the self-signed certificate. */;
    tls?: boolean | ServerOptions;
    answer?: Answer;
  } = {},
): Promise<Receiver> {
  const host = options.host ?? '127.0.0.1';
  const receiver: Receiver = {
    url: '',
    port: 0,
    requests: [],
    answer: options.answer ?? answerOk,
    close: () => closeServer(server),
  };
  const onRequest = async (request: IncomingMessage, response: ServerResponse) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const received = {
      method: request.method ?? '',
      path: request.url ?? '',
      headers: request.headers,
      body: Buffer.concat(chunks),
    };
    receiver.requests.push(received);
    await receiver.answer(received, response);
  };
  const tls = options.tls === true ? selfSigned : options.tls;
  const server = tls ? createTlsServer(tls, onRequest) : createServer(onRequest);
  receiver.port = await listen(server, host);
  const name = host.includes(':') ? `[${host}]` : host;
  receiver.url = `${options.tls ? 'https' : 'http'}://${name}:${receiver.port}`;
  return receiver;
}

export interface RawServer {
  url: string;
  port: number;
  connections(): number;
  close(): Promise<void>;
}

/** A TCP server for targets that break HTTP. `onData` is called for each chunk that a client sends. */
export async function startRawServer(onData: (socket: Socket, chunk: Buffer) => void): Promise<RawServer> {
  let count = 0;
  const sockets = new Set<Socket>();
  const server = createTcpServer((socket) => {
    count += 1;
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => sockets.delete(socket));
    socket.on('data', (chunk) => onData(socket, chunk));
  });
  const port = await listen(server, '127.0.0.1');
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    connections: () => count,
    close: () => {
      for (const socket of sockets) socket.destroy();
      return closeServer(server);
    },
  };
}

/** Ways in which targets misbehave; each takes one request and does its worst. */
export const misbehaviours = {
  /** A body of 10 GB, as fast as the client reads. Stops when the client hangs up. */
  tenGigabytes(socket: Socket): void {
    const total = 10 * 1024 ** 3;
    socket.write(`HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: ${total}\r\n\r\n`);
    const chunk = Buffer.alloc(64 * 1024, 'x');
    const pump = () => {
      while (!socket.destroyed && socket.write(chunk));
    };
    socket.on('drain', pump);
    pump();
  },
  /** Promises 100 bytes, sends 10, closes. */
  closesMidAnswer(socket: Socket): void {
    socket.write('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n0123456789', () => socket.destroy());
  },
  /** Takes the request and closes without a word. */
  closesAtOnce(socket: Socket): void {
    socket.destroy();
  },
  /** Something that is no HTTP. */
  speaksGarbage(socket: Socket): void {
    socket.end('SSH-2.0-OpenSSH_9.6\r\n\0\u0001\u0002garbage');
  },
  /** The status at once, then the body byte by byte for ever. */
  dripsItsBody(socket: Socket): void {
    socket.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n');
    const timer = setInterval(() => socket.write('1\r\nx\r\n'), 20);
    socket.on('close', () => clearInterval(timer));
  },
  /** Takes the request and never answers. */
  staysSilent(): void {},
} satisfies Record<string, (socket: Socket) => void>;

function listen(server: Server, host: string): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, host, () => resolve((server.address() as AddressInfo).port));
  });
}

function closeServer(server: Server): Promise<void> {
  if ('closeAllConnections' in server && typeof server.closeAllConnections === 'function') server.closeAllConnections();
  return new Promise((resolve) => server.close(() => resolve()));
}
