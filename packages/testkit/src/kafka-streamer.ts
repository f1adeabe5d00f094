import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createKafka } from '@quayside/server/platform/kafka';
import type { TestKafka } from './kafka.ts';

/** How agents get their runs, and what server and agent have to be told for that. */
export interface Streamer {
  name: 'POLLING' | 'KAFKA';
  serverEnvironment: Readonly<Record<string, string>>;
  agentEnvironment: Readonly<Record<string, string>>;
}

export const pollingStreamer: Streamer = {
  name: 'POLLING',
  serverEnvironment: {},
  agentEnvironment: { STREAMER_NAME: 'POLLING' },
};

/** With an organization of its own, so that files can share a broker. */
export function kafkaStreamer(
  kafka: Pick<TestKafka, 'broker' | 'admin' | 'caFile'>,
  orgId = `org_${randomBytes(6).toString('hex')}`,
): Streamer {
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
      STREAMER_NAME: 'KAFKA',
      PORT_ORG_ID: orgId,
      KAFKA_CONSUMER_GROUP_ID: `${orgId}.agents`,
      KAFKA_CONSUMER_SECURITY_PROTOCOL: 'SASL_SSL',
      KAFKA_CONSUMER_AUTHENTICATION_MECHANISM: 'SCRAM-SHA-512',
      KAFKA_CONSUMER_SESSION_TIMEOUT_MS: '3000',
      SSL_CERT_FILE: kafka.caFile,
    },
  };
}

/** Sets a user's password at the brokers alone, as when somebody changed it there; takes effect within a second. */
export async function setKafkaPassword(
  kafka: Pick<TestKafka, 'broker' | 'admin' | 'caFile'>,
  username: string,
  password: string,
): Promise<void> {
  const admin = createKafka({
    brokers: [kafka.broker],
    tls: { ca: readFileSync(kafka.caFile, 'utf8') },
    sasl: { mechanism: 'SCRAM-SHA-512', ...kafka.admin },
  });
  await admin.setUser(username, password);
  await admin.close();
}
