import { lookup as dnsLookup } from 'node:dns';
import { connect as connectSocket, isIP, type LookupFunction, type Socket } from 'node:net';
import type { SecureContext } from 'node:tls';
import type { buildConnector, Dispatcher } from 'undici';
import connectorOf from 'undici/lib/core/connect.js';
import Agent from 'undici/lib/dispatcher/agent.js';
import type { AddressGuard } from './address-guard.ts';
import { explainChain } from './chain.ts';
import { ConnectFailure, type ConnectTarget, codeOf, ForbiddenAddress, nameTarget } from './connect-errors.ts';
import {
  bracketed,
  displayProxy,
  type FindProxy,
  type ForwardProxy,
  ProxyFailure,
  proxyAuthorization,
  wantsLogin,
} from './proxy.ts';
import { findSocks, tunnel } from './proxy-tunnel.ts';
import type { Trust } from './trust.ts';

export interface DeliveryAgentOptions {
  /** Absent = no address is refused: only for addresses that the operator configured, such as the portal's own. */
  guard?: AddressGuard;
  /** False accepts any certificate. The log of the process should say so at start-up. */
  verifyTls?: boolean;
  connectTimeoutMs?: number;
  /**
   * True opens a connection per request. A reused connection may be closed by the target at the moment of sending,
   * which looks like a broken answer; deliveries that are not repeated should not run that risk.
   */
  freshConnections?: boolean;
  /** Proxies; absent = every connection is direct. */
  findProxy?: FindProxy | undefined;
  /** CAs and client certificate; absent = what the runtime trusts. */
  trust?: Trust;
  /** Hears of every connection to a target that was made, TLS included; for diagnoses. */
  onConnected?: (socket: Socket) => void;
}

export interface DeliveryAgent extends Pick<Dispatcher, 'dispatch'> {
  /** Lets what is under way end. */
  close(): Promise<void>;
  destroy(): Promise<void>;
}

/**
 * The dispatcher that deliveries go through: guarded, HTTP/1.1, errors before the connection marked as such.
 *
 *   http:// target with an HTTP proxy      asked of the proxy with the absolute URL, over connections of their own
 *   anything else                          the connector opens a socket to the target, through a tunnel where one is due
 *
 * A proxy is what the operator configured, so the guard does not judge its address. It judges the target as far as it is
 * known here: literal addresses always, names when they are resolved here (all but HTTP proxies and socks5h).
 */
export function createDeliveryAgent(options: DeliveryAgentOptions): DeliveryAgent {
  const { guard, findProxy } = options;
  const pipelining = options.freshConnections ? 0 : 1;
  const direct = new Agent({ connect: connectorTo(options), pipelining });
  if (findProxy === undefined) return direct;
  const { guard: _, ...rest } = options;
  const toProxies = { ...rest, findProxy: undefined };
  const proxied = new Agent({
    connect: connectorTo(toProxies),
    pipelining,
  });
  return {
    dispatch(request, handler) {
      const url = new URL(`${request.origin}${request.path}`);
      const target = { hostname: url.hostname.replace(/^\[(.*)\]$/, '$1'), port: Number(url.port) || 80 };
      const proxy = url.protocol === 'http:' ? findProxy({ protocol: url.protocol, ...target }) : undefined;
      if (proxy === undefined || proxy.protocol.startsWith('socks5')) return direct.dispatch(request, handler);
      const refusal = guard && refusalOfName(guard, target);
      const authorization = proxyAuthorization(proxy);
      return proxied.dispatch(
        {
          ...request,
          origin: displayProxy(proxy),
          path: url.href,
          headers: {
            ...(request.headers as Record<string, string>),
            host: url.host,
            ...(authorization !== undefined && { 'proxy-authorization': authorization }),
          },
        },
        new ProxiedHandler(handler, proxy, refusal),
      );
    },
    close: async () => void (await Promise.all([direct.close(), proxied.close()])),
    destroy: async () => void (await Promise.all([direct.destroy(), proxied.destroy()])),
  };
}

/** Names under which clouds publish their metadata service; a proxy would resolve them where nobody checks. */
const metadataNames = new Set(['metadata.google.internal', 'metadata.goog', 'metadata', 'instance-data']);

function refusalOfName(guard: AddressGuard, target: ConnectTarget): ForbiddenAddress | undefined {
  const name = target.hostname.toLowerCase().replace(/\.$/, '');
  const reason = isIP(name) !== 0 ? guard.refusal(name, target) : undefined;
  if (reason !== undefined) return new ForbiddenAddress(reason);
  if (!metadataNames.has(name)) return undefined;
  return new ForbiddenAddress(`${name} is a cloud metadata service; it is never called`);
}

