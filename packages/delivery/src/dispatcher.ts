import { isIP } from 'node:net';
import type { buildConnector, Dispatcher } from 'undici';
import connectorOf from 'undici/lib/core/connect.js';
import Agent from 'undici/lib/dispatcher/agent.js';
import type { AddressGuard } from './address-guard.ts';
import { ConnectFailure, ForbiddenAddress } from './connect-errors.ts';

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
}

export type DeliveryAgent = Dispatcher;

/** The undici dispatcher that deliveries go through: guarded, HTTP/1.1, errors before the connection marked as such. */
export function createDeliveryAgent(options: DeliveryAgentOptions): DeliveryAgent {
  return new Agent({
    connect: guardedConnector(options.guard, {
      timeout: options.connectTimeoutMs ?? 10_000,
      rejectUnauthorized: options.verifyTls ?? true,
    }),
    pipelining: options.freshConnections ? 0 : 1,
  });
}

/** Connectors are made per port, because a lookup learns the name but not the port; more ports than this start afresh. */
const maxConnectors = 256;

export function guardedConnector(
  guard: AddressGuard | undefined,
  base: buildConnector.BuildOptions,
): buildConnector.connector {
  const connectors = new Map<number, buildConnector.connector>();
  return (options, callback) => {
    const port = Number(options.port) || (options.protocol === 'https:' ? 443 : 80);
    const target = { hostname: options.hostname, port };
    if (guard !== undefined && isIP(options.hostname) !== 0) {
      const reason = guard.refusal(options.hostname, target);
      if (reason !== undefined) return callback(new ForbiddenAddress(reason), null);
    }
    let connect = connectors.get(port);
    if (connect === undefined) {
      if (connectors.size >= maxConnectors) connectors.clear();
      connect = connectorOf({ ...base, allowH2: false, ...(guard && { lookup: guard.lookup(port) }) });
      connectors.set(port, connect);
    }
    connect(options, (error, socket) => {
      if (error === null) callback(null, socket);
      else callback(error instanceof ForbiddenAddress ? error : new ConnectFailure(error, target), null);
    });
  };
}
