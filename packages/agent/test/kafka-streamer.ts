import { randomBytes } from 'node:crypto';
import type { TestKafka } from '@quayside/testkit';
import type { Streamer } from './real-portal.ts';

/** An organization of its own, so that files can share a broker. */
export function kafkaStreamer(kafka: Pick<TestKafka, 'broker' | 'admin' | 'caFile'>): Streamer {
  const orgId = `org_${randomBytes(6).toString('hex')}`;
  return {
    name: 'KAFKA',
    serverEnvironment: {
      QUAYSIDE_ORG_ID: orgId,
      KAFKA_BROKERS: kafka.broker,
      KAFKA_USERNAME: kafka.admin.username,
      KAFKA_PASSWORD: kafka.admin.password,
      KAFKA_CA_FILE: kafka.caFile,
      KAFKA_TOPIC_PARTITIONS: '3',
    },
    agentEnvironment: {
      KAFKA_CONSUMER_GROUP_ID: `${orgId}.agents`,
      KAFKA_CONSUMER_SECURITY_PROTOCOL: 'SASL_SSL',
      KAFKA_CONSUMER_AUTHENTICATION_MECHANISM: 'SCRAM-SHA-512',
      KAFKA_CONSUMER_SESSION_TIMEOUT_MS: '3000',
      NODE_EXTRA_CA_CERTS: kafka.caFile,
    },
  };
}
