import { createHash, generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto';
import { isIP } from 'node:net';

/**
 * X.509 certificates made on the spot (RFC 5280, ECDSA with P-256), so that a test can have any chain: an authority, one
 * below it, a leaf, one that has expired. For tests only.
 */
export interface Certificate {
  /** PEM. */
  cert: string;
  /** PEM, PKCS 8. */
  key: string;
}

export interface Authority extends Certificate {
  /** Host names and addresses become alternative names. */
  issue(names: readonly string[], options?: { commonName?: string; notAfter?: Date }): Certificate;
  intermediate(commonName: string): Authority;
}

export function createAuthority(commonName: string): Authority {
  const keys = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return authority({ commonName, keys, signer: { commonName, keys } });
}

interface Keys {
  publicKey: KeyObject;
  privateKey: KeyObject;
}
interface Issuer {
  commonName: string;
  keys: Keys;
}

function authority(of: Issuer & { signer: Issuer }): Authority {
  const certificate = build({
    commonName: of.commonName,
    keys: of.keys,
    issuer: of.signer,
    isAuthority: true,
    names: [],
  });
  return {
    ...certificate,
    issue(names, options = {}) {
      const keys = generateKeyPairSync('ec', { namedCurve: 'P-256' });
      const leaf = {
        commonName: options.commonName ?? names[0] ?? 'leaf',
        keys,
        issuer: of,
        isAuthority: false,
        names,
      };
      return build({ ...leaf, ...(options.notAfter && { notAfter: options.notAfter }) });
    },
    intermediate(commonName) {
      const keys = generateKeyPairSync('ec', { namedCurve: 'P-256' });
      return authority({ commonName, keys, signer: of });
    },
  };
}

const dayMs = 86_400_000;

function build(wanted: {
  commonName: string;
  keys: Keys;
  issuer: Issuer;
  isAuthority: boolean;
  names: readonly string[];
  notAfter?: Date;
}): Certificate {
  const { keys, issuer } = wanted;
  const notAfter = wanted.notAfter ?? new Date(Date.now() + 30 * dayMs);
  const notBefore = new Date(Math.min(Date.now(), notAfter.getTime()) - 2 * dayMs);
  const ecdsaWithSha256 = sequence(oid('1.2.840.10045.4.3.2'));
  const body = sequence(
    der(0xa0, integer(Buffer.from([2]))),
    integer(Buffer.concat([Buffer.from([1]), randomBytes(15)])),
    ecdsaWithSha256,
    name(issuer.commonName),
    sequence(time(notBefore), time(notAfter)),
    name(wanted.commonName),
    keys.publicKey.export({ type: 'spki', format: 'der' }),
    der(0xa3, sequence(...extensions(wanted))),
  );
  const signature = sign('sha256', body, issuer.keys.privateKey);
  const certificate = sequence(body, ecdsaWithSha256, der(0x03, Buffer.from([0]), signature));
  const base64 = certificate.toString('base64').replace(/.{1,64}/g, '$&\n');
  return {
    cert: `-----BEGIN CERTIFICATE-----\n${base64}-----END CERTIFICATE-----\n`,
    key: String(keys.privateKey.export({ type: 'pkcs8', format: 'pem' })),
  };
}

function extensions(wanted: { keys: Keys; issuer: Issuer; isAuthority: boolean; names: readonly string[] }): Buffer[] {
  const basic = extension('2.5.29.19', sequence(...(wanted.isAuthority ? [der(0x01, Buffer.from([0xff]))] : [])), true);
  const subjectKey = extension('2.5.29.14', der(0x04, keyId(wanted.keys)));
  const authorityKey = extension('2.5.29.35', sequence(der(0x80, keyId(wanted.issuer.keys))));
  if (wanted.names.length === 0) return [basic, subjectKey, authorityKey];
  const alternatives = wanted.names.map((text) => {
    if (isIP(text) === 4) return der(0x87, Buffer.from(text.split('.').map(Number)));
    return der(0x82, Buffer.from(text));
  });
  return [basic, subjectKey, authorityKey, extension('2.5.29.17', sequence(...alternatives))];
}

function keyId({ publicKey }: Keys): Buffer {
  return createHash('sha1')
    .update(publicKey.export({ type: 'spki', format: 'der' }))
    .digest();
}

function extension(id: string, value: Buffer, isCritical = false): Buffer {
  return sequence(oid(id), ...(isCritical ? [der(0x01, Buffer.from([0xff]))] : []), der(0x04, value));
}

function name(commonName: string): Buffer {
  return sequence(der(0x31, sequence(oid('2.5.4.3'), der(0x0c, Buffer.from(commonName)))));
}

function time(date: Date): Buffer {
  return der(0x18, Buffer.from(`${date.toISOString().replace(/[-:T]/g, '').slice(0, 14)}Z`));
}

function integer(bytes: Buffer): Buffer {
  return der(0x02, bytes);
}

function oid(text: string): Buffer {
  const [first = 0, second = 0, ...rest] = text.split('.').map(Number);
  const bytes = rest.flatMap((part) => {
    const digits = [part & 0x7f];
    for (let left = part >> 7; left > 0; left >>= 7) digits.unshift((left & 0x7f) | 0x80);
    return digits;
  });
  return der(0x06, Buffer.from([first * 40 + second, ...bytes]));
}

function sequence(...parts: Buffer[]): Buffer {
  return der(0x30, ...parts);
}

function der(tag: number, ...parts: Buffer[]): Buffer {
  const content = Buffer.concat(parts);
  const { length } = content;
  const head =
    length < 128 ? [tag, length] : length < 256 ? [tag, 0x81, length] : [tag, 0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from(head), content]);
}
