import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { resolve } from 'node:path';

/**
 * Configuration: read once from the environment, frozen, and refused with every mistake listed. The variables are
 * documented here, where they are declared; docs/operations.md repeats them for operators.
 */
export interface Config {
  /** QUAYSIDE_PORT, default 3000; 0 takes a free port. */
  readonly port: number;
  /** QUAYSIDE_HOST: address to listen on, default all (`::`). */
  readonly host: string;
  /** QUAYSIDE_DATA_DIR, default ./.data: embedded database and installation key. */
  readonly dataDir: string;
  /** DATABASE_URL: an external PostgreSQL (16 or newer) instead of the embedded one. */
  readonly databaseUrl: string | undefined;
  /** QUAYSIDE_DATABASE_CONNECTIONS, default 20: largest number of pooled connections. */
  readonly databaseConnections: number;
  /** QUAYSIDE_BASE_URL: what browsers and agents call this portal, default http://localhost:<port>. */
  readonly baseUrl: string | undefined;
  /** QUAYSIDE_ENCRYPTION_KEY: 32 bytes in base64; default: a key file in the data directory. */
  readonly encryptionKey: Buffer | undefined;
  /** QUAYSIDE_ORG_ID, QUAYSIDE_ADMIN_EMAIL, QUAYSIDE_ADMIN_PASSWORD, QUAYSIDE_CLIENT_ID, QUAYSIDE_CLIENT_SECRET: first start. */
  readonly setup: {
    readonly orgId: string | undefined;
    readonly adminEmail: string;
    readonly adminPassword: string | undefined;
    readonly clientId: string | undefined;
    readonly clientSecret: string | undefined;
  };
  /** QUAYSIDE_DEMO, default true: a first start fills the organization with a small company, an agent and a target service. */
  readonly demo: boolean;
  /** QUAYSIDE_ALLOW_PRIVATE_TARGETS, default false: may the server itself call private addresses? (Agents always may.) */
  readonly allowPrivateTargets: boolean;
  /** QUAYSIDE_WEBHOOK_TIMEOUT_MS, default 30000: the longest a direct webhook may take. */
  readonly webhookTimeoutMs: number;
  /** QUAYSIDE_AZURE_DEVOPS_URL, default https://dev.azure.com: where actions of type AZURE_DEVOPS go. */
  readonly azureUrl: string;
  /** QUAYSIDE_GITHUB_API_URL, default https://api.github.com: where actions of type GITHUB go. */
  readonly githubUrl: string;
  /** QUAYSIDE_RATE_LIMIT, default 6000: requests per minute and caller; 0 = none. Agents' claim calls and logins are exempt. */
  readonly rateLimitPerMinute: number;
  /** QUAYSIDE_METRICS_TOKEN: who reads /metrics must show it as a bearer token; undefined = everybody may. At least 16 characters. */
  readonly metricsToken: string | undefined;
  /** QUAYSIDE_TRUST_PROXY, default false: believe X-Forwarded-* headers of a proxy in front. */
  readonly trustProxy: boolean;
  /** QUAYSIDE_SMTP_URL, QUAYSIDE_SMTP_FROM: where e-mail is handed over; undefined = the portal sends none. */
  readonly smtp: { readonly url: string; readonly from: string } | undefined;
  /** KAFKA_BROKERS and the variables beside it; undefined = the portal has no Kafka. */
  readonly kafka: KafkaConfig | undefined;
  /** QUAYSIDE_LOG_LEVEL, default info. */
  readonly logLevel: string;
}

export interface KafkaConfig {
  /** KAFKA_BROKERS: host:port, separated by commas. */
  readonly brokers: readonly string[];
  /** KAFKA_SECURITY_PROTOCOL: PLAINTEXT, SSL, SASL_PLAINTEXT or SASL_SSL; default by whether there is a user. KAFKA_CA_FILE: PEM. */
  readonly tls: { readonly ca: string | undefined } | undefined;
  /** KAFKA_USERNAME, KAFKA_PASSWORD, KAFKA_SASL_MECHANISM (default SCRAM-SHA-512). */
  readonly sasl:
    | {
        readonly mechanism: 'SCRAM-SHA-512' | 'SCRAM-SHA-256' | 'PLAIN';
        readonly username: string;
        readonly password: string;
      }
    | undefined;
  /** KAFKA_CLIENT_BROKERS: what consumers are told, default KAFKA_BROKERS. */
  readonly clientBrokers: readonly string[];
  /** KAFKA_CLIENT_USERNAME, KAFKA_CLIENT_PASSWORD: one user for all consumers instead of one per organization. */
  readonly clientUser: { readonly username: string; readonly password: string } | undefined;
  /** KAFKA_PROVISION, default true: make topics, and with SASL a SCRAM user with its permissions per organization. */
  readonly provisions: boolean;
  /** KAFKA_TOPIC_PARTITIONS, default 6; KAFKA_TOPIC_REPLICATION, default -1 (as the brokers are configured). */
  readonly partitions: number;
  readonly replication: number;
}

