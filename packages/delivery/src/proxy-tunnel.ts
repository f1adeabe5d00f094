import { isIP, type Socket } from 'node:net';
import { bracketed, type ForwardProxy, ProxyFailure, proxyAuthorization, wantsLogin } from './proxy.ts';

/**
 * Makes an open connection to the proxy a connection to the target. `address` is what the proxy is asked for: the host
 * name, or an address that was resolved and checked here. Rejects with a ProxyFailure or the socket's error.
 */
export async function tunnel(socket: Socket, proxy: ForwardProxy, address: string, port: number): Promise<void> {
  const reader = new Handshake(socket, proxy);
  try {
    if (proxy.protocol.startsWith('socks5')) await socks5(socket, reader, proxy, address, port);
    else await connectMethod(socket, reader, proxy, address, port);
  } finally {
    reader.release();
  }
}

async function connectMethod(
  socket: Socket,
  reader: Handshake,
  proxy: ForwardProxy,
  address: string,
  port: number,
): Promise<void> {
  const authority = `${bracketed(address)}:${port}`;
  const authorization = proxyAuthorization(proxy);
  const login = authorization === undefined ? '' : `Proxy-Authorization: ${authorization}\r\n`;
  socket.write(`CONNECT ${authority} HTTP/1.1\r\nHost: ${authority}\r\n${login}\r\n`);
  const head = await reader.takeHead();
  const status = Number(/^HTTP\/1\.[01] (\d{3})/.exec(head)?.[1]);
  if (status >= 200 && status < 300) return;
  if (status === 407) throw wantsLogin(proxy);
  if (Number.isNaN(status))
    throw new ProxyFailure('PROXY_PROTOCOL', proxy, 'does not speak HTTP; is its scheme right?');
  throw new ProxyFailure(
    'PROXY_REFUSED',
    proxy,
    `refuses a connection to ${authority} with status ${status}; have it allowed there, or add the host to NO_PROXY`,
  );
}

const socksReplies: Record<number, string> = {
  1: 'failed',
  2: 'does not allow it',
  3: 'has no route to its network',
  4: 'can not reach the host',
  5: 'was refused by the host',
  6: 'got no answer in time',
  7: 'does not know the command',
  8: 'does not know this kind of address',
};

/** With which HTTP begins every answer. */
const letterH = 0x48;

/** RFC 1928, with user and password of RFC 1929. */
async function socks5(
  socket: Socket,
  reader: Handshake,
  proxy: ForwardProxy,
  address: string,
  port: number,
): Promise<void> {
  const methods = proxy.login === undefined ? [0] : [0, 2];
  socket.write(Buffer.from([5, methods.length, ...methods]));
  const [version, method] = await reader.take(2);
  if (version === letterH) throw speaksAnother(proxy, 'HTTP', 'http');
  if (version !== 5) throw new ProxyFailure('PROXY_PROTOCOL', proxy, 'does not speak SOCKS 5; is its scheme right?');
  if (method === 2 && proxy.login !== undefined) {
    const [user, password] = [Buffer.from(proxy.login.username), Buffer.from(proxy.login.password)];
    socket.write(Buffer.concat([Buffer.from([1, user.length]), user, Buffer.from([password.length]), password]));
    if ((await reader.take(2))[1] !== 0) throw wantsLogin(proxy);
  } else if (method !== 0) throw wantsLogin(proxy);

  const portBytes = Buffer.alloc(2);
  portBytes.writeUInt16BE(port);
  socket.write(Buffer.concat([Buffer.from([5, 1, 0]), socksAddress(address), portBytes]));
  const [, reply = 1, , kind] = await reader.take(4);
  if (reply !== 0) {
    const problem = `${socksReplies[reply] ?? `answered ${reply}`} when asked for ${bracketed(address)}:${port}; have it allowed there, or add the host to NO_PROXY`;
    throw new ProxyFailure('PROXY_REFUSED', proxy, problem);
  }
  // The address that the proxy uses on the far side, which nobody needs.
  const length = kind === 1 ? 4 : kind === 4 ? 16 : ((await reader.take(1))[0] ?? 0);
  await reader.take(length + 2);
}

/**
 * Of a proxy that was taken for one of HTTP and hung up: is it one of SOCKS? It is greeted as such on a connection of its
 * own, and asked for nothing.
 */
