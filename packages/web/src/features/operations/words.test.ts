import type { SystemStatus } from '@quayside/contracts';
import { expect, it } from 'vitest';
import { bytesInWords, findTrouble, holdersInWords, words } from './words.ts';

const well: SystemStatus = {
  at: '2026-01-01T00:00:00.000Z',
  queues: [{ queue: 'agent:org', due: 3, leased: 1, later: 0, oldestDueSeconds: 2, holders: [] }],
  readers: [
    { reader: 'automations', lagSeconds: 0, behind: 0, holder: 'server-1', movedAt: '2026-01-01T00:00:00.000Z' },
  ],
  agents: { connected: 1, known: 1 },
  deadLetters: { lastDay: 0, all: 7 },
  jobs: [],
  audit: null,
  database: { version: '18', bytes: 1, connections: 3, maxConnections: 100, tables: [] },
};

it('finds nothing where all is well', () => {
  expect(findTrouble(well)).toEqual([]);
});

it('says what waits, since when, and what to do', () => {
  const ill: SystemStatus = {
    ...well,
    queues: [{ queue: 'agent:org', due: 3, leased: 1, later: 0, oldestDueSeconds: 7_200, holders: [] }],
    readers: [
      { ...(well.readers[0] as SystemStatus['readers'][number]), lagSeconds: 120, behind: 10_000, holder: null },
    ],
    deadLetters: { lastDay: 2, all: 7 },
    database: { ...well.database, connections: 95 },
  };
  expect(findTrouble(ill).map(({ what }) => what)).toEqual([
    'Runs for agents: 3 wait, the oldest for 2 h.',
    'Automations: 10000 events behind, the oldest for 2 min.',
    '2 deliveries were given up in the last day.',
    '95 of 100 database connections are in use.',
  ]);
  expect(findTrouble(ill)[1]?.remedy).toMatch(/No server holds/);
});

it('names who holds the leases of a queue, and how many are held by others', () => {
  const holders = [
    { holder: 'agent-1', leases: 3 },
    { holder: 'server host 12', leases: 1 },
  ];
  expect(holdersInWords(holders, 4)).toBe('agent-1 (3), server host 12 (1)');
  expect(holdersInWords(holders, 6)).toBe('agent-1 (3), server host 12 (1), others (2)');
});

it('tells times and sizes in words', () => {
  expect([5, 100, 9_000].map(words)).toEqual(['5 s', '2 min', '3 h']);
  expect([0, 999, 1_500, 12_345_678, 2e13].map(bytesInWords)).toEqual(['0 B', '999 B', '1.5 KB', '12 MB', '20 TB']);
});
