import { bracketed, ProxyFailure } from './proxy.ts';

/**
 * A connection that was never made. Wrapping the cause at the connector is what lets the sender say "nothing was sent"
 * with certainty: the same codes (ECONNRESET, ETIMEDOUT …) also occur after the request went out.
 */
export class ConnectFailure extends Error {
  readonly code: string;

  /** `detail` says more about the cause than its code does. */
  constructor(cause: Error, target: ConnectTarget, detail?: string) {
    super(detail ?? (cause instanceof ProxyFailure ? cause.message : explain(cause, target)), { cause });
    this.name = 'ConnectFailure';
    this.code = codeOf(cause);
  }
}

/** The address guard refused every address of the target. Final: another attempt is refused too. */
export class ForbiddenAddress extends Error {
  readonly code = 'FORBIDDEN_ADDRESS';
}

export interface ConnectTarget {
  hostname: string;
  port: number;
}

/** One text per way a connection fails, with what to do about it. */
const explanations: Record<string, (at: string, host: string) => string> = {
  ENOTFOUND: (_, host) => `DNS has no address for ${host}; is the name right, and is it resolvable from here?`,
  EAI_AGAIN: (_, host) => `DNS gave no answer about ${host}; is a name server reachable from here?`,
  ECONNREFUSED: (at) => `connection refused: nothing listens on ${at}`,
  EHOSTUNREACH: (at) => `no route to ${at}`,
  ENETUNREACH: (at) => `no network route to ${at}`,
  ETIMEDOUT: (at) => `no connection to ${at} in time; a firewall may drop the packets`,
  UND_ERR_CONNECT_TIMEOUT: (at) => `no connection to ${at} in time; a firewall may drop the packets`,
  ECONNRESET: (at) => `${at} closed the connection while it was being set up`,
  EPROTO: (at) => `TLS with ${at} failed; does the port speak TLS, or is the URL meant to be http://?`,
  ERR_SSL_WRONG_VERSION_NUMBER: (at) => `${at} does not speak TLS; is the URL meant to be http://?`,
  ERR_SSL_PACKET_LENGTH_TOO_LONG: (at) => `${at} does not speak TLS; is the URL meant to be http://?`,
  DEPTH_ZERO_SELF_SIGNED_CERT: (at) => `the certificate of ${at} is self-signed; ${trustRemedy}`,
  SELF_SIGNED_CERT_IN_CHAIN: (at) =>
    `the certificate of ${at} comes from a CA that is not trusted here; ${trustRemedy}`,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: (at) =>
    `the certificate chain of ${at} is incomplete or its CA is not trusted here; let the service send its intermediate certificates, or ${trustRemedy}`,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: (at) => `the CA of the certificate of ${at} is not trusted here; ${trustRemedy}`,
  UNABLE_TO_GET_ISSUER_CERT: (at) =>
    `the certificate chain of ${at} is incomplete; let the service send its intermediate certificates`,
  CERT_HAS_EXPIRED: (at) => `the certificate of ${at} has expired; renew it, and check the clock of this machine`,
  CERT_NOT_YET_VALID: (at) => `the certificate of ${at} is not valid yet; check the clock of this machine`,
  ERR_TLS_CERT_ALTNAME_INVALID: (at, host) =>
    `the certificate of ${at} is not for the name ${host}; call the service by a name in its certificate`,
};
const trustRemedy = 'add the CA with NODE_EXTRA_CA_CERTS=/path/to/ca.pem';

export function nameTarget({ hostname, port }: ConnectTarget): string {
  return `${bracketed(hostname)}:${port}`;
}

function explain(cause: Error, target: ConnectTarget): string {
  const host = target.hostname;
  const at = nameTarget(target);
  const code = codeOf(cause);
  return explanations[code]?.(at, host) ?? `no connection to ${at}: ${firstMessage(cause)}`;
}

/** Of several addresses that all failed (AggregateError) the first one speaks. */
export function codeOf(error: Error): string {
  if ('code' in error && typeof error.code === 'string') return error.code;
  if (error instanceof AggregateError && error.errors[0] instanceof Error) return codeOf(error.errors[0]);
  return 'CONNECT_FAILED';
}

function firstMessage(error: Error): string {
  if (error.message !== '') return error.message;
  if (error instanceof AggregateError && error.errors[0] instanceof Error) return error.errors[0].message;
  return error.name;
}
