import { lookup as dnsLookup, type LookupAddress, type LookupAllOptions } from 'node:dns';
import { BlockList, isIP, type LookupFunction } from 'node:net';
import { type ConnectTarget, ForbiddenAddress } from './connect-errors.ts';

/**
 * Keeps requests to user-written URLs away from addresses that are nobody's business (SSRF).
 *
 * The check sits inside the connector: the name is resolved once, the addresses are filtered, and the socket is opened
 * to what passed. There is no second resolution between check and connect, so DNS rebinding has nothing to win. A name
 * that does not resolve is an error, never a pass. Literal addresses in decimal, octal or hex notation are normalised by
 * the URL parser or by the resolver, and the result is what is judged.
 *
 *   metadata services   refused always, whatever the settings and exceptions say
 *   private ranges      refused unless `allowPrivateAddresses` or an exception names the host or the range
 *   everything else     allowed
 *
 * Not covered: a public host that forwards to a private one, and a proxy (it resolves for itself, so the guard only sees
 * the proxy). Redirects are no way around, because deliveries do not follow them.
 */
export interface AddressGuardOptions {
  allowPrivateAddresses: boolean;
  /** `host`, `host:port`, an address, `address:port`, `[v6]:port` or a CIDR range. Throws when one is none of these. */
  exceptions?: readonly string[];
  /** Resolves a name to all its addresses; the system's resolver unless a test brings its own. */
  resolve?: Resolve;
}

export type Resolve = (
  hostname: string,
  options: LookupAllOptions,
  callback: (error: NodeJS.ErrnoException | null, addresses: LookupAddress[]) => void,
) => void;

export interface AddressGuard {
  /** Why the address may not be connected to, or undefined when it may. */
  refusal(address: string, target: ConnectTarget): string | undefined;
  /** A `lookup` for net.connect that yields only addresses that passed. */
  lookup(port: number): LookupFunction;
}

/** Cloud metadata and credential services: AWS, GCP, Azure, OpenStack (one address), ECS, EKS, Azure wire, Alibaba, Oracle. */
const metadata = blockList([
  '169.254.169.254',
  '169.254.170.2',
  '169.254.170.23',
  '168.63.129.16',
  '100.100.100.200',
  '192.0.0.192',
  'fd00:ec2::254',
  'fd00:ec2::23',
  'fd20:ce::254',
]);

/** IANA special-purpose registries: whatever is not a globally reachable unicast address. */
const privateRanges = blockList([
  '0.0.0.0/8',
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '172.16.0.0/12',
  '192.0.0.0/24',
  '192.0.2.0/24',
  '192.88.99.0/24',
  '192.168.0.0/16',
  '198.18.0.0/15',
  '198.51.100.0/24',
  '203.0.113.0/24',
  '224.0.0.0/4',
  '240.0.0.0/4',
  '::/128',
  '::1/128',
  '64:ff9b:1::/48',
  '100::/64',
  '2001::/32',
  '2001:db8::/32',
  '2002::/16',
  'fc00::/7',
  'fe80::/10',
  'fec0::/10',
  'ff00::/8',
]);

export function createAddressGuard(options: AddressGuardOptions): AddressGuard {
  const exceptions = (options.exceptions ?? []).map(parseException);
  const resolve: Resolve = options.resolve ?? dnsLookup;

  function refusal(address: string, target: ConnectTarget): string | undefined {
    const forms = [plain(address), embeddedIPv4(address)].filter((form) => form !== undefined);
    if (forms.some((form) => contains(metadata, form))) {
      return `${address} is a cloud metadata address; it is never called`;
    }
    if (options.allowPrivateAddresses || !forms.some((form) => contains(privateRanges, form))) return undefined;
    if (exceptions.some((exception) => exception(forms, target))) return undefined;
    return `${address} is a private or reserved address; allow it in the settings, or let an agent make the call`;
  }

  function lookup(port: number): LookupFunction {
    return (hostname, lookupOptions, callback) => {
      resolve(hostname, { ...lookupOptions, all: true }, (error, addresses) => {
        if (error) return callback(error, '');
        const refusals: string[] = [];
        const allowed = addresses.filter(({ address }) => {
          const reason = refusal(address, { hostname, port });
          if (reason !== undefined) refusals.push(reason);
          return reason === undefined;
        });
        const [first] = allowed;
        if (first === undefined) {
          const reason = refusals[0] ?? 'the name has no address';
          return callback(new ForbiddenAddress(`${hostname} resolves to a forbidden address: ${reason}`), '');
        }
        if (lookupOptions.all) return callback(null, allowed);
        callback(null, first.address, first.family);
      });
    };
  }

  return { refusal, lookup };
}

