import { hostname } from 'node:os';
import { maxClaimWaitMs } from '@quayside/contracts/dispatch-rules';
import { type FindProxy, readProxies, type TrustSources } from '@quayside/delivery';

/**
 * The agent's configuration: the environment of Port's agent (spec/actions.md §3.2), name by name and default by default,
 * and our own variables, which all begin with QUAYSIDE_AGENT_. Read once, frozen; every mistake is listed at once.
 */
export interface Config {
  readonly organizationId: string;
  readonly clientId: string;
  /** Also the key of the signatures. */
  readonly clientSecret: string;
  /** Without a trailing slash. */
  readonly portalUrl: string;
  readonly agentId: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly concurrency: number;
  readonly polling: {
    /** How long a claim may be held by the portal. */
    readonly waitMs: number;
    /** Between claims of a portal that does not hold them. */
    readonly intervalMs: number;
    readonly batchSize: number;
  };
  /** STREAMER_NAME=KAFKA; undefined = polling. */
  readonly kafka: KafkaConfig | undefined;
  readonly backoff: {
    readonly initialMs: number;
    readonly factor: number;
    readonly maxMs: number;
    readonly jitter: number;
    /** After failing this long without a success the agent exits, so that its supervisor notices. */
    readonly giveUpAfterMs: number;
  };
  readonly webhook: { readonly timeoutMs: number; readonly verifyTls: boolean };
  /** For calls to the portal and to targets alike. */
  readonly network: { readonly findProxy: FindProxy | undefined; readonly trust: TrustSources };
  readonly logLevel: LogLevel;
  /** May a run's log in the portal quote what the target answered? The agent's own log never does. */
  readonly quotesAnswers: boolean;
  /** Where outcomes are kept until the portal took them; undefined = in memory only. */
  readonly dataDir: string | undefined;
  /** The file of the mapping, where it is named. */
  readonly mappingPath: string | undefined;
  /** What the mapping sees as `env`: tokens of GitLab, whatever else the operator set. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** The list of targets that may be called; undefined = all. */
  readonly targetsPath: string | undefined;
  /** Where every request is recorded; undefined = nowhere. */
  readonly auditPath: string | undefined;
  readonly health: { readonly host: string; readonly port: number } | undefined;
}

export interface KafkaConfig {
  readonly groupId: string;
  readonly runsTopic: string;
  readonly changeLogTopic: string;
  readonly securityProtocol: 'PLAINTEXT' | 'SSL' | 'SASL_PLAINTEXT' | 'SASL_SSL';
  readonly mechanism: 'PLAIN' | 'SCRAM-SHA-256' | 'SCRAM-SHA-512';
  readonly sessionTimeoutMs: number;
  /** Where a group begins that has committed nothing yet. */
  readonly offsetReset: 'earliest' | 'latest' | 'fail';
  /** USING_LOCAL_PORT_INSTANCE: these instead of what the portal says, without a user. */
  readonly bootstrapServers: readonly string[] | undefined;
}

export type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'fatal';
export type ConfigResult = { kind: 'ok'; config: Config } | { kind: 'mistakes'; mistakes: string[] };

const logLevels: Record<string, LogLevel> = {
  DEBUG: 'debug',
  INFO: 'info',
  WARN: 'warn',
  WARNING: 'warn',
  ERROR: 'error',
  CRITICAL: 'fatal',
};

/** Every variable of ours; an unknown QUAYSIDE_AGENT_* is a mistake, because a typo would otherwise go unnoticed. */
const ownVariables = new Set([
  'QUAYSIDE_AGENT_ID',
  'QUAYSIDE_AGENT_LABELS',
  'QUAYSIDE_AGENT_CONCURRENCY',
  'QUAYSIDE_AGENT_WAIT_SECONDS',
  'QUAYSIDE_AGENT_DATA_DIR',
  'QUAYSIDE_AGENT_HEALTH_PORT',
  'QUAYSIDE_AGENT_HEALTH_HOST',
  'QUAYSIDE_AGENT_TARGETS_FILE',
  'QUAYSIDE_AGENT_AUDIT_FILE',
  'QUAYSIDE_AGENT_CA_DIR',
  'QUAYSIDE_AGENT_CLIENT_CERT_FILE',
  'QUAYSIDE_AGENT_CLIENT_KEY_FILE',
  'QUAYSIDE_AGENT_CLIENT_KEY_PASSPHRASE',
]);
/** Files of CA certificates, by the names that other tools gave them. */
const caFileVariables = ['SSL_CERT_FILE', 'REQUESTS_CA_BUNDLE', 'CURL_CA_BUNDLE', 'NODE_EXTRA_CA_CERTS'];
/** Where Debian, Alpine and the Helm chart put certificates of one's own. */
export const defaultCaDir = '/usr/local/share/ca-certificates';

