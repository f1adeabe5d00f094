import type { Socket } from 'node:net';
import { connect, type DetailedPeerCertificate, type SecureContext } from 'node:tls';

/**
 * What is wrong with a chain that was not accepted, by name: the verification itself only says that something is. The
 * handshake is done once more without verification, nothing is sent, and the certificates are looked at. Undefined when
 * that is not possible or explains nothing.
 */
export function explainChain(
  socket: Socket,
  options: { servername: string; code: string; at: string; secureContext: SecureContext | undefined },
): Promise<string | undefined> {
  return new Promise((resolve) => {
    const { servername, code, at, secureContext } = options;
    const timer = setTimeout(() => finish(undefined), 3_000);
    const tls = connect({
      socket,
      ...(servername !== '' && { servername }),
      ...(secureContext && { secureContext }),
      rejectUnauthorized: false,
    });
    const finish = (text: string | undefined) => {
      clearTimeout(timer);
      tls.destroy();
      socket.destroy();
      resolve(text);
    };
    tls.once('secureConnect', () => finish(describe(chainOf(tls.getPeerCertificate(true)), code, at)));
    tls.once('error', () => finish(undefined));
  });
}

function chainOf(leaf: DetailedPeerCertificate): DetailedPeerCertificate[] {
  const chain: DetailedPeerCertificate[] = [];
  for (let next = leaf; next?.subject !== undefined && !chain.includes(next); next = next.issuerCertificate) {
    chain.push(next);
  }
  return chain;
}

const trustRemedy =
  'add the CA as a PEM file: SSL_CERT_FILE, NODE_EXTRA_CA_CERTS, or a .crt below /usr/local/share/ca-certificates';

function describe(chain: readonly DetailedPeerCertificate[], code: string, at: string): string | undefined {
  const [leaf] = chain;
  const last = chain.at(-1);
  if (leaf === undefined || last === undefined) return undefined;
  if (code === 'CERT_HAS_EXPIRED') {
    const expired = chain.find((certificate) => Date.parse(certificate.valid_to) < Date.now());
    if (expired === undefined) return undefined;
    return `the certificate ${nameOf(expired.subject)} of ${at} expired on ${new Date(expired.valid_to).toISOString()}; renew it, and check the clock of this machine`;
  }
  const isComplete = nameOf(last.subject) === nameOf(last.issuer);
  const sent = `${at} sends ${chain.map(({ subject }) => nameOf(subject)).join(', then ')}`;
  if (!isComplete) {
    return `the certificate chain of ${at} can not be followed to a trusted CA: ${sent}, but not the certificate of its issuer ${nameOf(last.issuer)}, which is not trusted here either. If that is an intermediate, let the service send it (leaf first, root last); if not, ${trustRemedy}`;
  }
  if (chain.length === 1) return `the certificate ${nameOf(leaf.subject)} of ${at} is self-signed; ${trustRemedy}`;
  return `the CA ${nameOf(last.subject)}, which issued the certificate of ${at}, is not trusted here; ${trustRemedy}`;
}

function nameOf(subject: DetailedPeerCertificate['subject']): string {
  const parts = [subject.CN, subject.O].flat().filter((part) => part !== undefined);
  return `"${parts.length > 0 ? parts.join(', ') : 'without a name'}"`;
}
