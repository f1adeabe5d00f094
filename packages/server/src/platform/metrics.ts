import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';

/** Prometheus metrics of one server. Names begin with quayside_ and carry their unit. */
export function createMetrics() {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const registers = [registry];
  return {
    registry,
    requests: new Histogram({
      name: 'quayside_http_request_seconds',
      help: 'Time to answer, by route id and status.',
      labelNames: ['route', 'status'] as const,
      buckets: [0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5],
      registers,
    }),
    runs: new Counter({
      name: 'quayside_runs_total',
      help: 'Runs that reached a status.',
      labelNames: ['status'] as const,
      registers,
    }),
    deliveries: new Counter({
      name: 'quayside_deliveries_total',
      help: 'Settled attempts to hand a run to its backend, by who sent it and what came of it.',
      labelNames: ['by', 'outcome'] as const,
      registers,
    }),
    deadLetters: new Gauge({
      name: 'quayside_dead_letters',
      help: 'What was given up undelivered and not delivered since, runs and messages. Every server tells the same number.',
      labelNames: ['kind'] as const,
      registers,
    }),
    claims: new Counter({
      name: 'quayside_claimed_total',
      help: 'Leases given out, by kind of queue.',
      labelNames: ['queue'] as const,
      registers,
    }),
    kafkaPublished: new Counter({
      name: 'quayside_kafka_published_total',
      help: 'Messages that the brokers took, by kind of topic.',
      labelNames: ['topic'] as const,
      registers,
    }),
    automations: new Counter({
      name: 'quayside_automation_evaluations_total',
      help: 'Events that an automation listens to, by what came of them: fired (a run was made), not_fired, failed, blocked.',
      labelNames: ['outcome'] as const,
      registers,
    }),
    readerLag: new Gauge({
      name: 'quayside_reader_lag_seconds',
      help: 'Age of the oldest event that a reader of events has not dealt with.',
      labelNames: ['reader'] as const,
      registers,
    }),
    databaseBytes: new Gauge({ name: 'quayside_database_bytes', help: 'Size of the database.', registers }),
    agentsConnected: new Gauge({
      name: 'quayside_agents_connected',
      help: 'Agents that have claimed lately. Every server tells the same number.',
      registers,
    }),
    jobLooked: new Gauge({
      name: 'quayside_job_looked_timestamp_seconds',
      help: 'When this server last looked for the work of a queue without a fault.',
      labelNames: ['queue'] as const,
      registers,
    }),
    heldClaims: new Gauge({ name: 'quayside_held_claims', help: 'Claim calls that are waiting for work.', registers }),
    queueDepth: new Gauge({
      name: 'quayside_queue_depth',
      help: 'Open work, by queue (agent:<organization>, server) and state (due, leased). Every server tells the same number.',
      labelNames: ['queue', 'state'] as const,
      registers,
    }),
    queueAge: new Gauge({
      name: 'quayside_queue_age_seconds',
      help: 'Age of the oldest due work that nobody holds.',
      registers,
    }),
  };
}
export type Metrics = ReturnType<typeof createMetrics>;
