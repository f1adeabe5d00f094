import { createAddressGuard, createDeliveryAgent, createTrust } from '@quayside/delivery';
import { PortalApi } from './api.ts';
import { Audit } from './audit.ts';
import type { Config } from './config.ts';
import { type HealthServer, startHealth } from './health.ts';
import type { Log } from './log.ts';
import { Loop } from './loop.ts';
import type { Incoming } from './mapping.ts';
import { MappingFile } from './mapping-file.ts';
import { createMetrics, renderMetrics } from './metrics.ts';
import { portalCalls } from './portal-calls.ts';
import { secretsOf } from './secret-inputs.ts';
import { Settling } from './settling.ts';
import { KafkaSource } from './sources/kafka.ts';
import { PollingSource } from './sources/polling.ts';
import type { Source } from './sources/source.ts';
import { Spool } from './spool.ts';
import { TargetList } from './targets.ts';
import { userAgent, version } from './version.ts';

/** Puts the agent together. `run` returns the exit code; `drain` makes it return soon. */
export interface Agent {
  run(): Promise<number>;
  drain(): void;
}

/** How long outcomes may still be reported after the last job ended. */
const closingMs = 10_000;
/** A loop that did not go round for this much longer than a claim may last is stuck. */
const stuckAfterMs = 60_000;

export function createAgent(config: Config, log: Log, tuning: { heartbeatMs?: number } = {}): Agent {
  const { portalUrl, clientId, clientSecret } = config;
  const { findProxy } = config.network;
  const trust = createTrust(config.network.trust, (problem) => log.warn(problem));
  const api = new PortalApi({ portalUrl, clientId, clientSecret, userAgent, findProxy, trust });
  const spool = new Spool({ api: new Settling(api), log, dir: config.dataDir, backoff: config.backoff });
  const metrics = createMetrics();
  const mapping = new MappingFile({ path: config.mappingPath, env: config.environment, log });
  const targets = new TargetList({ path: config.targetsPath, log });
  const audit = new Audit(config.auditPath, config.agentId);
  // Private services are what an agent is for; metadata services of the cloud it runs in are not.
  const guard = createAddressGuard({ allowPrivateAddresses: true });
  const { verifyTls } = config.webhook;
  const pooled = createDeliveryAgent({ guard, verifyTls, findProxy, trust });
  const fresh = createDeliveryAgent({ guard, verifyTls, findProxy, trust, freshConnections: true });
  const { kafka } = config;
  const wants = async (message: Incoming) => {
    const current = await mapping.current();
    // A broken mapping wants everything, so that the runs say so.
    return current.kind === 'unusable' || current.entries.some((entry) => entry.wants(message, () => {}));
  };
  const source: Source = kafka
    ? new KafkaSource({ api, log, config: { ...config, kafka }, trust, wants })
    : new PollingSource({ api, log, config });
  let misplaced: string | undefined;
  /** Whose agent is this? A portal that does not tell is left alone. */
  async function checkOrganization(): Promise<void> {
    const answer = await api.call(portalCalls.readOrganization(), { timeoutMs: 5_000 });
    const { organization } = (answer.kind === 'ok' ? answer.body : {}) as { organization?: { id?: unknown } };
    const { organizationId } = config;
    if (typeof organization?.id !== 'string' || organization.id === organizationId) return;
    misplaced = `PORT_ORG_ID is ${organizationId}, but the credentials are of the organization ${organization.id}, whose runs this agent carries out; correct PORT_ORG_ID, or take credentials of ${organizationId}`;
    log.error(misplaced);
  }
  const loop = new Loop({
    config,
    source,
    spool,
    onReached: checkOrganization,
    work: {
      misplaced: () => misplaced,
      api,
      log,
      agentId: config.agentId,
      clientSecret,
      ownSecrets: secretsOf(config.environment),
      mapping,
      targets,
      audit,
      timeoutMs: config.webhook.timeoutMs,
      quotesAnswers: config.quotesAnswers,
      pooled,
      fresh,
    },
    metrics,
    log,
    ...tuning,
  });

  const idleMs = () => performance.now() - loop.lastTurnAtMs;
  const limitMs = config.polling.waitMs + config.backoff.maxMs * 2 + config.webhook.timeoutMs + stuckAfterMs;
  const health = {
    fault: () => (!loop.isDraining && idleMs() > limitMs ? `no claim for ${Math.round(idleMs() / 1000)} s` : undefined),
    state: () => ({
      version,
      agent: config.agentId,
      isDraining: loop.isDraining,
      inFlight: loop.inFlight,
      spooled: spool.size,
      portal: loop.problem ?? 'ok',
    }),
    metrics: () =>
      renderMetrics(metrics, {
        in_flight: loop.inFlight,
        capacity: config.concurrency,
        spooled: spool.size,
        portal_up: loop.problem === undefined ? 1 : 0,
        portal_calls: api.callCount,
      }),
  };

  async function run(): Promise<number> {
    const { concurrency, labels } = config;
    log.info({ version, portal: portalUrl, concurrency, labels, organization: config.organizationId }, 'agent started');
    if (!verifyTls) log.warn('WEBHOOK_VERIFY_SSL is false: certificates of targets are not checked');
    let server: HealthServer | undefined;
    try {
      await spool.load();
      // A mapping that can not be used is known at the start, not at the first run.
      await mapping.current();
      await Promise.all([targets.load(), audit.check()]);
      if (config.health) server = await startHealth(config.health, health, log);
    } catch (error) {
      log.fatal(
        { err: error },
        'the agent can not start; check QUAYSIDE_AGENT_DATA_DIR, QUAYSIDE_AGENT_AUDIT_FILE and QUAYSIDE_AGENT_HEALTH_PORT',
      );
      return 1;
    }
    const end = await loop.run();
    const left = await spool.close(closingMs);
    await source.close?.();
    if (left > 0) {
      const fate =
        config.dataDir === undefined ? 'they are lost; the portal delivers those runs again' : 'they are kept on disk';
      log.error({ reports: left }, `outcomes could not be reported: ${fate}`);
    }
    await server?.close();
    await Promise.all([api.close(), pooled.destroy(), fresh.destroy()]);
    log.info({ ...metrics, portalCalls: api.callCount }, 'agent stopped');
    return end === 'gave_up' || (left > 0 && config.dataDir === undefined) ? 1 : 0;
  }

  return { run, drain: () => loop.drain() };
}