export function readConfig(env: Readonly<Record<string, string | undefined>>, processId: number): ConfigResult {
  const mistakes: string[] = [];
  const text = (name: string): string | undefined => {
    const value = env[name]?.trim();
    return value === '' ? undefined : value;
  };
  const required = (name: string, what: string): string => {
    const value = text(name);
    if (value === undefined) mistakes.push(`${name} is missing: ${what}`);
    return value ?? '';
  };
  const number = (name: string, fallback: number, range: { min: number; max: number; isWhole?: boolean }): number => {
    const value = text(name);
    if (value === undefined) return fallback;
    const parsed = Number(value);
    if (!Number.isFinite(parsed) || parsed < range.min || parsed > range.max || (range.isWhole && parsed % 1 !== 0)) {
      mistakes.push(
        `${name} is "${value}": it must be a ${range.isWhole ? 'whole ' : ''}number from ${range.min} to ${range.max}`,
      );
      return fallback;
    }
    return parsed;
  };
  const flag = (name: string, fallback: boolean): boolean => {
    const value = text(name)?.toLowerCase();
    if (value === undefined) return fallback;
    if (['true', '1', 'yes', 'on', 't', 'y'].includes(value)) return true;
    if (['false', '0', 'no', 'off', 'f', 'n'].includes(value)) return false;
    mistakes.push(`${name} is "${value}": it must be true or false`);
    return fallback;
  };
  const seconds = (name: string, fallback: number, max: number): number =>
    Math.round(number(name, fallback, { min: 0.01, max }) * 1000);

  const streamer = (text('STREAMER_NAME') ?? 'KAFKA').toUpperCase();
  if (streamer !== 'KAFKA' && streamer !== 'POLLING') {
    mistakes.push(`STREAMER_NAME is "${streamer}": it must be KAFKA or POLLING`);
  }
  for (const name of Object.keys(env)) {
    if (name.startsWith('QUAYSIDE_AGENT_') && !ownVariables.has(name)) {
      mistakes.push(`${name} is not a setting of the agent; known are ${[...ownVariables].join(', ')}`);
    }
  }

  const { network, mistakes: ofNetwork } = readNetwork(env);
  mistakes.push(...ofNetwork);
  const healthPort = number('QUAYSIDE_AGENT_HEALTH_PORT', 0, { min: 0, max: 65_535, isWhole: true });
  const config: Config = {
    organizationId: required('PORT_ORG_ID', 'the id of your organization, shown in the portal under Settings'),
    clientId: required('PORT_CLIENT_ID', 'the client id of a credential set of your organization'),
    clientSecret: required('PORT_CLIENT_SECRET', 'the client secret that belongs to PORT_CLIENT_ID'),
    portalUrl: readUrl(text('PORT_API_BASE_URL') ?? 'https://api.getport.io', mistakes),
    agentId: (text('QUAYSIDE_AGENT_ID') ?? `${hostname()}-${processId}`).slice(0, 200),
    labels: readLabels(text('QUAYSIDE_AGENT_LABELS'), mistakes),
    concurrency: number('QUAYSIDE_AGENT_CONCURRENCY', 16, { min: 1, max: 1_000, isWhole: true }),
    polling: {
      waitMs: Math.round(
        number('QUAYSIDE_AGENT_WAIT_SECONDS', maxClaimWaitMs / 1000, { min: 0, max: maxClaimWaitMs / 1000 }) * 1000,
      ),
      intervalMs: seconds('POLLING_INTERVAL_SECONDS', 10, 3_600),
      batchSize: number('POLLING_RUNS_BATCH_SIZE', 100, { min: 1, max: 1_000, isWhole: true }),
    },
    kafka: streamer === 'KAFKA' ? readKafka(text, number, flag, mistakes) : undefined,
    backoff: {
      initialMs: seconds('POLLING_INITIAL_BACKOFF_SECONDS', 1, 3_600),
      factor: number('POLLING_BACKOFF_FACTOR', 2, { min: 1, max: 100 }),
      // Consumers are few, and brokers are asked nothing while they are away.
      maxMs: seconds('POLLING_MAX_BACKOFF_SECONDS', streamer === 'KAFKA' ? 30 : 300, 86_400),
      jitter: number('POLLING_BACKOFF_JITTER_FACTOR', 0.1, { min: 0, max: 1 }),
      giveUpAfterMs: seconds('POLLING_MAX_FAILURE_DURATION_SECONDS', 3_600, 31_536_000),
    },
    webhook: {
      timeoutMs: seconds('WEBHOOK_INVOKER_TIMEOUT', 30, 3_600),
      verifyTls: flag('WEBHOOK_VERIFY_SSL', true),
    },
    network,
    logLevel: readLogLevel(text('LOG_LEVEL'), mistakes),
    quotesAnswers: flag('DETAILED_LOGGING', true),
    dataDir: text('QUAYSIDE_AGENT_DATA_DIR'),
    targetsPath: text('QUAYSIDE_AGENT_TARGETS_FILE'),
    auditPath: text('QUAYSIDE_AGENT_AUDIT_FILE'),
    mappingPath: text('CONTROL_THE_PAYLOAD_CONFIG_PATH'),
    environment: { ...env },
    health:
      healthPort === 0 ? undefined : { host: text('QUAYSIDE_AGENT_HEALTH_HOST') ?? '127.0.0.1', port: healthPort },
  };
  return mistakes.length > 0 ? { kind: 'mistakes', mistakes } : { kind: 'ok', config: deepFreeze(config) };
}

