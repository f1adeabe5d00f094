import { X509Certificate } from 'node:crypto';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { createSecureContext, getCACertificates, type SecureContext } from 'node:tls';

/**
 * Whom TLS connections trust, and who they are: the certificates of the runtime, plus every certificate in the files and
 * directories that the operator names, plus a client certificate.
 *
 * Node reads NODE_EXTRA_CA_CERTS only at its start and the other variables not at all, so the files are read here. They
 * are looked at again before a connection is made, at most once a second: a rotated certificate counts without a restart
 * for every connection from then on. A rotation that can not be read leaves the earlier state in force and says so.
 * A connection that is already open stays open.
 * Cost: a `stat` per file and second while connections are made; one shared context of about 150 certificates.
 */
export interface TrustSources {
  /** Files with one or more PEM certificates, and the variable that names each. */
  files: readonly { path: string; variable: string }[];
  /** Every *.crt, *.pem and *.cer below these. A directory may be absent. */
  directories: readonly { path: string; variable?: string }[];
  client: { certificateFile: string; keyFile: string; passphrase: string | undefined } | undefined;
}

export interface Trust {
  /** The context of now; the same object until something changes. Undefined = nothing beyond what the runtime trusts. */
  context(): SecureContext | undefined;
  /** How many certificates were added to those of the runtime. */
  addedCount(): number;
}

/** `onProblem` hears of every file that could not be used, with the remedy, at the start and after each change. */
export function createTrust(sources: TrustSources, onProblem: (problem: string) => void, lookAgainMs = 1_000): Trust {
  let fingerprint = '';
  let lookedAtMs = Number.NEGATIVE_INFINITY;
  let current: { context: SecureContext | undefined; addedCount: number } = { context: undefined, addedCount: 0 };

  function refresh(): void {
    const nowMs = performance.now();
    if (nowMs - lookedAtMs < lookAgainMs) return;
    lookedAtMs = nowMs;
    const files = listFiles(sources);
    const seen = [...files.map(({ path }) => path), sources.client?.certificateFile, sources.client?.keyFile]
      .map(stateOf)
      .join('\n');
    if (seen === fingerprint) return;
    fingerprint = seen;
    current = load(files, sources.client, current, onProblem);
  }

  refresh();
  return {
    context: () => {
      refresh();
      return current.context;
    },
    addedCount: () => {
      refresh();
      return current.addedCount;
    },
  };
}

interface NamedFile {
  path: string;
  variable: string | undefined;
}

function listFiles(sources: TrustSources): NamedFile[] {
  const found = sources.directories.flatMap(({ path, variable }) => {
    try {
      return readdirSync(path, { recursive: true, encoding: 'utf8' })
        .filter((name) => /\.(crt|pem|cer)$/i.test(name))
        .sort()
        .map((name) => ({ path: join(path, name), variable }));
    } catch {
      return [];
    }
  });
  return [...sources.files, ...found];
}

function stateOf(path: string | undefined): string {
  if (path === undefined) return '';
  const stat = statSync(path, { throwIfNoEntry: false });
  return `${path} ${stat?.mtimeMs} ${stat?.size} ${stat?.ino}`;
}

function load(
  files: readonly NamedFile[],
  client: TrustSources['client'],
  before: { context: SecureContext | undefined; addedCount: number },
  onProblem: (problem: string) => void,
) {
  const added = new Set<string>();
  for (const { path, variable } of files) {
    const of = variable === undefined ? path : `${path} (${variable})`;
    try {
      const certificates = readCertificates(readFileSync(path, 'utf8'));
      if (certificates.length === 0)
        onProblem(`${of} holds no certificate; it must be PEM: -----BEGIN CERTIFICATE-----`);
      for (const certificate of certificates) added.add(certificate);
    } catch (error) {
      onProblem(`${of} can not be used as CA certificates: ${(error as Error).message}`);
    }
  }
  if (added.size === 0 && client === undefined) return { context: undefined, addedCount: 0 };
  try {
    const context = createSecureContext({
      ca: [...new Set([...getCACertificates('default').map((certificate) => certificate.trim()), ...added])],
      ...(client && {
        cert: readFileSync(client.certificateFile, 'utf8'),
        key: readFileSync(client.keyFile, 'utf8'),
        ...(client.passphrase !== undefined && { passphrase: client.passphrase }),
      }),
    });
    return { context, addedCount: added.size };
  } catch (error) {
    const problem = (error as Error).message;
    onProblem(
      client === undefined
        ? `the CA certificates can not be used: ${problem}`
        : `the client certificate ${client.certificateFile} with the key ${client.keyFile} can not be used: ${problem}; both must be PEM and belong together`,
    );
    return before;
  }
}

/** The PEM blocks of a file, each checked: one that is broken would make the whole context fail. */
function readCertificates(text: string): string[] {
  const blocks = text.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  return blocks.map((block) => new X509Certificate(block).toString().trim());
}