/** Tells the answers of the proxy itself from those of the target, as far as HTTP does: 407 comes from proxies only. */
class ProxiedHandler implements Dispatcher.DispatchHandler {
  private readonly inner: Dispatcher.DispatchHandler;
  private readonly proxy: ForwardProxy;
  private readonly refusal: ForbiddenAddress | undefined;
  private hasAnswered = false;

  constructor(inner: Dispatcher.DispatchHandler, proxy: ForwardProxy, refusal: ForbiddenAddress | undefined) {
    this.inner = inner;
    this.proxy = proxy;
    this.refusal = refusal;
  }

  onRequestStart(controller: Dispatcher.DispatchController, context: unknown): void {
    // Nothing is written after an abort here.
    if (this.refusal !== undefined) controller.abort(this.refusal);
    else this.inner.onRequestStart?.(controller, context);
  }

  onResponseStart(...given: Parameters<NonNullable<Dispatcher.DispatchHandler['onResponseStart']>>): void {
    const [controller, statusCode] = given;
    this.hasAnswered = true;
    if (statusCode === 407) {
      controller.abort(new ConnectFailure(wantsLogin(this.proxy), this.proxy));
    } else this.inner.onResponseStart?.(...given);
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.inner.onResponseData?.(controller, chunk);
  }

  onResponseEnd(controller: Dispatcher.DispatchController, trailers: Record<string, string | string[]>): void {
    this.inner.onResponseEnd?.(controller, trailers);
  }

  onResponseError(controller: Dispatcher.DispatchController, error: Error): void {
    const isUnconnected =
      error instanceof ConnectFailure && error.cause instanceof Error && !(error.cause instanceof ProxyFailure);
    const fail = (reason: Error) => this.inner.onResponseError?.(controller, reason);
    if (isUnconnected) fail(unreachableProxy(this.proxy, error.cause as Error));
    else if (this.hasAnswered || error instanceof ConnectFailure || error instanceof ForbiddenAddress) fail(error);
    // No ConnectFailure: some proxies speak both protocols, and such a one may have passed the request on.
    else void misunderstood(this.proxy, error).then((failure) => fail(failure ?? error));
  }
}

/** What comes of speaking HTTP to a proxy of another kind; each has other causes, too, so the proxy is asked what it is. */
const misunderstandings = new Set([
  'PROXY_CLOSED',
  'PROXY_PROTOCOL',
  'ECONNRESET',
  'EPIPE',
  'UND_ERR_SOCKET',
  'HPE_INVALID_CONSTANT',
]);

async function misunderstood(proxy: ForwardProxy, error: Error): Promise<ProxyFailure | undefined> {
  if (proxy.protocol !== 'http:' || !misunderstandings.has(codeOf(error))) return undefined;
  const socket = await openSocket(proxy, undefined, defaultConnectTimeoutMs).catch(() => undefined);
  return socket && findSocks(socket, proxy);
}

function unreachableProxy(proxy: ForwardProxy, cause: Error): ConnectFailure {
  const reason = new ConnectFailure(cause, proxy).message;
  const failure = new ProxyFailure('PROXY_UNREACHABLE', proxy, `can not be reached: ${reason}`);
  return new ConnectFailure(failure, proxy);
}

/** Connectors are made per port, because a lookup learns the name but not the port; more ports than this start afresh. */
const maxConnectors = 256;
const defaultConnectTimeoutMs = 10_000;
/** Verification failures about which the chain itself says more. */
const chainCodes = new Set([
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'CERT_HAS_EXPIRED',
]);