export async function findSocks(socket: Socket, proxy: ForwardProxy): Promise<ProxyFailure | undefined> {
  const reader = new Handshake(socket, proxy);
  // Also when the reader has let go of it: without a listener an error would end the process.
  socket.on('error', () => {});
  const timer = setTimeout(() => socket.destroy(), greetingMs);
  try {
    socket.write(Buffer.from([5, 1, 0]));
    const [version] = await reader.take(2);
    return version === 5 ? speaksAnother(proxy, 'SOCKS', 'socks5h') : undefined;
  } catch {
    return undefined;
  } finally {
    clearTimeout(timer);
    reader.release();
    socket.destroy();
  }
}
const greetingMs = 1_000;

function speaksAnother(proxy: ForwardProxy, protocol: string, scheme: string): ProxyFailure {
  const there = `${bracketed(proxy.hostname)}:${proxy.port}`;
  const remedy = `speaks ${protocol}: write ${proxy.variable}=${scheme}://${there}, with user:password@ before the host where it wants a login`;
  return new ProxyFailure('PROXY_PROTOCOL', proxy, remedy);
}

function socksAddress(address: string): Buffer {
  const family = isIP(address);
  if (family === 4) return Buffer.from([1, ...address.split('.').map(Number)]);
  if (family === 6) return Buffer.from([4, ...ipv6Bytes(address)]);
  const name = Buffer.from(address);
  return Buffer.concat([Buffer.from([3, name.length]), name]);
}

function ipv6Bytes(address: string): number[] {
  // The URL parser writes the shortest form in hexadecimal, whatever form came in.
  const [head = '', tail] = new URL(`http://[${address}]`).hostname.slice(1, -1).split('::');
  const words = (text: string) => (text === '' ? [] : text.split(':').map((word) => Number.parseInt(word, 16)));
  const [first, last] = [words(head), words(tail ?? '')];
  const all = [...first, ...Array<number>(8 - first.length - last.length).fill(0), ...last];
  return all.flatMap((word) => [word >> 8, word & 0xff]);
}

/** No proxy needs more for saying yes. */
const maxHandshakeBytes = 64 * 1024;

/** Reads what the proxy says, and leaves what follows in the socket. */
class Handshake {
  private readonly socket: Socket;
  private readonly proxy: ForwardProxy;
  private bytes: Buffer = Buffer.alloc(0);
  private failure: Error | undefined;
  private wake: () => void = () => {};

  constructor(socket: Socket, proxy: ForwardProxy) {
    this.socket = socket;
    this.proxy = proxy;
    socket.on('data', this.onData).on('error', this.onError).on('close', this.onClose);
  }

  async take(count: number): Promise<Buffer> {
    while (this.bytes.length < count) await this.more();
    const taken = this.bytes.subarray(0, count);
    this.bytes = this.bytes.subarray(count);
    return taken;
  }

  async takeHead(): Promise<string> {
    let end = this.bytes.indexOf('\r\n\r\n');
    for (; end < 0; end = this.bytes.indexOf('\r\n\r\n')) await this.more();
    return (await this.take(end + 4)).toString('latin1');
  }

  release(): void {
    this.socket.off('data', this.onData).off('error', this.onError).off('close', this.onClose);
    this.socket.pause();
    if (this.bytes.length > 0 && !this.socket.destroyed) this.socket.unshift(this.bytes);
  }

  private async more(): Promise<void> {
    if (this.failure === undefined && this.bytes.length <= maxHandshakeBytes) {
      await new Promise<void>((resolve) => {
        this.wake = resolve;
      });
    }
    if (this.failure !== undefined) throw this.failure;
    if (this.bytes.length > maxHandshakeBytes) {
      throw new ProxyFailure('PROXY_PROTOCOL', this.proxy, 'answers at length, but not as a proxy does');
    }
  }

  private readonly onData = (chunk: Buffer): void => {
    this.bytes = Buffer.concat([this.bytes, chunk]);
    this.wake();
  };
  private readonly onError = (error: Error): void => {
    this.failure ??= error;
    this.wake();
  };
  private readonly onClose = (): void => {
    this.failure ??= new ProxyFailure(
      'PROXY_CLOSED',
      this.proxy,
      'closed the connection; is its scheme right, and does it let this machine in?',
    );
    this.wake();
  };
}
