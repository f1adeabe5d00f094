import { readFileSync } from 'node:fs';
import {
  Admin,
  Consumer,
  MessagesStreamModes,
  Producer,
  stringDeserializers,
  stringSerializers,
} from '@platformatic/kafka';
import { describe, expect, inject, it } from 'vitest';

/** The broker is what the other tests take it for: encrypted, authenticated, authorized, and open to plaintext on loopback. */
const kafka = inject('kafka');
const secure = {
  clientId: 'test',
  bootstrapBrokers: [kafka.broker],
  tls: { ca: readFileSync(kafka.caFile, 'utf8') },
  sasl: { mechanism: 'SCRAM-SHA-512' as const, ...kafka.admin },
};

describe('the test broker', () => {
  it('takes a message over SASL_SSL and gives it out over plaintext', async () => {
    const admin = new Admin(secure);
    await admin.createTopics({ topics: ['testkit'], partitions: 1, replicas: 1 });
    const producer = new Producer({ ...secure, serializers: stringSerializers, idempotent: true });
    await producer.send({ messages: [{ topic: 'testkit', key: 'k', value: 'v' }] });
    const consumer = new Consumer({
      clientId: 'test',
      groupId: 'testkit',
      bootstrapBrokers: [kafka.plaintextBroker],
      deserializers: stringDeserializers,
      maxWaitTime: 100,
    });
    const stream = await consumer.consume({ topics: ['testkit'], mode: MessagesStreamModes.EARLIEST });
    for await (const message of stream) {
      expect(message).toMatchObject({ key: 'k', value: 'v' });
      break;
    }
    await Promise.all([consumer.close(true), producer.close(), admin.close()]);
  });

  it('refuses a wrong password', async () => {
    const admin = new Admin({ ...secure, retries: 0, sasl: { ...secure.sasl, password: 'wrong' } });
    await expect(admin.listTopics()).rejects.toThrow();
    await admin.close();
  });

  it('refuses a certificate that nobody vouched for', async () => {
    const admin = new Admin({ ...secure, retries: 0, tls: {} });
    await expect(admin.listTopics()).rejects.toThrow();
    await admin.close();
  });
});
