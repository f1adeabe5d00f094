import { pbkdf2Sync, randomBytes } from 'node:crypto';
import {
  type Acl,
  AclOperations,
  AclPermissionTypes,
  Admin,
  alterUserScramCredentialsV0,
  Connection,
  findErrorBy,
  Producer,
  ResourcePatternTypes,
  ResourceTypes,
  ScramMechanisms,
  stringSerializers,
} from '@platformatic/kafka';

/**
 * Kafka, as far as the portal uses it: an idempotent producer, and what an administrator does for an organization's
 * consumers. Nothing connects before it is needed, and after a failure the next call starts with new connections.
 */
export interface KafkaOptions {
  readonly brokers: readonly string[];
  /** Absent = plaintext. */
  readonly tls: { readonly ca: string | undefined } | undefined;
  readonly sasl:
    | {
        readonly mechanism: 'SCRAM-SHA-512' | 'SCRAM-SHA-256' | 'PLAIN';
        readonly username: string;
        readonly password: string;
      }
    | undefined;
}

export interface OutgoingRecord {
  topic: string;
  /** Records of one key keep their order. */
  key: string;
  value: string;
  headers: Readonly<Record<string, string>>;
}

export interface Kafka {
  /**
   * Resolves when the brokers have all of them on all in-sync replicas. Rejects otherwise; any of them may then have arrived,
   * so whoever sends them again sends some twice.
   */
  publish(records: readonly OutgoingRecord[]): Promise<void>;
  /** What is there already stays as it is. */
  createTopics(topics: readonly string[], options: TopicOptions): Promise<void>;
  /** Sets the password of a SCRAM-SHA-512 user, who is made if need be. */
  setUser(username: string, password: string): Promise<void>;
  /** Lets the user read the topics, in groups whose names begin with `groupPrefix`. */
  allowReading(username: string, topics: readonly string[], groupPrefix: string): Promise<void>;
  close(): Promise<void>;
}

export interface TopicOptions {
  partitions: number;
  /** -1 = as the brokers are configured. */
  replication: number;
  maxMessageBytes: number;
}

const clientId = 'quayside';
const scramIterations = 8_192;
const timeoutMs = 10_000;
/** For everything that one call does, its repetitions included. */
const publishTimeoutMs = 30_000;

export function createKafka(options: KafkaOptions): Kafka {
  const connection = {
    ...(options.tls && { tls: options.tls.ca === undefined ? {} : { ca: options.tls.ca } }),
    ...(options.sasl && { sasl: options.sasl }),
    connectTimeout: 5_000,
    requestTimeout: timeoutMs,
  };
  // Each of our loops tries again by itself; more tries in here would only hide how long a broker is away. (Less than two
  // means "for ever" to an idempotent producer of this client.)
  const base = { clientId, bootstrapBrokers: [...options.brokers], retries: 2, retryDelay: 250, ...connection };
  let producer: Producer<string, string, string, string> | undefined;

  /** One connection to the first broker that answers. */
  async function withConnection<T>(work: (connection: Connection) => Promise<T>): Promise<T> {
    let failure: unknown;
    for (const broker of options.brokers) {
      const { hostname, port } = new URL(`kafka://${broker}`);
      const open = new Connection(clientId, connection);
      try {
        await open.connect(hostname, Number(port));
      } catch (error) {
        failure = error;
        await open.close().catch(() => undefined);
        continue;
      }
      try {
        return await work(open);
      } finally {
        await open.close().catch(() => undefined);
      }
    }
    throw failure;
  }

  async function withAdmin<T>(work: (admin: Admin) => Promise<T>): Promise<T> {
    const admin = new Admin(base);
    try {
      return await work(admin);
    } finally {
      await admin.close().catch(() => undefined);
    }
  }

  return {
    async publish(records) {
      producer ??= new Producer({ ...base, idempotent: true, acks: -1, serializers: stringSerializers });
      const sending = producer;
      try {
        const messages = records.map((record) => ({ ...record, headers: { ...record.headers } }));
        await within(publishTimeoutMs, sending.send({ messages }));
      } catch (error) {
        // Its numbering is of no use after a failure. Nobody waits for its end: it may be what hangs.
        if (producer === sending) producer = undefined;
        sending.close(true).catch(() => undefined);
        throw error;
      }
    },
    async createTopics(topics, { partitions, replication, maxMessageBytes }) {
      await withAdmin(async (admin) => {
        for (const topic of topics)
          try {
            await admin.createTopics({
              topics: [topic],
              partitions,
              replicas: replication,
              configs: [{ name: 'max.message.bytes', value: String(maxMessageBytes) }],
            });
          } catch (error) {
            if (!isKafkaError(error, 'TOPIC_ALREADY_EXISTS')) throw error;
          }
      });
    },
    async setUser(username, password) {
      const salt = randomBytes(32);
      const saltedPassword = pbkdf2Sync(password, salt, scramIterations, 64, 'sha512');
      const mechanism = ScramMechanisms.SCRAM_SHA_512;
      await withConnection((open) =>
        alterUserScramCredentialsV0.api.async(
          open,
          [],
          [{ name: username, mechanism, iterations: scramIterations, salt, saltedPassword }],
        ),
      );
    },
    async allowReading(username, topics, groupPrefix) {
      const acl = (
        target: Pick<Acl, 'resourceType' | 'resourceName' | 'resourcePatternType'>,
        operation: 3 | 8,
      ): Acl => ({
        ...target,
        principal: `User:${username}`,
        host: '*',
        operation,
        permissionType: AclPermissionTypes.ALLOW,
      });
      const targets = [
        ...topics.map((resourceName) => ({
          resourceType: ResourceTypes.TOPIC,
          resourceName,
          resourcePatternType: ResourcePatternTypes.LITERAL,
        })),
        {
          resourceType: ResourceTypes.GROUP,
          resourceName: groupPrefix,
          resourcePatternType: ResourcePatternTypes.PREFIXED,
        },
      ];
      const creations = targets.flatMap((target) => [
        acl(target, AclOperations.READ),
        acl(target, AclOperations.DESCRIBE),
      ]);
      await withAdmin((admin) => admin.createAcls({ creations }));
    },
    async close() {
      if (producer) await within(timeoutMs, producer.close(true)).catch(() => undefined);
    },
  };
}

async function within<T>(ms: number, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`The brokers did not answer within ${ms / 1000} s.`)), ms);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Did the brokers answer with this error (its name in the protocol)? */
export function isKafkaError(error: unknown, name: string): boolean {
  return findErrorBy(error as Error, 'apiId', name) !== null;
}

/** What went wrong, in one line: the innermost messages, which name the cause. */
export function describeKafkaError(error: unknown): string {
  const { message, errors, cause } = error as { message?: string; errors?: unknown[]; cause?: unknown };
  const inner = [...(errors ?? []), ...(cause ? [cause] : [])].map(describeKafkaError);
  const text = [...new Set(inner.filter((line) => line !== ''))].join('; ') || (message ?? '');
  return text.slice(0, 500);
}
