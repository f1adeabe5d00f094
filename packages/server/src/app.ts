import { mkdirSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { Origin } from '@quayside/contracts';
import type { Config } from './config.ts';
import { serveActions } from './features/actions/routes.ts';
import { followBlueprint } from './features/actions/service.ts';
import { findApprovers, hasApproverPolicy, judgeExecute, limitsOf } from './features/actions/service-permissions.ts';
import { serveAudit } from './features/audit/routes.ts';
import { createAuditKey, createAuditSealer } from './features/audit/service-chain.ts';
import { pruneAuditLog } from './features/audit/service-pruning.ts';
import { serveAutomations } from './features/automations/routes.ts';
import { createAutomations } from './features/automations/service.ts';
import { serveBlueprints } from './features/blueprints/routes.ts';
import { deleteBlueprint } from './features/blueprints/service.ts';
import { startReplays } from './features/deliveries/jobs.ts';
import { serveDeliveries } from './features/deliveries/routes.ts';
import { createReplays } from './features/deliveries/service-replays.ts';
import { startTimers } from './features/entities/jobs.ts';
import { serveEntities } from './features/entities/routes.ts';
import { createEntityService, type EntityService } from './features/entities/service.ts';
import { createTimers, timerReader } from './features/entities/service-timers.ts';
import { serveIdentity } from './features/identity/routes.ts';
import { createIdentity } from './features/identity/service.ts';
import {
  type FirstStart,
  opensOldestSecret,
  primaryCredential,
  setUpFirstOrganization,
} from './features/identity/service-organization.ts';
import * as twins from './features/identity/service-twins.ts';
import { serveKafka } from './features/kafka/routes.ts';
import { createKafkaAccess, type KafkaAccess, noKafkaAccess } from './features/kafka/service.ts';
import { createPublisher } from './features/kafka/service-publisher.ts';
import { replayChange } from './features/kafka/service-replay.ts';
import { startMessages } from './features/messages/jobs.ts';
import { alertDeadLetter, replayMessage } from './features/messages/service.ts';
import { createAgentMessages } from './features/messages/service-agents.ts';
import { createNotifyApprovers } from './features/messages/service-approvals.ts';
import { createChangeLog } from './features/messages/service-changes.ts';
import { createMessageDelivery } from './features/messages/service-delivery.ts';
import { startRetention } from './features/retention/jobs.ts';
import { createRetention } from './features/retention/service.ts';
import { findRunStatus } from './features/runs/index.ts';
import { startRepublishing, startServerDeliveries, startWatching } from './features/runs/jobs.ts';
import { serveDispatch, serveRuns } from './features/runs/routes.ts';
import { createRunService } from './features/runs/service.ts';
import { createOutbound, createServerDelivery } from './features/runs/service-delivery.ts';
import { createDispatch, serverHolder } from './features/runs/service-dispatch.ts';
import { createGithub } from './features/runs/service-github.ts';
import { findHolds } from './features/runs/service-guards.ts';
import { createRepublishing } from './features/runs/service-kafka.ts';
import { streamerFor } from './features/runs/service-streamer.ts';
import { openSecrets } from './features/secrets/index.ts';
import { serveSecrets } from './features/secrets/routes.ts';
import { serveSystem } from './features/system/routes.ts';
import { createSystem } from './features/system/service.ts';
import { serveWorkflows } from './features/workflows/routes.ts';
import { trackConnections } from './platform/connections.ts';
import { type Actor, createWorld, type World } from './platform/ctx.ts';
import { type Database, openDatabase } from './platform/db.ts';
import { type EmbeddedPostgres, startEmbeddedPostgres } from './platform/embedded-postgres.ts';
import { createHttp } from './platform/http.ts';
import { newTraceId } from './platform/ids.ts';
import { assertInstallationKey } from './platform/installation.ts';
import { createKafka, type Kafka } from './platform/kafka.ts';
import { createClaimWaits } from './platform/leases.ts';
import type { Logger } from './platform/log.ts';
import { createMailer } from './platform/mail.ts';
import { createMetrics } from './platform/metrics.ts';
import { migrate } from './platform/migrate.ts';
import { type Reader, startReaders } from './platform/readers.ts';
import { explainListening } from './platform/stand-in.ts';
import { catchUpTransactionIds } from './platform/transaction-ids.ts';
import { createVault, loadInstallationKey, type Vault } from './platform/vault.ts';
import { openWakes } from './platform/wake.ts';
import { serveWebFiles } from './platform/web-files.ts';

/**
 * Composition root. Start: database → migrations → first organization → features → listen. Stop, in the reverse order,
 * loses nothing: no new work is claimed, held claims are answered, deliveries under way are finished, then the database goes.
 */
export interface App {
  readonly url: string;
  readonly port: number;
  readonly database: Database;
  readonly databaseUrl: string;
  readonly vault: Vault;
  readonly entities: EntityService;
  /** Set when this start created the organization. */
  readonly firstStart: FirstStart | undefined;
  /** The portal acting by itself in an organization (demo, timers). */
  systemWorld(orgId: string): World;
  /** Organization and credential of the first start, in clear: for the demo's agent. */
  primaryCredential(): Promise<{ orgId: string; clientId: string; clientSecret: string }>;
  stop(): Promise<void>;
}

const sessionCleanupMs = 60 * 60_000;
const drainTimeoutMs = 20_000;
/** What a webhook may carry (5 MiB), and its signature. */
const maxKafkaMessageBytes = 6 * 1024 * 1024;

/** Login of the first start, when it was generated. */
export const firstLoginFile = (config: Config): string => join(config.dataDir, 'first-login.txt');

export async function startApp(
  config: Config,
  log: Logger,
  options: {
    webDirectory: string;
    pid: number;
    checkReplies?: boolean;
    /** Frees the port, where something stands in for the server until now. */
    beforeListening?: () => Promise<void>;
  },
): Promise<App> {
  mkdirSync(config.dataDir, { recursive: true });
  const installationKey = loadInstallationKey(config.dataDir, config.encryptionKey);
  const vault = createVault(installationKey.key);
  const postgres: EmbeddedPostgres | undefined = config.databaseUrl
    ? undefined
    : await startEmbeddedPostgres({ dataDir: config.dataDir, log });
  const databaseUrl = config.databaseUrl ?? postgres?.url ?? '';
  const undo: (() => Promise<unknown>)[] = [async () => postgres?.stop()];
  const rollBack = async () => {
    for (const step of undo.reverse())
      await step().catch((error: Error) => log.error({ error: error.message }, 'a step of stopping failed'));
  };

  try {
    await migrate(databaseUrl, log);
    await catchUpTransactionIds(databaseUrl, log);
    const wakes = await openWakes(databaseUrl, log);
    undo.push(() => wakes.close());
    const database = openDatabase({ url: databaseUrl, maxConnections: config.databaseConnections, log, wakes });
    undo.push(() => database.close());
    await assertInstallationKey(database, vault, installationKey, () => opensOldestSecret(database, vault));
    const firstStart = await setUpFirstOrganization(
      database,
      vault,
      {
        ...config.setup,
        ...(config.demo ? { orgName: 'Harbour Coffee', orgSettings: { demo: {} } } : { orgName: 'My organization' }),
      },
      ({ adminEmail, adminPassword }) => {
        if (config.setup.adminPassword === undefined)
          writeFileSync(firstLoginFile(config), `${adminEmail}\n${adminPassword}\n`, { mode: 0o600 });
      },
    );

    const metrics = createMetrics();
    const identity = createIdentity(database, vault);
    const systemWorld = (orgId: string): World => worldFor(orgId, 'quayside', 'SYSTEM');
    const worldFor = (orgId: string, id: string, origin: Origin): World => {
      const actor: Actor = { kind: 'system', orgId, id, permissions: new Set() };
      return createWorld({ database, actor, origin, log, traceId: newTraceId() });
    };
    const ownOrigin = config.baseUrl ? new URL(config.baseUrl).origin : undefined;
    let servePage: Awaited<ReturnType<typeof serveWebFiles>>['servePage'] | undefined;
    const http = createHttp({
      database,
      log,
      metrics,
      authenticate: identity.authenticate,
      rateLimitPerMinute: config.rateLimitPerMinute,
      trustProxy: config.trustProxy,
      isOwnOrigin: (origin, request) => origin === ownOrigin || URL.parse(origin)?.host === request.host,
      checkReplies: options.checkReplies ?? false,
      servePage: (request, reply) => servePage?.(request, reply) ?? false,
    });
    const connections = trackConnections(http.app.server);
    const url = () =>
      config.baseUrl ?? `http://localhost:${(http.app.server.address() as AddressInfo | null)?.port ?? config.port}`;
    ({ servePage } = await serveWebFiles(http.app, options.webDirectory));

    /** Connects to nothing yet: brokers that are away must not keep the portal from starting. */
    const openKafka = (kafkaConfig: NonNullable<Config['kafka']>): { access: KafkaAccess; publisher: Reader } => {
      const brokers: Kafka = createKafka(kafkaConfig);
      undo.push(() => brokers.close());
      const access = createKafkaAccess({
        kafka: brokers,
        vault,
        setup: {
          ...kafkaConfig,
          hasUsers: kafkaConfig.sasl !== undefined,
          ownUsername: kafkaConfig.sasl?.username,
          topics: { ...kafkaConfig, maxMessageBytes: maxKafkaMessageBytes },
        },
      });
      return {
        access,
        publisher: createPublisher({
          kafka: brokers,
          access,
          vault,
          metrics,
          holder: serverHolder(options.pid),
          failRun: runs.failDispatch,
        }),
      };
    };

    const waits = createClaimWaits(wakes);
    const entities = createEntityService({ findRunStatus, deleteBlueprint, people: twins });
    const runs = createRunService({
      vault,
      metrics,
      guardrails: { judgeExecute, findApprovers, hasApproverPolicy, limitsOf },
      notifyApprovers: createNotifyApprovers({
        hasMail: config.smtp !== undefined,
        runUrl: (runId) => `${url()}/runs/${runId}`,
      }),
      hasKafka: config.kafka !== undefined,
      ownUrl: url,
    });
    const dispatch = createDispatch({ runs, waits, metrics, alertDeadLetter, messages: createAgentMessages() });

    const kafka = config.kafka && openKafka(config.kafka);
    const automations = createAutomations({ startRun: runs.startAutomation, metrics });
    const changeLog = createChangeLog({
      arePolling: async (ctx) => kafka === undefined || (await streamerFor(ctx)) === 'POLLING',
    });
    const auditKey = createAuditKey(vault);
    const readers = [
      automations,
      timerReader,
      changeLog,
      createAuditSealer(auditKey),
      ...(kafka ? [kafka.publisher] : []),
    ];

    const replays = createReplays({
      handOvers: { r_: runs.replay, m_: replayMessage, e_: kafka ? replayChange : async () => 'gone' },
      database,
      holder: serverHolder(options.pid),
      worldOf: systemWorld,
    });

    serveSystem(
      http,
      createSystem({ database, metrics, waits, readers: readers.map(({ name }) => name) }),
      config.metricsToken,
    );
    serveIdentity(http, { identity, vault, isSecure: ownOrigin?.startsWith('https:') ?? false, baseUrl: url });
    serveSecrets(http, vault);
    serveBlueprints(http, [followBlueprint]);
    serveEntities(http, entities);
    serveActions(http, findHolds);
    serveWorkflows(http);
    serveAutomations(http);
    serveRuns(http, { runs, wakes });
    serveDispatch(http, dispatch);
    serveDeliveries(http, replays);
    serveKafka(http, kafka?.access ?? noKafkaAccess);
    serveAudit(http, auditKey);
    http.assertComplete();

    const mailer = config.smtp && createMailer(config.smtp);
    const outbound = {
      database,
      holder: serverHolder(options.pid),
      timeoutMs: config.webhookTimeoutMs,
      dispatcher: createOutbound(config),
      worldOf: systemWorld,
    };
    const toItself = createOutbound({ allowPrivateTargets: true });
    const github = createGithub({
      ...outbound,
      runs,
      baseUrl: config.githubUrl,
      secretOf: (world, name) => world.transaction(async (ctx) => (await openSecrets(ctx, vault))[name]),
    });
    const delivery = createServerDelivery({
      ...outbound,
      dispatch,
      vault,
      github,
      azureUrl: config.azureUrl,
      ownApi: {
        token: identity.tokenForCall,
        dispatcher: toItself,
      },
      payloadToSend: runs.payloadToSend,
      upsertEntity: (orgId, run, blueprint, body) =>
        entities.create(worldFor(orgId, run.createdBy, run.source), blueprint, body, {
          upsert: true,
          merge: true,
          run_id: run.id,
        }),
    });
    const timers = startTimers(createTimers(outbound), waits, log);
    const watching = startWatching(github, waits, log);
    const deliveries = startServerDeliveries(delivery, waits, log);
    const retaining = startRetention(
      createRetention({
        ...outbound,
        pruneAuditLog: (world, until) =>
          pruneAuditLog({ database, readers: readers.map(({ name }) => name) }, world, until),
      }),
      waits,
      log,
    );
    const replaying = startReplays(replays, waits, log);
    const messages = startMessages(createMessageDelivery({ ...outbound, vault, mailer }), waits, log);
    const reading = await startReaders({
      readers,
      database,
      waits,
      wakes,
      holder: serverHolder(options.pid),
      worldOf: systemWorld,
      log,
    });
    const republishing =
      kafka && startRepublishing(createRepublishing({ database, runs, worldOf: systemWorld }), waits, log);
    const cleanup = setInterval(() => void identity.deleteEndedSessions().catch(() => undefined), sessionCleanupMs);
    undo.push(async () => {
      http.startDraining();
      clearInterval(cleanup);
      waits.close();
      await Promise.all([
        deliveries.stop(),
        messages.stop(),
        replaying.stop(),
        retaining.stop(),
        timers.stop(),
        watching.stop(),
        reading.stop(),
        republishing?.stop(),
      ]);
      await outbound.dispatcher.close();
      await toItself.close();
      mailer?.close();
      connections.closeWhenIdle();
      const force = setTimeout(() => http.app.server.closeAllConnections(), drainTimeoutMs);
      await http.app.close();
      clearTimeout(force);
    });

    await options.beforeListening?.();
    await http.app.listen({ port: config.port, host: config.host }).catch((error: NodeJS.ErrnoException) => {
      throw explainListening(error, config.port);
    });
    const { port } = http.app.server.address() as AddressInfo;
    let stopped: Promise<void> | undefined;
    return {
      url: url(),
      port,
      database,
      databaseUrl,
      vault,
      entities,
      firstStart,
      systemWorld,
      primaryCredential: () => primaryCredential(database, vault),
      stop() {
        stopped ??= rollBack();
        return stopped;
      },
    };
  } catch (error) {
    await rollBack();
    throw error;
  }
}
