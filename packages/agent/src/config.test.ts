import { describe, expect, it } from 'vitest';
import { readConfig } from './config.ts';

const minimal = {
  STREAMER_NAME: 'POLLING',
  PORT_ORG_ID: 'org_1',
  PORT_CLIENT_ID: 'id',
  PORT_CLIENT_SECRET: 'secret',
};
const mistakesOf = (env: Record<string, string>) => {
  const read = readConfig(env, 7);
  return read.kind === 'mistakes' ? read.mistakes : [];
};

const kafka = { STREAMER_NAME: 'KAFKA', KAFKA_CONSUMER_GROUP_ID: 'org_x' };

describe('configuration', () => {
  it('lists every mistake at once', () => {
    const mistakes = mistakesOf({
      PORT_API_BASE_URL: 'portal.example.com',
      POLLING_INTERVAL_SECONDS: 'soon',
      WEBHOOK_VERIFY_SSL: 'maybe',
      LOG_LEVEL: 'LOUD',
      QUAYSIDE_AGENT_CONCURRENCY: '0',
      QUAYSIDE_AGENT_CONCURENCY: '4',
      QUAYSIDE_AGENT_LABELS: 'prod',
    });
    const expected = [
      /KAFKA_CONSUMER_GROUP_ID is missing.*STREAMER_NAME=POLLING needs none/,
      /QUAYSIDE_AGENT_CONCURENCY is not a setting/,
      /PORT_ORG_ID is missing/,
      /PORT_CLIENT_ID is missing/,
      /PORT_CLIENT_SECRET is missing/,
      /PORT_API_BASE_URL is "portal.example.com"/,
      /QUAYSIDE_AGENT_LABELS holds "prod"/,
      /QUAYSIDE_AGENT_CONCURRENCY is "0": it must be a whole number from 1 to 1000/,
      /POLLING_INTERVAL_SECONDS is "soon"/,
      /WEBHOOK_VERIFY_SSL is "maybe"/,
      /LOG_LEVEL is "LOUD"/,
    ];
    for (const pattern of expected) expect(mistakes).toContainEqual(expect.stringMatching(pattern));
    expect(mistakes).toHaveLength(expected.length);
  });

  it.each<[string, Record<string, string>, RegExp]>([
    ['an unknown streamer', { STREAMER_NAME: 'PIGEON' }, /must be KAFKA or POLLING/],
    ['Kafka without a group', { STREAMER_NAME: 'KAFKA' }, /KAFKA_CONSUMER_GROUP_ID is missing/],
    ['an unknown protocol', { ...kafka, KAFKA_CONSUMER_SECURITY_PROTOCOL: 'tls' }, /must be one of PLAINTEXT/],
    ['SASL without a mechanism', { ...kafka, KAFKA_CONSUMER_SECURITY_PROTOCOL: 'sasl_ssl' }, /needs one, e.g. SCRAM/],
    ['an unknown offset', { ...kafka, KAFKA_CONSUMER_AUTO_OFFSET_RESET: 'first' }, /must be one of smallest/],
    ['a local portal without brokers', { ...kafka, USING_LOCAL_PORT_INSTANCE: 'true' }, /BOOTSTRAP_SERVERS is missing/],
    ['brokers without a local portal', { ...kafka, KAFKA_CONSUMER_BOOTSTRAP_SERVERS: 'b:1' }, /only with USING_LOCAL/],
    ['a base URL with /v1', { PORT_API_BASE_URL: 'https://p.example.com/v1/' }, /without, the agent adds it/],
    ['a base URL with a password', { PORT_API_BASE_URL: 'https://u:p@example.com' }, /user info/],
    ['a longer wait than the portal allows', { QUAYSIDE_AGENT_WAIT_SECONDS: '60' }, /from 0 to 50/],
  ])('refuses %s', (_, env, pattern) => {
    expect(mistakesOf({ ...minimal, ...env })).toEqual([expect.stringMatching(pattern)]);
  });

  it('of Kafka has the defaults of the original', () => {
    expect(readConfig({ ...minimal, ...kafka, PORT_ORG_ID: 'org_x' }, 1)).toMatchObject({
      config: {
        kafka: {
          groupId: 'org_x',
          runsTopic: 'org_x.runs',
          changeLogTopic: 'org_x.change.log',
          securityProtocol: 'PLAINTEXT',
          sessionTimeoutMs: 45_000,
          offsetReset: 'earliest',
          bootstrapServers: undefined,
        },
      },
    });
  });

  it('has the defaults of the original, and ours', () => {
    const read = readConfig(minimal, 7);
    expect(read).toMatchObject({
      kind: 'ok',
      config: {
        portalUrl: 'https://api.getport.io',
        concurrency: 16,
        polling: { waitMs: 50_000, intervalMs: 10_000, batchSize: 100 },
        backoff: { initialMs: 1_000, factor: 2, maxMs: 300_000, jitter: 0.1, giveUpAfterMs: 3_600_000 },
        webhook: { timeoutMs: 30_000, verifyTls: true },
        logLevel: 'info',
        quotesAnswers: true,
        dataDir: undefined,
        health: undefined,
        agentId: expect.stringMatching(/-7$/) as string,
      },
    });
  });

  it('reads what is given, without a trailing slash, and freezes it', () => {
    const read = readConfig(
      {
        ...minimal,
        STREAMER_NAME: 'polling',
        PORT_API_BASE_URL: 'https://portal.example.com/base//',
        QUAYSIDE_AGENT_LABELS: 'env=prod, region=eu=1',
        WEBHOOK_VERIFY_SSL: 'False',
        LOG_LEVEL: 'WARNING',
        QUAYSIDE_AGENT_HEALTH_PORT: '9000',
        QUAYSIDE_AGENT_DATA_DIR: ' ',
      },
      7,
    );
    expect(read).toMatchObject({
      config: {
        portalUrl: 'https://portal.example.com/base',
        labels: { env: 'prod', region: 'eu=1' },
        webhook: { verifyTls: false },
        logLevel: 'warn',
        health: { host: '127.0.0.1', port: 9000 },
        dataDir: undefined,
      },
    });
    if (read.kind === 'ok') expect(Object.isFrozen(read.config) && Object.isFrozen(read.config.backoff)).toBe(true);
  });
});
