import type { TestProject } from 'vitest/node';
import { startTestKafka, type TestKafka } from './kafka.ts';

declare module 'vitest' {
  interface ProvidedContext {
    kafka: Pick<TestKafka, 'broker' | 'plaintextBroker' | 'admin' | 'caFile'>;
  }
}

/** Started once, only when tests of the project `kafka` run. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const { broker, plaintextBroker, admin, caFile, stop } = await startTestKafka();
  project.provide('kafka', { broker, plaintextBroker, admin, caFile });
  return stop;
}