type Exception = (addresses: readonly string[], target: ConnectTarget) => boolean;

function parseException(entry: string): Exception {
  const text = entry.trim().toLowerCase();
  if (text.includes('/')) {
    const range = blockList([text]);
    return (addresses) => addresses.some((address) => contains(range, address));
  }
  const match = /^(?:\[([0-9a-f:.]+)\]|([^:[\]\s]+))(?::(\d{1,5}))?$/.exec(text);
  const host = isIP(text) === 6 ? text : (match?.[1] ?? match?.[2]);
  if (host === undefined) {
    throw new Error(
      `"${entry}" is no exception for the address guard; write host, host:port, an address or a CIDR range`,
    );
  }
  const port = isIP(text) === 6 || match?.[3] === undefined ? undefined : Number(match[3]);
  const range = isIP(host) === 0 ? undefined : blockList([host]);
  return (addresses, target) => {
    if (port !== undefined && port !== target.port) return false;
    if (range !== undefined) return addresses.some((address) => contains(range, address));
    return target.hostname.toLowerCase().replace(/\.$/, '') === host;
  };
}

function blockList(entries: readonly string[]): BlockList {
  const list = new BlockList();
  for (const entry of entries) {
    const [address = '', bits] = entry.split('/');
    const family = isIP(address);
    const prefix = Number(bits ?? (family === 6 ? 128 : 32));
    if (family === 0 || !Number.isInteger(prefix) || prefix < 0 || prefix > (family === 6 ? 128 : 32)) {
      throw new Error(`"${entry}" is not an address range; write e.g. 10.1.0.0/16 or fd00::/8`);
    }
    list.addSubnet(address, prefix, family === 6 ? 'ipv6' : 'ipv4');
  }
  return list;
}

function contains(list: BlockList, address: string): boolean {
  return list.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4');
}

/** Without the zone of a link-local address (`fe80::1%eth0`). */
function plain(address: string): string {
  return address.split('%')[0] ?? address;
}

/**
 * The IPv4 address that an IPv6 address stands for: IPv4-mapped, IPv4-compatible, NAT64 (RFC 6052) and 6to4. A gateway
 * or the kernel would connect to that one, so it is judged too.
 */
function embeddedIPv4(address: string): string | undefined {
  const groups = ipv6Groups(plain(address));
  if (groups === undefined) return undefined;
  const [a = 0, b = 0, c = 0] = groups;
  const isZero = (from: number, to: number) => groups.slice(from, to).every((group) => group === 0);
  if (a === 0x2002) return dotted(b, c);
  const isMapped = isZero(0, 5) && (groups[5] === 0xffff || groups[5] === 0);
  const isTranslated = (a === 0x64 && b === 0xff9b && isZero(2, 6)) || (isZero(0, 4) && groups[4] === 0xffff);
  return isMapped || isTranslated ? dotted(groups[6] ?? 0, groups[7] ?? 0) : undefined;
}

function dotted(high: number, low: number): string {
  return [high >> 8, high & 255, low >> 8, low & 255].join('.');
}

/** The eight 16-bit groups; the URL parser does the hard part (dotted tails, compression). */
function ipv6Groups(address: string): number[] | undefined {
  if (isIP(address) !== 6) return undefined;
  const canonical = new URL(`http://[${address}]`).hostname.slice(1, -1);
  const [head = '', tail] = canonical.split('::');
  const parse = (part: string) => (part === '' ? [] : part.split(':').map((group) => Number.parseInt(group, 16)));
  const left = parse(head);
  if (tail === undefined) return left;
  const right = parse(tail);
  return [...left, ...new Array<number>(8 - left.length - right.length).fill(0), ...right];
}
