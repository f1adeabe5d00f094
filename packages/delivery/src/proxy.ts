import { BlockList, isIP } from 'node:net';

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
