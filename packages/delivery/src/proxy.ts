import { BlockList, isIP, type Socket } from 'node:net';

/**
 * Proxies as the environment names them: HTTP_PROXY, HTTPS_PROXY, ALL_PROXY, NO_PROXY, in either case; as with curl the
 * lower-case name wins.
 *
 *   http://target    HTTP_PROXY, else ALL_PROXY     asked with the absolute URL (many proxies refuse CONNECT to port 80)
 *   https://target   HTTPS_PROXY, else ALL_PROXY    CONNECT, then TLS with the target through the tunnel
 *   socks5://        the name is resolved here, so the address guard sees the address
 *   socks5h://       the proxy resolves the name
 *
 * NO_PROXY: `*`, names (with all their subdomains; a leading `.` or `*.` makes no difference), addresses, CIDR ranges,
 * each with an optional port; a URL counts as its host and port. A range matches literal addresses only: no name is
 * resolved to decide about the route.
 */
export interface ForwardProxy {
  protocol: 'http:' | 'https:' | 'socks5:' | 'socks5h:';
  hostname: string;
  port: number;
  /** Undefined = no credentials. */
  login: { username: string; password: string } | undefined;
  /** Where it was set, for messages. */
  variable: string;
}

export interface Endpoint {
  protocol: string;
  hostname: string;
  port: number;
}

export type FindProxy = (endpoint: Endpoint) => ForwardProxy | undefined;

type Environment = Readonly<Record<string, string | undefined>>;

const defaultPorts: Record<ForwardProxy['protocol'], number> = {
  'http:': 80,
  'https:': 443,
  'socks5:': 1080,
  'socks5h:': 1080,
};

/** Throws nothing: mistakes come back as sentences. Without any proxy in the environment `findProxy` is undefined. */
export function readProxies(env: Environment): { findProxy: FindProxy | undefined; mistakes: string[] } {
  const mistakes: string[] = [];
  const read = (name: string): ForwardProxy | undefined => {
    const variable = env[name.toLowerCase()] ? name.toLowerCase() : name;
    const value = env[variable]?.trim();
    if (!value) return undefined;
    const proxy = parseProxy(value, variable);
    if (typeof proxy !== 'string') return proxy;
    mistakes.push(proxy);
    return undefined;
  };
  const all = read('ALL_PROXY');
  const http = read('HTTP_PROXY') ?? all;
  const https = read('HTTPS_PROXY') ?? all;
  const isExcepted = readExceptions(env.no_proxy ?? env.NO_PROXY ?? '', mistakes);
  if (http === undefined && https === undefined) return { findProxy: undefined, mistakes };
  const findProxy: FindProxy = (endpoint) =>
    isExcepted(endpoint) ? undefined : endpoint.protocol === 'https:' ? https : http;
  return { findProxy, mistakes };
}

/** `http://proxy:3128`, as messages show it: without the credentials. */
export function displayProxy(proxy: ForwardProxy): string {
  return `${proxy.protocol}//${bracketed(proxy.hostname)}:${proxy.port}`;
}

export function bracketed(hostname: string): string {
  return isIP(hostname) === 6 ? `[${hostname}]` : hostname;
}

function parseProxy(value: string, variable: string): ForwardProxy | string {
  const url = URL.parse(value.includes('://') ? value : `http://${value}`);
  // Of a scheme that it does not know the URL parser keeps host and port as they are.
  const protocol = url?.protocol === 'socks:' ? 'socks5:' : (url?.protocol as ForwardProxy['protocol'] | undefined);
  if (url === null || url.hostname === '' || protocol === undefined || !(protocol in defaultPorts)) {
    return `${variable} is no proxy: write http://host:port, https://host:port, socks5://host:port or socks5h://host:port, with user:password@ before the host where the proxy wants a login`;
  }
  const login = { username: decode(url.username), password: decode(url.password) };
  return {
    protocol,
    hostname: url.hostname.replace(/^\[(.*)\]$/, '$1'),
    port: Number(url.port) || defaultPorts[protocol],
    login: login.username === '' && login.password === '' ? undefined : login,
    variable,
  };
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function readExceptions(value: string, mistakes: string[]): (endpoint: Endpoint) => boolean {
  const rules = value
    .split(/[\s,]+/)
    .filter((entry) => entry !== '')
    .flatMap((entry) => {
      const rule = parseException(entry.toLowerCase());
      if (rule === undefined) mistakes.push(`NO_PROXY holds "${entry}": write a host, .suffix, address or CIDR range`);
      return rule === undefined ? [] : [rule];
    });
  return (endpoint) => {
    const host = { ...endpoint, hostname: endpoint.hostname.toLowerCase().replace(/\.$/, '') };
    return rules.some((rule) => rule(host));
  };
}

function parseException(entry: string): ((endpoint: Endpoint) => boolean) | undefined {
  if (entry === '*') return () => true;
  const range = /^([0-9a-f:.]+)\/(\d{1,3})$/.exec(entry);
  if (range !== null) {
    const [, address = '', bits] = range;
    const family = isIP(address);
    if (family === 0 || Number(bits) > (family === 6 ? 128 : 32)) return undefined;
    const list = new BlockList();
    list.addSubnet(address, Number(bits), family === 6 ? 'ipv6' : 'ipv4');
    return ({ hostname }) => isIP(hostname) !== 0 && list.check(hostname, isIP(hostname) === 6 ? 'ipv6' : 'ipv4');
  }
  const text = entry.replace(/^[a-z0-9+.-]+:\/\//, '').replace(/\/.*$/, '');
  const match = isIP(text) === 6 ? [text, text] : /^(?:\[([0-9a-f:.]+)\]|([^:[\]]+))(?::(\d{1,5}))?$/.exec(text);
  const name = (match?.[1] ?? match?.[2])?.replace(/^\*?\./, '').replace(/\.$/, '');
  if (!name) return undefined;
  const port = match?.[3] === undefined ? undefined : Number(match[3]);
  return (endpoint) =>
    (port === undefined || port === endpoint.port) &&
    (endpoint.hostname === name || (isIP(endpoint.hostname) === 0 && endpoint.hostname.endsWith(`.${name}`)));
}

/** The proxy said no, or something that no proxy says. `code` is what records keep; the message names the remedy. */
export class ProxyFailure extends Error {
  readonly code: string;

  constructor(code: string, proxy: ForwardProxy, problem: string) {
    super(`the proxy ${displayProxy(proxy)} (${proxy.variable}) ${problem}`);
    this.name = 'ProxyFailure';
    this.code = code;
  }
}

export function wantsLogin(proxy: ForwardProxy): ProxyFailure {
  const remedy =
    proxy.login === undefined
      ? `wants a login: write it into ${proxy.variable} as user:password@ before the host`
      : `refuses the login in ${proxy.variable}; check user and password`;
  return new ProxyFailure('PROXY_LOGIN', proxy, remedy);
}

export function proxyAuthorization(proxy: ForwardProxy): string | undefined {
  if (proxy.login === undefined) return undefined;
  return `Basic ${Buffer.from(`${proxy.login.username}:${proxy.login.password}`).toString('base64')}`;
}

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