function connectorTo(options: DeliveryAgentOptions): buildConnector.connector {
  const { guard, findProxy, trust } = options;
  const timeoutMs = options.connectTimeoutMs ?? defaultConnectTimeoutMs;
  const connectors = new Map<number, buildConnector.connector>();
  let trusted: SecureContext | undefined;

  /** With their TLS sessions, so connectors of a trust that is no more are dropped. */
  const connectorFor = (port: number): buildConnector.connector => {
    const secureContext = trust?.context();
    if (secureContext !== trusted || connectors.size >= maxConnectors) connectors.clear();
    trusted = secureContext;
    let connect = connectors.get(port);
    if (connect === undefined) {
      connect = connectorOf({
        timeout: timeoutMs,
        rejectUnauthorized: options.verifyTls ?? true,
        allowH2: false,
        ...(secureContext && { secureContext }),
        ...(guard && { lookup: guard.lookup(port) }),
      });
      connectors.set(port, connect);
    }
    return connect;
  };

  /** A plain socket to the target, through the proxy where there is one. */
  const open = (target: ConnectTarget, proxy: ForwardProxy | undefined): Promise<Socket> => {
    const lookup = guard?.lookup(target.port);
    if (proxy === undefined) return openSocket(target, lookup, timeoutMs);
    return openTunnel(target, proxy, {
      lookup,
      timeoutMs,
      secure: (given, callback) => connectorFor(proxy.port)(given, callback),
    });
  };

  return (given, callback) => {
    const port = Number(given.port) || (given.protocol === 'https:' ? 443 : 80);
    const target = { hostname: given.hostname, port };
    const proxy = findProxy?.({ protocol: given.protocol, ...target });
    const refusal = guard && (proxy !== undefined || isIP(target.hostname) !== 0) && refusalOfName(guard, target);
    if (refusal) return callback(refusal, null);

    const fail = async (error: Error): Promise<void> => {
      if (error instanceof ForbiddenAddress) return callback(error, null);
      if (error instanceof ConnectFailure) return callback(error, null);
      callback(new ConnectFailure(error, target, await diagnose(error)), null);
    };
    const diagnose = async (error: Error): Promise<string | undefined> => {
      const code = codeOf(error);
      if (given.protocol !== 'https:' || error instanceof ProxyFailure || !chainCodes.has(code)) return undefined;
      const servername = isIP(target.hostname) === 0 ? target.hostname : '';
      const socket = await open(target, proxy).catch(() => undefined);
      const secureContext = trust?.context();
      return socket && explainChain(socket, { servername, code, at: nameTarget(target), secureContext });
    };
    const done: buildConnector.Callback = (...[error, socket]) => {
      if (error !== null) return void fail(error);
      options.onConnected?.(socket);
      callback(null, socket);
    };

    if (proxy === undefined) return connectorFor(port)(given, done);
    open(target, proxy).then((socket) => {
      if (given.protocol === 'https:') connectorFor(port)({ ...given, httpSocket: socket }, done);
      else callback(null, socket);
    }, fail);
  };
}

function openSocket(target: ConnectTarget, lookup: LookupFunction | undefined, timeoutMs: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connectSocket({ host: target.hostname, port: target.port, ...(lookup && { lookup }) });
    const timer = setTimeout(() => {
      socket.destroy(Object.assign(new Error('no connection in time'), { code: 'ETIMEDOUT' }));
    }, timeoutMs);
    socket.once('error', reject);
    socket.once('close', () => clearTimeout(timer));
    socket.once('connect', () => {
      clearTimeout(timer);
      socket.off('error', reject);
      socket.setNoDelay(true).setKeepAlive(true, 60_000);
      resolve(socket);
    });
  });
}

interface TunnelOptions {
  lookup: LookupFunction | undefined;
  timeoutMs: number;
  /** TLS with the proxy itself. */
  secure: buildConnector.connector;
}

async function openTunnel(target: ConnectTarget, proxy: ForwardProxy, options: TunnelOptions): Promise<Socket> {
  // Resolved before the proxy hears of it: the address that was checked is the address that is asked for.
  const address = proxy.protocol === 'socks5:' ? await resolve(target.hostname, options.lookup) : target.hostname;
  let socket: Socket;
  try {
    socket = await openSocket(proxy, undefined, options.timeoutMs);
    if (proxy.protocol === 'https:') socket = await secureSocket(socket, proxy, options.secure);
  } catch (error) {
    throw unreachableProxy(proxy, error as Error);
  }
  const timer = setTimeout(() => {
    socket.destroy(new ProxyFailure('PROXY_TIMEOUT', proxy, `did not connect to ${nameTarget(target)} in time`));
  }, options.timeoutMs);
  try {
    await tunnel(socket, proxy, address, target.port);
    return socket;
  } catch (error) {
    socket.on('error', () => {}).destroy();
    throw (await misunderstood(proxy, error as Error)) ?? error;
  } finally {
    clearTimeout(timer);
  }
}

function secureSocket(socket: Socket, proxy: ForwardProxy, secure: buildConnector.connector): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const { hostname, port } = proxy;
    const given = { hostname, host: bracketed(hostname), protocol: 'https:', port: String(port), httpSocket: socket };
    secure(given, (...[error, secured]) => (error === null ? resolve(secured) : reject(error)));
  });
}

function resolve(hostname: string, lookup: LookupFunction | undefined): Promise<string> {
  if (isIP(hostname) !== 0) return Promise.resolve(hostname);
  return new Promise((done, reject) => {
    (lookup ?? (dnsLookup as LookupFunction))(hostname, { all: false }, (error, address) =>
      error ? reject(error) : done(String(address)),
    );
  });
}
