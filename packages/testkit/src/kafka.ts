import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { findKafkaJars } from './kafka-jars.ts';
import { type Certificate, createAuthority } from './network/certificates.ts';
import { freePort } from './server-process.ts';

/**
 * A real Apache Kafka: one node (KRaft), SASL_SSL with SCRAM-SHA-512 and authorization by ACLs, as a portal meets it, and a
 * plaintext listener, as someone has it on a laptop. 384 MB of heap at most; ready about 5 s after the start on two cores.
 */
export interface TestKafka {
  /** The SASL_SSL listener. */
  readonly broker: string;
  readonly plaintextBroker: string;
  readonly admin: { readonly username: string; readonly password: string };
  /** The file of the authority that signed the broker's certificate. */
  readonly caFile: string;
  /** As after a crash; the data stays. */
  kill(): Promise<void>;
  /** Again after `kill`, on the same ports. */
  start(): Promise<void>;
  stop(): Promise<void>;
}

const admin = { username: 'admin', password: 'admin-of-the-test-broker' } as const;
const startTimeoutMs = 60_000;
const javaOptions = ['-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', '-XX:-UsePerfData', '-Xshare:auto'];
const logOptions = ['-Dorg.slf4j.simpleLogger.defaultLogLevel=error'];

/** `front` = what clients connect to instead of the SASL_SSL listener: told the listener's port, it returns its own. */
export async function startTestKafka(options: { front?: (port: number) => Promise<number> } = {}): Promise<TestKafka> {
  const classPath = await findKafkaJars();
  const directory = mkdtempSync(join(tmpdir(), 'quayside-kafka-'));
  const [secure, plain, controller] = [await freePort(), await freePort(), await freePort()];
  const advertised = (await options.front?.(secure)) ?? secure;
  const settings = join(directory, 'server.properties');
  const caFile = join(directory, 'ca.pem');
  const authority = createAuthority('Test Brokers');
  const certificate = authority.issue(['localhost']);
  writeFileSync(caFile, authority.cert);
  writeFileSync(
    settings,
    properties({ secure, advertised, plain, controller, certificate, data: join(directory, 'data') }),
  );
  await promisify(execFile)('java', [
    ...javaOptions,
    ...logOptions,
    '-cp',
    classPath,
    'kafka.tools.StorageTool',
    'format',
    '--config',
    settings,
    '--cluster-id',
    'cXVheXNpZGUtdGVzdHMtMQ',
    '--add-scram',
    `SCRAM-SHA-512=[name=${admin.username},password=${admin.password}]`,
  ]);

  let child: ChildProcess | undefined;
  let output = '';
  const start = async () => {
    const started = spawn(
      'java',
      [...javaOptions, ...logOptions, '-Xmx384m', '-cp', classPath, 'kafka.Kafka', settings],
      {
        stdio: ['ignore', 'pipe', 'pipe'],
      },
    );
    child = started;
    for (const stream of [started.stdout, started.stderr])
      stream.setEncoding('utf8').on('data', (chunk: string) => {
        output = (output + chunk).slice(-20_000);
      });
    for (const endMs = performance.now() + startTimeoutMs; !(await accepts(secure)); await sleep(50)) {
      if (started.exitCode !== null) throw new Error(`The broker ended while it started:\n${output}`);
      if (performance.now() > endMs) throw new Error(`The broker was not ready within a minute:\n${output}`);
    }
  };
  const kill = async () => {
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    child.kill('SIGKILL');
    await once(child, 'exit');
  };
  // A run that is interrupted leaves no broker behind.
  const killAtExit = () => child?.kill('SIGKILL');
  process.on('exit', killAtExit);
  await start();
  return {
    broker: `localhost:${advertised}`,
    plaintextBroker: `localhost:${plain}`,
    admin,
    caFile,
    kill,
    start,
    async stop() {
      process.off('exit', killAtExit);
      await kill();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

function properties(options: {
  secure: number;
  advertised: number;
  plain: number;
  controller: number;
  certificate: Certificate;
  data: string;
}): string {
  const pem = (text: string) => text.trim().replaceAll('\n', ' \\\n ');
  return `process.roles=broker,controller
node.id=1
controller.quorum.voters=1@localhost:${options.controller}
listeners=SASL_SSL://localhost:${options.secure},PLAINTEXT://localhost:${options.plain},CONTROLLER://localhost:${options.controller}
advertised.listeners=SASL_SSL://localhost:${options.advertised},PLAINTEXT://localhost:${options.plain}
listener.security.protocol.map=SASL_SSL:SASL_SSL,PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
inter.broker.listener.name=PLAINTEXT
controller.listener.names=CONTROLLER
log.dirs=${options.data}
sasl.enabled.mechanisms=SCRAM-SHA-512
listener.name.sasl_ssl.scram-sha-512.sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required;
authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
# Who comes over the plaintext listener has no name.
super.users=User:${admin.username};User:ANONYMOUS
allow.everyone.if.no.acl.found=false
auto.create.topics.enable=false
ssl.keystore.type=PEM
ssl.keystore.key=${pem(options.certificate.key)}
ssl.keystore.certificate.chain=${pem(options.certificate.cert)}
offsets.topic.replication.factor=1
offsets.topic.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=2
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
group.initial.rebalance.delay.ms=0
group.min.session.timeout.ms=1000
num.network.threads=2
num.io.threads=2
background.threads=2
log.cleaner.enable=false
num.partitions=3
# After a kill, the controller waits this long before it lets the broker in again.
broker.session.timeout.ms=1500
broker.heartbeat.interval.ms=300
# A minute of idleness must not close the connections of a paused test.
connections.max.idle.ms=600000
`;
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, 'localhost');
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
