import { describe, expect, it } from 'vitest';
import { ConfigError, readConfig } from './config.ts';

describe('configuration', () => {
  it('has defaults for everything', () => {
    const config = readConfig({});
    expect(config).toMatchObject({ port: 3000, demo: true, allowPrivateTargets: false, databaseUrl: undefined });
    expect(Object.isFrozen(config)).toBe(true);
  });

  it('treats empty values as absent', () => {
    expect(readConfig({ DATABASE_URL: '', QUAYSIDE_PORT: ' ' })).toMatchObject({ databaseUrl: undefined, port: 3000 });
  });

  it('lists every mistake at once, by variable', () => {
    const read = () =>
      readConfig({
        QUAYSIDE_PORT: 'http',
        DATABASE_URL: 'mysql://x',
        QUAYSIDE_DEMO: 'perhaps',
        QUAYSIDE_CLIENT_ID: 'client-id-only',
        QUAYSIDE_ENCRYPTION_KEY: 'c2hvcnQ=',
        QUAYSIDE_ADMIN_EMAIL: 'nobody',
        QUAYSIDE_LOG_LEVEL: 'loud',
        QUAYSIDE_ORG_ID: "o'; drop table",
      });
    expect(read).toThrow(ConfigError);
    try {
      read();
    } catch (error) {
      const { mistakes } = error as ConfigError;
      for (const name of [
        'QUAYSIDE_PORT',
        'DATABASE_URL',
        'QUAYSIDE_DEMO',
        'QUAYSIDE_CLIENT_ID',
        'QUAYSIDE_ENCRYPTION_KEY',
        'QUAYSIDE_ADMIN_EMAIL',
        'QUAYSIDE_LOG_LEVEL',
        'QUAYSIDE_ORG_ID',
      ])
        expect(
          mistakes.some((line) => line.includes(name)),
          name,
        ).toBe(true);
      expect(mistakes).toHaveLength(8);
    }
  });

  it('never repeats a secret in a mistake', () => {
    expect(() => readConfig({ QUAYSIDE_CLIENT_SECRET: 'short-secret', QUAYSIDE_CLIENT_ID: 'client-id' })).toThrow(
      expect.objectContaining({ message: expect.not.stringContaining('short-secret') }),
    );
  });

  it('has no Kafka unless brokers are named, and refuses settings of it that do not fit', () => {
    expect(readConfig({}).kafka).toBeUndefined();
    expect(readConfig({ KAFKA_BROKERS: 'a:9092, b:9092' }).kafka).toMatchObject({
      brokers: ['a:9092', 'b:9092'],
      clientBrokers: ['a:9092', 'b:9092'],
      tls: undefined,
      sasl: undefined,
      provisions: true,
    });
    const user = { KAFKA_USERNAME: 'u', KAFKA_PASSWORD: 'p' };
    expect(readConfig({ KAFKA_BROKERS: 'a:9092', ...user }).kafka).toMatchObject({
      tls: { ca: undefined },
      sasl: { mechanism: 'SCRAM-SHA-512', username: 'u', password: 'p' },
    });
    for (const [environment, mistake] of [
      [{ KAFKA_BROKERS: 'http://a:9092' }, 'KAFKA_BROKERS must be host:port'],
      [{ KAFKA_BROKERS: 'a:1', KAFKA_USERNAME: 'u' }, 'belong together'],
      [{ KAFKA_BROKERS: 'a:1', KAFKA_SECURITY_PROTOCOL: 'SASL_SSL' }, 'needs KAFKA_USERNAME'],
      [{ KAFKA_BROKERS: 'a:1', ...user, KAFKA_SECURITY_PROTOCOL: 'PLAINTEXT' }, 'asks for no user'],
      [{ KAFKA_BROKERS: 'a:1', KAFKA_CA_FILE: '/no/such/file' }, 'KAFKA_CA_FILE can not be read'],
    ] as const)
      expect(() => readConfig(environment)).toThrow(mistake);
  });
});
