import { expect, it } from 'vitest';
import type { Observed } from './record.ts';
import { checkThings, type ThingsRecord } from './things.ts';

/** A story in which all is well; each case below breaks one thing in it. */
function story(): { record: ThingsRecord; seen: Observed } {
  const step = (seq: number, blueprint: 'thing-portal' | 'thing-agent' | 'thing-kafka', n: number) => ({
    seq,
    name: n === 1 ? 'entity.created' : 'entity.updated',
    blueprint,
    entity: 'a',
    n,
    nBefore: n === 1 ? null : n - 1,
  });
  const message = (id: string, blueprint: 'thing-portal' | 'thing-agent', n: number, sequence: number) => ({
    id,
    sequence,
    blueprint,
    entity: 'a',
    action: n === 1 ? 'CREATE' : 'UPDATE',
    n,
  });
  const arrival = (runId: string) => ({ runId, idempotencyKey: runId, webhookId: runId, attempt: 1, body: runId });
  const timer = { blueprint: 'thing-portal', entity: 'timer-0', n: null } as const;
  return {
    record: {
      events: [
        step(1, 'thing-portal', 1),
        step(2, 'thing-portal', 2),
        step(3, 'thing-agent', 1),
        step(4, 'thing-kafka', 1),
        step(5, 'thing-kafka', 2),
        { ...timer, seq: 6, name: 'entity.timer_expired', nBefore: null },
      ],
      messages: [
        message('m_1', 'thing-portal', 1, 1),
        message('m_2', 'thing-portal', 2, 2),
        { ...timer, id: 'm_3', action: 'TIMER_EXPIRED', sequence: 6 },
        message('m_4', 'thing-agent', 1, 3),
      ],
      topic: new Map([
        ['thing-agent a', [3]],
        ['thing-kafka a', [4, 5, 4, 5]],
      ]),
      fires: () => false,
    },
    seen: {
      executions: [],
      requests: [],
      reports: [],
      changes: ['m_1', 'm_2', 'm_2', 'm_3', 'm_4'].map(arrival),
      things: new Map([
        ['thing-portal a', 2],
        ['thing-agent a', 1],
        ['thing-kafka a', 2],
      ]),
      retried: new Map(),
      timers: new Set(['timer-0']),
    },
  };
}

it('finds nothing where all is well', () => {
  const { record, seen } = story();
  expect(checkThings(record, seen)).toEqual([]);
});

it('lets a call that got no answer be carried out later, as often as it got none', () => {
  const { record, seen } = story();
  const [, second] = record.events;
  record.events.push(
    { ...second, seq: 7, n: 1, nBefore: 2 } as never,
    { ...second, seq: 8, n: 2, nBefore: 1 } as never,
  );
  for (const [id, sequence, n] of [
    ['m_5', 7, 1],
    ['m_6', 8, 2],
  ] as const)
    record.messages.push({ ...record.messages[1], id, sequence, n } as never);
  seen.changes.push(...['m_5', 'm_6'].map((id) => ({ ...seen.changes[0], runId: id, body: id }) as never));
  expect(checkThings(record, seen).map(({ about }) => about)).toEqual(['thing-portal a']);
  seen.retried.set('thing-portal a', [1, 2]);
  expect(checkThings(record, seen)).toEqual([]);
});

it.each<[string, (story: { record: ThingsRecord; seen: Observed }) => void, RegExp]>([
  ['a step lost', ({ record }) => record.events.splice(1, 1), /2 steps were written, and the events end with 1/],
  [
    'a step doubled',
    ({ record }) => record.events.push({ ...record.events[4], seq: 9 } as never),
    /of 3 events the 3\. goes from 1 to 2, after 2/,
  ],
  [
    'a step without the one before',
    ({ record }) => Object.assign(record.events[1] ?? {}, { nBefore: 0 }),
    /of 2 events the 2\. goes from 0 to 2, after 1/,
  ],
  ['a timer skipped', ({ record }) => record.events.pop(), /timer-0: it expired 0 times/],
  ['a timer doubled', ({ record }) => record.events.push({ ...record.events[5], seq: 9 } as never), /expired 2 times/],
  ['a message lost', ({ record }) => record.messages.splice(0, 1), /thing-portal a CREATE 1: it became 0 messages/],
  ['a message doubled', ({ record }) => record.messages.push(record.messages[1] as never), /it became 2 messages/],
  [
    'a message of a change for consumers',
    ({ record }) => Object.assign(record.messages[3] ?? {}, { blueprint: 'thing-kafka', sequence: 4 }),
    /thing-kafka a CREATE 1: it became 1 messages/,
  ],
  ['a message made up', ({ record }) => Object.assign(record.messages[1] ?? {}, { n: 7 }), /UPDATE 7: m_2 has the seq/],
  [
    'a message with the place of another change',
    ({ record }) => Object.assign(record.messages[1] ?? {}, { sequence: 1 }),
    /thing-portal a UPDATE 2: m_2 has the sequence 1, which is not/,
  ],
  ['a message that never arrived', ({ seen }) => seen.changes.splice(0, 1), /m_1 never arrived/],
  [
    'a duplicate that says something else',
    ({ seen }) => Object.assign(seen.changes[1] ?? {}, { body: 'other' }),
    /m_2: arrived with different bodies/,
  ],
  ['a record missing', ({ record }) => record.topic?.set('thing-kafka a', [5]), /2 changes, 1 in the topic/],
  ['records out of order', ({ record }) => record.topic?.set('thing-kafka a', [5, 4]), /differs is 5 instead of 4/],
  [
    'a record made up',
    ({ record }) => record.topic?.set('thing-portal a', [1]),
    /thing-portal a: 0 changes, 1 in the topic/,
  ],
])('%s', (_name, change, sentence) => {
  const { record, seen } = story();
  change({ record, seen });
  const found = checkThings(record, seen).map(({ about, message }) => `${about}: ${message}`);
  expect(found.join('\n')).toMatch(sentence);
});
