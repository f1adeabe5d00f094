import { randomBytes } from 'node:crypto';
import { changeLogTopic, runsTopic } from '@quayside/contracts';
import type { World } from '../../platform/ctx.ts';
import { describeKafkaError, type Kafka, type TopicOptions } from '../../platform/kafka.ts';
import { refuse } from '../../platform/refusal.ts';
import type { Vault } from '../../platform/vault.ts';
import * as store from './store.ts';

/**
 * What an organization's consumers need at the brokers: two topics, a user, and permission to read. The user is named as the
 * organization, and may use every group whose name begins so, as Port's users do.
 */
export interface KafkaSetup {
  /** What consumers are told. */
  readonly clientBrokers: readonly string[];
  /** One user for the consumers of all organizations, made by the operator; absent = a user per organization. */
  readonly clientUser: { readonly username: string; readonly password: string } | undefined;
  /** Do the brokers ask for a password at all? */
  readonly hasUsers: boolean;
  /** The name that the portal itself logs in with. */
  readonly ownUsername: string | undefined;
  /** May the portal make topics, users and permissions? */
  readonly provisions: boolean;
  readonly topics: TopicOptions;
}

export interface KafkaAccess {
  /** Idempotent; throws while the brokers are away or refuse. */
  provision(world: World): Promise<void>;
  readCredentials(world: World): Promise<{ brokers: string[]; username: string; password: string }>;
}

/** For a portal without brokers. */
export const noKafkaAccess: Pick<KafkaAccess, 'readCredentials'> = {
  async readCredentials() {
    return refuse(
      'not_found',
      'Kafka was not found: this portal has no brokers (KAFKA_BROKERS). Start the agent with STREAMER_NAME=POLLING, which is as quick here.',
    );
  },
};

export function createKafkaAccess(dependencies: { kafka: Kafka; vault: Vault; setup: KafkaSetup }): KafkaAccess {
  const { kafka, vault, setup } = dependencies;
  const hasOwnUser = setup.provisions && setup.hasUsers && setup.clientUser === undefined;
  const sealOwner = (orgId: string) => `kafka user ${orgId}`;

  async function userOf(world: World): Promise<{ username: string; password: string; isProvisioned: boolean }> {
    const username = world.orgId;
    if (username === setup.ownUsername)
      throw new Error(
        `The organization is named as the user that the portal logs in to Kafka with (${username}); give the portal another one.`,
      );
    const user = await world.transaction(async (ctx) => {
      const found = await store.findUser(ctx.db, ctx.orgId);
      if (found) return found;
      const password = vault.seal(randomBytes(24).toString('base64url'), sealOwner(ctx.orgId));
      await store.insertUser(ctx.db, ctx.orgId, username, password);
      return store.findUser(ctx.db, ctx.orgId);
    });
    if (!user) throw new Error('The Kafka user of the organization vanished.');
    const { isProvisioned, passwordSealed } = user;
    return { username: user.username, password: vault.open(passwordSealed, sealOwner(world.orgId)), isProvisioned };
  }

  async function provision(world: World): Promise<void> {
    if (!setup.provisions) return;
    const topics = [runsTopic(world.orgId), changeLogTopic(world.orgId)];
    await kafka.createTopics(topics, setup.topics);
    if (!hasOwnUser) return;
    const { username, password } = await userOf(world);
    await kafka.setUser(username, password);
    await kafka.allowReading(username, topics, world.orgId);
    await world.transaction((ctx) => store.markProvisioned(ctx.db, ctx.orgId));
  }

  return {
    provision,
    async readCredentials(world) {
      const brokers = [...setup.clientBrokers];
      if (setup.clientUser) return { brokers, ...setup.clientUser };
      if (!setup.hasUsers) return { brokers, username: '', password: '' };
      if (!hasOwnUser)
        refuse(
          'not_found',
          'A user for consumers was not found: the portal may not make any (KAFKA_PROVISION=false). Its operator sets KAFKA_CLIENT_USERNAME and KAFKA_CLIENT_PASSWORD.',
        );
      const { username, password, isProvisioned } = await userOf(world);
      if (!isProvisioned)
        await provision(world).catch((error: unknown) => {
          world.log.warn(
            { problem: describeKafkaError(error) },
            'the Kafka user of the organization could not be made',
          );
          refuse('unavailable', 'The Kafka brokers of the portal can not be reached; try again shortly.');
        });
      return { brokers, username, password };
    },
  };
}
