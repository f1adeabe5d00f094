import { lookup } from 'node:dns/promises';
import { constants } from 'node:fs';
import { access, readdir, stat } from 'node:fs/promises';
import { isIP, type Socket } from 'node:net';
import { dirname, resolve } from 'node:path';
import { TLSSocket } from 'node:tls';
import type { DeliveryOutcome } from '@quayside/contracts';
import { describeOutcome } from '@quayside/contracts/delivery-rules';
import { createDeliveryAgent, createTrust, displayProxy, exchange, type Trust } from '@quayside/delivery';
import { type ApiAnswer, PortalApi } from './api.ts';
import { type Config, readConfig } from './config.ts';
import { createLog } from './log.ts';
import { MappingFile } from './mapping-file.ts';
import { portalCalls } from './portal-calls.ts';
import { connectionOptions, explainKafka, readKafkaLogin } from './sources/kafka-connection.ts';
import { TargetList } from './targets.ts';
import { userAgent, version } from './version.ts';

/**
 * `script/agent doctor`: everything between this machine and its runs, in the order in which it is needed, one line each.
 *
 *   ✓ it works    ✗ it does not, and what to do    – not checked, because of an ✗ above
 *
 * Nothing is claimed, joined or changed, so it may run beside a working agent. (A Quayside portal with Kafka makes the
 * organization's user of the brokers when it is asked for the first time; an agent would ask for it, too.)
 */
export interface Examination {
  env: Readonly<Record<string, string | undefined>>;
  processId: number;
  print: (line: string) => void;
}

/** Returns the exit code: 0 = every line has its ✓. */
export async function examine({ env, processId, print }: Examination): Promise<0 | 1> {
  const report = new Findings(print);
  const read = readConfig(env, processId);
  if (read.kind === 'mistakes') {
    for (const mistake of read.mistakes) report.bad('Settings', mistake);
    report.skipped('All else', 'the settings come first');
    return 1;
  }
  const { config } = read;
  const streamer = config.kafka ? 'KAFKA' : 'POLLING';
  report.good('Settings', `agent ${config.agentId} ${version}, ${streamer}, portal ${config.portalUrl}`);

  const trust = checkCertificateFiles(config, report);
  const isReached = await checkPortal(config, trust, report);
  if (isReached) await checkAccess(config, trust, report);
  else report.skipped(config.kafka ? 'Kafka' : 'Polling', 'the portal comes first');
  await checkFiles(config, report);
  return report.hasFailed ? 1 : 0;
}

class Findings {
  private readonly print: (line: string) => void;
  hasFailed = false;

  constructor(print: (line: string) => void) {
    this.print = print;
  }

  good(name: string, text: string): void {
    this.line('✓', name, text);
  }

  bad(name: string, text: string): void {
    this.hasFailed = true;
    this.line('✗', name, text);
  }

  skipped(name: string, text: string): void {
    this.line('–', name, text);
  }

  private line(mark: string, name: string, text: string): void {
    this.print(`${mark} ${name.padEnd(nameWidth)}${text}`);
  }
}

const nameWidth = 14;
const contactTimeoutMs = 15_000;
/** Receivers of signed requests commonly refuse what is five minutes off; a minute is a clock that nobody sets. */
const maxClockSkewMs = 60_000;
const expirySoonDays = 14;
const dayMs = 86_400_000;

function checkCertificateFiles(config: Config, report: Findings): Trust {
  const problems: string[] = [];
  const trust = createTrust(config.network.trust, (problem) => problems.push(problem));
  for (const problem of problems) report.bad('CA files', problem);
  const shows = config.network.trust.client === undefined ? '' : ', and a client certificate is shown';
  if (problems.length === 0)
    report.good('CA files', `certificates trusted beyond those of the runtime: ${trust.addedCount()}${shows}`);
  return trust;
}