/** How connections are made: proxies, whom to trust, who we are. */
export function readNetwork(env: Readonly<Record<string, string | undefined>>): {
  network: Config['network'];
  mistakes: string[];
} {
  const text = (name: string): string | undefined => env[name]?.trim() || undefined;
  const { findProxy, mistakes } = readProxies(env);
  const certificateFile = text('QUAYSIDE_AGENT_CLIENT_CERT_FILE');
  const keyFile = text('QUAYSIDE_AGENT_CLIENT_KEY_FILE');
  if ((certificateFile === undefined) !== (keyFile === undefined)) {
    mistakes.push(
      'QUAYSIDE_AGENT_CLIENT_CERT_FILE and QUAYSIDE_AGENT_CLIENT_KEY_FILE belong together: set both or none',
    );
  }
  const trust: TrustSources = {
    files: caFileVariables.flatMap((variable) => {
      const path = text(variable);
      return path === undefined ? [] : [{ path, variable }];
    }),
    directories: [
      { path: text('QUAYSIDE_AGENT_CA_DIR') ?? defaultCaDir },
      ...(text('SSL_CERT_DIR') ?? '')
        .split(':')
        .filter((path) => path !== '')
        .map((path) => ({ path, variable: 'SSL_CERT_DIR' })),
    ],
    client:
      certificateFile === undefined || keyFile === undefined
        ? undefined
        : { certificateFile, keyFile, passphrase: env.QUAYSIDE_AGENT_CLIENT_KEY_PASSPHRASE },
  };
  return { network: { findProxy, trust }, mistakes };
}

const securityProtocols = ['PLAINTEXT', 'SSL', 'SASL_PLAINTEXT', 'SASL_SSL'] as const;
const mechanisms = ['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512'] as const;
/** The names that clients of Kafka have for it. */
const offsetResets: Record<string, KafkaConfig['offsetReset']> = {
  smallest: 'earliest',
  earliest: 'earliest',
  beginning: 'earliest',
  largest: 'latest',
  latest: 'latest',
  end: 'latest',
  error: 'fail',
};

