import { defineConfig } from 'vitest/config';

/**
 * One project per level of docs/testing: pure rules need nothing, features and the agent need a real PostgreSQL
 * (one server per run, one cloned database per file), the web needs a DOM.
 */
export default defineConfig({
  test: {
    projects: [
      { test: { name: 'contracts', root: 'packages/contracts', include: ['src/**/*.test.ts'] } },
      {
        test: { name: 'expressions', root: 'packages/expressions', include: ['src/**/*.test.ts', 'test/**/*.test.ts'] },
      },
      { test: { name: 'delivery', root: 'packages/delivery', include: ['src/**/*.test.ts'] } },
    ],
  },
});