/** From the name to an accepted client secret. */
async function checkPortal(config: Config, trust: Trust, report: Findings): Promise<boolean> {
  const url = new URL(`${config.portalUrl}/v1/auth/access_token`);
  const hostname = url.hostname.replace(/^\[(.*)\]$/, '$1');
  const port = Number(url.port) || (url.protocol === 'https:' ? 443 : 80);
  const proxy = config.network.findProxy?.({ protocol: url.protocol, hostname, port });

  if (!(await checkName(proxy?.hostname ?? hostname, report))) {
    report.skipped('Portal', 'the name comes first');
    return false;
  }
  const contact = await callFirst(config, trust, url);
  const { outcome } = contact;
  const failure = failedPart(outcome);

  if (proxy === undefined)
    report.good('Proxy', `none for ${url.host}: ${config.network.findProxy ? 'NO_PROXY excepts it' : 'none is set'}`);
  else if (failure === 'Proxy') report.bad('Proxy', sentenceOf(outcome));
  else report.good('Proxy', `${displayProxy(proxy)} (${proxy.variable}) for ${url.host}`);
  if (failure === 'Proxy') {
    report.skipped('Portal', 'the proxy comes first');
    return false;
  }

  if (url.protocol !== 'https:') report.good('Certificate', 'none: the portal is called without TLS');
  else if (failure === 'Certificate') report.bad('Certificate', sentenceOf(outcome));
  else if (contact.certificate !== undefined) report.good('Certificate', contact.certificate);
  if (failure === 'Certificate') {
    report.skipped('Portal', 'the certificate comes first');
    return false;
  }

  if (outcome.kind !== 'answered') {
    report.bad('Portal', sentenceOf(outcome));
    return false;
  }
  const answer = objectOf(outcome.body);
  if (typeof answer?.ok !== 'boolean') {
    const by =
      proxy === undefined ? 'a login page or gateway' : `the proxy ${displayProxy(proxy)}, a login page or gateway`;
    report.bad(
      'Portal',
      `${url.href} answered ${outcome.statusCode}, but not as a portal does; check PORT_API_BASE_URL (without /v1), and whether ${by} answers in its place`,
    );
    return false;
  }
  report.good('Portal', `answers after ${Math.round(outcome.durationMs)} ms`);
  checkClock(outcome.headers.date, contact.atMs, report);

  if (outcome.statusCode === 200 && typeof answer.accessToken === 'string') {
    report.good('Credentials', `PORT_CLIENT_ID ${config.clientId} is accepted`);
    return true;
  }
  report.bad(
    'Credentials',
    `the portal refuses them (${outcome.statusCode}: ${String(answer.message)}); check PORT_CLIENT_ID and PORT_CLIENT_SECRET, and that they are of this portal`,
  );
  return false;
}

async function checkName(hostname: string, report: Findings): Promise<boolean> {
  try {
    const found = await lookup(hostname, { all: true });
    const addresses = found.map(({ address }) => address).join(', ');
    report.good('DNS', isIP(hostname) === 0 ? `${hostname} is ${addresses}` : `not needed for ${hostname}`);
    return true;
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    report.bad(
      'DNS',
      `no address for ${hostname} (${code}); check the name, and the name servers of this machine (/etc/resolv.conf)`,
    );
    return false;
  }
}

/** The call for a token, looked at from outside: what was said on the way, and by which certificate. */
async function callFirst(config: Config, trust: Trust, url: URL) {
  let certificate: string | undefined;
  const dispatcher = createDeliveryAgent({
    connectTimeoutMs: 10_000,
    findProxy: config.network.findProxy,
    trust,
    onConnected: (socket) => {
      certificate = describeCertificate(socket);
    },
  });
  const { clientId, clientSecret } = config;
  const outcome = await exchange(
    {
      url,
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'application/json', 'user-agent': userAgent },
      body: JSON.stringify({ clientId, clientSecret }),
    },
    { dispatcher, timeoutMs: contactTimeoutMs },
  );
  const atMs = Date.now();
  await dispatcher.destroy();
  return { outcome, certificate, atMs };
}

function describeCertificate(socket: Socket): string | undefined {
  if (!(socket instanceof TLSSocket)) return undefined;
  const { subject, issuer, valid_to: validTo } = socket.getPeerCertificate();
  const untilMs = Date.parse(validTo);
  const days = Math.floor((untilMs - Date.now()) / dayMs);
  const soon = days < expirySoonDays ? `, which is in ${days} days: renew it` : '';
  return `${subject?.CN ?? 'without a name'}, issued by ${issuer?.CN ?? issuer?.O}, valid until ${new Date(untilMs).toISOString().slice(0, 10)}${soon}`;
}

function failedPart(outcome: DeliveryOutcome): 'Proxy' | 'Certificate' | 'Portal' | undefined {
  if (outcome.kind === 'answered') return undefined;
  if (outcome.kind !== 'unreachable') return 'Portal';
  if (outcome.code.startsWith('PROXY_')) return 'Proxy';
  return /CERT|SELF_SIGNED|UNABLE_TO|^ERR_(?:SSL|TLS)|^EPROTO$/.test(outcome.code) ? 'Certificate' : 'Portal';
}