function readKafka(
  text: (name: string) => string | undefined,
  number: (name: string, fallback: number, range: { min: number; max: number; isWhole?: boolean }) => number,
  flag: (name: string, fallback: boolean) => boolean,
  mistakes: string[],
): KafkaConfig {
  const oneOf = <T extends string>(name: string, value: string, values: readonly T[]): T => {
    const found = values.find((one) => one === value.toUpperCase());
    if (found === undefined) mistakes.push(`${name} is "${value}": it must be one of ${values.join(', ')}`);
    return found ?? (values[0] as T);
  };
  const organizationId = text('PORT_ORG_ID') ?? '';
  const groupId = text('KAFKA_CONSUMER_GROUP_ID') ?? '';
  if (groupId === '')
    mistakes.push(
      'KAFKA_CONSUMER_GROUP_ID is missing: a name that begins with PORT_ORG_ID; agents of the same name share the work. (STREAMER_NAME=POLLING needs none, and is as quick with Quayside)',
    );
  const protocolName = 'KAFKA_CONSUMER_SECURITY_PROTOCOL';
  const securityProtocol = oneOf(protocolName, text(protocolName) ?? 'PLAINTEXT', securityProtocols);
  const mechanismName = 'KAFKA_CONSUMER_AUTHENTICATION_MECHANISM';
  const mechanism = text(mechanismName) ?? 'none';
  const hasUser = securityProtocol.startsWith('SASL');
  if (hasUser && mechanism.toLowerCase() === 'none')
    mistakes.push(`${mechanismName} is missing: ${securityProtocol} needs one, e.g. SCRAM-SHA-512`);
  const resetName = 'KAFKA_CONSUMER_AUTO_OFFSET_RESET';
  const offsetReset = offsetResets[(text(resetName) ?? 'earliest').toLowerCase()];
  if (offsetReset === undefined)
    mistakes.push(`${resetName} is "${text(resetName)}": it must be one of ${Object.keys(offsetResets).join(', ')}`);
  const isLocal = flag('USING_LOCAL_PORT_INSTANCE', false);
  const servers = text('KAFKA_CONSUMER_BOOTSTRAP_SERVERS');
  if (isLocal && servers === undefined)
    mistakes.push('KAFKA_CONSUMER_BOOTSTRAP_SERVERS is missing: USING_LOCAL_PORT_INSTANCE=true needs it');
  if (!isLocal && servers !== undefined)
    mistakes.push('KAFKA_CONSUMER_BOOTSTRAP_SERVERS works only with USING_LOCAL_PORT_INSTANCE=true');
  if (isLocal && hasUser)
    mistakes.push(
      `${protocolName} is ${securityProtocol}, but USING_LOCAL_PORT_INSTANCE=true fetches no user to log in as`,
    );
  return {
    groupId,
    runsTopic: text('KAFKA_RUNS_TOPIC') ?? `${organizationId}.runs`,
    changeLogTopic: text('KAFKA_CHANGE_LOG_TOPIC') ?? `${organizationId}.change.log`,
    securityProtocol,
    mechanism:
      hasUser && mechanism.toLowerCase() !== 'none' ? oneOf(mechanismName, mechanism, mechanisms) : 'SCRAM-SHA-512',
    sessionTimeoutMs: number('KAFKA_CONSUMER_SESSION_TIMEOUT_MS', 45_000, {
      min: 1_000,
      max: 3_600_000,
      isWhole: true,
    }),
    offsetReset: offsetReset ?? 'earliest',
    bootstrapServers: isLocal ? servers?.split(',').map((server) => server.trim()) : undefined,
  };
}

function readUrl(value: string, mistakes: string[]): string {
  const url = URL.parse(value);
  if (url === null || (url.protocol !== 'http:' && url.protocol !== 'https:')) {
    mistakes.push(`PORT_API_BASE_URL is "${value}": it must be a URL such as https://portal.example.com`);
  } else if (/\/v1\/*$/.test(url.pathname)) {
    mistakes.push(`PORT_API_BASE_URL ends in /v1: write it without, the agent adds it`);
  } else if (url.username !== '' || url.search !== '' || url.hash !== '') {
    mistakes.push('PORT_API_BASE_URL holds user info, a query or a fragment: write only scheme, host and path');
  }
  return value.replace(/\/+$/, '');
}

/** `name=value,name=value` */
function readLabels(value: string | undefined, mistakes: string[]): Record<string, string> {
  const labels: Record<string, string> = {};
  for (const pair of value?.split(',') ?? []) {
    const [name = '', ...rest] = pair.split('=');
    if (name.trim() === '' || rest.length === 0) {
      mistakes.push(`QUAYSIDE_AGENT_LABELS holds "${pair.trim()}": write name=value, separated by commas`);
    } else labels[name.trim()] = rest.join('=').trim();
  }
  return labels;
}

function readLogLevel(value: string | undefined, mistakes: string[]): LogLevel {
  const level = logLevels[(value ?? 'INFO').toUpperCase()];
  if (level === undefined)
    mistakes.push(`LOG_LEVEL is "${value}": it must be one of ${Object.keys(logLevels).join(', ')}`);
  return level ?? 'info';
}

function deepFreeze<T extends object>(value: T): Readonly<T> {
  for (const inner of Object.values(value)) if (typeof inner === 'object' && inner !== null) deepFreeze(inner);
  return Object.freeze(value);
}
