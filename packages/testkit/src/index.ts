export { agentEnvironment, spawnAgent } from './agent-process.ts';
export { type ExternalPostgres, startExternalPostgres } from './external-postgres.ts';
export { startTestKafka, type TestKafka } from './kafka.ts';
export { kafkaStreamer, pollingStreamer, type Streamer, setKafkaPassword } from './kafka-streamer.ts';
export {
  administer,
  createDatabase,
  silentLog,
  startTestPostgres,
  type TestDatabase,
  type TestPostgres,
} from './postgres.ts';
export { freePort, type ServerProcess, spawnServer, startServerProcess, testOrganization } from './server-process.ts';
