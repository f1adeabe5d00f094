import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Admin } from '@platformatic/kafka';
import { freePort, kafkaStreamer, type ServerProcess, startServerProcess } from '@quayside/testkit';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { examine } from '../src/doctor.ts';
import { environment } from './start-agent.ts';

/** The doctor's part about Kafka, at a real broker with users and permissions. */
const streamer = kafkaStreamer(inject('kafka'));
const orgId = streamer.serverEnvironment.QUAYSIDE_ORG_ID ?? '';
let server: ServerProcess;
let dataDir: string;

beforeAll(async () => {
  dataDir = mkdtempSync(join(tmpdir(), 'quayside-doctor-'));
  server = await startServerProcess({ dataDir, environment: streamer.serverEnvironment });
}, 90_000);
afterAll(async () => {
  await server?.stop();
  rmSync(dataDir, { recursive: true, force: true });
}, 90_000);

async function examined(more: Record<string, string> = {}) {
  const lines: string[] = [];
  const env = environment(server, { ...streamer.agentEnvironment, ...more });
  const exitCode = await examine({ env, processId: 1, print: (line) => lines.push(line) });
  return { exitCode, lines, bad: lines.filter((line) => line.startsWith('✗')) };
}

describe('the doctor about Kafka', () => {
  it('reaches brokers, topics and group, and joins nothing', async () => {
    const { exitCode, lines, bad } = await examined();
    expect(bad).toEqual([]);
    expect(exitCode).toBe(0);
    const text = lines.join('\n');
    expect(text).toMatch(new RegExp(`✓ Kafka +${streamer.serverEnvironment.KAFKA_BROKERS} by SASL_SSL, as ${orgId}`));
    expect(text).toContain(`${orgId}.runs (3 partitions), ${orgId}.change.log (3 partitions)`);
    expect(text).toContain(`${orgId}.agents may be joined; 0 members now`);
    const admin = new Admin({ clientId: 'test', bootstrapBrokers: [inject('kafka').plaintextBroker] });
    expect([...(await admin.listGroups()).keys()]).not.toContain(`${orgId}.agents`);
    await admin.close();
  });

  it.each<[string, Record<string, string>, RegExp]>([
    ['a group of somebody else', { KAFKA_CONSUMER_GROUP_ID: 'somebody.else' }, /✗ Group .*must begin with/],
    ['an unknown topic', { KAFKA_RUNS_TOPIC: 'no.such.topic' }, /✗ Topics .*check PORT_ORG_ID, KAFKA_RUNS_TOPIC/],
    ['an untrusted certificate', { SSL_CERT_FILE: '' }, /✗ Kafka .*add its CA as a PEM file: SSL_CERT_FILE/],
    [
      'another mechanism',
      { KAFKA_CONSUMER_AUTHENTICATION_MECHANISM: 'SCRAM-SHA-256' },
      /✗ Kafka .*KAFKA_CONSUMER_AUTHENTICATION_MECHANISM/,
    ],
  ])('%s is named with the remedy', async (_, more, text) => {
    const { exitCode, bad } = await examined(more);
    expect(exitCode).toBe(1);
    expect(bad).toEqual([expect.stringMatching(text)]);
  });

  it('brokers that are not there', async () => {
    const { bad } = await examined({
      USING_LOCAL_PORT_INSTANCE: 'true',
      KAFKA_CONSUMER_SECURITY_PROTOCOL: 'PLAINTEXT',
      KAFKA_CONSUMER_BOOTSTRAP_SERVERS: `127.0.0.1:${await freePort()}`,
    });
    expect(bad).toEqual([expect.stringMatching(/✗ Kafka .*can not be reached; check DNS, firewall/)]);
  });
});