function sentenceOf(outcome: DeliveryOutcome): string {
  return 'message' in outcome ? outcome.message : describeOutcome(outcome);
}

function checkClock(date: string | undefined, atMs: number, report: Findings): void {
  const portalMs = Date.parse(date ?? '');
  if (Number.isNaN(portalMs)) {
    report.skipped('Clock', 'the portal does not say what time it is');
    return;
  }
  // The header has whole seconds: on average half a second is cut off.
  const skewMs = atMs - (portalMs + 500);
  const seconds = Math.round(Math.abs(skewMs) / 1000);
  if (Math.abs(skewMs) <= maxClockSkewMs) report.good('Clock', `${seconds} s beside that of the portal`);
  else
    report.bad(
      'Clock',
      `this machine is ${seconds} s ${skewMs > 0 ? 'ahead of' : 'behind'} the portal, so targets may refuse its signatures; let it keep the time (NTP), or have the portal's clock set`,
    );
}

/** With a token: whose agent this is, and whether it would get its runs. */
async function checkAccess(config: Config, trust: Trust, report: Findings): Promise<void> {
  const { portalUrl, clientId, clientSecret, kafka } = config;
  const { findProxy } = config.network;
  const api = new PortalApi({ portalUrl, clientId, clientSecret, userAgent, findProxy, trust });
  try {
    await checkOrganization(api, config, report);
    const may = await api.call(portalCalls.acknowledgeNothing());
    if (may.kind === 'ok') report.good('Claims', 'these credentials may claim runs');
    else report.bad('Claims', `these credentials may not claim runs: ${problemOf(may)}`);
    if (kafka) await checkKafka(api, { ...config, kafka }, trust, report);
  } finally {
    await api.close();
  }
}

async function checkOrganization(api: PortalApi, config: Config, report: Findings): Promise<void> {
  const answer = await api.call(portalCalls.readOrganization());
  if (answer.kind !== 'ok') {
    report.skipped('Organization', `the portal does not tell: ${problemOf(answer)}`);
    return;
  }
  const { organization } = answer.body as {
    organization?: { id?: unknown; name?: unknown; settings?: { portAgentStreamerName?: unknown } };
  };
  if (organization?.id === config.organizationId) {
    report.good('Organization', `${config.organizationId} (${String(organization.name)})`);
    checkStreamer(organization.settings?.portAgentStreamerName, config, report);
  } else
    report.bad(
      'Organization',
      `the credentials are of the organization ${String(organization?.id)}, but PORT_ORG_ID is ${config.organizationId}; set PORT_ORG_ID to the former, or take credentials of the latter`,
    );
}

/** The last agent that started said it for all of them, so another setting means agents of another kind, or an older one. */
function checkStreamer(said: unknown, config: Config, report: Findings): void {
  const [own, other] = config.kafka ? ['KAFKA', 'POLLING'] : ['POLLING', 'KAFKA'];
  if (said === own) report.good('Streamer', `the organization's agents say ${own}, as this one`);
  else if (said === undefined || said === null)
    report.good('Streamer', `not said yet; this agent says ${own} when it starts`);
  else
    report.bad(
      'Streamer',
      `the organization's agents said ${String(said)} last, so runs go there while such an agent is connected; this agent is for ${own}, and says so for all when it starts. Give all agents of the organization one STREAMER_NAME, or set portAgentStreamerName to ${own} once those for ${other} are gone`,
    );
}

