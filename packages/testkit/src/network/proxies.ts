import { createServer, request as forward, type IncomingMessage, type RequestListener } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { type AddressInfo, connect, createServer as createTcpServer, type Server, type Socket } from 'node:net';
import type { Certificate } from './certificates.ts';

/** Forward proxies on loopback, as companies run them, that record what they were asked for. */
export interface TestProxy {
  /** With the scheme of the proxy, without credentials. */
  url: string;
  host: string;
  /** `CONNECT host:port` or `POST http://host:port/path`, in order. */
  asked: string[];
  close(): Promise<void>;
}

export interface TestProxyOptions {
  /** `user:password` that clients must show. */
  login?: string;
  tls?: Certificate;
  /** Where names lead; what is not named is connected to as asked. */
  hosts?: Readonly<Record<string, string>>;
  /** Answer everything with this status. */
  refuseWith?: number;
}

export async function startHttpProxy(options: TestProxyOptions = {}): Promise<TestProxy> {
  const asked: string[] = [];
  const sockets = new Set<Socket>();
  const refusal = (request: IncomingMessage): number | undefined => {
    const expected = options.login && `Basic ${Buffer.from(options.login).toString('base64')}`;
    return expected && request.headers['proxy-authorization'] !== expected ? 407 : options.refuseWith;
  };
  const onRequest: RequestListener = (request, response) => {
    asked.push(`${request.method} ${request.url}`);
    const status = refusal(request);
    if (status !== undefined) return void response.writeHead(status).end('the proxy says no');
    const url = new URL(request.url ?? '');
    const { 'proxy-authorization': _, ...headers } = request.headers;
    const onward = forward(
      {
        host: options.hosts?.[url.hostname] ?? url.hostname,
        port: url.port,
        path: url.pathname + url.search,
        method: request.method,
        headers: { ...headers, via: '1.1 test-proxy' },
      },
      (answer) => {
        response.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(response);
      },
    );
    onward.on('error', () => (response.headersSent ? response.destroy() : response.writeHead(502).end()));
    // A caller that hangs up is hung up at the other side too; else the portal would hand a run to a claim that is gone.
    response.on('close', () => onward.destroy());
    request.pipe(onward);
  };
  const server = options.tls ? createTlsServer(options.tls, onRequest) : createServer(onRequest);
  server.on('connect', (request: IncomingMessage, socket: Socket, head: Buffer) => {
    asked.push(`CONNECT ${request.url}`);
    const status = refusal(request);
    if (status !== undefined) return void socket.end(`HTTP/1.1 ${status} No\r\nContent-Length: 0\r\n\r\n`);
    const [, host = '', port] = /^\[?(.*?)\]?:(\d+)$/.exec(request.url ?? '') ?? [];
    const onward = connect(Number(port), options.hosts?.[host] ?? host, () => {
      socket.write('HTTP/1.1 200 Connection established\r\n\r\n');
      onward.write(head);
      join(socket, onward);
    });
    onward.on('error', () => socket.end('HTTP/1.1 502 Bad Gateway\r\n\r\n'));
  });
  return listen(server, options.tls ? 'https' : 'http', asked, sockets);
}

/** SOCKS 5 with CONNECT, for names and IPv4 addresses, with or without a login. */
export async function startSocksProxy(options: Pick<TestProxyOptions, 'login' | 'hosts'> = {}): Promise<TestProxy> {
  const asked: string[] = [];
  const server = createTcpServer(async (socket) => {
    socket.on('error', () => {});
    try {
      const take = reader(socket);
      const [version, count = 0] = await take(2);
      // Spoken to in another protocol.
      if (version !== 5) return void socket.destroy();
      const methods = await take(count);
      const wanted = options.login === undefined ? 0 : 2;
      if (!methods.includes(wanted)) return void socket.end(Buffer.from([5, 0xff]));
      socket.write(Buffer.from([5, wanted]));
      if (wanted === 2) {
        const user = (await take((await take(2))[1] ?? 0)).toString();
        const password = (await take((await take(1))[0] ?? 0)).toString();
        const isRight = `${user}:${password}` === options.login;
        socket.write(Buffer.from([1, isRight ? 0 : 1]));
        if (!isRight) return void socket.end();
      }
      const [, , , kind] = await take(4);
      const host = kind === 1 ? (await take(4)).join('.') : (await take((await take(1))[0] ?? 0)).toString();
      const port = (await take(2)).readUInt16BE();
      asked.push(`CONNECT ${host}:${port}`);
      const onward = connect(port, options.hosts?.[host] ?? host, () => {
        socket.write(Buffer.from([5, 0, 0, 1, 127, 0, 0, 1, 0, 0]));
        join(socket, onward);
      });
      onward.on('error', () => socket.end(Buffer.from([5, 5, 0, 1, 0, 0, 0, 0, 0, 0])));
    } catch {
      socket.destroy();
    }
  });
  return listen(server, 'socks5', asked, new Set());
}

function join(one: Socket, other: Socket): void {
  one.pipe(other).on('error', () => one.destroy());
  other.pipe(one).on('error', () => other.destroy());
  one.on('close', () => other.destroy());
  other.on('close', () => one.destroy());
}

/** Takes so many bytes, as soon as they are there. What a client sends ahead of its turn is not passed on; none does. */
function reader(socket: Socket): (count: number) => Promise<Buffer> {
  let held = Buffer.alloc(0);
  return async (count) => {
    while (held.length < count) {
      // All that is there: a stream that holds too few bytes says "readable" to every new listener at once, without end.
      const bytes = socket.read() as Buffer | null;
      if (bytes !== null) held = Buffer.concat([held, bytes]);
      else if (socket.destroyed || socket.readableEnded) throw new Error('the client left');
      else
        await new Promise<void>((resolve) => {
          const go = () => {
            for (const event of ['readable', 'end', 'close']) socket.off(event, go);
            resolve();
          };
          for (const event of ['readable', 'end', 'close']) socket.on(event, go);
        });
    }
    const taken = held.subarray(0, count);
    held = held.subarray(count);
    return taken;
  };
}

async function listen(server: Server, scheme: string, asked: string[], sockets: Set<Socket>): Promise<TestProxy> {
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => {}).on('close', () => sockets.delete(socket));
  });
  server.listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    url: `${scheme}://${host}`,
    host,
    asked,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
}
