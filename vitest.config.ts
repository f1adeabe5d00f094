import { configDefaults, defineConfig } from 'vitest/config';

/**
 * One project per level of testing: rules need nothing, features and the agent need a real PostgreSQL (one server per
 * run, one cloned database per file: packages/testkit), Kafka tests a broker, the web needs a DOM, journeys need a browser.
 */
const include = ['src/**/*.test.ts', 'test/**/*.test.ts'];
/** Tests that need a Kafka broker are a project of their own, so that no other waits for one. */
const kafka = '**/*.kafka.test.ts';
const exclude = [...configDefaults.exclude, kafka];

/** Not how fast it is: how long a machine with much else to do may take before it counts as stuck. */
const poll = { expect: { poll: { timeout: 20_000 } } };
const patience = { ...poll, testTimeout: 30_000, hookTimeout: 60_000 };

export default defineConfig({
  test: {
    globalSetup: ['./packages/testkit/src/global-setup.ts'],
    projects: [
      { test: { ...patience, name: 'contracts', root: 'packages/contracts', include } },
      { test: { ...patience, name: 'expressions', root: 'packages/expressions', include } },
      { test: { ...patience, name: 'delivery', root: 'packages/delivery', include } },
      { test: { ...patience, name: 'testkit', root: 'packages/testkit', include: ['src/**/*.test.ts'], exclude } },
      // Real processes that are killed. They mostly wait for leases to run out, so two files run at once, after all others.
      {
        test: {
          ...poll,
          name: 'faults',
          root: 'packages/testkit',
          include: ['test/faults/**/*.test.ts'],
          exclude,
          testTimeout: 120_000,
          hookTimeout: 120_000,
          maxWorkers: 2,
          sequence: { groupOrder: 1 },
        },
      },
      { test: { ...patience, name: 'server', root: 'packages/server', include, exclude } },
      { test: { ...patience, name: 'agent', root: 'packages/agent', include, exclude } },
      { test: { ...patience, name: 'target-service', root: 'examples/target-service', include } },
      {
        test: {
          ...patience,
          name: 'web',
          root: 'packages/web',
          include: ['src/**/*.test.{ts,tsx}'],
          // Browsers have it; Node brings it behind this flag.
          execArgv: ['--experimental-eventsource', '--disable-warning=UNDICI-ES'],
        },
      },
      {
        test: {
          ...patience,
          name: 'examples',
          root: 'examples',
          include: ['*/src/**/*.test.ts', '*/test/**/*.test.ts'],
        },
      },
      { test: { ...patience, name: 'script', root: '.', include: ['script/**/*.test.ts', 'bench/**/*.test.ts'] } },
      {
        test: {
          ...poll,
          name: 'kafka',
          root: '.',
          include: [`packages/*/{src,test}/${kafka}`],
          globalSetup: ['./packages/testkit/src/kafka-setup.ts'],
          // Joining a group is seconds, and more while other files start and kill processes on the same cores. These files, too,
          // mostly wait.
          testTimeout: 90_000,
          hookTimeout: 120_000,
          maxWorkers: 2,
          sequence: { groupOrder: 1 },
        },
      },
      // Needs the Helm that script/test builds. Each test starts it anew, which takes a tenth of a second.
      { test: { name: 'charts', root: 'charts', include, ...patience } },
      // A journey drives a browser: slow steps are normal, and two browsers at once starve each other on two cores.
      {
        test: {
          ...poll,
          name: 'e2e',
          root: 'e2e',
          include: ['**/*.test.ts'],
          testTimeout: 60_000,
          hookTimeout: 120_000,
          fileParallelism: false,
        },
      },
    ],
  },
});
