import type { ConsumerOptions } from '@platformatic/kafka';
import type { Trust } from '@quayside/delivery';
import type { PortalApi } from '../api.ts';
import type { Config, KafkaConfig } from '../config.ts';
import { portalCalls } from '../portal-calls.ts';

/** How the brokers are found, logged in to, and understood when they refuse; for the consumer and for the doctor. */
export interface KafkaLogin {
  brokers: string[];
  username: string;
  password: string;
}

/** Throws an Error that `explainKafka` gives back as it is. */
export async function readKafkaLogin(api: PortalApi, kafka: KafkaConfig): Promise<KafkaLogin> {
  const { bootstrapServers } = kafka;
  if (bootstrapServers !== undefined) return { brokers: [...bootstrapServers], username: '', password: '' };
  const answer = await api.call(portalCalls.kafkaCredentials());
  if (answer.kind !== 'ok') throw new PortalRefusal(`the portal gives no Kafka credentials: ${answer.message}`);
  const { credentials } = answer.body as {
    credentials?: { brokers?: unknown; username?: unknown; password?: unknown };
  };
  if (!Array.isArray(credentials?.brokers) || credentials.brokers.length === 0)
    throw new PortalRefusal('the portal names no Kafka brokers; is PORT_API_BASE_URL right?');
  return {
    brokers: credentials.brokers.map(String),
    username: String(credentials.username ?? ''),
    password: String(credentials.password ?? ''),
  };
}

class PortalRefusal extends Error {}

type ConnectionOptions = Pick<
  ConsumerOptions<Buffer, Buffer, Buffer, Buffer>,
  'clientId' | 'bootstrapBrokers' | 'tls' | 'sasl'
>;

export function connectionOptions(kafka: KafkaConfig, login: KafkaLogin, trust: Trust): ConnectionOptions {
  const protocol = kafka.securityProtocol;
  return {
    clientId: 'quayside-agent',
    bootstrapBrokers: login.brokers,
    ...(protocol.endsWith('SSL') && {
      tls: {
        // Read anew for each connection, so that a rotated certificate counts.
        get secureContext() {
          return trust.context();
        },
      },
    }),
    ...(protocol.startsWith('SASL') && {
      sasl: { mechanism: kafka.mechanism, username: login.username, password: login.password },
    }),
  };
}

/** What the brokers said, and what to do about it. */
export function explainKafka(
  error: unknown,
  config: Pick<Config, 'organizationId'> & { readonly kafka: KafkaConfig },
): string {
  if (error instanceof PortalRefusal) return error.message;
  const said = innermost(error);
  const { kafka } = config;
  const remedy = [
    [
      /SASL|authentication/i,
      'the brokers refuse the user; check PORT_CLIENT_ID, PORT_CLIENT_SECRET and KAFKA_CONSUMER_AUTHENTICATION_MECHANISM',
    ],
    [
      /group authorization/i,
      `the user may not use the group ${kafka.groupId}; KAFKA_CONSUMER_GROUP_ID must begin with ${config.organizationId}`,
    ],
    [
      /topic authorization|unknown topic/i,
      `the topics ${kafka.runsTopic} and ${kafka.changeLogTopic} are not there for this user; check PORT_ORG_ID, KAFKA_RUNS_TOPIC and KAFKA_CHANGE_LOG_TOPIC`,
    ],
    [
      /certificate|self-signed|issuer/i,
      'the certificate of the brokers is not trusted; add its CA as a PEM file: SSL_CERT_FILE, or a *.crt below /usr/local/share/ca-certificates',
    ],
    [
      /ECONNREFUSED|ENOTFOUND|ETIMEDOUT|EAI_AGAIN|connect/i,
      'the brokers can not be reached; check DNS, firewall and KAFKA_CONSUMER_SECURITY_PROTOCOL',
    ],
  ].find(([pattern]) => (pattern as RegExp).test(said))?.[1];
  return remedy === undefined ? `Kafka: ${said}` : `Kafka: ${said} (${String(remedy)})`;
}

function innermost(error: unknown): string {
  const { message, errors, cause } = error as { message?: string; errors?: unknown[]; cause?: unknown };
  const inner = [...(errors ?? []), ...(cause ? [cause] : [])].map(innermost).filter((line) => line !== '');
  return ([...new Set(inner)].join('; ') || (message ?? '')).slice(0, 500);
}