async function checkKafka(
  api: PortalApi,
  config: Config & { kafka: NonNullable<Config['kafka']> },
  trust: Trust,
  report: Findings,
): Promise<void> {
  const { kafka } = config;
  const said = (error: unknown) => explainKafka(error, config);
  const login = await readKafkaLogin(api, kafka).catch((error: unknown) => {
    report.bad('Kafka', said(error));
    return undefined;
  });
  if (login === undefined) return;
  const { Admin } = await import('@platformatic/kafka');
  const admin = new Admin({ ...connectionOptions(kafka, login, trust), retries: 1, retryDelay: 300 });
  admin.on('error', () => {});
  let part = 'Kafka';
  try {
    const user = login.username === '' ? 'without a user' : `as ${login.username}`;
    await admin.metadata({ topics: [] });
    report.good('Kafka', `${login.brokers.join(', ')} by ${kafka.securityProtocol}, ${user}`);
    const topics = [kafka.runsTopic, kafka.changeLogTopic];
    part = 'Topics';
    const metadata = await admin.metadata({ topics: [...topics], autocreateTopics: false, forceUpdate: true });
    const counts = topics.map((topic) => `${topic} (${metadata.topics.get(topic)?.partitionsCount} partitions)`);
    report.good('Topics', counts.join(', '));
    part = 'Group';
    const groups = await admin.describeGroups({ groups: [kafka.groupId] });
    const count = groups.get(kafka.groupId)?.members.size ?? 0;
    report.good('Group', `${kafka.groupId} may be joined; ${count} members now`);
  } catch (error) {
    report.bad(part, said(error));
  } finally {
    await admin.close().catch(() => {});
  }
}

function counted(entries: number): string {
  return entries === 1 ? '1 entry' : `${entries} entries`;
}

/** What lies on this machine. */
async function checkFiles(config: Config, report: Findings): Promise<void> {
  const notes: string[] = [];
  const log = createLog('warn', config.agentId, (line) => notes.push((JSON.parse(line) as { msg: string }).msg));
  const mappingFile = new MappingFile({ path: config.mappingPath, env: config.environment, log });
  const mapping = await mappingFile.current();
  if (mapping.kind === 'unusable') report.bad('Mapping', mapping.message);
  else if (notes.length > 0) report.bad('Mapping', notes.join('; '));
  else if (mappingFile.file === undefined)
    report.good('Mapping', 'no file: messages go to the URL of their action, GitLab pipelines are started');
  else report.good('Mapping', `${counted(mapping.entries.length)} in ${mappingFile.file}`);

  const targets = await new TargetList({ path: config.targetsPath, log }).load();
  if (targets === undefined) report.good('Targets', 'all may be called (QUAYSIDE_AGENT_TARGETS_FILE is not set)');
  else if (targets.kind === 'rules')
    report.good('Targets', `${counted(targets.rules.length)} in ${config.targetsPath}`);
  else report.bad('Targets', `${targets.problem}, so nothing would be called`);

  const { auditPath, dataDir } = config;
  if (auditPath === undefined) report.good('Audit file', 'none (QUAYSIDE_AGENT_AUDIT_FILE is not set)');
  else {
    const problem = await writeProblem(auditPath, 'file');
    if (problem === undefined) report.good('Audit file', auditPath);
    else report.bad('Audit file', `${problem}; nothing would be sent. Mend it, or QUAYSIDE_AGENT_AUDIT_FILE`);
  }
  if (dataDir === undefined)
    report.good('Outcomes', 'kept in memory only; a QUAYSIDE_AGENT_DATA_DIR keeps them over a crash');
  else {
    const problem = await writeProblem(dataDir, 'directory');
    const waiting = (await readdir(dataDir).catch(() => [])).filter((name) => name.endsWith('.json'));
    if (problem === undefined) report.good('Outcomes', `${dataDir}: ${waiting.length} wait for the portal`);
    else report.bad('Outcomes', `${problem}; the agent would not start. Mend it, or QUAYSIDE_AGENT_DATA_DIR`);
  }
}

/** Why it could not be written to, found out without writing. A file needs its directory; directories would be made. */
async function writeProblem(path: string, kind: 'file' | 'directory'): Promise<string | undefined> {
  const found = await stat(path).catch(() => undefined);
  if (found === undefined) {
    const parent = dirname(resolve(path));
    const hasParent = await access(parent).then(
      () => true,
      () => false,
    );
    if (kind === 'file' && !hasParent) return `the directory ${parent} does not exist`;
    return writeProblem(parent, 'directory');
  }
  if (kind === 'directory' ? !found.isDirectory() : !found.isFile()) return `${path} is no ${kind}`;
  return access(path, constants.W_OK).then(
    () => undefined,
    () => `${path} can not be written by this user`,
  );
}

function problemOf(answer: Exclude<ApiAnswer, { kind: 'ok' }>): string {
  return answer.kind === 'refused' ? `${answer.message} (${answer.status})` : answer.message;
}

function objectOf(text: string): Record<string, unknown> | undefined {
  try {
    const value = JSON.parse(text) as unknown;
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}