export class ConfigError extends Error {
  readonly mistakes: readonly string[];
  constructor(mistakes: readonly string[]) {
    super(
      `The configuration has ${mistakes.length === 1 ? 'a mistake' : `${mistakes.length} mistakes`}:\n${mistakes.map((line) => `  - ${line}`).join('\n')}`,
    );
    this.mistakes = mistakes;
  }
}

const logLevels = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'];

export function readConfig(environment: Readonly<Record<string, string | undefined>>): Config {
  const mistakes: string[] = [];
  const text = (name: string): string | undefined => {
    const value = environment[name]?.trim();
    return value === '' ? undefined : value;
  };
  const integer = (name: string, fallback: number, min: number, max: number): number => {
    const value = text(name);
    if (value === undefined) return fallback;
    const number = Number(value);
    if (Number.isInteger(number) && number >= min && number <= max) return number;
    mistakes.push(`${name} must be a whole number from ${min} to ${max}; it is "${value}".`);
    return fallback;
  };
  const flag = (name: string, fallback: boolean): boolean => {
    const value = text(name)?.toLowerCase();
    if (value === undefined) return fallback;
    if (value === 'true' || value === '1') return true;
    if (value === 'false' || value === '0') return false;
    mistakes.push(`${name} must be true or false; it is "${value}".`);
    return fallback;
  };
  const url = (name: string, protocols: readonly string[]): string | undefined => {
    const value = text(name);
    if (value === undefined) return undefined;
    const parsed = URL.parse(value);
    if (parsed && protocols.includes(parsed.protocol)) return value.replace(/\/+$/, '');
    mistakes.push(
      `${name} must be a URL that begins with ${protocols.map((protocol) => `${protocol}//`).join(' or ')}; it is not.`,
    );
    return undefined;
  };
  const matching = (name: string, pattern: RegExp, rule: string): string | undefined => {
    const value = text(name);
    if (value === undefined || pattern.test(value)) return value;
    mistakes.push(`${name} must be ${rule}.`);
    return undefined;
  };

  const host = text('QUAYSIDE_HOST') ?? '::';
  if (isIP(host) === 0 && host !== 'localhost')
    mistakes.push(`QUAYSIDE_HOST must be an IP address or localhost; it is "${host}".`);

  const keyText = text('QUAYSIDE_ENCRYPTION_KEY');
  const encryptionKey = keyText === undefined ? undefined : Buffer.from(keyText, 'base64');
  if (encryptionKey && encryptionKey.length !== 32)
    mistakes.push('QUAYSIDE_ENCRYPTION_KEY must be 32 bytes in base64 (make one with: openssl rand -base64 32).');

  const logLevel = text('QUAYSIDE_LOG_LEVEL') ?? 'info';
  if (!logLevels.includes(logLevel))
    mistakes.push(`QUAYSIDE_LOG_LEVEL must be one of ${logLevels.join(', ')}; it is "${logLevel}".`);

  const adminPassword = text('QUAYSIDE_ADMIN_PASSWORD');
  if (adminPassword !== undefined && adminPassword.length < 8)
    mistakes.push('QUAYSIDE_ADMIN_PASSWORD must have at least 8 characters.');
  const clientSecret = text('QUAYSIDE_CLIENT_SECRET');
  if (clientSecret !== undefined && Buffer.byteLength(clientSecret) < 32)
    mistakes.push(
      'QUAYSIDE_CLIENT_SECRET must have at least 32 characters: its first 32 bytes are the key of secret inputs.',
    );
  const clientId = matching(
    'QUAYSIDE_CLIENT_ID',
    /^[A-Za-z0-9_.-]{8,128}$/,
    '8 to 128 characters of A-Z, a-z, 0-9, _ . -',
  );
  if ((clientId === undefined) !== (clientSecret === undefined))
    mistakes.push('QUAYSIDE_CLIENT_ID and QUAYSIDE_CLIENT_SECRET belong together: set both or neither.');

  const kafka = (): KafkaConfig | undefined => {
    const brokerList = (name: string): string[] => {
      const brokers = (text(name) ?? '').split(',').flatMap((broker) => broker.trim() || []);
      for (const broker of brokers)
        if (!/^[^\s:/@]+:\d{1,5}$|^\[[0-9a-fA-F:]+\]:\d{1,5}$/.test(broker))
          mistakes.push(`${name} must be host:port, separated by commas; it holds "${broker}".`);
      return brokers;
    };
    const pair = (first: string, second: string): { username: string; password: string } | undefined => {
      const [username, password] = [text(first), text(second)];
      if ((username === undefined) !== (password === undefined))
        mistakes.push(`${first} and ${second} belong together: set both or neither.`);
      return username === undefined || password === undefined ? undefined : { username, password };
    };
    const oneOf = <T extends string>(name: string, fallback: T, values: readonly T[]): T => {
      const value = (text(name) ?? fallback).toUpperCase() as T;
      if (values.includes(value)) return value;
      mistakes.push(`${name} must be one of ${values.join(', ')}; it is "${value}".`);
      return fallback;
    };
    const brokers = brokerList('KAFKA_BROKERS');
    if (brokers.length === 0) return undefined;
    const user = pair('KAFKA_USERNAME', 'KAFKA_PASSWORD');
    const protocol = oneOf('KAFKA_SECURITY_PROTOCOL', user ? 'SASL_SSL' : 'PLAINTEXT', [
      'PLAINTEXT',
      'SSL',
      'SASL_PLAINTEXT',
      'SASL_SSL',
    ]);
    const mechanism = oneOf('KAFKA_SASL_MECHANISM', 'SCRAM-SHA-512', ['SCRAM-SHA-512', 'SCRAM-SHA-256', 'PLAIN']);
    if (protocol.startsWith('SASL') && !user)
      mistakes.push(`KAFKA_SECURITY_PROTOCOL is ${protocol}, which needs KAFKA_USERNAME and KAFKA_PASSWORD.`);
    if (!protocol.startsWith('SASL') && user)
      mistakes.push(`KAFKA_USERNAME is set, but KAFKA_SECURITY_PROTOCOL is ${protocol}, which asks for no user.`);
    const caFile = text('KAFKA_CA_FILE');
    let ca: string | undefined;
    try {
      ca = caFile === undefined ? undefined : readFileSync(caFile, 'utf8');
    } catch (error) {
      mistakes.push(`KAFKA_CA_FILE can not be read: ${(error as Error).message}.`);
    }
    const clientBrokers = brokerList('KAFKA_CLIENT_BROKERS');
    return {
      brokers,
      tls: protocol.endsWith('SSL') ? { ca } : undefined,
      sasl: protocol.startsWith('SASL') && user ? { mechanism, ...user } : undefined,
      clientBrokers: clientBrokers.length > 0 ? clientBrokers : brokers,
      clientUser: pair('KAFKA_CLIENT_USERNAME', 'KAFKA_CLIENT_PASSWORD'),
      provisions: flag('KAFKA_PROVISION', true),
      partitions: integer('KAFKA_TOPIC_PARTITIONS', 6, 1, 10_000),
      replication: integer('KAFKA_TOPIC_REPLICATION', -1, -1, 100),
    };
  };

  const smtp = (): Config['smtp'] => {
    const server = url('QUAYSIDE_SMTP_URL', ['smtp:', 'smtps:']);
    const from = matching(
      'QUAYSIDE_SMTP_FROM',
      /^[^\s@<>]+@[^\s@<>]+$|^[^<>\r\n]+ <[^\s@<>]+@[^\s@<>]+>$/,
      'an e-mail address, or Name <address>',
    );
    if (server === undefined) return undefined;
    return { url: server, from: from ?? `quayside@${new URL(server).hostname}` };
  };

  const config: Config = {
    port: integer('QUAYSIDE_PORT', 3000, 0, 65535),
    host,
    dataDir: resolve(text('QUAYSIDE_DATA_DIR') ?? './.data'),
    databaseUrl: url('DATABASE_URL', ['postgres:', 'postgresql:']),
    databaseConnections: integer('QUAYSIDE_DATABASE_CONNECTIONS', 20, 2, 500),
    baseUrl: url('QUAYSIDE_BASE_URL', ['http:', 'https:']),
    encryptionKey,
    setup: {
      orgId: matching('QUAYSIDE_ORG_ID', /^[A-Za-z0-9_-]{1,64}$/, '1 to 64 characters of A-Z, a-z, 0-9, _ -'),
      adminEmail: (
        matching('QUAYSIDE_ADMIN_EMAIL', /^[^\s@]+@[^\s@]+$/, 'an e-mail address') ?? 'admin@quayside.local'
      ).toLowerCase(),
      adminPassword,
      clientId,
      clientSecret,
    },
    demo: flag('QUAYSIDE_DEMO', true),
    allowPrivateTargets: flag('QUAYSIDE_ALLOW_PRIVATE_TARGETS', false),
    webhookTimeoutMs: integer('QUAYSIDE_WEBHOOK_TIMEOUT_MS', 30_000, 100, 600_000),
    azureUrl: url('QUAYSIDE_AZURE_DEVOPS_URL', ['https:', 'http:']) ?? 'https://dev.azure.com',
    githubUrl: url('QUAYSIDE_GITHUB_API_URL', ['https:', 'http:']) ?? 'https://api.github.com',
    rateLimitPerMinute: integer('QUAYSIDE_RATE_LIMIT', 6_000, 0, 10_000_000),
    metricsToken: matching('QUAYSIDE_METRICS_TOKEN', /^\S{16,}$/, '16 or more characters without spaces'),
    trustProxy: flag('QUAYSIDE_TRUST_PROXY', false),
    smtp: smtp(),
    kafka: kafka(),
    logLevel,
  };
  if (mistakes.length > 0) throw new ConfigError(mistakes);
  return Object.freeze(config);
}
